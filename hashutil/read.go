package hashutil

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// xzMagic is how every .xz file begins.
var xzMagic = []byte{0xfd, '7', 'z', 'X', 'Z', 0}

// progressStep is how many bytes are hashed between two progress reports.
const progressStep = 4 << 20

const bytesMethod = "bytes as they are"

var errNoDecoder = errors.New("its content cannot be checked: no xz decoder was given")

// readSmall reads a sidecar or sums file of at most limit bytes. One byte more
// is enough to tell the parser that the file is too large.
func readSmall(fsys fs.FS, name string, mode fs.FileMode, limit int) (data []byte, err error) {
	if err := irregular(mode); err != nil {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := irregular(info.Mode()); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}

// image reads one file as often as its sidecars make necessary, and makes sure
// that it is the same file every time.
type image struct {
	v    *verifier
	path string
	info fs.FileInfo // as first seen
	xz   bool        // begins with xz's magic
}

// openImage looks at the beginning of the file.
func (v *verifier) openImage(t *target) (*image, error) {
	if err := irregular(t.mode); err != nil {
		return nil, err
	}
	img := &image{v: v, path: t.path}
	f, err := img.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	magic := make([]byte, len(xzMagic))
	n, err := io.ReadFull(f, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	img.xz = bytes.Equal(magic[:n], xzMagic)
	return img, nil
}

func (m *image) open() (fs.File, error) {
	f, err := m.v.fsys.Open(m.path)
	if err != nil {
		return nil, err
	}
	if err := m.same(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// same makes sure that the open file is the one that was first seen.
func (m *image) same(f fs.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := irregular(info.Mode()); err != nil {
		return err
	}
	if m.info == nil {
		m.info = info
	}
	if info.Size() != m.info.Size() || !info.ModTime().Equal(m.info.ModTime()) {
		return fmt.Errorf("it changed while it was read: %d bytes of %v became %d bytes of %v",
			m.info.Size(), m.info.ModTime(), info.Size(), info.ModTime())
	}
	return nil
}

// content computes digests of what is inside the image.
func (m *image) content(ctx context.Context, algs []Algorithm) (Digests, string, error) {
	if m.xz && m.v.opt.Content == nil {
		return nil, "", errNoDecoder
	}
	return m.read(ctx, algs, m.v.opt.Content)
}

// bytes computes digests of the file as it is. The caller's ContentFunc may
// know the holes of a file that is not packed.
func (m *image) bytes(ctx context.Context, algs []Algorithm) (Digests, string, error) {
	if m.xz {
		return m.read(ctx, algs, nil)
	}
	return m.read(ctx, algs, m.v.opt.Content)
}

func (m *image) read(ctx context.Context, algs []Algorithm, content ContentFunc) (_ Digests, method string, err error) {
	f, err := m.open()
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	h := NewHasher(algs...)
	h.Bind(ctx)
	if !m.xz || content == nil {
		h.Expect(m.info.Size())
	}
	h.progress = m.progress(h)
	if content == nil {
		method, err = bytesMethod, feed(h, f)
	} else {
		method, err = recovered(ctx, content, f, h)
	}
	if err != nil {
		return nil, "", err
	}
	if err := m.same(f); err != nil {
		return nil, "", err
	}
	if h.expected >= 0 && h.Size() != h.expected {
		return nil, "", fmt.Errorf("short or long read: expected %d bytes, got %d", h.expected, h.Size())
	}
	return h.Sums(), method, nil
}

// recovered calls the ContentFunc. Decoders of hostile data panic now and then;
// that is a finding about one file and no end of the run.
func recovered(ctx context.Context, content ContentFunc, f fs.File, h *Hasher) (method string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its decoder panicked: %v", p)
		}
	}()
	return content(ctx, f, h)
}

func (m *image) progress(h *Hasher) func(int64) {
	next := int64(progressStep)
	return func(done int64) {
		if done < next {
			return
		}
		next = done + progressStep
		m.v.report(Progress{Path: m.path, Done: done, Total: max(h.expected, 0)})
	}
}
