//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const mib = 1 << 20

// makeImage makes an ext4 file system of size bytes with about data bytes of
// this machine's files in it. The same machine gives the same files.
func makeImage(ctx context.Context, path string, size, data int64) error {
	tree := path + ".tree"
	defer os.RemoveAll(tree)
	if err := collect(ctx, tree, data); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return err
	}
	inodes := 1024 // some are the file system's own
	err = filepath.WalkDir(tree, func(string, fs.DirEntry, error) error {
		inodes++
		return nil
	})
	if err != nil {
		return err
	}
	// No journal: it is nothing but zeros that an image has no use for. Inode
	// tables stay unwritten, as in any image made in a file.
	mkfs := exec.CommandContext(ctx, "mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-O", "^has_journal",
		"-N", strconv.Itoa(inodes), "-E", "lazy_itable_init=1", "-d", tree, path)
	if out, err := mkfs.CombinedOutput(); err != nil {
		return fmt.Errorf("mke2fs: %w\n%s", err, out)
	}
	f, err = os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// goRoot is where Go itself lies.
func goRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	return strings.TrimSpace(string(out)), err
}

var errEnough = errors.New("enough")

// collect copies regular files to dir until there are data bytes of them, some
// from each of several parts of a system: programs, libraries, sources, texts.
func collect(ctx context.Context, dir string, data int64) error {
	root, err := goRoot(ctx)
	if err != nil {
		return err
	}
	sources := []string{"/usr/bin", "/usr/lib/x86_64-linux-gnu", filepath.Join(root, "src"), "/usr/share", filepath.Join(root, "pkg"), "/usr/lib", "/usr/include"}
	var total int64
	for i, source := range sources {
		// What one part cannot give the later ones make up for.
		budget := (data - total) / int64(len(sources)-i)
		n, err := copyTree(ctx, filepath.Join(dir, fmt.Sprint(i)), source, budget)
		if err != nil {
			return err
		}
		total += n
	}
	if total < data*9/10 {
		return fmt.Errorf("only %d MiB of files in %v: %d MiB are wanted", total/mib, sources, data/mib)
	}
	return nil
}

func copyTree(ctx context.Context, dir, source string, budget int64) (int64, error) {
	var total int64
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || !d.Type().IsRegular() {
			return nil // what cannot be read is left out
		}
		st, err := d.Info()
		// A file system counts in blocks of 4 KiB.
		if err != nil || total+st.Size()+4096 > budget {
			return nil
		}
		rel, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		n, err := copyFile(filepath.Join(dir, rel), path)
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		total += (n + 4095) / 4096 * 4096
		if budget-total < 64<<10 {
			return errors.Join(err, errEnough)
		}
		return err
	})
	if errors.Is(err, errEnough) || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return total, err
}

func copyFile(dst, src string) (int64, error) {
	in, err := os.Open(src)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return 0, err
	}
	out, err := os.Create(dst)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, in)
	return n, errors.Join(err, out.Close())
}

// dataOnly copies what src holds between its holes to dst, and tells how much
// that is.
func dataOnly(dst, src string) (int64, error) {
	in, err := os.Open(src)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		return 0, err
	}
	var total, end int64
	for {
		start, err := unix.Seek(int(in.Fd()), end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return total, errors.Join(out.Sync(), out.Close())
		}
		if err == nil {
			end, err = unix.Seek(int(in.Fd()), start, unix.SEEK_HOLE)
		}
		if err == nil {
			_, err = io.Copy(out, io.NewSectionReader(in, start, end-start))
		}
		if err != nil {
			return total, errors.Join(err, out.Close())
		}
		total += end - start
	}
}
