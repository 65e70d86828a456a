package xzpack_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// readAll opens and reads a file in both ways and gives the first error.
func readAll(t testing.TB, file []byte, limits xzpack.Limits) error {
	t.Helper()
	r, err := xzpack.Open(bytes.NewReader(file), int64(len(file)), xzpack.OpenOptions{Limits: limits})
	if err != nil {
		return err
	}
	_, streamErr := r.WriteTo(io.Discard)
	_, atErr := io.Copy(io.Discard, io.NewSectionReader(r, 0, r.Size()))
	require.Equal(t, streamErr == nil, atErr == nil, "%v / %v", streamErr, atErr)
	return streamErr
}

func TestForgeryIsGoodWhenHonest(t *testing.T) {
	for _, check := range []container.Check{container.CheckNone, container.CheckCRC32, container.CheckCRC64, container.CheckSHA256} {
		file := forged{check: check, blocks: []forgedBlock{
			{content: []byte("with sizes"), sizes: true}, {content: []byte(" and without")}, {}, {content: make([]byte, 9000)},
		}}.bytes(t)
		want := "with sizes and without" + string(make([]byte, 9000))
		require.Equal(t, want, string(contentOf(t, file)), "%v", check)
		require.Equal(t, want, string(independent(t, file)), "%v", check)
		blocks := open(t, file).Blocks()
		require.Len(t, blocks, 4)
		require.True(t, blocks[0].HasSize && blocks[0].HasPackedSize)
		require.False(t, blocks[1].HasSize || blocks[1].HasPackedSize)
		require.Equal(t, xzpack.Check(check.String()), blocks[3].Check)
		require.Equal(t, int64(22), blocks[3].ContentOffset)
		require.Equal(t, int64(1<<16), blocks[3].Dict)
		require.Equal(t, blocks[3].Offset, blocks[2].Offset+blocks[2].TotalSize)
	}
}

func TestRefusals(t *testing.T) {
	one := []forgedBlock{{content: []byte("content"), sizes: true}}
	crc := container.CheckCRC32
	header := func(packed, size int64) []byte {
		return container.AppendBlockHeader(nil, container.BlockHeader{Packed: packed, Size: size, Dict: 1 << 16})
	}
	good := forged{check: crc, blocks: one}.bytes(t)
	cut := func(from, to int) []byte { return good[from : len(good)+to] }
	for _, tc := range []struct {
		name  string
		file  []byte
		is    error
		err   string
		block int
	}{
		{name: "nothing", file: nil, err: "not an xz file"},
		{name: "text", file: []byte("just some text, long enough to be anything"), err: `not an xz file: expected "\xfd7zXZ\x00" at its beginning, found "just s"`},
		{name: "gzip", file: []byte("\x1f\x8b\x08\x00\x00\x00"), is: xzpack.ErrUnsupported, err: "format gzip"},
		{name: "lzip", file: []byte("LZIP\x01\x0c"), is: xzpack.ErrUnsupported, err: "format lzip: expected xz: unpack it with lzip -d"},
		{name: "lzma", file: []byte("\x5d\x00\x00\x80\x00\xff"), is: xzpack.ErrUnsupported, err: "format .lzma"},
		{name: "qcow2", file: []byte("QFI\xfb\x00\x00\x00\x03"), is: xzpack.ErrUnsupported, err: "format qcow2"},
		{name: "header alone", file: good[:12], err: "the file is cut off"},
		{name: "cut at a multiple of four", file: cut(0, -4), err: "no stream footer"},
		{name: "cut elsewhere", file: cut(0, -3), err: "the file is cut off"},
		{name: "something behind", file: append(bytes.Clone(good), "tail"...), err: "no stream footer"},
		{name: "odd padding", file: append(bytes.Clone(good), 0, 0), err: "multiple of 4"},
		{name: "zeros before the stream", file: append([]byte(container.Magic+"\x00\x00"), cut(0, 0)...), err: "cut off"},
		{name: "unknown check", file: bytes.Join([][]byte{
			append([]byte(container.Magic), withCRC(0, 2)...), container.AppendIndex(nil, nil), footer(2, 8),
		}, nil), is: xzpack.ErrUnsupported, err: "integrity check number 2"},
		{name: "checks that differ", file: bytes.Join([][]byte{
			container.AppendStreamHeader(nil, crc), container.AppendIndex(nil, nil), container.AppendStreamFooter(nil, container.CheckNone, 8),
		}, nil), err: "expected the footer's check none, found crc32"},
		{name: "index larger than the file", file: bytes.Join([][]byte{
			container.AppendStreamHeader(nil, crc), container.AppendIndex(nil, nil), container.AppendStreamFooter(nil, crc, 4096),
		}, nil), err: "an index of 4096 bytes does not fit"},
		{name: "blocks larger than the file", file: forged{check: crc, index: []container.Record{{Unpadded: 400, Size: 400}}}.bytes(t), err: "do not fit before it"},
		{name: "many blocks larger than the file", file: forged{check: crc, index: make400(50)}.bytes(t), err: "do not fit before it"},
		{name: "no room for a block", file: forged{check: crc, blocks: one, index: []container.Record{{Unpadded: 5, Size: 5}}}.bytes(t), err: "stream header"},
		{name: "compressed size lies", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), header: header(99, 1)}}}.bytes(t), err: "compressed size: expected 5 as in the index, found 99", block: 1},
		{name: "uncompressed size lies", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x")}, {content: []byte("x"), header: header(5, 99)}}}.bytes(t), err: "uncompressed size: expected 1 as in the index, found 99", block: 2},
		{name: "index where a block should be", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), header: make([]byte, 12)}}}.bytes(t), err: "length byte 00", block: 1},
		{name: "content longer than the index says", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), data: raw("content!")}}}.bytes(t), err: "longer than the 7 bytes expected", block: 1},
		{name: "content shorter than the index says", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("content"), data: raw("conten")}}}.bytes(t), err: "content is 6 bytes: expected 7", block: 1},
		{name: "wrong check", file: forged{check: crc, blocks: []forgedBlock{{content: []byte("a")}, {content: []byte("content"), sum: []byte("sums")}}}.bytes(t), err: "crc32 mismatch: expected 73756d73", block: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := readAll(t, tc.file, xzpack.Limits{})
			require.ErrorContains(t, err, tc.err)
			if tc.is != nil {
				require.ErrorIs(t, err, tc.is)
			}
			var fe *xzpack.FormatError
			require.ErrorAs(t, err, &fe)
			require.Equal(t, tc.block, fe.Block)
		})
	}
}

func footer(check byte, indexSize int64) []byte {
	f := container.AppendStreamFooter(nil, container.Check(check), indexSize)
	return f
}

func make400(n int) []container.Record {
	records := make([]container.Record, n)
	for i := range records {
		records[i] = container.Record{Unpadded: 400, Size: 400}
	}
	return records
}

// raw is LZMA2 data that stores s.
func raw(s string) []byte {
	return append(append([]byte{1, 0, byte(len(s) - 1)}, s...), 0)
}

func TestLimits(t *testing.T) {
	crc := container.CheckCRC32
	zeros := forgedBlock{content: make([]byte, 1<<20)}
	two := forged{check: crc, blocks: []forgedBlock{zeros, zeros}}.bytes(t)
	empty := forged{check: crc}.bytes(t)
	for _, tc := range []struct {
		name   string
		file   []byte
		limits xzpack.Limits
		err    string
	}{
		{"size", two, xzpack.Limits{Size: 2<<20 - 1}, "uncompressed size of the file of 2097152 is over the limit of 2097151"},
		{"blocks", two, xzpack.Limits{Blocks: 1}, "number of blocks of 2"},
		{"streams", append(append(bytes.Clone(empty), empty...), empty...), xzpack.Limits{Blocks: 2}, "number of streams of 3"},
		{"dictionary", two, xzpack.Limits{Dict: 4096}, "dictionary of 65536 is over the limit of 4096"},
		{"default dictionary", forged{check: crc, blocks: []forgedBlock{{content: []byte("x"), dict: 1<<32 - 1}}}.bytes(t), xzpack.Limits{}, "dictionary of 4294967295"},
		{"ratio", two, xzpack.Limits{Ratio: 1000}, "compression ratio of"},
		{"default ratio", forged{check: crc, index: []container.Record{{Unpadded: 40, Size: 400 << 20}}}.bytes(t), xzpack.Limits{}, "compression ratio of 10485760"},
		{"padding", append(bytes.Clone(empty), make([]byte, 17<<20)...), xzpack.Limits{}, "stream padding of"},
		{"size of the index", forged{check: crc, blocks: []forgedBlock{zeros}, index: make400(100)}.bytes(t), xzpack.Limits{Blocks: 1}, "size of the index of"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := readAll(t, tc.file, tc.limits)
			require.ErrorIs(t, err, xzpack.ErrLimit)
			require.ErrorContains(t, err, tc.err)
		})
	}
	require.NoError(t, readAll(t, two, xzpack.Limits{Size: 2 << 20, Blocks: 2, Block: 1 << 20, Dict: 1 << 16, Memory: 1}))
	for name, limits := range map[string]xzpack.Limits{
		"size": {Size: -1}, "blocks": {Blocks: -1}, "dictionary": {Dict: -1}, "block": {Block: -1}, "ratio": {Ratio: -1}, "memory": {Memory: -1},
	} {
		require.ErrorContains(t, readAll(t, two, limits), "limit of "+name)
	}
	_, err := xzpack.Open(bytes.NewReader(two), int64(len(two)), xzpack.OpenOptions{Cache: -1})
	require.ErrorContains(t, err, "cache: expected 0")
}

// TestEveryByteCounts cuts a small file everywhere and changes each of its bytes in several ways.
func TestEveryByteCounts(t *testing.T) {
	content := append(bytes.Repeat([]byte("some text that compresses. "), 40), noise(4, 300)...)
	files := map[string][]byte{
		"packed": pack(t, content, xzpack.PackOptions{BlockSize: 4096}),
		"forged": forged{check: container.CheckSHA256, blocks: []forgedBlock{{content: content}, {content: make([]byte, 5000)}}}.bytes(t),
	}
	files["streams"] = bytes.Join([][]byte{files["packed"], make([]byte, 4), files["forged"]}, nil)
	ends := []int{len(files["packed"]), len(files["packed"]) + 4} // where the streams may end
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, readAll(t, file, xzpack.Limits{}))
			for n := range file {
				if name == "streams" && slices.Contains(ends, n) {
					continue
				}
				var fe *xzpack.FormatError
				require.ErrorAs(t, readAll(t, file[:n], xzpack.Limits{}), &fe, "cut at %d", n)
			}
			same := 0
			for i := range file {
				for _, mask := range []byte{0x01, 0x80, 0xff} {
					bad := bytes.Clone(file)
					bad[i] ^= mask
					if readAll(t, bad, xzpack.Limits{}) == nil {
						// The last bytes of a range coder's output can say the same in more than one way.
						require.Equal(t, contentOf(t, file), contentOf(t, bad), "byte %d, changed by %02x", i, mask)
						same++
					}
				}
			}
			require.LessOrEqual(t, same, 4*len(open(t, file).Blocks()))
		})
	}
}

// failing is a source whose reads beyond good fail.
type failing struct {
	p    []byte
	good int64
}

var errDisk = errors.New("the disk is on fire")

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.good {
		return 0, errDisk
	}
	return bytes.NewReader(f.p).ReadAt(p, off)
}

func TestReadErrors(t *testing.T) {
	file := pack(t, image(3, 50_000), xzpack.PackOptions{BlockSize: 8192})
	for _, good := range []int64{0, 3, 12, 40, int64(len(file)) / 2, int64(len(file)) - 13} {
		_, err := xzpack.Open(&failing{file, good}, int64(len(file)), xzpack.OpenOptions{})
		require.ErrorIs(t, err, errDisk, "%d bytes readable", good)
	}
	src := &failing{file, int64(len(file))}
	r, err := xzpack.Open(src, int64(len(file)), xzpack.OpenOptions{})
	require.NoError(t, err)
	src.good = 100
	_, err = r.WriteTo(io.Discard)
	require.ErrorIs(t, err, errDisk)
	var fe *xzpack.FormatError
	require.False(t, errors.As(err, &fe), "a source that fails is not a damaged file: %v", err)
	_, err = r.ReadAt(make([]byte, 10), 40_000)
	require.ErrorIs(t, err, errDisk)
	src.good = int64(len(file))
	_, err = r.ReadAt(make([]byte, 10), 40_000)
	require.NoError(t, err, "an error is not remembered")
	src.p = file[:len(file)-100]
	_, err = r.ReadAt(make([]byte, 10), 48_000)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "it has become shorter")
	require.ErrorAs(t, err, &fe)
}
