//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
)

// files are those that are replaced while they are read. Each consists of one
// word, again and again, which no other file and no other version has: whoever
// reads two words in one answer was given mixed bytes.
type files struct {
	root string
	next atomic.Uint64 // the word of the next version

	downloads, parts, broken, refused, listings, replaced atomic.Int64
}

const wordSize = 8

func newFiles(root string) (*files, error) {
	f := &files{root: root}
	f.next.Store(1 << 40) // so that no word is that of zeros
	for n := range soakFiles {
		if err := f.replace(n); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// name is the path of a file on the server.
func (f *files) name(n int) string { return fmt.Sprintf("/repo/soak-%d.img", n%soakFiles) }

// replace writes another version beside a file and renames it over it.
func (f *files) replace(n int) error {
	word := binary.BigEndian.AppendUint64(nil, f.next.Add(1))
	size := 4 << 10
	if n%4 > 0 {
		size = (1 + rand.IntN(4<<20/wordSize)) * wordSize
	}
	temp := filepath.Join(f.root, ".soak-new")
	if err := os.WriteFile(temp, bytes.Repeat(word, size/wordSize), 0o644); err != nil {
		return err
	}
	f.replaced.Add(1)
	return os.Rename(temp, filepath.Join(f.root, f.name(n)))
}

// checkBytes says whether an answer that begins at an offset of a file holds one
// word alone, and which.
func checkBytes(data []byte, offset int64) (word uint64, err error) {
	shift := int(offset % wordSize)
	if len(data) < 2*wordSize {
		return 0, nil // too little to tell
	}
	first := (wordSize - shift) % wordSize // where the first whole word begins
	want := data[first : first+wordSize]
	for i := range data {
		if data[i] != want[(i+shift)%wordSize] {
			return 0, fmt.Errorf("mixed bytes: %x at %d of an answer of %d bytes from %d, whose word is %x", data[i], i, len(data), offset, want)
		}
	}
	return binary.BigEndian.Uint64(want), nil
}

func (f *files) String() string {
	return fmt.Sprintf("%d downloads, %d in parts, %d broken off, %d refusals, %d listings, %d files replaced",
		f.downloads.Load(), f.parts.Load(), f.broken.Load(), f.refused.Load(), f.listings.Load(), f.replaced.Load())
}
