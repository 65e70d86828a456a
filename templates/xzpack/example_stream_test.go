package xzpack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/tplkit/tplkit/templates/xzpack"
)

// Where xz.NewReader of github.com/ulikunitz/xz was called, nothing but the import changes. Blocks are decoded beside
// each other then.
func ExampleNewReader() {
	file := example("a stream, of which nobody knows the length\n")
	r, err := xzpack.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output: a stream, of which nobody knows the length
}

// A download is unpacked and verified on both sides while it comes in.
func ExampleNewReaderOptions() {
	download := example(strings.Repeat("disk image ", 10_000))
	packed, content := sha256.New(), sha256.New()
	r, err := xzpack.NewReaderOptions(context.Background(), download, xzpack.ReaderOptions{
		Limits:  xzpack.Limits{Size: 1 << 20},
		Packed:  packed,
		Content: content,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "bytes")
	fmt.Printf("%x\n", content.Sum(nil)[:8])
	// Output:
	// 110000 bytes
	// 38aadb939ea97eb7
}

// Damage is told with its block and its place in the file, behind the content that was right. Here the second block is
// cut off.
func ExampleReader_errors() {
	file := example(strings.Repeat("x", 10_000))
	cut, err := io.ReadAll(io.LimitReader(file, cutAt(file)))
	if err != nil {
		log.Fatal(err)
	}
	r, err := xzpack.NewReader(bytes.NewReader(cut))
	if err != nil {
		log.Fatal(err)
	}
	_, err = io.Copy(io.Discard, r)
	var damage *xzpack.FormatError
	fmt.Println(errors.As(err, &damage), damage.Block)
	fmt.Println(errors.Is(err, io.ErrUnexpectedEOF))
	// Output:
	// true 2
	// true
}

func ExampleReader_WriteTo() {
	r, err := xzpack.NewReader(example("without a copy in between\n"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := r.WriteTo(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output: without a copy in between
}

// cutAt is a place within the second block.
func cutAt(file *bytes.Reader) int64 {
	r, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	return r.Blocks()[1].Offset + 20
}

// Where xz.NewWriter of github.com/ulikunitz/xz was called, nothing but the import changes. Blocks are compressed beside
// each other then, in a file that can be read in parallel.
func ExampleNewWriter() {
	var file bytes.Buffer
	w, err := xzpack.NewWriter(&file)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := fmt.Fprint(w, "written piece by piece"); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil { // only then there is a file
		log.Fatal(err)
	}
	fmt.Println(xzpack.IsXZ(file.Bytes()), w.Packed().Size)
	// Output: true 22
}

// The digest of what is packed, and the one of what it is packed to, in one pass.
func ExampleNewWriterOptions() {
	var file bytes.Buffer
	content, packed := sha256.New(), sha256.New()
	w, err := xzpack.NewWriterOptions(context.Background(), io.MultiWriter(&file, packed), xzpack.PackOptions{
		Level:   xzpack.Fast,
		Content: content,
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(w, strings.NewReader(strings.Repeat("disk image ", 10_000))); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n", content.Sum(nil)[:8])
	fmt.Println(sha256.Sum256(file.Bytes()) == [32]byte(packed.Sum(nil)))
	// Output:
	// 38aadb939ea97eb7
	// true
}

// What comes through a pipe becomes a sparse file.
func ExampleReader_Unpack() {
	dst, err := os.CreateTemp("", "disk.img")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(dst.Name())
	defer dst.Close()

	r, err := xzpack.NewReader(example(strings.Repeat("\x00", 20_000) + "data"))
	if err != nil {
		log.Fatal(err)
	}
	if err := r.Unpack(dst); err != nil {
		log.Fatal(err)
	}
	fi, err := dst.Stat()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(fi.Size())
	// Output: 20004
}

// A file is verified on both sides while it is unpacked.
func ExampleUnpackOptions() {
	file := example(strings.Repeat("disk image ", 10_000))
	r, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	var packed bytes.Buffer
	content := sha256.New()
	if err := r.Copy(context.Background(), io.Discard, xzpack.UnpackOptions{Content: content, Packed: &packed}); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n", content.Sum(nil)[:8])
	fmt.Println(int64(packed.Len()) == r.PackedSize())
	// Output:
	// 38aadb939ea97eb7
	// true
}
