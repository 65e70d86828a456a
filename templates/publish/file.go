package publish

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// A File is a file that is being written and has no name in the tree yet. It is written from the start to
// the end with Write, ReadFrom and WriteZeros, or at will through [File.File]: one or the other.
// Its methods are for one goroutine at a time.
type File struct {
	cfg fileConfig

	mu       sync.Mutex // finish may come from Set.Commit
	pending  *pending
	pos      int64 // what Write and WriteZeros have come to
	skip     int64 // the last bytes before pos that are a hole without anything behind it
	prealloc int64 // blocks are reserved up to here
	claimed  int64 // bytes promised by space and not written yet
	checked  int64 // pos at the last look at free space
	raw      bool  // handed out by File
	modTime  time.Time

	check check
	sums  map[string]string // what is known of the finished content, by name of the algorithm
	size  int64             // of the finished file

	err    error // the first failure; the file is not published then
	closed bool
}

// fileConfig is what a File needs to know of the Set or the WriteFile that makes it.
type fileConfig struct {
	name   string // for errors
	stage  *node
	staged string // the stem of its name in stage
	mode   fs.FileMode
	verify VerifyMode
	space  *space
	step   stepper
}

// smallHint is the size under which preallocation saves nothing.
const smallHint = 1 << 20

func newFile(cfg fileConfig, sizeHint int64) (*File, error) {
	if err := cfg.space.claim(cfg.name, sizeHint); err != nil {
		return nil, about(cfg.name, err)
	}
	err := cfg.step.at("create", cfg.name)
	var p *pending
	if err == nil {
		p, err = newPending(cfg.stage.root, cfg.staged, cfg.mode)
	}
	if err != nil {
		cfg.space.settle(sizeHint)
		return nil, about(cfg.name, bare(err))
	}
	f := &File{cfg: cfg, pending: p, claimed: sizeHint}
	f.check.start(cfg.verify, sizeHint)
	return f, nil
}

// Name is the name the file will have in the tree.
func (f *File) Name() string { return f.cfg.name }

// Write writes the next bytes. After an error the file will not be published.
func (f *File) Write(p []byte) (int, error) {
	if err := f.ready(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := f.pending.Write(p)
	f.check.write(p[:n])
	f.advance(int64(n))
	return n, f.fail(err)
}

// ReadFrom writes the rest of r. Where the content is not hashed on the way (see [VerifyMode]) the kernel
// copies it from file to file. After an error, be it of r, the file will not be published: it is not whole.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	var total int64
	if f.check.running() {
		buf := make([]byte, 256<<10)
		for f.check.running() {
			n, err := r.Read(buf)
			if n > 0 {
				if _, err := f.Write(buf[:n]); err != nil {
					return total, err
				}
				total += int64(n)
			}
			if err == io.EOF {
				return total, nil
			}
			if err != nil {
				return total, f.fail(err)
			}
		}
	}
	// In pieces, for the look at free space between them.
	for {
		if err := f.ready(0); err != nil {
			return total, err
		}
		n, err := f.pending.ReadFrom(&io.LimitedReader{R: r, N: recheckEvery})
		f.advance(n)
		total += n
		if err != nil {
			return total, f.fail(err)
		}
		if n < recheckEvery {
			return total, nil
		}
	}
}

// WriteZeros writes n zero bytes as a hole, which takes no room on the disk.
func (f *File) WriteZeros(n int64) error {
	if n < 0 {
		return fmt.Errorf("%s: %d zero bytes: expected 0 or more", quote(f.cfg.name), n)
	}
	if err := f.usable(); err != nil {
		return err
	}
	if over := min(f.pos+n, f.prealloc) - f.pos; over > 0 {
		if err := f.op("punch"); err != nil {
			return err
		}
		// First the size: there are file systems that punch nothing beyond the end of a file.
		err := f.pending.Truncate(f.pos + n)
		if err == nil {
			err = punch(f.pending.File, f.pos, over)
		}
		if err != nil {
			return f.fail(err)
		}
	}
	f.check.writeZeros(n)
	f.skip += n
	f.advance(n)
	return nil
}

// File gives the open file itself to those who write at offsets of their choice, with holes where they
// write nothing. It must not be closed, and not be used after [File.Close] or [Set.Commit].
// It is nil when the file is closed or has failed.
func (f *File) File() *os.File {
	if f.usable() != nil {
		return nil
	}
	f.raw = true
	f.check.stop()
	return f.pending.File
}

// SetModTime gives the published file a time of modification; without it that is when it was written.
// It is to be called before Close and Commit.
func (f *File) SetModTime(t time.Time) { f.modTime = t }

// SetSum says what digest the content has, as crypto.SHA256 or crypto.SHA512. It goes into the journal, so
// that the next run can tell whether a staged file is still right, and is compared with the content where
// [Options.Verify] has that read back.
func (f *File) SetSum(hash crypto.Hash, sum []byte) error {
	name, ok := sumNames[hash]
	if !ok {
		return fmt.Errorf("%s: digest %v: expected SHA-256 or SHA-512", quote(f.cfg.name), hash)
	}
	if len(sum) != hash.Size() {
		return fmt.Errorf("%s: digest %v of %d bytes: expected %d", quote(f.cfg.name), hash, len(sum), hash.Size())
	}
	if f.sums == nil {
		f.sums = make(map[string]string)
	}
	f.sums[name] = fmt.Sprintf("%x", sum)
	return nil
}

// Close completes the file: gives it its size and time, syncs it and reads it back as [Options.Verify]
// asks. [Set.Commit] does that for files that are open, so Close is for spreading the work over goroutines.
// A second call returns what the first did.
func (f *File) Close() error { return f.finish(context.Background()) }

var errClosed = errors.New("the file is closed")

// usable says why nothing can be written to the file any more.
func (f *File) usable() error {
	if f.err != nil {
		return f.err
	}
	if f.closed {
		return about(f.cfg.name, errClosed)
	}
	return nil
}

// ready prepares for writing n bytes at pos.
func (f *File) ready(n int64) error {
	if err := f.usable(); err != nil {
		return err
	}
	if f.pos == 0 && f.skip == 0 && f.prealloc == 0 && f.claimed >= smallHint && !f.raw {
		if err := f.reserve(); err != nil {
			return err
		}
	}
	if f.claimed == 0 && f.pos+n-f.checked >= recheckEvery {
		if err := f.fail(f.cfg.space.claim(f.cfg.name, 0)); err != nil {
			return err
		}
		f.checked = f.pos
	}
	if f.skip > 0 {
		if _, err := f.pending.Seek(f.pos, io.SeekStart); err != nil {
			return f.fail(err)
		}
		f.skip = 0
	}
	return f.op("write")
}

// reserve has the file system set the announced bytes aside, so that a full disk or a quota shows before
// the work and not at its end.
func (f *File) reserve() error {
	if err := f.op("preallocate"); err != nil {
		return err
	}
	done, err := preallocate(f.pending.File, f.claimed)
	if err != nil {
		return f.fail(err)
	}
	if done {
		f.prealloc = f.claimed
		f.settle(f.claimed)
	}
	return nil
}

func (f *File) advance(n int64) {
	f.pos += n
	f.settle(min(n, f.claimed))
}

func (f *File) settle(n int64) {
	f.claimed -= n
	f.cfg.space.settle(n)
}

// op lets a test fail what comes next.
func (f *File) op(op string) error { return f.fail(f.cfg.step.at(op, f.cfg.name)) }

// fail keeps the first failure and puts the file's name in front of it.
func (f *File) fail(err error) error {
	if err == nil {
		return nil
	}
	if f.err == nil {
		f.err = about(f.cfg.name, bare(err))
	}
	return f.err
}
