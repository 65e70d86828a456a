package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
)

// A pending file is being written under a name of its own: "." + its name + a random number.
// renameio does not build on Windows; this is the part of it that is needed.
type pending struct {
	*os.File
	root      *os.Root
	name, tmp string
}

// newPending makes a file in r that replace can give its name.
func newPending(r *os.Root, name string, mode fs.FileMode) (*pending, error) {
	for {
		tmp := fmt.Sprintf(".%s%d", name, rand.Int64())
		f, err := r.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &pending{f, r, name, tmp}, nil
	}
}

// replace syncs and closes the file and gives it its name.
func (p *pending) replace() error {
	if err := p.Sync(); err != nil {
		return err
	}
	if err := p.Close(); err != nil {
		return err
	}
	return p.root.Rename(p.tmp, p.name)
}

// Cleanup closes and removes a file that did not get its name.
func (p *pending) Cleanup() error {
	return errors.Join(p.Close(), p.root.Remove(p.tmp))
}
