//go:build unix

package publish_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

// small fits a test machine: nothing is kept in reserve.
var small = publish.Options{Reserve: -1}

func replacing() publish.Options { return publish.Options{Reserve: -1, Replace: true} }

// file is one file of a set, or of a tree.
type file struct{ name, text string }

func open(t *testing.T, dir string, opt publish.Options) *publish.Dir {
	t.Helper()
	d, err := publish.Open(context.Background(), dir, opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// put publishes files as one set.
func put(ctx context.Context, d *publish.Dir, files []file, remove ...string) error {
	set := d.NewSet("test set")
	defer set.Discard()
	for _, f := range files {
		w, err := set.Create(f.name, int64(len(f.text)))
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(f.text)); err != nil {
			return err
		}
	}
	for _, name := range remove {
		set.Remove(name)
	}
	return set.Commit(ctx)
}

// publishOnce opens the tree, publishes files and closes it.
func publishOnce(dir string, opt publish.Options, files []file, remove ...string) (err error) {
	d, err := publish.Open(context.Background(), dir, opt)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := d.Close(); err == nil {
			err = closeErr
		}
	}()
	return put(context.Background(), d, files, remove...)
}

// tree reads everything below dir: files with their content, directories as "", links with their target.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			all[rel+"/"] = ""
		case e.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			all[rel] = "-> " + to
			return err
		case e.Type().IsRegular():
			text, err := os.ReadFile(path)
			all[rel] = string(text)
			return err
		default:
			all[rel] = e.Type().String()
		}
		return nil
	})
	require.NoError(t, err)
	return all
}
