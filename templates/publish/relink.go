package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// Link makes name, below the directory to, another name of the file old below from: a hard link. Both are
// paths as [fs.ValidPath] has them; no symbolic link is followed in either, and nothing is replaced: a
// name that exists is [ErrExists]. Directories on two file systems give an error that is syscall.EXDEV.
//
// What was linked is whatever lay under old at that moment. A caller who looked at the file before compares
// the two with [os.SameFile], and calls [SyncDir] when the name has to last.
func Link(from *os.Root, old string, to *os.Root, name string) error {
	return relink(from, old, to, name, link)
}

// Move is [Link], with the old name gone afterwards. No moment passes at which the file has neither name.
func Move(from *os.Root, old string, to *os.Root, name string) error {
	return relink(from, old, to, name, moveNew)
}

func relink(from *os.Root, old string, to *os.Root, name string, do func(step stepper, from *node, a string, to *node, b string) error) error {
	for _, p := range []string{old, name} {
		if !fs.ValidPath(p) || p == "." {
			return fmt.Errorf("%s: expected the path of a file below a directory, with slashes, and no . or .. in it", quote(p))
		}
	}
	f, err := openNode(from, path.Dir(old))
	if err != nil {
		return err
	}
	defer f.close()
	t, err := openNode(to, path.Dir(name))
	if err != nil {
		return err
	}
	defer t.close()
	err = do(nil, f, path.Base(old), t, path.Base(name))
	if errors.Is(err, fs.ErrExist) && !errors.Is(err, ErrExists) {
		err = about(name, ErrExists)
	}
	return err
}

// SyncDir makes what happened to the names in a directory durable, where the file system can.
func SyncDir(dir *os.Root) error {
	n, err := openNode(dir, ".")
	if err != nil {
		return err
	}
	defer n.close()
	return n.sync(nil)
}
