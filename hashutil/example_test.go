package hashutil_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing/fstest"

	"github.com/tplkit/tplkit/hashutil"
)

func ExampleParseAlgorithm() {
	alg, err := hashutil.ParseAlgorithm("SHA-256")
	fmt.Println(alg, err)
	_, err = hashutil.ParseAlgorithm("crc32")
	fmt.Println(err)
	// Output:
	// sha256 <nil>
	// digest algorithm "crc32": expected md5, sha1, sha256 or sha512
}

func ExampleSum() {
	sums, size, err := hashutil.Sum(context.Background(), strings.NewReader("hello\n"), hashutil.SHA1, hashutil.MD5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(size, "bytes")
	fmt.Println(sums[hashutil.SHA1])
	fmt.Println(sums[hashutil.MD5])
	// Output:
	// 6 bytes
	// f572d396fae9206628714fb2ce00f72e94f2258f
	// b1946ac92492d2347c6235b4d2611184
}

// A sparse image: 4 bytes of data and a hole of a MiB, which is hashed without
// being read.
func ExampleHasher() {
	h := hashutil.NewHasher(hashutil.SHA1)
	fmt.Fprint(h, "data")
	if err := h.WriteZeros(1 << 20); err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.Size(), h.Sums()[hashutil.SHA1])
	// Output:
	// 1048580 64a221fbc9d1852aa137cde2fb4fac69e22d8ec7
}

func ExampleParseSidecar() {
	text := "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709 *disk.img\r\n"
	e, err := hashutil.ParseSidecar([]byte(text), hashutil.SHA1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Algorithm, e.Hex, e.Name, e.Form)
	fmt.Println(e.CheckKubeVirt())

	_, err = hashutil.ParseSidecar([]byte("da39a3ee"), hashutil.SHA1)
	var perr *hashutil.ParseError
	fmt.Println(errors.As(err, &perr), err)
	// Output:
	// sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709 disk.img gnu binary
	// the file name "disk.img" stands beside the digest: KubeVirt's scripts would refuse it, expected 40 lower-case hex digits alone
	// true line 1: expected 40 hex digits (sha1), found 8
}

func ExampleParseSums() {
	text := `# disk.img: 512 bytes
SHA1 (disk.img) = da39a3ee5e6b4b0d3255bfef95601890afd80709
da39a3ee5e6b4b0d3255bfef95601890afd80709
`
	entries, err := hashutil.ParseSums([]byte(text), "")
	for _, e := range entries {
		fmt.Println(e.Name, e.Algorithm, e.Size)
	}
	fmt.Println(err)
	// Output:
	// disk.img sha1 512
	// line 3: expected a file name beside the digest, found none
}

func ExampleFormatSidecar() {
	const hex = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	for _, kind := range []hashutil.Kind{hashutil.LagoHash, hashutil.KubeVirtSHA1, hashutil.GNU, hashutil.BSDTag} {
		fmt.Printf("%q\n", hashutil.FormatSidecar(kind, hashutil.SHA1, hex, "disk.img"))
	}
	// Output:
	// "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	// "da39a3ee5e6b4b0d3255bfef95601890afd80709\n"
	// "da39a3ee5e6b4b0d3255bfef95601890afd80709  disk.img\n"
	// "SHA1 (disk.img) = da39a3ee5e6b4b0d3255bfef95601890afd80709\n"
}

func ExampleFormatSums() {
	fmt.Printf("%s", hashutil.FormatSums(hashutil.GNU, []hashutil.Entry{
		{Algorithm: hashutil.MD5, Hex: "d41d8cd98f00b204e9800998ecf8427e", Name: "empty"},
		{Algorithm: hashutil.MD5, Hex: "d41d8cd98f00b204e9800998ecf8427e", Name: "two\nlines"},
	}))
	// Output:
	// d41d8cd98f00b204e9800998ecf8427e  empty
	// \d41d8cd98f00b204e9800998ecf8427e  two\nlines
}

func ExampleImageFor() {
	for _, sidecar := range []string{"el8.hash", "disk.img.sha1", "notes.txt"} {
		fmt.Println(hashutil.ImageFor(sidecar))
	}
	fmt.Println(hashutil.HashFor("el8.xz"), hashutil.SidecarFor("disk.img", hashutil.SHA1))
	fmt.Println(hashutil.SumsFile("SHA256SUMS"))
	// Output:
	// [el8.xz el8] sha1 true
	// [disk.img] sha1 true
	// []  false
	// el8.hash disk.img.sha1
	// sha256 true
}

func ExampleVerify() {
	tree := fstest.MapFS{
		"kubevirt/rhel8.qcow2":      {Data: []byte("hello\n")},
		"kubevirt/rhel8.qcow2.sha1": {Data: []byte("F572D396FAE9206628714FB2CE00F72E94F2258F\n")},
		"repo/el8":                  {Data: []byte("hello\n")},
		"repo/el8.hash":             {Data: []byte("f572d396fae9206628714fb2ce00f72e94f2258f")},
		"repo/el9":                  {Data: []byte("hello\n")},
	}
	report, err := hashutil.Verify(context.Background(), tree, hashutil.VerifyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Files {
		fmt.Println(f.Status, f.Path)
	}
	fmt.Println(report.OK(), report.Summary[hashutil.StatusOK])
	// Output:
	// malformed kubevirt/rhel8.qcow2
	// ok repo/el8
	// missing repo/el9
	// false 1
}

// What would have to be written, and what the report says afterwards.
func ExampleVerifyReport_Repairs() {
	tree := fstest.MapFS{
		"repo/el8":      {Data: []byte("hello\n")},
		"repo/el8.hash": {Data: []byte("f572d396fae9206628714fb2ce00f72e94f2258f  el8")},
	}
	report, err := hashutil.Verify(context.Background(), tree, hashutil.VerifyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range report.Repairs() {
		fmt.Printf("%s was %s: %q\n", r.Sidecar, r.Was, r.Content)
		tree[r.Sidecar] = &fstest.MapFile{Data: r.Content}
		report.Written(r)
	}
	fmt.Println(report.OK(), report.Files[0].Reason)
	// Output:
	// repo/el8.hash was malformed: "f572d396fae9206628714fb2ce00f72e94f2258f"
	// true its sidecar was written; it was malformed
}
