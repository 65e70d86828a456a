package lzma2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz/lzma"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

var bg = context.Background()

func noise(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

func encode(t testing.TB, block []byte) []byte {
	t.Helper()
	room := make([]byte, 0, lzma2.Bound(len(block)))
	packed, err := lzma2.NewEncoder(lzma2.Least).Encode(bg, room, block, false)
	require.NoError(t, err)
	require.LessOrEqual(t, len(packed), lzma2.Bound(len(block)))
	if len(packed) > 0 {
		require.Same(t, &room[:1][0], &packed[0], "allocated although there was room")
	}
	return packed
}

func TestEncodeAndDecode(t *testing.T) {
	text := bytes.Repeat([]byte("to be or not to be, that is the question. "), 4_000)
	for name, block := range map[string][]byte{
		"empty": {}, "byte": {7}, "text": text, "zeros": make([]byte, 3<<20), "noise": noise(100_000), "64 KiB of noise": noise(64 << 10),
		"noise in text": append(append(append([]byte{}, text...), noise(70_000)...), text...),
	} {
		t.Run(name, func(t *testing.T) {
			packed := encode(t, block)
			got := make([]byte, len(block))
			require.NoError(t, lzma2.NewDecoder().Decode(bg, got, packed, 1<<20))
			require.True(t, bytes.Equal(block, got))
			r, err := lzma.Reader2Config{DictCap: 1 << 20}.NewReader2(bytes.NewReader(packed))
			if len(block) > 0 {
				require.NoError(t, err)
			}
			got, err = io.ReadAll(r)
			require.NoError(t, err)
			require.True(t, bytes.Equal(block, got), "the other decoder")
		})
	}
}

// TestRunsOfZeros puts data at, before and behind every boundary that runs of zeros are cut at.
func TestRunsOfZeros(t *testing.T) {
	const unit = 64 << 10
	for _, size := range []int{8 * unit, 16*unit - 1, 16 * unit, 16*unit + 1, 40*unit + 100} {
		for _, at := range []int{-1, 0, 1, unit - 1, unit, 7 * unit, 8*unit - 1, 8 * unit, 8*unit + 1, 15 * unit, 16*unit - 1, 24 * unit} {
			block := make([]byte, size)
			if at >= 0 && at < size {
				copy(block[at:], "tplkit")
			}
			for _, dict := range []int64{4 << 20} {
				packed, err := lzma2.NewEncoder(lzma2.Middle).Encode(bg, nil, block, false)
				require.NoError(t, err)
				require.Less(t, len(packed), 4000, "%d bytes, data at %d", size, at)
				got := make([]byte, size)
				require.NoError(t, lzma2.NewDecoder().Decode(bg, got, packed, dict))
				require.True(t, bytes.Equal(block, got), "%d bytes, data at %d", size, at)
				r, err := lzma.Reader2Config{DictCap: int(dict)}.NewReader2(bytes.NewReader(packed))
				require.NoError(t, err)
				got, err = io.ReadAll(r)
				require.NoError(t, err)
				require.True(t, bytes.Equal(block, got), "the other decoder: %d bytes, data at %d", size, at)
			}
		}
	}
}

// TestBound: with room for the bound nothing is allocated, and that is never too little.
func TestBound(t *testing.T) {
	barely := make([]byte, 300_000) // compresses, but for less than its chunks' headers
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range barely {
		barely[i] = byte(rnd.IntN(254))
	}
	copies := noise(300_000)
	copy(copies[200_000:], copies[70_000:70_009])
	for _, effort := range []lzma2.Effort{lzma2.Most, lzma2.Middle, lzma2.Least} {
		enc := lzma2.NewEncoder(effort)
		for name, whole := range map[string][]byte{
			"noise": noise(300_000), "zeros": make([]byte, 300_000), "barely": barely, "copies": copies, "two": bytes.Repeat([]byte{1, 200}, 150_000),
		} {
			sizes := []int{64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 200_000, 262_144, 300_000}
			for n := range 70 {
				sizes = append(sizes, n)
			}
			for _, n := range sizes {
				room := make([]byte, 0, lzma2.Bound(n))
				packed, err := enc.Encode(bg, room, whole[:n], false)
				require.NoError(t, err)
				require.LessOrEqual(t, len(packed), lzma2.Bound(n), "%s, %d bytes", name, n)
				got := make([]byte, n)
				require.NoError(t, lzma2.NewDecoder().Decode(bg, got, packed, lzma2.MaxDict), "%s, %d bytes", name, n)
				require.True(t, bytes.Equal(whole[:n], got), "%s, %d bytes", name, n)
			}
		}
	}
}

// TestEfforts: the greatest gives the least.
func TestEfforts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	block := make([]byte, 300_000)
	for i := range block {
		block[i] = "aaaaaaab"[rnd.IntN(8)]
	}
	least := len(block)
	for _, effort := range []lzma2.Effort{lzma2.Least, lzma2.Middle, lzma2.Most} {
		packed, err := lzma2.NewEncoder(effort).Encode(bg, nil, block, false)
		require.NoError(t, err)
		require.Less(t, len(packed), len(block)/2)
		if effort == lzma2.Most {
			require.Less(t, len(packed), least)
		}
		least = min(least, len(packed))
		for _, dec := range []lzma2.Decoder{lzma2.NewDecoder(), lzma2.NewReference()} {
			got := make([]byte, len(block))
			require.NoError(t, dec.Decode(bg, got, packed, lzma2.MaxDict))
			require.True(t, bytes.Equal(block, got))
		}
	}
}

func TestEncodeAppends(t *testing.T) {
	for name, block := range map[string][]byte{"zeros": make([]byte, 5000), "noise": noise(5000)} {
		packed, err := lzma2.NewEncoder(lzma2.Least).Encode(bg, []byte("head"), block, false)
		require.NoError(t, err)
		require.Equal(t, "head", string(packed[:4]), name)
		got := make([]byte, len(block))
		require.NoError(t, lzma2.NewDecoder().Decode(bg, got, packed[4:], 4096), name)
		require.Equal(t, block, got, name)
	}
}

func TestNoiseIsStored(t *testing.T) {
	block := noise(100_000)
	packed := encode(t, block)
	require.Len(t, packed, lzma2.Bound(len(block)))
	require.True(t, bytes.Contains(packed, block[:64<<10]))
}

func TestDecodeRefuses(t *testing.T) {
	good := encode(t, bytes.Repeat([]byte("abcdefgh"), 1000))
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0x40
	long := bytes.Clone(good) // the first chunk claims one byte more than it has
	long[2]++
	for _, tc := range []struct {
		name   string
		packed []byte
		size   int
		err    string
	}{
		{"nothing", nil, 5, "cut off (at byte 0 of 0)"},
		{"content longer", good, 7999, "longer than the 7999 bytes expected"},
		{"content shorter", good, 8001, "content is 8000 bytes: expected 8001"},
		{"damaged", damaged, 8000, "corrupt at byte"},
		{"chunk ends early", long, 8001, "corrupt at byte"},
		{"trailing byte", append(bytes.Clone(good), 0), 8000, "ends 1 bytes early"},
		{"no end", good[:len(good)-1], 8000, "cut off"},
		{"cut in a chunk", good[:len(good)-9], 8000, "cut off"},
		{"cut in a header", good[:3], 8000, "cut off"},
		{"undefined chunk", []byte{0x03, 0, 0, 'a', 0}, 1, "control byte 03 is not defined"},
		{"no reset", []byte{0x02, 0, 0, 'a', 0}, 1, "does not reset"},
		{"no reset, compressed", []byte{0xc0, 0, 0, 0, 0, 0x5d, 'a', 0}, 1, "does not reset"},
		{"undefined properties", []byte{0xe0, 0, 0, 0, 5, 0xff, 0, 0, 0, 0, 0, 0, 0}, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := lzma2.NewDecoder().Decode(bg, make([]byte, tc.size), tc.packed, 1<<20)
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestCancelling(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(bg)
	block := bytes.Repeat([]byte("abcdefgh"), 20_000)
	packed, raw := encode(t, block), encode(t, noise(1000))
	cancel(cause)
	_, err := lzma2.NewEncoder(lzma2.Least).Encode(ctx, nil, block, false)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, lzma2.NewDecoder().Decode(ctx, block, packed, 1<<20), cause)
	require.ErrorIs(t, lzma2.NewDecoder().Decode(ctx, make([]byte, 1000), raw, 1<<20), cause)
}

func TestProof(t *testing.T) {
	block := bytes.Repeat([]byte("abcdefgh"), 20_000)
	packed := encode(t, block)
	require.NoError(t, lzma2.Prove(bg, block, packed, 1<<20))
	other := bytes.Clone(block)
	other[100_000]++
	require.ErrorIs(t, lzma2.Prove(bg, other, packed, 1<<20), lzma2.ErrProof)
	require.ErrorContains(t, lzma2.Prove(bg, other, packed, 1<<20), "content differs within 16384 bytes from byte 98304 on")
	require.ErrorIs(t, lzma2.Prove(bg, block[1:], packed, 1<<20), lzma2.ErrProof)
	ctx, cancel := context.WithCancel(bg)
	cancel()
	require.Equal(t, context.Canceled, lzma2.Prove(ctx, block, packed, 1<<20))
}

// FuzzDecode: anything may come in; what is accepted decodes to the same with the bare codec.
func FuzzDecode(f *testing.F) {
	f.Add(encode(f, bytes.Repeat([]byte("abc"), 50)), uint16(150))
	f.Add(encode(f, noise(50)), uint16(50))
	f.Add([]byte{0}, uint16(0))
	f.Fuzz(func(t *testing.T, packed []byte, size uint16) {
		block := make([]byte, size)
		if lzma2.NewDecoder().Decode(bg, block, packed, 1<<16) != nil {
			return
		}
		r, err := lzma.Reader2Config{DictCap: 1 << 20}.NewReader2(bytes.NewReader(packed))
		if size == 0 {
			return
		}
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.True(t, bytes.Equal(block, got))
	})
}
