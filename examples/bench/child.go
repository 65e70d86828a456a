//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"

	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/templates/xzpack"
)

// children are what this program does as a process of its own, to be measured.
var children = map[string]func(args []string) error{"ulikunitz": ulikunitz, "read": read}

// ulikunitz decodes a file with the other codec on one core.
func ulikunitz(args []string) error {
	runtime.GOMAXPROCS(1)
	if len(args) != 1 {
		return errors.New("usage: ulikunitz FILE.xz")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	// Without the buffer it takes three times as long.
	r, err := xz.NewReader(bufio.NewReaderSize(f, mib))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return err
}

// read reads 4 KiB at random places of a packed file, and looks whether that is
// what the original holds there.
func read(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: read FILE.xz ORIGINAL N")
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	packed, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer packed.Close()
	original, err := os.Open(args[1])
	if err != nil {
		return err
	}
	defer original.Close()
	st, err := packed.Stat()
	if err != nil {
		return err
	}
	x, err := xzpack.Open(packed, st.Size(), xzpack.OpenOptions{})
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 2)) // the same places in every run
	var got, want [4096]byte
	for range n {
		at := rng.Int64N(x.Size()/4096) * 4096
		// An error behind a full read is the end of the file.
		if n, err := x.ReadAt(got[:], at); n < len(got) {
			return fmt.Errorf("%s: read 4 KiB at %d: %w", args[0], at, err)
		}
		if n, err := original.ReadAt(want[:], at); n < len(want) {
			return fmt.Errorf("%s: read 4 KiB at %d: %w", args[1], at, err)
		}
		if !bytes.Equal(got[:], want[:]) {
			return fmt.Errorf("%s: read 4 KiB at %d: not what %s holds there", args[0], at, args[1])
		}
	}
	return nil
}
