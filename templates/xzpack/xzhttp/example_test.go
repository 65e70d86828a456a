package xzhttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/xzhttp"
)

// server serves an image of 1 MB in blocks of 64 KiB.
func server() *httptest.Server {
	var file bytes.Buffer
	content := strings.NewReader(strings.Repeat("0123456789", 100_000))
	if _, err := xzpack.PackReader(context.Background(), &file, content, xzpack.PackOptions{BlockSize: 64 << 10}); err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "disk.img.xz", time.Unix(1_700_000_000, 0), bytes.NewReader(file.Bytes()))
	}))
}

// A piece of a remote image costs the blocks that it lies in.
func ExampleOpen() {
	s := server()
	defer s.Close()

	src, err := xzhttp.Open(context.Background(), s.URL+"/disk.img.xz", xzhttp.Options{})
	if err != nil {
		log.Fatal(err)
	}
	disk, err := xzpack.Open(src, src.Size(), xzpack.OpenOptions{LazyHeaders: true})
	if err != nil {
		log.Fatal(err)
	}
	p := make([]byte, 5)
	if _, err := disk.ReadAt(p, 765_432); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s of %d bytes\n", p, disk.Size())
	// Output: 23456 of 1000000 bytes
}

// All of a remote image is read over several connections at once.
func ExampleOpen_all() {
	s := server()
	defer s.Close()

	ctx := context.Background()
	src, err := xzhttp.Open(ctx, s.URL+"/disk.img.xz", xzhttp.Options{})
	if errors.Is(err, xzhttp.ErrNoRanges) {
		log.Fatal("read it as a stream, with xzpack.NewReader: ", err)
	}
	if err != nil {
		log.Fatal(err)
	}
	disk, err := xzpack.Open(src, src.Size(), xzpack.OpenOptions{LazyHeaders: true})
	if err != nil {
		log.Fatal(err)
	}
	var n int64
	err = disk.Copy(ctx, io.Discard, xzpack.UnpackOptions{Jobs: 4, Progress: func(p xzpack.Progress) { n = p.Done }})
	fmt.Println(n, err)
	// Output: 1000000 <nil>
}
