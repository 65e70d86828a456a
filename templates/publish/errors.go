package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
)

// ErrExists is in the error of a name that is published already, where replacing was not asked for.
// errors.Is(err, fs.ErrExist) holds for it too.
var ErrExists error = existsError{}

type existsError struct{}

func (existsError) Error() string        { return "exists already" }
func (existsError) Is(target error) bool { return target == fs.ErrExist }

// ErrLocked is what a [LockedError] is: errors.Is(err, ErrLocked).
var ErrLocked = errors.New("locked by another publisher")

// LockedError says that another process, or another [Dir] of this one, is publishing into the tree.
type LockedError struct {
	// Dir is the tree.
	Dir string
	// PID and Host name the holder as it wrote itself into the lock; 0 and "" when that cannot be read.
	PID  int
	Host string
}

func (e *LockedError) Error() string {
	holder := "holder unknown"
	if e.PID > 0 {
		holder = fmt.Sprintf("pid %d on host %s", e.PID, quote(e.Host))
	}
	return fmt.Sprintf("%s: %v (%s): wait until it is done", quote(e.Dir), ErrLocked, holder)
}

// Is makes errors.Is(err, [ErrLocked]) hold.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// ErrUnfinished is in the error of a [Set.Commit] that failed after the journal was written, in a way that
// could not be taken back. Part of the set may be visible, in order; the next [Open] of the tree completes
// it or takes it back. The [Dir] publishes nothing any more.
var ErrUnfinished = errors.New("the set is not settled: the next Open of the tree completes it or takes it back")

// maxQuoted bounds how much of a name or text an error carries: names come from caches and requests.
const maxQuoted = 200

// quote makes a text from a file or a caller safe to print on a terminal and in a log.
func quote(s string) string {
	if len(s) > maxQuoted {
		return strconv.Quote(s[:maxQuoted]) + "…"
	}
	return strconv.Quote(s)
}

// about puts the name an error is about in front of it.
func about(name string, err error) error {
	return fmt.Errorf("%s: %w", quote(name), err)
}
