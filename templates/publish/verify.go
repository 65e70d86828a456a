package publish

import (
	"context"
	"crypto"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
)

// sumNames are the digests that a journal can carry.
var sumNames = map[crypto.Hash]string{crypto.SHA256: "sha256", crypto.SHA512: "sha512"}

// ownSum is the digest of files that nobody said one of.
const ownSum = "sha256"

func newSum(name string) hash.Hash {
	for h, n := range sumNames {
		if n == name {
			return h.New()
		}
	}
	return nil
}

// A check hashes what is written, where it will be read back and compared.
type check struct {
	hash  hash.Hash // nil: not hashed
	left  int64     // how much more is hashed before it is not worth it; negative: all
	zeros []byte
}

func (c *check) start(mode VerifyMode, sizeHint int64) {
	switch {
	case mode == VerifyAll:
		c.left = -1
	case mode == VerifySmall && sizeHint <= smallFile:
		c.left = smallFile
	default:
		return
	}
	c.hash = newSum(ownSum)
}

func (c *check) running() bool { return c.hash != nil }
func (c *check) stop()         { c.hash = nil }

func (c *check) write(p []byte) {
	if c.hash == nil || !c.spend(int64(len(p))) {
		return
	}
	c.hash.Write(p)
}

func (c *check) writeZeros(n int64) {
	if c.hash == nil || !c.spend(n) {
		return
	}
	if c.zeros == nil {
		c.zeros = make([]byte, 64<<10)
	}
	for n > 0 {
		part := min(n, int64(len(c.zeros)))
		c.hash.Write(c.zeros[:part])
		n -= part
	}
}

// spend tells whether n more bytes are still hashed.
func (c *check) spend(n int64) bool {
	if c.left < 0 {
		return true
	}
	if n > c.left {
		c.stop()
		return false
	}
	c.left -= n
	return true
}

// verify reads a synced file back if the mode asks for it, and compares it with what is known of its content.
func (f *File) verify(ctx context.Context) error {
	if f.check.running() {
		written := hex.EncodeToString(f.check.hash.Sum(nil))
		if said, ok := f.sums[ownSum]; ok && said != written {
			return fmt.Errorf("the content written has %s %s, expected %s", ownSum, written, said)
		}
		if f.sums == nil {
			f.sums = make(map[string]string)
		}
		f.sums[ownSum] = written
	}
	if f.cfg.verify == VerifyNone || f.cfg.verify == VerifySmall && f.size > smallFile {
		return nil
	}
	if err := f.cfg.step.at("reread", f.cfg.name); err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	dropCache(f.pending.File)
	want := f.sums
	if len(want) == 0 {
		want = map[string]string{ownSum: ""}
	}
	got, err := sums(ctx, f.pending, f.size, slices.Collect(maps.Keys(want)))
	if err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	for name, sum := range want {
		if sum != "" && got[name] != sum {
			return fmt.Errorf("the file system gave back other bytes than were written: found %s %s, expected %s: check the disk", name, got[name], sum)
		}
	}
	f.sums = got
	return nil
}

// sums hashes the first size bytes of r, which has to have that many.
func sums(ctx context.Context, r io.ReaderAt, size int64, names []string) (map[string]string, error) {
	hashes := make(map[string]hash.Hash)
	var all []io.Writer
	for _, name := range names {
		h := newSum(name)
		hashes[name] = h
		all = append(all, h)
	}
	src := &cancelReader{ctx, io.NewSectionReader(r, 0, size)}
	n, err := io.CopyBuffer(io.MultiWriter(all...), src, make([]byte, 256<<10))
	if err == nil && n != size {
		err = fmt.Errorf("found %d bytes, expected %d", n, size)
	}
	if err != nil {
		return nil, err
	}
	got := make(map[string]string)
	for name, h := range hashes {
		got[name] = hex.EncodeToString(h.Sum(nil))
	}
	return got, nil
}

// A cancelReader ends a long read with its context.
type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelReader) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
