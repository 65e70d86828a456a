package xzpack

import (
	"fmt"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// Limits bound what an .xz file may ask for. [Open] holds all that the file claims against them before anything is
// decompressed, and decompression never goes beyond what was claimed. A [Reader] does so with the claims of each block,
// and with what comes where nothing is claimed. A field that is 0 stands for its default, one that is negative is an
// error.
//
// A block larger than Block is not held in memory: it can be unpacked, which is done as it comes, but not read at random.
type Limits struct {
	Size   int64 // bytes of content in all; 0 = 16 TiB
	Blocks int   // blocks, and also streams; 0 = 262,144: as many as 4 TiB of 16 MiB blocks have
	Dict   int64 // bytes of dictionary; 0 = 64 MiB: what xz -9 uses
	Block  int64 // bytes of a block that is held, both of its content and of its compressed form; 0 = 512 MiB: what nbdkit allows
	Ratio  int64 // content bytes for each compressed byte of a block; 0 = 10,000: LZMA2 cannot reach it, zeros have about 7,000
	Memory int64 // bytes that blocks being decoded or kept may hold: fewer workers run, fewer blocks are kept; 0 = 2 GiB. One block always fits
}

// ratioSlack keeps the ratio out of the way of blocks too small for it to say anything.
const ratioSlack = 64 << 10

// maxPadding bounds the zeros between and behind streams that Open steps over.
const maxPadding = 16 << 20

func (l Limits) withDefaults() (Limits, error) {
	for _, f := range []struct {
		name  string
		v     *int64
		value int64
	}{
		{"size", &l.Size, 16 << 40},
		{"dictionary", &l.Dict, 64 << 20},
		{"block", &l.Block, 512 << 20},
		{"ratio", &l.Ratio, 10_000},
		{"memory", &l.Memory, 2 << 30},
	} {
		if *f.v < 0 {
			return l, fmt.Errorf("limit of %s: expected 0 (the default) or more, found %d", f.name, *f.v)
		}
		if *f.v == 0 {
			*f.v = f.value
		}
	}
	if l.Blocks < 0 {
		return l, fmt.Errorf("limit of blocks: expected 0 (the default) or more, found %d", l.Blocks)
	}
	if l.Blocks == 0 {
		l.Blocks = 1 << 18
	}
	return l, nil
}

// over says which limit was hit.
func over(what string, found, limit int64) error {
	return fmt.Errorf("%s of %d is %w of %d: raise the limit if the file is trusted", what, found, ErrLimit, limit)
}

// checkHeld finds fault with a block that is too large to be held in memory. Its compressed form may be somewhat longer
// than its content.
func (l Limits) checkHeld(b *block) error {
	switch {
	case b.size > l.Block:
		return over("uncompressed size", b.size, l.Block)
	case b.unpadded > l.Block+l.Block/4+container.MaxBlockHeaderSize:
		return over("compressed size", b.unpadded, l.Block)
	}
	return nil
}

// checkRatio holds a block's content, or what there is of it so far, against its bytes in the file.
func (l Limits) checkRatio(size, packed int64) error {
	if size > ratioSlack && size/max(packed, 1) >= l.Ratio {
		return over("compression ratio", size/max(packed, 1), l.Ratio)
	}
	return nil
}
