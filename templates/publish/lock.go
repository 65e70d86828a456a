package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

const lockName = "lock"

// A holder is what the owner of a lock writes into it, for people and for LockedError. The lock itself is
// flock(2), which the kernel drops when its holder dies.
type holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
}

// maxHolder bounds what is read of a lock file: anybody who may write to the tree may have written it.
const maxHolder = 4096

// A treeLock is metaDir, open, with its lock file held.
type treeLock struct {
	meta *node
	file *os.File
}

// errRetry says that the lock file or its directory was removed by the last holder between two steps.
var errRetry = errors.New("the lock was removed while it was taken")

// maxRetries is far above what publishers that come and go can cause.
const maxRetries = 1000

// waitStep is how long a waiting publisher sleeps between two tries; flock(2) itself could not be cancelled.
const waitStep = 20 * time.Millisecond

func takeLock(ctx context.Context, top *os.Root, opt Options) (*treeLock, error) {
	retries := 0
	for {
		l, err := tryLock(top, opt)
		switch {
		case err == nil:
			return l, nil
		case errors.Is(err, errRetry):
			if retries++; retries > maxRetries {
				return nil, err
			}
			continue
		case !opt.Wait || !errors.Is(err, ErrLocked):
			return nil, err
		}
		retries = 0
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(waitStep):
		}
	}
}

// tryLock makes metaDir and the lock file if they are missing, and takes the lock. A holder that finishes
// removes both, so after locking it is checked that they are still the ones that a newcomer would find.
func tryLock(top *os.Root, opt Options) (_ *treeLock, err error) {
	if err := opt.step.at("mkdir", metaDir); err != nil {
		return nil, about(metaDir, err)
	}
	// For the publisher alone: a web server that shows the tree must not get at files that are not out yet,
	// and whatever its rules for the directory are that they are meant for.
	err = top.Mkdir(metaDir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errRetry
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, about(metaDir, bare(err))
	}
	meta, err := openNode(top, metaDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errRetry
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			meta.close()
			_ = top.Remove(metaDir) // if it is empty, which it is only when it was made in vain
		}
	}()
	f, err := openLockFile(meta, opt)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := opt.step.at("lock", lockName); err != nil {
		return nil, about(lockName, err)
	}
	held, err := TryLock(f)
	if err != nil {
		return nil, about(top.Name(), fmt.Errorf("locking: %w", err))
	}
	if !held {
		return nil, readHolder(top.Name(), f)
	}
	if !meta.current() || !meta.holds(lockName, f) {
		return nil, errRetry
	}
	if err := writeHolder(f, opt.step); err != nil {
		_ = meta.root.Remove(lockName) // while it is held
		return nil, about(metaDir+"/"+lockName, err)
	}
	return &treeLock{meta: meta, file: f}, nil
}

func openLockFile(meta *node, opt Options) (*os.File, error) {
	if _, err := meta.target(lockName); err != nil {
		return nil, err
	}
	if err := opt.step.at("create", lockName); err != nil {
		return nil, about(lockName, err)
	}
	f, err := meta.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errRetry
	}
	if err != nil {
		return nil, about(metaDir+"/"+lockName, bare(err))
	}
	return f, nil
}

// current tells whether a newcomer who opens n's path gets to n.
func (n *node) current() bool {
	there, err := n.top.Lstat(n.rel)
	if err != nil {
		return false
	}
	here, err := n.file.Stat()
	return err == nil && os.SameFile(there, here)
}

// holds tells whether f is the file under name in n, and no link to it.
func (n *node) holds(name string, f *os.File) bool {
	there, err := n.root.Lstat(name)
	if err != nil {
		return false
	}
	here, err := f.Stat()
	return err == nil && os.SameFile(there, here)
}

func writeHolder(f *os.File, step stepper) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text, err := json.Marshal(holder{PID: os.Getpid(), Host: host})
	if err != nil {
		return err
	}
	if err := step.at("write", lockName); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return bare(err)
	}
	_, err = f.WriteAt(append(text, '\n'), 0)
	return err
}

// readHolder says who has the lock. The holder may be about to write itself into it: then nothing is known.
func readHolder(dir string, f *os.File) error {
	locked := &LockedError{Dir: dir}
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder))
	if err != nil {
		return locked
	}
	var h holder
	if json.Unmarshal(text, &h) == nil {
		locked.PID, locked.Host = h.PID, h.Host
	}
	return locked
}

// release removes the lock file, and metaDir if nothing else is in it, and then lets the lock go.
// From the removal on the tree belongs to whoever comes next.
func (l *treeLock) release(step stepper) error {
	err := step.at("unlink", lockName)
	if err == nil {
		err = l.meta.root.Remove(lockName)
	}
	if err == nil {
		// Fails while something is left in it: staging of an unfinished set, or what we do not own.
		if step.at("rmdir", metaDir) == nil {
			_ = l.meta.top.Remove(metaDir)
		}
	}
	l.meta.close()
	return errors.Join(bare(err), l.file.Close())
}
