package xzpack

import (
	"context"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// packedBlock is a block as it stands in the file, and its entry in the index.
type packedBlock struct {
	bytes  []byte
	record container.Record
}

// headerRoom is the longest header of a block with both sizes.
const headerRoom = 32

// compress makes b.packed of b's content.
func (p *packer) compress(ctx context.Context, b *packItem) (err error) {
	dict := container.DictFor(min(int64(b.n), lzma2.MaxDict))
	if b.zero {
		b.packed, err = zeroBlocks.get(ctx, zeroKey{b.n, p.opt.Level, dict}, func() (packedBlock, error) {
			in := b.buffer()[:b.n]
			clear(in)
			return p.packBlock(ctx, nil, in, dict)
		})
		return err
	}
	if b.out == nil {
		b.out = make([]byte, 0, headerRoom+lzma2.Bound(b.size)+int(check.Size())+4)
	}
	b.packed, err = p.packBlock(ctx, b.out, b.content(), dict)
	return err
}

// packBlock compresses content into the buffer out and proves what came of it. The header's length is only known when
// the sizes are, so room is left for it in front.
func (p *packer) packBlock(ctx context.Context, out, content []byte, dict int64) (packedBlock, error) {
	out, err := p.encode(ctx, append(out, make([]byte, headerRoom)...), content)
	if err != nil {
		return packedBlock{}, err
	}
	if !p.opt.NoProof {
		if err := p.prover.check(ctx, content, out[headerRoom:], dict); err != nil {
			return packedBlock{}, err
		}
	}
	packed := int64(len(out) - headerRoom)
	header := container.AppendBlockHeader(nil, container.BlockHeader{Packed: packed, Size: int64(len(content)), Dict: dict})
	for packed := packed; packed%4 != 0; packed++ {
		out = append(out, 0)
	}
	sum, err := checksum(ctx, check, content)
	if err != nil {
		return packedBlock{}, err
	}
	out = append(out, sum...)
	start := headerRoom - copy(out[headerRoom-len(header):], header)
	return packedBlock{
		bytes:  out[start:],
		record: container.Record{Unpadded: int64(len(header)) + packed + check.Size(), Size: int64(len(content))},
	}, nil
}

// encode compresses content, which lies in a buffer of the packer's, with one of its encoders. One that has panicked is
// not used again.
func (p *packer) encode(ctx context.Context, out, content []byte) ([]byte, error) {
	enc := p.encoders.get()
	out, err := enc.Encode(ctx, out, content, cap(content)-len(content) >= lzma2.EncoderPad)
	p.encoders.put(enc)
	return out, err
}

// checksum computes the value of a check as it stands in the file.
func checksum(ctx context.Context, c container.Check, p []byte) ([]byte, error) {
	h := c.New()
	for len(p) > 0 {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n := min(len(p), readStep)
		h.Write(p[:n]) //nolint:errcheck // a hash never fails
		p = p[n:]
	}
	return h.Append(nil), nil
}
