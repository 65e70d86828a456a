package container_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

var checks = []container.Check{container.CheckNone, container.CheckCRC32, container.CheckCRC64, container.CheckSHA256}

func TestCheckValues(t *testing.T) {
	for check, want := range map[container.Check]string{ // of "123456789": the CRCs' published check values, little-endian
		container.CheckNone:   "",
		container.CheckCRC32:  "\x26\x39\xf4\xcb",
		container.CheckCRC64:  "\xfa\x39\x19\xdf\xbb\xc9\x5d\x99",
		container.CheckSHA256: "\x15\xe2\xb0\xd3\xc3\x38\x91\xeb\xb0\xf1\xef\x60\x9e\xc4\x19\x42\x0c\x20\xe3\x20\xce\x94\xc6\x5f\xbc\x8c\x33\x12\x44\x8e\xb2\x25",
	} {
		h := check.New()
		_, err := h.Write([]byte("123456789"))
		require.NoError(t, err)
		got := h.Append([]byte("before "))
		require.Equal(t, "before "+want, string(got), "%v", check)
		require.Equal(t, int64(len(want)), check.Size())
		parsed, err := container.ParseCheck(byte(check))
		require.NoError(t, err)
		require.Equal(t, check, parsed)
	}
	_, err := container.ParseCheck(2)
	require.ErrorIs(t, err, container.ErrUnsupported)
	require.ErrorContains(t, err, "number 2")
}

func TestStreamHeaderAndFooter(t *testing.T) {
	for _, c := range checks {
		h := container.AppendStreamHeader(nil, c)
		require.Len(t, h, container.HeaderSize)
		got, err := container.ParseStreamHeader(h)
		require.NoError(t, err)
		require.Equal(t, c, got)
		f := container.AppendStreamFooter(nil, c, 1024)
		require.Len(t, f, container.HeaderSize)
		got, size, err := container.ParseStreamFooter(f)
		require.NoError(t, err)
		require.Equal(t, c, got)
		require.Equal(t, int64(1024), size)
		for i := range h {
			h[i] ^= 0x10
			_, err := container.ParseStreamHeader(h)
			require.Error(t, err, "header byte %d", i)
			h[i] ^= 0x10
			f[i] ^= 0x10
			_, _, err = container.ParseStreamFooter(f)
			require.Error(t, err, "footer byte %d", i)
			f[i] ^= 0x10
		}
	}
}

func TestDictFor(t *testing.T) {
	for _, tc := range []struct{ n, want int64 }{
		{0, 4096}, {1, 4096}, {4096, 4096}, {4097, 6144}, {6145, 8192}, {1 << 20, 1 << 20}, {5 << 20, 6 << 20},
		{16 << 20, 16 << 20}, {3<<30 + 1, 1<<32 - 1}, {1<<32 - 1, 1<<32 - 1},
	} {
		require.Equal(t, tc.want, container.DictFor(tc.n), "%+v", tc)
	}
}

// blockHeader gives the bytes of a block header with body behind its length and before its crc32.
func blockHeader(body ...byte) []byte {
	for (1+len(body))%4 != 0 {
		body = append(body, 0)
	}
	p := append([]byte{byte((1 + len(body)) / 4)}, body...)
	h := container.CheckCRC32.New()
	h.Write(p)
	return h.Append(p)
}

func TestBlockHeaders(t *testing.T) {
	for _, tc := range []struct {
		name   string
		header []byte
		want   container.BlockHeader
		err    string
	}{
		{"no sizes", blockHeader(0, 0x21, 1, 22), container.BlockHeader{Packed: -1, Size: -1, Dict: 8 << 20}, ""},
		{"both", blockHeader(0xc0, 100, 0x80, 1, 0x21, 1, 0), container.BlockHeader{Packed: 100, Size: 128, Dict: 4096}, ""},
		{"greatest dictionary", blockHeader(0, 0x21, 1, 40), container.BlockHeader{Packed: -1, Size: -1, Dict: 1<<32 - 1}, ""},
		{"dictionary code", blockHeader(0, 0x21, 1, 41), container.BlockHeader{}, "code up to 40, found 41"},
		{"x86", blockHeader(1, 4, 0, 0x21, 1, 22), container.BlockHeader{}, "unsupported filter x86 BCJ"},
		{"delta", blockHeader(1, 3, 1, 0, 0x21, 1, 22), container.BlockHeader{}, "unsupported filter Delta"},
		{"arm64", blockHeader(1, 10, 0, 0x21, 1, 22), container.BlockHeader{}, "unsupported filter ARM64 BCJ"},
		{"custom", blockHeader(0, 0x80, 0x80, 1, 0), container.BlockHeader{}, "unsupported filter number 0x4000"},
		{"twice", blockHeader(1, 0x21, 1, 22, 0x21, 1, 22), container.BlockHeader{}, "expected LZMA2 once, found 2 times"},
		{"reserved flag", blockHeader(4, 0x21, 1, 22), container.BlockHeader{}, "unsupported block flags 04"},
		{"compressed size 0", blockHeader(0x40, 0, 0x21, 1, 22), container.BlockHeader{}, "compressed size is 0"},
		{"long number", blockHeader(0x40, 0x81, 0, 0x21, 1, 22), container.BlockHeader{}, "compressed size: number is longer"},
		{"endless number", blockHeader(0x80, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), container.BlockHeader{}, "uncompressed size: number is longer"},
		{"cut-off number", blockHeader(0x80, 255, 255), container.BlockHeader{}, "number is cut off"},
		{"properties", blockHeader(0, 0x21, 2, 22, 22), container.BlockHeader{}, "expected 1 byte, found 2"},
		{"no properties", blockHeader(0, 0x21, 1)[:4], container.BlockHeader{}, "crc32 mismatch"},
		{"padding", blockHeader(0, 0x21, 1, 22, 0, 9), container.BlockHeader{}, "padding: expected zeros, found 09"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := container.ParseBlockHeader(tc.header)
			if tc.want.Dict != 0 {
				require.NoError(t, err)
				require.Equal(t, tc.want, got)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestIndexErrors(t *testing.T) {
	index := func(body ...byte) []byte {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		h := container.CheckCRC32.New()
		h.Write(body)
		return h.Append(body)
	}
	for _, tc := range []struct {
		name  string
		index []byte
		err   string
	}{
		{"short", []byte{0, 0, 0, 0}, "multiple of 4 bytes, at least 8, found 4"},
		{"odd", []byte("\x00\x020000\xad\xe9\xdd\xe6"), "multiple of 4 bytes, at least 8, found 10"},
		{"crc", []byte{0, 0, 0, 0, 1, 2, 3, 4}, "crc32 mismatch"},
		{"indicator", index(1, 0), "expected a 0"},
		{"too many records", index(0, 200, 1), "200 records do not fit"},
		{"endless count", index(0, 255, 255), "number of records"},
		{"unpadded size", index(0, 1, 4, 4), "unpadded size: expected 5"},
		{"cut-off size", index(0, 1, 0x85, 0x81, 0x81, 0x81, 0x81, 0x81), "unpadded size: number is cut off"},
		{"cut-off content size", index(0, 1, 5, 0x81, 0x81, 0x81, 0x81, 0x81), "uncompressed size: number is cut off"},
		{"padding", index(0, 1, 5, 5, 0, 0, 1, 0), "up to 3 bytes of padding"},
		{"padding value", index(0, 1, 5, 0x85, 1, 7), "padding is not zero"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.ErrorContains(t, walk(tc.index, nil), tc.err)
		})
	}
}

// walk reads an index to its end.
func walk(p []byte, records *[]container.Record) error {
	x, err := container.ParseIndex(p)
	if err != nil {
		return err
	}
	for x.N > 0 {
		r, err := x.Next()
		if err != nil {
			return err
		}
		if records != nil {
			*records = append(*records, r)
		}
	}
	return x.Close()
}

// FuzzIndex: what can be read can be written, and is then the same to the byte.
func FuzzIndex(f *testing.F) {
	f.Add(container.AppendIndex(nil, nil))
	f.Add(container.AppendIndex(nil, []container.Record{{Unpadded: 99, Size: 12345}, {Unpadded: 1 << 40, Size: 0}}))
	f.Fuzz(func(t *testing.T, p []byte) {
		p = fixCRC(p)
		var records []container.Record
		if walk(p, &records) != nil {
			return
		}
		require.Equal(t, p, container.AppendIndex(nil, records))
		require.LessOrEqual(t, int64(len(p)), container.MaxIndexSize(len(records)))
	})
}

// FuzzBlockHeader: what can be read and has both sizes can be written, and reads the same then.
func FuzzBlockHeader(f *testing.F) {
	f.Add(container.AppendBlockHeader(nil, container.BlockHeader{Packed: 70000, Size: 16 << 20, Dict: 4 << 20}))
	f.Add(blockHeader(0, 0x21, 1, 22))
	f.Add(blockHeader(1, 4, 0, 0x21, 1, 22))
	f.Fuzz(func(t *testing.T, p []byte) {
		p = fixCRC(p)
		if len(p) < 8 || container.BlockHeaderSize(p[0]) != int64(len(p)) {
			return
		}
		h, err := container.ParseBlockHeader(p)
		if err != nil || h.Packed < 0 || h.Size < 0 {
			return
		}
		again, err := container.ParseBlockHeader(container.AppendBlockHeader(nil, h))
		require.NoError(t, err)
		require.Equal(t, h, again)
	})
}

// fixCRC puts the right crc32 at the end of p, so that a fuzzer gets behind it.
func fixCRC(p []byte) []byte {
	if len(p) < 8 {
		return p
	}
	h := container.CheckCRC32.New()
	h.Write(p[:len(p)-4])
	return h.Append(bytes.Clone(p[:len(p)-4]))
}
