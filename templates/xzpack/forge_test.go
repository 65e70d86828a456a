package xzpack_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// forged is a stream made by hand, right or wrong.
type forged struct {
	check  container.Check
	blocks []forgedBlock
	index  []container.Record // nil: the truth
}

type forgedBlock struct {
	content []byte
	data    []byte // LZMA2 data; nil: content, compressed
	sizes   bool   // in the header
	header  []byte // nil: made from the above
	sum     []byte // nil: the right check
	dict    int64  // 0: 64 KiB
}

// forgers are encoders for any test: one is too large to be made for each block.
var forgers = sync.Pool{New: func() any { return lzma2.NewEncoder(lzma2.Least) }}

func (f forged) bytes(t testing.TB) []byte {
	t.Helper()
	file := container.AppendStreamHeader(nil, f.check)
	var records []container.Record
	for _, b := range f.blocks {
		if b.data == nil {
			enc := forgers.Get().(lzma2.Encoder)
			data, err := enc.Encode(context.Background(), nil, b.content, false)
			forgers.Put(enc)
			require.NoError(t, err)
			b.data = data
		}
		if b.dict == 0 {
			b.dict = 1 << 16
		}
		if b.header == nil {
			b.header = container.AppendBlockHeader(nil, container.BlockHeader{Packed: int64(len(b.data)), Size: int64(len(b.content)), Dict: b.dict})
			if !b.sizes {
				b.header = withCRC(2, 0, 0x21, 1, b.header[dictAt(b.header)], 0, 0, 0)
			}
		}
		if b.sum == nil {
			h := f.check.New()
			_, _ = h.Write(b.content)
			b.sum = h.Append([]byte{})
		}
		records = append(records, container.Record{Unpadded: int64(len(b.header) + len(b.data) + len(b.sum)), Size: int64(len(b.content))})
		file = append(append(file, b.header...), b.data...)
		for len(file)%4 != 0 {
			file = append(file, 0)
		}
		file = append(file, b.sum...)
	}
	if f.index != nil {
		records = f.index
	}
	index := container.AppendIndex(nil, records)
	return container.AppendStreamFooter(append(file, index...), f.check, int64(len(index)))
}

// dictAt finds the dictionary's code in a header with both sizes.
func dictAt(header []byte) int {
	i := 2
	for range 2 {
		for header[i] >= 0x80 {
			i++
		}
		i++
	}
	return i + 2
}

// withCRC puts a crc32 behind p.
func withCRC(p ...byte) []byte {
	h := container.CheckCRC32.New()
	_, _ = h.Write(p)
	return h.Append(p)
}
