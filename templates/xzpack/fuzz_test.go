package xzpack_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// fuzzLimits keep a fuzzer's inputs small enough to run many of them.
var fuzzLimits = xzpack.Limits{Size: 1 << 20, Dict: 1 << 20, Block: 1 << 20}

// FuzzOpen: no file makes Open or reading panic, and what we accept the other implementation reads as the same.
func FuzzOpen(f *testing.F) {
	f.Add(pack(f, nil, xzpack.PackOptions{}))
	f.Add(pack(f, image(1, 10_000), xzpack.PackOptions{BlockSize: 4096}))
	f.Add(append(append(pack(f, []byte("a"), xzpack.PackOptions{}), make([]byte, 8)...), pack(f, []byte("b"), xzpack.PackOptions{})...))
	for _, check := range []container.Check{container.CheckNone, container.CheckCRC32, container.CheckSHA256} {
		f.Add(forged{check: check, blocks: []forgedBlock{{content: []byte("sizes"), sizes: true}, {content: []byte("none")}}}.bytes(f))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := xzpack.Open(bytes.NewReader(file), int64(len(file)), xzpack.OpenOptions{Limits: fuzzLimits})
		if err != nil {
			return
		}
		var sum int64
		for _, b := range r.Blocks() {
			require.Equal(t, sum, b.ContentOffset)
			require.LessOrEqual(t, b.Offset+b.TotalSize, int64(len(file)))
			sum += b.Size
		}
		require.Equal(t, r.Size(), sum)
		var content bytes.Buffer
		if _, err := r.WriteTo(&content); err != nil {
			return
		}
		again, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
		require.NoError(t, err)
		require.True(t, bytes.Equal(content.Bytes(), again))
		other, err := xz.ReaderConfig{DictCap: 1 << 20}.NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		if theirs, err := io.ReadAll(other); err == nil {
			require.True(t, bytes.Equal(content.Bytes(), theirs))
		}
	})
}

// FuzzRoundTrip: whatever is packed, however, comes back from both implementations.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(""), uint16(0), uint8(0), uint8(0))
	f.Add(image(1, 20_000), uint16(100), uint8(1), uint8(2))
	f.Add(make([]byte, 9000), uint16(1), uint8(2), uint8(1))
	f.Add(noise(1, 5000), uint16(0), uint8(0), uint8(7))
	f.Fuzz(func(t *testing.T, content []byte, extra uint16, level, jobs uint8) {
		opt := xzpack.PackOptions{Level: xzpack.Level(level % 3), BlockSize: xzpack.MinBlockSize + int64(extra), Jobs: int(jobs % 8)}
		file := pack(t, content, opt)
		require.True(t, bytes.Equal(content, contentOf(t, file)))
		require.True(t, bytes.Equal(content, independent(t, file)))
		for _, b := range open(t, file).Blocks() {
			require.True(t, b.HasSize && b.HasPackedSize)
			require.LessOrEqual(t, b.Dict, opt.BlockSize)
		}
		var stream bytes.Buffer
		_, err := xzpack.PackReader(context.Background(), &stream, bytes.NewReader(content), opt)
		require.NoError(t, err)
		require.True(t, bytes.Equal(file, stream.Bytes()))
	})
}
