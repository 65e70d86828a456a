package decode_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz/lzma"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
)

// sample is a small block that has chunks of all kinds in it.
func sample() *forge {
	f := first().raw(ctlRaw, 'r', 'a', 'w').begin(ctlLZMA).lit([]byte("state is kept")...).match(5, 30).rep(1, 2).end()
	f.begin(ctlState).lit('x').match(40, 273).rep(0, 1).lit('y').end()
	f.props(0, 3, 1).begin(ctlProps).lit([]byte("properties")...).match(300, 9).end()
	f.raw(ctlRaw0, 'r', 'e', 's', 'e', 't').begin(ctlProps).match(2, 17).lit('z').end()
	return f.begin(ctlDict).lit([]byte("again")...).match(3, 18).match(0, 100).rep(1, 11).end()
}

func TestBlock(t *testing.T) {
	f := sample()
	requireDecodes(t, f.content, f.done(), 4096)
}

func TestBlockIsCutOff(t *testing.T) {
	f := sample()
	packed := f.done()
	var d decode.Decoder
	block := make([]byte, len(f.content))
	for n := range packed {
		err := d.Block(bg, block, packed[:n], 4096)
		require.ErrorIs(t, err, decode.ErrCutOff)
		var e *decode.Error
		require.ErrorAs(t, err, &e)
		require.LessOrEqual(t, e.Packed, int64(n))
		require.True(t, bytes.HasPrefix(f.content, block[:e.Content]))
	}
	require.NoError(t, d.Block(bg, block, packed, 4096))
}

// TestDamage changes every bit of a block: whether that is noticed depends, but it is the same for both decoders.
func TestDamage(t *testing.T) {
	f := sample()
	packed := f.done()
	d := newDiffer()
	for i := range len(packed) * 8 {
		packed[i/8] ^= 1 << (i % 8)
		require.NoError(t, d.compare(packed, len(f.content)))
		packed[i/8] ^= 1 << (i % 8)
	}
	for n := range packed {
		require.NoError(t, d.compare(packed[:n], len(f.content)))
	}
}

func TestBlockOfAnotherLength(t *testing.T) {
	f := sample()
	packed := f.done()
	n := len(f.content)
	var d decode.Decoder
	require.ErrorContains(t, d.Block(bg, make([]byte, n-1), packed, 4096), "content is longer than expected")
	require.ErrorContains(t, d.Block(bg, nil, packed, 4096), "content is longer than expected")
	require.ErrorContains(t, d.Block(bg, make([]byte, n+1), packed, 4096), "content is 507 bytes: expected 508")
	require.ErrorContains(t, d.Block(bg, make([]byte, n), append(packed, 0, 0), 4096), "compressed data ends 2 bytes early")
}

func TestCancelledBlock(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(bg)
	cancel(cause)
	var d decode.Decoder
	f := sample()
	require.Equal(t, cause, d.Block(ctx, f.content, f.done(), 4096))
	require.Equal(t, cause, lzma2.NewDecoder().Decode(ctx, f.content, f.packed, 4096))
}

// TestNothingBehindTheBlock: what lies behind the block in memory is not touched, however the copying of matches goes.
func TestNothingBehindTheBlock(t *testing.T) {
	for dist := range uint32(40) {
		for n := 2; n < 274; n++ {
			f := new(forge).props(3, 0, 2).raw(ctlRaw0, bytes.Repeat([]byte("0123456789abcdefghij-"), 2)...)
			f.begin(ctlProps).match(dist, n).end()
			memory := bytes.Repeat([]byte{0xee}, len(f.content)+100)
			block := memory[:len(f.content)]
			var d decode.Decoder
			require.NoError(t, d.Block(bg, block, f.done(), 4096))
			require.Equal(t, string(f.content), string(block), "%d bytes from %d before", n, dist+1)
			require.Equal(t, string(bytes.Repeat([]byte{0xee}, 100)), string(memory[len(block):]))
		}
	}
}

func TestDecodingDoesNotAllocate(t *testing.T) {
	content := text(6, 300_000)
	packed := pack(t, content, lzma.Writer2Config{DictCap: 1 << 16})
	var d decode.Decoder
	require.Zero(t, testing.AllocsPerRun(5, func() {
		require.NoError(t, d.Block(bg, content, packed, 1<<16))
	}))
	in := bytes.NewReader(packed)
	s := decode.NewStream(in, 1<<16)
	require.LessOrEqual(t, testing.AllocsPerRun(5, func() {
		in.Reset(packed)
		s.Reset(in, 1<<16)
		_, err := s.WriteTo(io.Discard)
		require.NoError(t, err)
	}), 30.0, "a header for each chunk may be allocated")
}

// TestStreamGrowsWithItsContent: a dictionary that is only claimed takes no memory.
func TestStreamGrowsWithItsContent(t *testing.T) {
	f := sample()
	packed := f.done()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := io.ReadAll(decode.NewStream(bytes.NewReader(packed), 1<<32-1))
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, string(f.content), string(got))
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func BenchmarkDecode(b *testing.B) {
	content := text(7, 4<<20)
	packed := pack(b, content, lzma.Writer2Config{DictCap: 4 << 20})
	block := make([]byte, len(content))
	b.Run("block", func(b *testing.B) {
		var d decode.Decoder
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			require.NoError(b, d.Block(bg, block, packed, 4<<20))
		}
	})
	b.Run("stream", func(b *testing.B) {
		in := bytes.NewReader(packed)
		s := decode.NewStream(in, 4<<20)
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			in.Reset(packed)
			s.Reset(in, 4<<20)
			_, err := s.WriteTo(io.Discard)
			require.NoError(b, err)
		}
	})
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			require.NoError(b, lzma2.NewReference().Decode(bg, block, packed, 4<<20))
		}
	})
}
