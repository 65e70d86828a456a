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
	"path/filepath"
	"strings"

	"github.com/tplkit/tplkit/templates/xzpack"
)

// An image is packed, its SHA-256 computed in the same read.
func ExamplePack() {
	image := strings.NewReader(strings.Repeat("disk image ", 100_000))
	var packed bytes.Buffer
	digest := sha256.New()
	res, err := xzpack.Pack(context.Background(), &packed, image, image.Size(), xzpack.PackOptions{
		BlockSize: 256 << 10,
		Content:   digest,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Size, "bytes in", res.Blocks, "blocks")
	fmt.Printf("%x\n", digest.Sum(nil)[:8])
	// Output:
	// 1100000 bytes in 5 blocks
	// a2710b37bddac037
}

// Content of unknown length is packed as it comes.
func ExamplePackReader() {
	var packed bytes.Buffer
	res, err := xzpack.PackReader(context.Background(), &packed, strings.NewReader("from a pipe"), xzpack.PackOptions{Level: xzpack.Fast})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Size, xzpack.IsXZ(packed.Bytes()))
	// Output: 11 true
}

func example(content string) *bytes.Reader {
	var packed bytes.Buffer
	if _, err := xzpack.PackReader(context.Background(), &packed, strings.NewReader(content), xzpack.PackOptions{BlockSize: 4096}); err != nil {
		log.Fatal(err)
	}
	return bytes.NewReader(packed.Bytes())
}

// The blocks of a file tell whether its readers can work in parallel.
func ExampleOpen() {
	file := example(strings.Repeat("x", 10_000))
	r, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Size(), "bytes")
	for _, b := range r.Blocks() {
		fmt.Println(b.ContentOffset, b.Size, b.Check, b.HasSize && b.HasPackedSize)
	}
	// Output:
	// 10000 bytes
	// 0 4096 crc64 true
	// 4096 4096 crc64 true
	// 8192 1808 crc64 true
}

// A file that asks for more than its reader wants to give is refused before anything is decompressed.
func ExampleOpen_errors() {
	file := example(strings.Repeat("x", 10_000))
	_, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{Limits: xzpack.Limits{Size: 5000}})
	fmt.Println(errors.Is(err, xzpack.ErrLimit))

	_, err = xzpack.Open(strings.NewReader("\x1f\x8b\x08\x00"), 4, xzpack.OpenOptions{})
	fmt.Println(errors.Is(err, xzpack.ErrUnsupported))
	fmt.Println(err)

	_, err = xzpack.Open(file, file.Size()-4, xzpack.OpenOptions{})
	var fe *xzpack.FormatError
	fmt.Println(errors.As(err, &fe), fe.Block)
	// Output:
	// true
	// true
	// at offset 0: unsupported format gzip: expected xz: unpack it with gzip -d
	// true 0
}

// A piece of the content costs the blocks that it lies in.
func ExampleReaderAt_ReadAt() {
	file := example(strings.Repeat("0123456789", 1000))
	r, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	p := make([]byte, 5)
	if _, err := r.ReadAt(p, 9993); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", p)
	// Output: 34567
}

func ExampleReaderAt_Unpack() {
	dir, err := os.MkdirTemp("", "unpack")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	dst, err := os.Create(filepath.Join(dir, "disk.img"))
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()

	file := example(strings.Repeat("\x00", 20_000) + "data")
	r, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := r.Unpack(context.Background(), dst, xzpack.UnpackOptions{}); err != nil {
		log.Fatal(err)
	}
	fi, err := dst.Stat()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(fi.Size())
	// Output: 20004
}

func ExampleReaderAt_Copy() {
	file := example("in order, and all of it\n")
	r, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := r.Copy(context.Background(), os.Stdout, xzpack.UnpackOptions{Jobs: 1}); err != nil {
		log.Fatal(err)
	}
	// Output: in order, and all of it
}

func ExampleReaderAt_WriteTo() {
	file := example("io.Copy finds it\n")
	r, err := xzpack.Open(file, file.Size(), xzpack.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriterTo(r).WriteTo(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output: io.Copy finds it
}

func ExampleParseLevel() {
	level, err := xzpack.ParseLevel("balanced")
	fmt.Println(level, err)
	_, err = xzpack.ParseLevel("9")
	fmt.Println(err)
	// Output:
	// balanced <nil>
	// level "9": expected one of best, balanced, fast
}

func ExampleIsXZ() {
	fmt.Println(xzpack.IsXZ([]byte("\xfd7zXZ\x00\x00\x04")), xzpack.IsXZ([]byte("QFI\xfb")))
	// Output: true false
}
