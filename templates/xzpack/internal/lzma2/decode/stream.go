package decode

import (
	"errors"
	"io"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// Source is what a Stream reads from, for example a *bufio.Reader. Nothing behind the block's LZMA2 data is read.
type Source interface {
	io.Reader
	io.ByteReader
}

// Stream decodes the LZMA2 data of one block, whose content's length need not be known. It is an io.Reader that ends
// with io.EOF right behind the end marker. It holds the dictionary, a quarter of it more (so that the content need not
// be moved for every chunk), one chunk (at most 2 MiB of content and 64 KiB of data) and a Decoder; the room for content
// grows as content arrives. It is not safe for concurrent use.
type Stream struct {
	src     Source
	d       Decoder
	w       window
	given   int // w.buf[given:w.pos] is content that was not read yet
	dropped int64
	packed  int64 // bytes read from src
	data    []byte
	err     error
}

// NewStream returns a Stream that reads from src. dict is the dictionary size that the block header claims, in bytes.
func NewStream(src Source, dict int64) *Stream {
	s := &Stream{data: make([]byte, 0, model.MaxPacked)}
	s.Reset(src, dict)
	return s
}

// Reset makes s decode another block. What memory it has is kept.
func (s *Stream) Reset(src Source, dict int64) {
	s.d.Reset()
	s.src, s.err = src, nil
	s.given, s.dropped, s.packed = 0, 0, 0
	s.w = window{buf: s.w.buf, dict: int(min(max(dict, minDict), maxDict))}
}

// Content is how many bytes of content were decoded, of which Read has not given all yet.
func (s *Stream) Content() int64 { return s.dropped + int64(s.w.pos) }

// Packed is how many bytes of LZMA2 data were read.
func (s *Stream) Packed() int64 { return s.packed }

// Read reads content. An error of the source comes through as it is; what is wrong with the data is an *Error.
func (s *Stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for s.given == s.w.pos {
		if s.err != nil {
			return 0, s.err
		}
		s.err = s.next()
	}
	n := copy(p, s.w.buf[s.given:s.w.pos])
	s.given += n
	return n, nil
}

// WriteTo writes all content that is left to w, chunk by chunk.
func (s *Stream) WriteTo(w io.Writer) (n int64, err error) {
	for {
		if s.given < s.w.pos {
			p := s.w.buf[s.given:s.w.pos]
			k, err := w.Write(p)
			s.given += k
			n += int64(k)
			if err == nil && k < len(p) {
				err = io.ErrShortWrite
			}
			if err != nil {
				return n, err
			}
			continue
		}
		if s.err == io.EOF {
			return n, nil
		}
		if s.err != nil {
			return n, s.err
		}
		s.err = s.next()
	}
}

// next decodes a chunk, when all content before it was read.
func (s *Stream) next() error {
	h, err := s.header()
	if err != nil {
		return err
	}
	if h.Ctl == model.CtlEnd {
		return io.EOF
	}
	at := s.packed - int64(h.Len)
	s.data = s.data[:h.Packed]
	n, err := io.ReadFull(s.src, s.data)
	s.packed += int64(n)
	if err != nil {
		return s.readFault(err)
	}
	s.makeRoom(h.Size)
	if n, err = s.d.chunk(&s.w, h, s.data); err != nil {
		return s.fault(err, at+int64(n))
	}
	return nil
}

func (s *Stream) header() (Header, error) {
	var p [MaxHeader]byte
	ctl, err := s.src.ReadByte()
	if err != nil {
		return Header{}, s.readFault(err)
	}
	s.packed++
	p[0] = ctl
	n, err := HeaderLen(ctl)
	if err != nil {
		return Header{}, s.fault(err, s.packed-1)
	}
	k, err := io.ReadFull(s.src, p[1:n])
	s.packed += int64(k)
	if err != nil {
		return Header{}, s.readFault(err)
	}
	return ParseHeader(p[:n])
}

// readFault is the error of a source that gave no more. Its own error stays as it is.
func (s *Stream) readFault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return s.fault(ErrCutOff, s.packed)
	}
	return err
}

func (s *Stream) fault(err error, at int64) error {
	return &Error{Content: s.Content(), Packed: at, Err: err}
}

// slideUnit is what content is moved by a multiple of: positions count modulo it.
const slideUnit = 1 << model.MaxPB

// makeRoom gets room for n more bytes of content, all of which before was read.
func (s *Stream) makeRoom(n int) {
	w := &s.w
	if n <= len(w.buf)-w.pos {
		return
	}
	most := w.dict + max(w.dict/4, model.MaxContent) + slideUnit
	if w.pos+n <= most || len(w.buf) < most {
		size := max(2*len(w.buf), w.pos+n)
		if size > most/8 { // to go on doubling would leave half as much garbage as the whole takes
			size = most
		}
		buf := make([]byte, size)
		copy(buf, w.buf[:w.pos])
		w.buf = buf
	}
	if n <= len(w.buf)-w.pos {
		return
	}
	drop := (w.pos - w.dict) / slideUnit * slideUnit
	copy(w.buf, w.buf[drop:w.pos])
	s.dropped += int64(drop)
	s.given -= drop
	w.pos -= drop
	w.low = max(w.low-drop, 0)
	w.origin -= drop
}
