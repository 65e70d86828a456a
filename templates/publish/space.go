package publish

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// recheckEvery is how much is written to a file beyond its announced size before free space is looked at again.
const recheckEvery = 64 << 20

// FreeSpace tells how many bytes a process without privileges could still write to the file system of dir. known is false
// where the system does not tell: on anything but Linux, and for a tmpfs without a limit.
func FreeSpace(dir string) (free int64, known bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	free, known, err = freeBytes(f)
	if err != nil {
		return 0, false, fmt.Errorf("%s: %w", dir, err)
	}
	return free, known, nil
}

// space keeps count of what open files have been promised, so that several that are written at once are
// not each promised the same free bytes.
type space struct {
	dir     *os.File // on the file system in question
	reserve int64
	step    stepper

	mu      sync.Mutex
	claimed int64
}

// claim promises n bytes to the file name, or says that they are not there.
func (s *space) claim(name string, n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	free, known, err := int64(0), false, s.step.at("statfs", name)
	if err == nil {
		free, known, err = freeBytes(s.dir)
	}
	if err != nil {
		return fmt.Errorf("asking for the free space: %w", err)
	}
	if known && free-s.claimed-s.reserve < n {
		return fmt.Errorf("needs %d bytes and %d are free, of which %d are for files that are being written and %d are kept in reserve: make room first: %w",
			n, free, s.claimed, s.reserve, syscall.ENOSPC)
	}
	s.claimed += n
	return nil
}

// settle gives n promised bytes back: they are on the disk now, or not needed.
func (s *space) settle(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claimed -= n
}
