//go:build !windows

package publish

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// A pending file is being written under a name of its own: "." + its name + a random number.
type pending struct {
	*renameio.PendingFile
	tmp string // the name it has now, in the root it was made in
}

// newPending makes a file in r that replace can give its name. Its permissions are mode, whatever the umask is.
func newPending(r *os.Root, name string, mode fs.FileMode) (*pending, error) {
	p, err := renameio.NewPendingFile(name, renameio.WithRoot(r), renameio.WithStaticPermissions(mode))
	if err != nil {
		return nil, err
	}
	return &pending{p, filepath.Base(p.Name())}, nil
}

// replace syncs and closes the file and gives it its name.
func (p *pending) replace() error { return p.CloseAtomicallyReplace() }
