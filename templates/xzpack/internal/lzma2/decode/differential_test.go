package decode_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// cases is how many cases TestDifferential tries. To try more is for FuzzDecodeDifferential.
const cases = 20_000

// entropy is what a case is made from; it ends in zeros.
type entropy []byte

func (e *entropy) n(limit int) int {
	p := *e
	if len(p) == 0 {
		return 0
	}
	v := int(p[0])
	*e = p[1:]
	if limit > 256 && len(p) > 1 {
		v = v<<8 | int(p[1])
		*e = p[2:]
	}
	return v % limit
}

// differ decodes cases with three decoders: ours, ours for streams, and the reference.
type differ struct {
	f                forge
	ours, theirs     []byte
	dec, ref         lzma2.Decoder
	stream           *lzma2.StreamDecoder
	accepted, strict int
}

func newDiffer() *differ {
	return &differ{dec: lzma2.NewDecoder(), ref: lzma2.NewReference(), stream: lzma2.NewStreamDecoder(bytes.NewReader(nil), 4096)}
}

// try makes a case of p and compares. It returns what is wrong.
func (d *differ) try(p []byte) error {
	e := entropy(p)
	var packed []byte
	if e.n(8) == 0 {
		packed = bytes.Clone(e[min(1, len(e)):])
	} else {
		packed = d.mutated(&e)
	}
	return d.compare(packed, contentSize(packed)-e.n(32)/31)
}

// mutated writes chunks of all kinds, most of them right, and then damages some.
func (d *differ) mutated(e *entropy) []byte {
	f := &d.f
	f.clear()
	damage := max(e.n(5)-2, 0)
	var at [6]int
	for i := range damage * 3 {
		at[i] = e.n(1 << 16)
	}
	f.props(3, 0, 2)
	d.chunk(e, model.CtlDict)
	for len(*e) > 0 && len(f.content) < 5<<10 {
		d.chunk(e, byte(e.n(256)))
	}
	packed := f.done()
	for i := range damage {
		packed = hurt(packed, at[3*i], at[3*i+1], at[3*i+2])
	}
	return packed
}

// chunk writes one chunk, of the kind that ctl says, as far as it is allowed.
func (d *differ) chunk(e *entropy, ctl byte) {
	f := &d.f
	switch {
	case ctl < 8:
		f.raw(model.CtlRaw, make([]byte, 1+e.n(20))...)
		return
	case ctl < 10:
		f.raw(model.CtlRaw0, bytes.Repeat([]byte("raw"), 1+e.n(20))...)
		ctl = model.CtlProps
	case ctl < model.CtlLZMA:
		ctl += model.CtlLZMA
	}
	if ctl >= model.CtlProps && e.n(4) == 0 {
		lc := e.n(5)
		f.props(uint32(lc), uint32(e.n(5-lc)), uint32(e.n(5)))
	}
	f.begin(ctl & 0xe0)
	f.lit(byte(e.n(256)))
	for range e.n(40) {
		switch k := e.n(16); {
		case k < 6:
			f.lit(byte(k*37), byte(e.n(256)))
		case k < 8:
			f.match(uint32(e.n(64)%int(f.at())), model.MinMatch+e.n(8))
		case k < 11:
			f.match(uint32(e.n(1<<16)%min(int(f.at()), 4096)), model.MinMatch+e.n(272))
		case k < 15:
			f.known(e.n(4), 1+e.n(20))
		case e.n(8) == 0:
			f.match(uint32(e.n(1<<16)), model.MinMatch) // mostly wrong
		}
		if len(*e) == 0 {
			break
		}
	}
	f.end()
}

// known writes a match at a distance had before, if it is still there.
func (f *forge) known(i, n int) {
	if i > 0 {
		n = max(n, model.MinMatch)
	}
	if f.reps[i] < f.at() {
		f.rep(i, n)
	}
}

// hurt damages packed, in one of several ways.
func hurt(p []byte, how, where, v int) []byte {
	at := where % len(p)
	switch how % 8 {
	case 0:
		p = append(p[:at], p[at+1:]...)
	case 1:
		p = append(p[:at], append([]byte{byte(v)}, p[at:]...)...)
	case 2:
		p[at] = byte(v)
	case 3:
		p = p[:at]
	case 4, 5: // control bytes
		for k, a := range chunks(p) {
			if k == where%8 {
				p[a] = byte(v)
			}
		}
	default:
		p[at] ^= 1 << (v % 8)
	}
	if len(p) == 0 {
		return []byte{0}
	}
	return p
}

// chunks is where the chunks of p begin.
func chunks(p []byte) (at []int) {
	for a := 0; a < len(p); {
		h, err := decode.ParseHeader(p[a:])
		if err != nil || h.Ctl == model.CtlEnd {
			break
		}
		at = append(at, a)
		a += h.Len + h.Packed
	}
	return at
}

// contentSize is the length of content that p claims.
func contentSize(p []byte) (n int) {
	for _, a := range chunks(p) {
		h, _ := decode.ParseHeader(p[a:])
		n += h.Size
	}
	return min(n, 16<<10)
}

// stricter is what we refuse, as liblzma does, and the reference does not: it takes an end marker for the end of a chunk,
// goes on where the range coder stopped instead of where the chunk's header says, and allows any properties.
func stricter(err error) bool {
	for _, s := range []string{"range coder does not end at zero", "needs less data than its header says", "is not allowed in LZMA2"} {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}

func (d *differ) compare(packed []byte, size int) error {
	size = max(size, 0)
	d.ours = append(d.ours[:0], make([]byte, size)...)
	d.theirs = append(d.theirs[:0], make([]byte, size)...)
	const dict = 4096
	err := d.dec.Decode(bg, d.ours, packed, dict)
	refErr := d.ref.Decode(bg, d.theirs, packed, dict)
	switch {
	case err == nil && refErr != nil:
		return errors.New("the reference refuses what we accept: " + refErr.Error())
	case err != nil && refErr == nil && !stricter(err):
		return errors.New("the reference accepts what we refuse: " + err.Error())
	case err == nil && !bytes.Equal(d.ours, d.theirs):
		return errors.New("the content differs from the reference's")
	case err == nil:
		d.accepted++
	case refErr == nil:
		d.strict++
	}
	in := bytes.NewReader(packed)
	d.stream.Reset(in, dict)
	n, streamErr := readSame(d.stream, d.ours)
	if whole := streamErr == nil && n == size && in.Len() == 0; whole != (err == nil) {
		return errors.New("the stream decoder does not agree with the block decoder")
	}
	return nil
}

// readSame reads r to its end and compares with want. It fails if what is read begins otherwise.
func readSame(r io.Reader, want []byte) (n int, err error) {
	var buf [4096]byte
	for {
		k, err := r.Read(buf[:])
		if n+k <= len(want) && !bytes.Equal(buf[:k], want[n:n+k]) {
			err = errors.New("differs")
		}
		n += k
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func FuzzDecodeDifferential(f *testing.F) {
	f.Add([]byte{0})
	rnd := rand.NewChaCha8([32]byte{3})
	for n := range 40 {
		p := make([]byte, n*8)
		_, _ = rnd.Read(p)
		f.Add(p)
	}
	d := newDiffer()
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) < 300 {
			require.NoError(t, d.try(p))
		}
	})
}

// TestDifferential is FuzzDecodeDifferential with cases from a generator, the same each time.
func TestDifferential(t *testing.T) {
	start := time.Now()
	var next, accepted, strict atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			d := newDiffer()
			for !t.Failed() {
				i := next.Add(1)
				if i > int64(cases) {
					break
				}
				var seed [32]byte
				binary.LittleEndian.PutUint64(seed[:], uint64(i))
				rnd := rand.NewChaCha8(seed)
				p := make([]byte, rnd.Uint64()%150)
				_, _ = rnd.Read(p)
				if err := d.try(p); err != nil {
					t.Errorf("case %d: %v", i, err)
				}
			}
			accepted.Add(int64(d.accepted))
			strict.Add(int64(d.strict))
		})
	}
	workers.Wait()
	t.Logf("%d cases, %d accepted, %d refused but by the reference, %.0f a second", cases, accepted.Load(), strict.Load(),
		float64(cases)/time.Since(start).Seconds())
	require.Greater(t, accepted.Load(), int64(cases/10))
}
