package encode_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"math/rand/v2"
)

// source makes texts, the same for the same seed.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 7))} }

func (s source) noise(n int) []byte {
	p := make([]byte, 0, n+8)
	for len(p) < n {
		p = binary.LittleEndian.AppendUint64(p, s.Uint64())
	}
	return p[:n]
}

// symbols are bytes that are one of few.
func (s source) symbols(n int, few string) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = few[s.IntN(len(few))]
	}
	return p
}

// prose is text as people write it, as far as lengths of words and how often they come go: xz makes a third of it.
func (s source) prose(n int) []byte {
	words := make([][]byte, 6000)
	for i := range words {
		words[i] = append(s.symbols(2+s.IntN(4)+s.IntN(5), "eeeeetttaaaooiinnsshhrrddlluucmwfgypbvk"), ' ')
	}
	p := make([]byte, 0, n+16)
	for len(p) < n {
		f := s.Float64()
		p = append(p, words[int(f*f*f*float64(len(words)))]...)
	}
	return p[:n]
}

// periodic repeats n bytes of noise.
func (s source) periodic(n, period int) []byte { return cycle(n, s.noise(period)) }

func cycle(n int, period []byte) []byte { return bytes.Repeat(period, n/len(period)+1)[:n] }

// fibonacci is the word in which each prefix of a Fibonacci number's length is the two before it: few texts of a length
// occur in it, and all of them everywhere.
func fibonacci(n int) []byte {
	p := []byte("ab")
	for last := 1; len(p) < n; {
		next := append(p, p[:last]...)
		last = len(p)
		p = next
	}
	return p[:n]
}

// deBruijn has every text of order bits once, as two symbols: all short texts are everywhere, and no long one is twice.
func deBruijn(n, order int) []byte {
	p := make([]byte, n)
	seen := make([]bool, 1<<order)
	state := 0
	for i := range p {
		next := (state<<1 | 1) & (1<<order - 1)
		if seen[next] {
			next ^= 1
		}
		seen[next] = true
		state = next
		p[i] = 'a' + byte(state&1)
	}
	return p
}

// records are many of the size of an inode, of zeros but for some bytes that differ.
func (s source) records(n, size int, at ...int) []byte {
	p := make([]byte, n+size)
	for i := 0; i < n; i += size {
		for _, a := range at {
			p[i+a] = byte(s.Uint32())
		}
	}
	return p[:n]
}

// counters are 32-bit numbers that step by step.
func counters(n int, order binary.AppendByteOrder, step uint32) []byte {
	p := make([]byte, 0, n+4)
	for v := ^uint32(0); len(p) < n; v += step {
		p = order.AppendUint32(p, v)
	}
	return p[:n]
}

// deflated is what flate makes of prose.
func (s source) deflated(n int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	for b.Len() < n {
		w.Write(s.prose(1 << 20))
	}
	return b.Bytes()[:n]
}

// alternating takes turns between texts, with pieces of size bytes.
func alternating(size int, texts ...[]byte) []byte {
	var p []byte
	for i := 0; i+size <= len(texts[0]); i += size {
		p = append(p, texts[i/size%len(texts)][i:i+size]...)
	}
	return append(p, texts[0][len(p):]...)
}

// copies are repeats of noise from anywhere before, of any length and so at any alignment, with a byte between them.
func (s source) copies(n, longest int) []byte {
	p := s.noise(min(n, 2*longest))
	for len(p) < n {
		l := 1 + s.IntN(longest)
		from := s.IntN(len(p) - l)
		p = append(append(p, p[from:from+l]...), byte(s.Uint32()))
	}
	return p[:n]
}

// almost repeats a piece of noise of size bytes, each time with one other byte changed: matches that are not quite long
// enough to be taken at once.
func (s source) almost(n, size int) []byte {
	piece := s.noise(size)
	var p []byte
	for len(p) < n {
		piece[s.IntN(size)]++
		p = append(p, piece...)
	}
	return p[:n]
}

// relatives are pieces that are each like an earlier one but for a byte, behind one of few bytes.
func (s source) relatives(n, size int) []byte {
	var p []byte
	piece := s.noise(size)
	for len(p) < n {
		p = append(append(p, byte(s.IntN(6))), piece...)
		at := s.IntN(len(p)/(size+1))*(size+1) + 1
		piece = bytes.Clone(p[at : at+size])
		piece[s.IntN(size)]++
	}
	return p[:n]
}
