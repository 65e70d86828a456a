package imagespec

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// sectorSize is what the size of every disk is a multiple of, in bytes.
const sectorSize = 512

// packed is a source's file: an image, or one that is compressed.
type packed struct {
	at       io.ReaderAt
	size     int64
	format   templates.Format // of the file
	hash     *hashutil.Hasher // gets the file as it is read, once and in order; nil: nobody
	progress func(done, total int64)
}

// unpack writes the image to the empty file dst, with holes for zeros, and tells
// its format. The image has at most limit bytes.
func (p *packed) unpack(ctx context.Context, dst *os.File, limit int64) (string, error) {
	var err error
	switch p.format {
	case templates.XZ:
		err = p.unpackXZ(ctx, dst, limit)
	case templates.GZIP:
		err = p.unpackGzip(ctx, dst, limit)
	default:
		if p.size > limit {
			return "", tooLarge(p.size, limit)
		}
		err = copySparse(ctx, dst, p.reader(), limit)
	}
	if err != nil {
		return "", err
	}
	return imageFormat(dst, p.format)
}

// reader reads the file once and tells the hash and the progress.
func (p *packed) reader() io.Reader {
	return &meteredReader{r: io.NewSectionReader(p.at, 0, p.size), p: p}
}

type meteredReader struct {
	r    io.Reader
	p    *packed
	done int64
}

func (m *meteredReader) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.done += int64(n)
	if n > 0 && m.p.hash != nil {
		if _, hashErr := m.p.hash.Write(b[:n]); hashErr != nil {
			return 0, hashErr
		}
	}
	if n > 0 {
		m.p.progress(m.done, m.p.size)
	}
	if errors.Is(err, io.EOF) && m.done < m.p.size {
		err = fmt.Errorf("short read: %d of %d bytes: the file shrank while it was read: %w", m.done, m.p.size, io.ErrUnexpectedEOF)
	}
	return n, err
}

func (p *packed) unpackXZ(ctx context.Context, dst *os.File, limit int64) error {
	r, err := xzpack.Open(p.at, p.size, xzpack.OpenOptions{})
	if err != nil {
		return fmt.Errorf("xz: %w", err)
	}
	if r.Size() > limit {
		return tooLarge(r.Size(), limit)
	}
	opt := xzpack.UnpackOptions{Progress: func(q xzpack.Progress) { p.progress(q.Done, q.Total) }}
	if p.hash != nil {
		opt.Packed = p.hash
	}
	if err := r.Unpack(ctx, dst, opt); err != nil {
		return fmt.Errorf("xz: %w", err)
	}
	return nil
}

func (p *packed) unpackGzip(ctx context.Context, dst *os.File, limit int64) error {
	in := bufio.NewReaderSize(p.reader(), copyBuffer)
	z, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	// It reads one stream after the other, and so the file to its end.
	if err := copySparse(ctx, dst, z, limit); err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	return nil
}

// imageFormat tells the format of the image that came out of a file of the given
// format.
func imageFormat(f *os.File, from templates.Format) (string, error) {
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	info, err := templates.DetectFormat(f, fi.Size())
	switch {
	case err != nil:
	case info.Format == templates.XZ || info.Format == templates.GZIP:
		err = fmt.Errorf("expected an image, found %s: it was compressed twice, unpack it once", info.Format)
	case info.Format == templates.Raw && fi.Size()%sectorSize != 0:
		err = fmt.Errorf("expected an image, found %d bytes: neither qcow2 nor, as no multiple of %d, a raw disk; it is cut off or something else", fi.Size(), sectorSize)
	case info.Format == templates.Raw:
		return string(templates.Raw), nil
	case info.Format == templates.QCOW2:
		return string(templates.QCOW2), nil
	default:
		err = fmt.Errorf("expected raw or qcow2, found %s", info.Format)
	}
	if from == templates.XZ || from == templates.GZIP {
		err = fmt.Errorf("in the %s: %w", from, err)
	}
	return "", err
}

// pageStarts are what web pages begin with, in lower case. Servers send them
// with the status 200 in place of a file: for a login, or to say that there is
// none.
var pageStarts = []string{"<!doctype", "<html", "<head", "<?xml"}

// checkNoPage refuses a web page, which would pass for a raw disk.
func (p *packed) checkNoPage() error {
	head := make([]byte, min(p.size, sectorSize))
	if n, err := p.at.ReadAt(head, 0); n < len(head) {
		return err
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n"))
	for _, s := range pageStarts {
		if bytes.HasPrefix(text, []byte(s)) {
			return fmt.Errorf("expected an image, found a web page (%s): see what is there with a browser, and correct the base of the spec",
				templates.Quote(string(head[:min(len(head), 60)])))
		}
	}
	return nil
}
