package xzpack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// fuzzLimits keep a fuzzer's inputs small enough to run many of them.
var fuzzLimits = xzpack.Limits{Size: 1 << 20, Dict: 1 << 20}

// FuzzOpen: no file makes Open or reading panic, and what we accept the other implementation reads as the same.
func FuzzOpen(f *testing.F) {
	addFiles(f)
	f.Fuzz(checkFile)
}

// addFiles adds files for a fuzzer to begin with.
func addFiles(f *testing.F) {
	f.Helper()
	f.Add(pack(f, nil, xzpack.PackOptions{}))
	f.Add(pack(f, image(1, 10_000), xzpack.PackOptions{BlockSize: 4096}))
	f.Add(append(append(pack(f, []byte("a"), xzpack.PackOptions{}), make([]byte, 8)...), pack(f, []byte("b"), xzpack.PackOptions{})...))
	for _, check := range []container.Check{container.CheckNone, container.CheckCRC32, container.CheckSHA256} {
		f.Add(forged{check: check, blocks: []forgedBlock{{content: []byte("sizes"), sizes: true}, {content: []byte("none")}}}.bytes(f))
	}
}

// FuzzForged is FuzzOpen behind the checksums: every part of the file is the fuzzer's, with the right crc32 at its end.
func FuzzForged(f *testing.F) {
	data := raw("content")
	f.Add([]byte{0, 0x21, 1, 22}, data, int64(12+len(data)+4), int64(7), byte(container.CheckCRC32), []byte("content"))
	f.Add([]byte{0xc0, byte(len(data)), 7, 0x21, 1, 0}, data, int64(12+len(data)), int64(7), byte(0), []byte("content"))
	f.Fuzz(func(t *testing.T, header, data []byte, unpadded, size int64, check byte, content []byte) {
		c, err := container.ParseCheck(check)
		if err != nil || len(header) > 1000 || unpadded < 0 || size < 0 {
			return
		}
		for (1+len(header))%4 != 0 {
			header = append(header, 0)
		}
		header = append([]byte{byte((1 + len(header)) / 4)}, header...)
		file := forged{
			check:  c,
			blocks: []forgedBlock{{content: content, data: append([]byte{}, data...), header: withCRC(header...)}},
			index:  []container.Record{{Unpadded: unpadded, Size: size}},
		}.bytes(t)
		checkFile(t, file)
		checkStream(t, file)
	})
}

// checkFile is what must hold for any file.
func checkFile(t *testing.T, file []byte) {
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
	var content, streamed bytes.Buffer
	err = r.Copy(context.Background(), &content, xzpack.UnpackOptions{Jobs: 1})
	streamErr := openHolding(t, file, 1).Copy(context.Background(), &streamed, xzpack.UnpackOptions{Jobs: 1})
	require.Equal(t, err == nil, streamErr == nil, "%v / %v", err, streamErr)
	if err != nil {
		return
	}
	require.True(t, bytes.Equal(content.Bytes(), streamed.Bytes()), "as a stream")
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
}

// FuzzReader: the reader of streams accepts what the reader of files accepts, and gives the same.
func FuzzReader(f *testing.F) {
	addFiles(f)
	f.Fuzz(checkStream)
}

// checkStream compares both readers with each other, and with the other implementation.
func checkStream(t *testing.T, file []byte) {
	got, err := readStream(t, file, fuzzLimits)
	r, openErr := xzpack.Open(bytes.NewReader(file), int64(len(file)), xzpack.OpenOptions{Limits: fuzzLimits})
	var want bytes.Buffer
	if openErr == nil {
		openErr = r.Copy(context.Background(), &want, xzpack.UnpackOptions{Jobs: 1})
	}
	if errors.Is(err, xzpack.ErrLimit) || errors.Is(openErr, xzpack.ErrLimit) {
		return // they meet the limits in another order
	}
	require.Equal(t, openErr == nil, err == nil, "%v / %v", openErr, err)
	if err == nil {
		require.True(t, bytes.Equal(want.Bytes(), got))
	}
	other, otherErr := xz.ReaderConfig{DictCap: 1 << 20}.NewReader(bytes.NewReader(file))
	if otherErr != nil {
		return
	}
	theirs, otherErr := io.ReadAll(io.LimitReader(other, 2<<20))
	if otherErr == nil && err == nil {
		require.True(t, bytes.Equal(theirs, got))
	}
}

// FuzzRoundTrip: whatever is packed, however, comes back from both implementations.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(""), uint16(0), uint8(0), uint8(0))
	f.Add(image(1, 20_000), uint16(100), uint8(1), uint8(2))
	f.Add(make([]byte, 9000), uint16(1), uint8(2), uint8(1))
	f.Add(noise(1, 5000), uint16(0), uint8(0), uint8(7))
	f.Add(endsAsItBegins(5000), uint16(1000), uint8(0), uint8(1))
	f.Fuzz(func(t *testing.T, content []byte, extra uint16, level, jobs uint8) {
		opt := xzpack.PackOptions{Level: xzpack.Level(level % 3), BlockSize: xzpack.MinBlockSize + int64(extra), Jobs: int(jobs % 8)}
		file := pack(t, content, opt)
		require.True(t, bytes.Equal(content, contentOf(t, file)))
		require.True(t, bytes.Equal(content, independent(t, file)))
		for _, b := range open(t, file).Blocks() {
			require.True(t, b.HasSize && b.HasPackedSize)
			require.GreaterOrEqual(t, b.Dict, b.Size)
		}
		var stream bytes.Buffer
		_, err := xzpack.PackReader(context.Background(), &stream, bytes.NewReader(content), opt)
		require.NoError(t, err)
		require.True(t, bytes.Equal(file, stream.Bytes()))
	})
}
