//go:build unix

package publish_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/tplkit/tplkit/templates/publish"
)

// scratch stands for the directory that a web server shows.
func scratch() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "tplkit-example-*")
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

// exampleOptions keep nothing in reserve, since the examples run on any machine.
var exampleOptions = publish.Options{Reserve: -1}

// An image comes out with its digest and the index that names both, or nothing does.
func Example() {
	dir, remove := scratch()
	defer remove()
	ctx := context.Background()

	tree, err := publish.Open(ctx, dir, exampleOptions)
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()
	for _, done := range tree.Recovered() {
		fmt.Println(done)
	}

	set := tree.NewSet("lago el8:v1")
	defer set.Discard()
	for _, f := range []struct{ name, text string }{
		{"repo/el8:v1.xz", "an image"},
		{"repo/el8:v1.hash", "a digest"},
		{"index", "[el8]\n"}, // last: a client never reads of an image that is not there
	} {
		w, err := set.Create(f.name, int64(len(f.text)))
		if err != nil {
			log.Fatal(err)
		}
		if _, err := w.Write([]byte(f.text)); err != nil {
			log.Fatal(err)
		}
	}
	if err := set.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	names, err := fs.Glob(tree.Root().FS(), "repo/*")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(names)
	// Output: [repo/el8:v1.hash repo/el8:v1.xz]
}

func ExampleOpen() {
	dir, remove := scratch()
	defer remove()

	tree, err := publish.Open(context.Background(), filepath.Join(dir, "srv", "templates"), exampleOptions)
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()

	// Another publisher is told who has the tree.
	_, err = publish.Open(context.Background(), tree.Path(), exampleOptions)
	var locked *publish.LockedError
	fmt.Println(errors.As(err, &locked), locked.PID == os.Getpid())
	// Output: true true
}

func ExampleOpen_wait() {
	dir, remove := scratch()
	defer remove()
	first, err := publish.Open(context.Background(), dir, exampleOptions)
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()

	opt := exampleOptions
	opt.Wait = true
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = publish.Open(ctx, dir, opt)
	fmt.Println(err)
	// Output: context deadline exceeded
}

func ExampleDir_Notes() {
	dir, remove := scratch()
	defer remove()
	tree, err := publish.Open(context.Background(), dir, exampleOptions)
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()
	for _, note := range tree.Notes() {
		fmt.Println("warning:", note) // that the tree is on NFS, for instance
	}
	// Output:
}

func ExampleSet_Commit_exists() {
	dir, remove := scratch()
	defer remove()
	ctx := context.Background()
	tree, err := publish.Open(ctx, dir, exampleOptions)
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()

	publishIndex := func(text string, replace bool) error {
		set := tree.NewSet("index")
		defer set.Discard()
		set.Replace(replace)
		f, err := set.Create("index", 0)
		if err != nil {
			return err
		}
		if _, err := f.Write([]byte(text)); err != nil {
			return err
		}
		return set.Commit(ctx)
	}
	fmt.Println(publishIndex("one", false))
	err = publishIndex("two", false)
	fmt.Println(errors.Is(err, publish.ErrExists), errors.Is(err, fs.ErrExist))
	fmt.Println(publishIndex("two", true))
	// Output:
	// <nil>
	// true true
	// <nil>
}

func ExampleSet_Remove() {
	dir, remove := scratch()
	defer remove()
	ctx := context.Background()
	if err := os.WriteFile(filepath.Join(dir, "el7.xz"), nil, 0o644); err != nil {
		log.Fatal(err)
	}
	tree, err := publish.Open(ctx, dir, exampleOptions)
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()
	set := tree.NewSet("el8 in place of el7")
	defer set.Discard()
	if _, err := set.Create("el8.xz", 0); err != nil {
		log.Fatal(err)
	}
	set.Remove("el7.xz") // once el8.xz is out
	if err := set.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	names, err := fs.Glob(tree.Root().FS(), "*.xz")
	fmt.Println(names, err)
	// Output: [el8.xz] <nil>
}

func ExampleFile_WriteZeros() {
	dir, remove := scratch()
	defer remove()
	path := filepath.Join(dir, "disk.img")
	err := publish.WriteFile(context.Background(), path, publish.FileOptions{}, func(f *publish.File) error {
		if _, err := f.Write([]byte("boot")); err != nil {
			return err
		}
		return f.WriteZeros(1<<30 - 4) // takes no room
	})
	if err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(path)
	fmt.Println(info.Size(), err)
	// Output: 1073741824 <nil>
}

func ExampleFile_File() {
	dir, remove := scratch()
	defer remove()
	path := filepath.Join(dir, "disk.img")
	err := publish.WriteFile(context.Background(), path, publish.FileOptions{}, func(f *publish.File) error {
		// In any order, from any number of goroutines.
		_, err := f.File().WriteAt([]byte("end"), 97)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(path)
	fmt.Println(info.Size(), err)
	// Output: 100 <nil>
}

func ExampleFile_SetSum() {
	dir, remove := scratch()
	defer remove()
	ctx := context.Background()
	opt := exampleOptions
	opt.Verify = publish.VerifyAll
	tree, err := publish.Open(ctx, dir, opt)
	if err != nil {
		log.Fatal(err)
	}
	defer tree.Close()
	set := tree.NewSet("el8")
	defer set.Discard()
	f, err := set.Create("el8.xz", 0)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := f.Write([]byte("an image")); err != nil {
		log.Fatal(err)
	}
	sum := sha256.Sum256([]byte("another image"))
	if err := f.SetSum(crypto.SHA256, sum[:]); err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Commit(ctx) != nil)
	// Output: true
}

func ExampleWriteFile() {
	dir, remove := scratch()
	defer remove()
	path := filepath.Join(dir, "disk.img.xz")
	write := func(f *publish.File) error {
		_, err := f.Write([]byte("packed"))
		return err
	}
	fmt.Println(publish.WriteFile(context.Background(), path, publish.FileOptions{}, write))
	err := publish.WriteFile(context.Background(), path, publish.FileOptions{}, write)
	fmt.Println(errors.Is(err, publish.ErrExists))
	fmt.Println(publish.WriteFile(context.Background(), path, publish.FileOptions{Force: true}, write))
	// Output:
	// <nil>
	// true
	// <nil>
}

// ExampleFreeSpace looks before a long download.
func ExampleFreeSpace() {
	free, known, err := publish.FreeSpace(os.TempDir())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(!known || free >= 0)
	// Output: true
}

// ExampleTryLock finds out whether another process is at work on a directory.
func ExampleTryLock() {
	f, err := os.CreateTemp("", "lock")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	held, err := publish.TryLock(f)
	fmt.Println(held || errors.Is(err, errors.ErrUnsupported))
	// Output: true
}
