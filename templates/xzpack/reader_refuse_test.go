package xzpack_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// readStream reads a file as a stream, in two ways, and gives the content and the first error.
func readStream(t testing.TB, file []byte, limits xzpack.Limits) ([]byte, error) {
	t.Helper()
	read := func(jobs int) ([]byte, error) {
		r, err := xzpack.NewReaderOptions(t.Context(), bytes.NewReader(file), xzpack.ReaderOptions{Limits: limits, Jobs: jobs})
		if err != nil {
			return nil, err
		}
		var content bytes.Buffer
		_, err = r.WriteTo(&content)
		return content.Bytes(), err
	}
	one, oneErr := read(1)
	many, manyErr := read(4)
	require.True(t, bytes.Equal(one, many))
	require.Equal(t, oneErr == nil, manyErr == nil)
	if oneErr != nil {
		require.Equal(t, oneErr.Error(), manyErr.Error())
	}
	return one, oneErr
}

func TestReaderRefuses(t *testing.T) {
	crc := container.CheckCRC32
	one := []forgedBlock{{content: []byte("content"), sizes: true}}
	header := func(packed, size int64) []byte {
		return container.AppendBlockHeader(nil, container.BlockHeader{Packed: packed, Size: size, Dict: 1 << 16})
	}
	filter := func(flags ...byte) []byte {
		return withCRC(append([]byte{2, 1}, append(flags, 0x21, 1, 22, 0, 0)[:6]...)...)
	}
	good := forged{check: crc, blocks: one}.bytes(t)
	record := func(r ...container.Record) []byte { return forged{check: crc, blocks: one, index: r}.bytes(t) }
	behind := func(s string) []byte { return append(bytes.Clone(good), s...) }
	for _, tc := range []struct {
		name   string
		file   []byte
		is     error
		err    string
		block  int
		offset int64
	}{
		{name: "nothing", is: io.ErrUnexpectedEOF, err: "not an xz file"},
		{name: "text", file: []byte("just some text"), err: `not an xz file: expected "\xfd7zXZ\x00" at its beginning, found "just s"`},
		{name: "zeros", file: make([]byte, 100), err: "not an xz file"},
		{name: "gzip", file: []byte("\x1f\x8b\x08\x00\x00\x00"), is: xzpack.ErrUnsupported, err: "format gzip"},
		{name: "lzip", file: []byte("LZIP\x01\x0c"), is: xzpack.ErrUnsupported, err: "format lzip: expected xz: unpack it with lzip -d"},
		{name: "lzma", file: []byte("\x5d\x00\x00\x80\x00\xff"), is: xzpack.ErrUnsupported, err: "format .lzma"},
		{name: "zstd", file: []byte("\x28\xb5\x2f\xfd\x00\x00"), is: xzpack.ErrUnsupported, err: "format zstd"},
		{name: "bzip2", file: []byte("BZh9"), is: xzpack.ErrUnsupported, err: "format bzip2"},
		{name: "qcow2", file: []byte("QFI\xfb\x00\x00\x00\x03"), is: xzpack.ErrUnsupported, err: "format qcow2"},
		{name: "half a magic", file: good[:3], is: io.ErrUnexpectedEOF, err: "not an xz file"},
		{name: "half a header", file: good[:9], is: io.ErrUnexpectedEOF, err: "cut off at byte 9"},
		{name: "header alone", file: good[:12], is: io.ErrUnexpectedEOF, err: "cut off at byte 12", block: 1, offset: 12},
		{name: "in a block header", file: good[:20], is: io.ErrUnexpectedEOF, err: "cut off at byte 20", block: 1, offset: 12},
		{name: "in a block", file: good[:30], is: io.ErrUnexpectedEOF, err: "cut off at byte 30", block: 1, offset: 12},
		{name: "in the index", file: good[:len(good)-15], is: io.ErrUnexpectedEOF, err: "index over 1 blocks: the file is cut off", offset: int64(len(good) - 20)},
		{name: "in the footer", file: good[:len(good)-1], is: io.ErrUnexpectedEOF, err: "cut off", offset: int64(len(good) - 12)},
		{name: "something behind", file: behind("tail"), is: io.ErrUnexpectedEOF, err: "cut off", offset: int64(len(good))},
		{name: "more behind", file: behind("a tail of some length"), err: "not a stream header", offset: int64(len(good))},
		{name: "odd padding", file: behind("\x00\x00\x00\x00\x00\x00"), err: "found 2 more at the end", offset: int64(len(good)) + 4},
		{name: "unknown check", file: bytes.Join([][]byte{append([]byte(container.Magic), withCRC(0, 2)...), container.AppendIndex(nil, nil), footer(2, 8)}, nil), is: xzpack.ErrUnsupported, err: "integrity check number 2"},
		{name: "checks that differ", file: bytes.Join([][]byte{
			container.AppendStreamHeader(nil, crc), container.AppendIndex(nil, nil), container.AppendStreamFooter(nil, container.CheckNone, 8),
		}, nil), err: "expected the header's check crc32, found none", offset: 20},
		{name: "size of the index", file: bytes.Join([][]byte{
			container.AppendStreamHeader(nil, crc), container.AppendIndex(nil, nil), container.AppendStreamFooter(nil, crc, 4096),
		}, nil), err: "expected an index of 8 bytes, found 4096", offset: 20},
		{name: "more records", file: record(container.Record{Unpadded: 40, Size: 7}, container.Record{Unpadded: 40, Size: 7}), err: "index: expected 1 records, one for each block, found 2", offset: 40},
		{name: "no records", file: forged{check: crc, blocks: one, index: []container.Record{}}.bytes(t), err: "index: expected 1 records, one for each block, found 0", offset: 40},
		{name: "another content", file: record(container.Record{Unpadded: 27, Size: 8}), err: "index: record 1: expected a block of 27 bytes with 7 bytes of content, found 27 and 8", offset: 40},
		{name: "another size", file: record(container.Record{Unpadded: 32, Size: 7}), err: "found 32 and 7", offset: 40},
		{name: "x86", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), header: filter(4, 0)}}}.bytes(t), is: xzpack.ErrUnsupported, err: "filter x86 BCJ", block: 1, offset: 12},
		{name: "ARM64", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), header: filter(10, 0)}}}.bytes(t), is: xzpack.ErrUnsupported, err: "filter ARM64 BCJ", block: 1, offset: 12},
		{name: "Delta", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), header: filter(3, 1, 0)}}}.bytes(t), is: xzpack.ErrUnsupported, err: "filter Delta", block: 1, offset: 12},
		{name: "compressed size is too large", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), header: header(6, 1)}}}.bytes(t), err: "ends 1 bytes early", block: 1, offset: 12},
		{name: "compressed size is beyond the end", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), header: header(1<<20, 1)}}}.bytes(t), is: io.ErrUnexpectedEOF, err: "cut off", block: 1, offset: 12},
		{name: "uncompressed size lies", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x")}, {content: []byte("x"), header: header(5, 99)}}}.bytes(t), err: "content is 1 bytes: expected 99", block: 2, offset: 36},
		{name: "wrong check", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), sizes: true, sum: []byte("sums")}}}.bytes(t), err: "crc32 mismatch: expected 73756d73", block: 1, offset: 12},
		{name: "wrong check, no sizes", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), sum: []byte("sums")}}}.bytes(t), err: "crc32 mismatch: expected 73756d73", block: 1, offset: 12},
		{name: "longer than its one size", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), header: withCRC(2, 0x80, 6, 0x21, 1, 22, 0, 0)}}}.bytes(t), err: "content is longer than the 6 bytes that the block header says", block: 1, offset: 12},
		{name: "shorter than its one size", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), header: withCRC(2, 0x80, 8, 0x21, 1, 22, 0, 0)}}}.bytes(t), err: "content is 7 bytes: expected 8 as the block header says", block: 1, offset: 12},
		{name: "longer than its one compressed size", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), header: withCRC(2, 0x40, 6, 0x21, 1, 22, 0, 0)}}}.bytes(t), err: "compressed data is longer than the 6 bytes that the block header says", block: 1, offset: 12},
		{name: "shorter than its one compressed size", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), header: withCRC(2, 0x40, 30, 0x21, 1, 22, 0, 0)}}}.bytes(t), err: "compressed data is 11 bytes: expected 30 as the block header says", block: 1, offset: 12},
		{name: "padding", file: bytes.Replace(forged{check: crc, blocks: []forgedBlock{{content: []byte("conten"), sum: []byte("\xff\xff\xff\xff")}}}.bytes(t), []byte("\x00\x00\x00\xff\xff\xff\xff"), []byte("\x00\x00\x01\xff\xff\xff\xff"), 1), err: "block padding: expected zeros, found 0001", block: 1, offset: 12},
		{name: "cut off, no sizes", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content")}}}.bytes(t)[:30], is: io.ErrUnexpectedEOF, err: "cut off at byte 30", block: 1, offset: 12},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readStream(t, tc.file, xzpack.Limits{})
			require.ErrorContains(t, err, tc.err)
			if tc.is != nil {
				require.ErrorIs(t, err, tc.is)
			}
			var fe *xzpack.FormatError
			require.ErrorAs(t, err, &fe)
			require.Equal(t, tc.block, fe.Block)
			require.Equal(t, tc.offset, fe.Offset)
		})
	}
}

func TestReaderLimits(t *testing.T) {
	crc := container.CheckCRC32
	content := make([]byte, 1<<20)
	sized, unsized := forgedBlock{content: content, sizes: true}, forgedBlock{content: content}
	empty := forged{check: crc}.bytes(t)
	for _, block := range []forgedBlock{sized, unsized} {
		two := forged{check: crc, blocks: []forgedBlock{block, block}}.bytes(t)
		for _, tc := range []struct {
			name   string
			file   []byte
			limits xzpack.Limits
			err    string
		}{
			{"size", two, xzpack.Limits{Size: 2<<20 - 1}, "uncompressed size of the file of"},
			{"blocks", two, xzpack.Limits{Blocks: 1}, "number of blocks of 2"},
			{"streams", append(append(bytes.Clone(empty), empty...), empty...), xzpack.Limits{Blocks: 2}, "number of streams of 3"},
			{"dictionary", two, xzpack.Limits{Dict: 4096}, "dictionary of 65536 is over the limit of 4096"},
			{"ratio", two, xzpack.Limits{Ratio: 1000}, "compression ratio of"},
			{"padding", append(bytes.Clone(empty), make([]byte, 17<<20)...), xzpack.Limits{}, "stream padding of"},
		} {
			_, err := readStream(t, tc.file, tc.limits)
			require.ErrorIs(t, err, xzpack.ErrLimit, tc.name)
			require.ErrorContains(t, err, tc.err)
		}
		for _, limits := range []xzpack.Limits{
			{Size: 2 << 20, Blocks: 2, Block: 1 << 20, Dict: 1 << 16, Memory: 1}, {Block: 1}, {Block: 1 << 19}, {Memory: 3 << 20},
		} {
			got, err := readStream(t, two, limits)
			require.NoError(t, err)
			require.True(t, bytes.Equal(make([]byte, 2<<20), got))
		}
	}
}

// TestReaderEveryByteCounts cuts small files everywhere and changes each of their bytes in several ways.
func TestReaderEveryByteCounts(t *testing.T) {
	content := append(bytes.Repeat([]byte("some text that compresses. "), 40), noise(4, 200)...)
	sizes := pack(t, append(bytes.Clone(content), make([]byte, 6000)...), xzpack.PackOptions{BlockSize: 4096})
	without := forged{check: container.CheckSHA256, blocks: []forgedBlock{{content: content}, {content: make([]byte, 5000)}}}.bytes(t)
	file := bytes.Join([][]byte{sizes, make([]byte, 4), without}, nil)
	want, err := readStream(t, file, xzpack.Limits{})
	require.NoError(t, err)
	ends := map[int]bool{len(sizes): true, len(sizes) + 4: true} // where a file may end
	for n := range file {
		got, err := readStream(t, file[:n], xzpack.Limits{})
		if ends[n] {
			require.NoError(t, err)
			continue
		}
		var fe *xzpack.FormatError
		require.ErrorAs(t, err, &fe, "cut at %d", n)
		require.True(t, errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "multiple of 4"), "cut at %d: %v", n, err)
		require.True(t, bytes.HasPrefix(want, got), "cut at %d", n)
		require.LessOrEqual(t, fe.Offset, int64(n))
	}
	same := 0
	for i := range file {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(file)
			bad[i] ^= mask
			got, err := readStream(t, bad, xzpack.Limits{})
			if atErr := readAll(t, bad, xzpack.Limits{}); err == nil {
				// The last bytes of a range coder's output can say the same in more than one way.
				require.NoError(t, atErr)
				require.True(t, bytes.Equal(want, got), "byte %d, changed by %02x", i, mask)
				same++
				continue
			}
			var fe *xzpack.FormatError
			require.ErrorAs(t, err, &fe)
			require.LessOrEqual(t, fe.Offset, int64(i), "byte %d, changed by %02x: %v", i, mask, err)
		}
	}
	require.LessOrEqual(t, same, 20)
}

func TestReaderSourceErrors(t *testing.T) {
	for name, f := range streams(t) {
		for n := 0; n < len(f[0]); n += 1 + len(f[0])/50 {
			src := io.MultiReader(bytes.NewReader(f[0][:n]), iotest.ErrReader(errDisk))
			r, err := xzpack.NewReader(src)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			require.ErrorIs(t, err, errDisk, name)
			var fe *xzpack.FormatError
			require.False(t, errors.As(err, &fe), "%s: a source that fails is not a damaged file: %v", name, err)
		}
	}
	r := stream(t, io.MultiReader(bytes.NewReader(streams(t)["sizes"][0][:100]), stuck{}), xzpack.ReaderOptions{})
	_, err := r.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.ErrNoProgress)
}

// stuck gives nothing, for ever.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// heap runs f and gives the greatest size that the heap had beside what it had before, as far as sampling can tell.
func heap(f func(sample func())) (grown uint64) {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var most uint64
	sample := func() {
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc)
	}
	f(sample)
	sample()
	return max(most, before.HeapAlloc) - before.HeapAlloc
}

// TestClaimsAloneTakeNoMemory: a header can claim anything, and what it claims may never come.
func TestClaimsAloneTakeNoMemory(t *testing.T) {
	head := container.AppendStreamHeader(nil, container.CheckCRC32)
	claim := func(packed, size int64) []byte {
		return container.AppendBlockHeader(bytes.Clone(head), container.BlockHeader{Packed: packed, Size: size, Dict: 64 << 20})
	}
	chunks := []byte{} // each claims 2 MiB of content, and is none
	for range 256 {
		chunks = append(chunks, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d)
		chunks = append(chunks, make([]byte, 64<<10)...)
	}
	index := func(data []byte) []byte {
		return forged{check: container.CheckCRC32, blocks: []forgedBlock{{data: data, header: withCRC(2, 0, 0x21, 1, 22, 0, 0, 0)}},
			index: []container.Record{{Unpadded: int64(12 + len(data) + 4), Size: 512 << 20}}}.bytes(t)
	}
	for name, file := range map[string][]byte{
		"index, garbage":       index(noise(1, 70_000)),
		"index, chunks":        index(chunks),
		"followed by nothing":  claim(512<<20, 512<<20),
		"followed by a little": append(claim(512<<20, 512<<20), noise(1, 3<<20)...),
		"ratio":                append(claim(60_000, 512<<20), make([]byte, 70_000)...),
		"beyond all limits":    claim(1<<60, 1<<60),
		"chunks":               append(claim(int64(len(chunks)), 512<<20), append(chunks, make([]byte, 100)...)...),
		"padding":              append(forged{}.bytes(t), make([]byte, 40<<20)...),
	} {
		start := time.Now()
		grown := heap(func(sample func()) {
			r, err := xzpack.NewReader(readerFunc(func(p []byte) func(p []byte) (int, error) {
				rest := bytes.NewReader(p)
				return func(p []byte) (int, error) { sample(); return rest.Read(p) }
			}(file)))
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			require.Error(t, err, name)
			require.Error(t, readAll(t, file, xzpack.Limits{}), name)
		})
		t.Logf("%s: %d KiB, %v", name, grown>>10, time.Since(start))
		require.Less(t, grown, uint64(128<<20), name)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
