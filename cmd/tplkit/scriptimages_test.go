package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// fixtureTime is the modification time of everything the scripts' commands
// make, so that what is derived from it is the same in every run.
var fixtureTime = time.Date(2020, 8, 17, 9, 30, 0, 0, time.UTC)

// fixtureImage makes the bytes of an image from its kind and a seed. The kinds:
//
//	raw      64 KiB of text-like data, then 64 KiB of zeros
//	noise:N  N KiB that do not compress
//	qcow2    a header of version 3 for a disk of 1 MiB, then data
//	backed   a qcow2 that names a backing file
func fixtureImage(kind, seed string) ([]byte, error) {
	h := fnv.New64a()
	h.Write([]byte(seed))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	data := make([]byte, 64<<10)
	for i := range data {
		data[i] = "tplkit disk image data\n"[rng.IntN(23)]
	}
	kind, size, _ := strings.Cut(kind, ":")
	switch kind {
	case "raw":
		return append(data, make([]byte, 64<<10)...), nil
	case "noise":
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, fmt.Errorf("noise:%s: %w", size, err)
		}
		data = make([]byte, n<<10)
		for i := 0; i < len(data); i += 8 {
			binary.LittleEndian.PutUint64(data[i:], rng.Uint64())
		}
		return data, nil
	case "qcow2", "backed":
		head := make([]byte, 104)
		copy(head, "QFI\xfb")
		binary.BigEndian.PutUint32(head[4:], 3)
		if kind == "backed" {
			binary.BigEndian.PutUint64(head[8:], 512)
			binary.BigEndian.PutUint32(head[16:], 9)
			copy(data[512:], "/etc/file")
		}
		binary.BigEndian.PutUint32(head[20:], 16)    // cluster bits
		binary.BigEndian.PutUint64(head[24:], 1<<20) // virtual size
		binary.BigEndian.PutUint32(head[36:], 1)     // L1 entries
		binary.BigEndian.PutUint64(head[40:], 65536) // L1 table
		binary.BigEndian.PutUint64(head[48:], 65536) // refcount table
		binary.BigEndian.PutUint32(head[56:], 1)
		binary.BigEndian.PutUint32(head[96:], 4)    // refcount order
		binary.BigEndian.PutUint32(head[100:], 104) // header length
		copy(data, head)
		return append(data, bytes.Repeat([]byte{0}, 64<<10)...), nil
	}
	return nil, fmt.Errorf("unknown kind of image %q", kind)
}

// writeFixture writes a file with the fixtures' time.
func writeFixture(ts *testscript.TestScript, path string, data []byte, at time.Time) {
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, data, 0o644))
	ts.Check(os.Chtimes(path, at, at))
}

// cmdMakeImage is "mkimage FILE KIND [SEED]"; the seed is the file's name
// unless given.
func cmdMakeImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: mkimage FILE KIND [SEED]")
	}
	data, err := fixtureImage(args[1], args[len(args)-1])
	if len(args) == 2 {
		data, err = fixtureImage(args[1], filepath.Base(args[0]))
	}
	ts.Check(err)
	writeFixture(ts, ts.MkAbs(args[0]), data, fixtureTime)
}

// cmdMakeStore is "mkstore DIR REPO:TEMPLATE:VERSION[=KIND][@TIMESTAMP]...": lago
// store entries with .hash, .metadata and .lock, made here because a name with a
// colon cannot be checked out everywhere. As in a real store, the hash is that
// of the download and not of the disk.
func cmdMakeStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mkstore DIR NAME[=KIND][@TIMESTAMP]...")
	}
	dir := ts.MkAbs(args[0])
	for _, arg := range args[1:] {
		arg, stamp, _ := strings.Cut(arg, "@")
		name, kind, ok := strings.Cut(arg, "=")
		if !ok {
			kind = "raw"
		}
		data, err := fixtureImage(kind, name)
		ts.Check(err)
		original := sha1.Sum([]byte("the qcow2 of " + name))
		meta := fmt.Sprintf(`{"name": %q, "distro": "el8", "arch": "x86_64", "osinfo": "rhel8.2", "note": "by hand"`, name)
		if stamp != "" {
			meta += `, "timestamp": ` + stamp
		}
		base := filepath.Join(dir, name)
		writeFixture(ts, base, data, fixtureTime)
		writeFixture(ts, base+".hash", []byte(hex.EncodeToString(original[:])), fixtureTime)
		writeFixture(ts, base+".metadata", []byte(meta+"}"), fixtureTime)
		writeFixture(ts, base+".lock", nil, fixtureTime)
	}
}

// cmdMakeKubeVirt is "mkkubevirt DIR NAME[=KIND]...": a directory a name, with
// disk.img and its sidecar.
func cmdMakeKubeVirt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mkkubevirt DIR NAME[=KIND]...")
	}
	for _, arg := range args[1:] {
		name, kind, ok := strings.Cut(arg, "=")
		if !ok {
			kind = "qcow2"
		}
		data, err := fixtureImage(kind, name)
		ts.Check(err)
		disk := filepath.Join(ts.MkAbs(args[0]), name, "disk.img")
		sum := sha1.Sum(data)
		writeFixture(ts, disk, data, fixtureTime)
		writeFixture(ts, disk+".sha1", []byte(hex.EncodeToString(sum[:])+"\n"), fixtureTime)
	}
}
