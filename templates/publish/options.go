package publish

import (
	"fmt"
	"io/fs"
)

// VerifyMode says which files are read back from the file system and compared with what was written,
// before they are published.
type VerifyMode int

const (
	// VerifySmall reads files of up to 1 MiB back: sidecars, metadata and indexes, but no images.
	VerifySmall VerifyMode = iota
	// VerifyNone reads nothing back.
	VerifyNone
	// VerifyAll reads every file back, which for an image of 30 GB takes minutes. A file that was written
	// through [File.File] is compared with what [File.SetSum] said; without that it is only read.
	VerifyAll
)

// smallFile is the largest file that VerifySmall reads back.
const smallFile = 1 << 20

// defaultReserve is what stays free on the file system unless Options.Reserve says otherwise.
const defaultReserve = 64 << 20

// Options say how a tree is published into. The zero value is the safe choice.
type Options struct {
	// Replace lets a set replace files that exist. By default that is refused with [ErrExists], since
	// clients read a template's files one after the other and would mix old and new ones.
	// [Set.Replace] changes it for one set.
	Replace bool
	// Reserve is how many bytes have to stay free on the file system. 0 means 64 MiB, negative means none.
	Reserve int64
	// Verify says what is read back before it is published; zero means [VerifySmall].
	Verify VerifyMode
	// FileMode and DirMode are the permissions of what is made, whatever the umask is.
	// 0 means 0644 and 0755: readable by a web server that runs as another user.
	FileMode, DirMode fs.FileMode
	// Wait makes [Open] wait for another publisher to finish, until its context ends.
	// By default it fails at once with a [LockedError].
	Wait bool

	// step, in tests, is called before every change to the file system and may fail it.
	step stepper
}

// withDefaults checks the options and fills in what zero stands for.
func (o Options) withDefaults() (Options, error) {
	if o.Verify < VerifySmall || o.Verify > VerifyAll {
		return o, fmt.Errorf("verify mode %d: expected VerifySmall, VerifyNone or VerifyAll", o.Verify)
	}
	if o.FileMode&^fs.ModePerm != 0 || o.DirMode&^fs.ModePerm != 0 {
		return o, fmt.Errorf("file mode %v, directory mode %v: expected permission bits only", o.FileMode, o.DirMode)
	}
	switch {
	case o.Reserve == 0:
		o.Reserve = defaultReserve
	case o.Reserve < 0:
		o.Reserve = 0
	}
	if o.FileMode == 0 {
		o.FileMode = 0o644
	}
	if o.DirMode == 0 {
		o.DirMode = 0o755
	}
	return o, nil
}

// A stepper is told of every change to the file system before it happens, so that a test can fail it or
// kill the process there. The nil stepper lets everything pass.
type stepper func(op, name string) error

func (s stepper) at(op, name string) error {
	if s == nil {
		return nil
	}
	return s(op, name)
}
