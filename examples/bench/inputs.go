//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// makeFile makes a file of what write writes, and waits until it is on disk:
// writing it there must not go on while something is measured.
func makeFile(path string, write func(w io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Sync(), f.Close())
}

// repeated writes pattern again and again, size bytes in all.
func repeated(pattern []byte, size int64) func(w io.Writer) error {
	return func(w io.Writer) error {
		piece := bytes.Repeat(pattern, mib/len(pattern)+1)
		for size > 0 {
			n := min(size, int64(len(piece)))
			if _, err := w.Write(piece[:n]); err != nil {
				return err
			}
			size -= n
		}
		return nil
	}
}

// makeTar makes an archive of Go's sources, about size bytes of them, and tells
// how long it has become.
func makeTar(ctx context.Context, path string, size int64) (int64, error) {
	root, err := goRoot(ctx)
	if err != nil {
		return 0, err
	}
	root = filepath.Join(root, "src")
	err = makeFile(path, func(w io.Writer) error {
		tw := tar.NewWriter(w)
		var total int64
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			n, err := addToTar(tw, root, name)
			if total += n; err == nil && total >= size {
				return fs.SkipAll
			}
			return err
		})
		if err == nil && total < size*9/10 {
			err = fmt.Errorf("only %d MiB of sources in %s: %d MiB are wanted", total/mib, root, size/mib)
		}
		return errors.Join(err, tw.Close())
	})
	if err != nil {
		return 0, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// addToTar adds a file and tells how much it takes.
func addToTar(tw *tar.Writer, root, name string) (int64, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return 0, err
	}
	if err := tw.WriteHeader(&tar.Header{Name: rel, Mode: 0o644, Size: int64(len(data))}); err != nil {
		return 0, err
	}
	_, err = tw.Write(data)
	return 512 + (int64(len(data))+511)/512*512, err
}
