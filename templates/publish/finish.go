package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// finish makes the file what it will be under its name, durably.
func (f *File) finish(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.err
	}
	f.closed = true
	defer func() { f.settle(f.claimed) }()
	if f.err == nil {
		f.err = f.complete(ctx)
	}
	if err := f.pending.Close(); f.err == nil && err != nil {
		f.err = about(f.cfg.name, bare(err))
	}
	return f.err
}

func (f *File) complete(ctx context.Context) error {
	if err := f.resize(); err != nil {
		return about(f.cfg.name, bare(err))
	}
	if !f.modTime.IsZero() {
		if err := f.cfg.step.at("chtimes", f.cfg.name); err != nil {
			return about(f.cfg.name, err)
		}
		if err := f.cfg.stage.root.Chtimes(f.pending.tmp, f.modTime, f.modTime); err != nil {
			return about(f.cfg.name, bare(err))
		}
	}
	// A failed sync is final: the kernel forgets the pages it could not write, and would call a second one good.
	err := f.cfg.step.at("sync-file", f.cfg.name)
	if err == nil {
		err = f.pending.Sync()
	}
	if err != nil {
		return about(f.cfg.name, bare(err))
	}
	if err := f.verify(ctx); err != nil {
		return about(f.cfg.name, bare(err))
	}
	if err := f.cfg.step.at("close", f.cfg.name); err != nil {
		return about(f.cfg.name, err)
	}
	return nil
}

// resize lets the file end where it was written to: with the hole at its end, without unused blocks.
func (f *File) resize() error {
	info, err := f.pending.Stat()
	if err != nil {
		return err
	}
	f.size = info.Size()
	if f.prealloc > f.size {
		// For itself: making a file longer gives no blocks back.
		if err := f.truncate(f.size); err != nil {
			return err
		}
	}
	if f.pos <= f.size {
		return nil
	}
	f.size = f.pos
	return f.truncate(f.size)
}

func (f *File) truncate(size int64) error {
	if err := f.cfg.step.at("truncate", f.cfg.name); err != nil {
		return err
	}
	return f.pending.Truncate(size)
}

// abandon closes and removes a file that is not going to be published.
func (f *File) abandon() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		// Closed already; Cleanup would close it again.
		err := f.cfg.stage.root.Remove(f.pending.tmp)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	f.closed = true
	f.settle(f.claimed)
	if f.err == nil {
		f.err = fmt.Errorf("%s: %w", quote(f.cfg.name), errEnded)
	}
	return f.pending.Cleanup()
}
