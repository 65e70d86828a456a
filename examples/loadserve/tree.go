//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// root is the tree that is served.
func (b *bench) root() string { return filepath.Join(b.dir, "tree") }

// makeTree makes the zones, a large and a small file.
func (b *bench) makeTree() error {
	for _, zone := range []string{"repo", "bundles", "yum", "kubevirt"} {
		if err := os.MkdirAll(filepath.Join(b.root(), zone), 0o755); err != nil {
			return err
		}
	}
	for name, size := range map[string]int64{"repo/large.img": int64(b.largeMB) << 20, "repo/small.img": 4 << 10, "kubevirt/small.img": 4 << 10} {
		if err := makeFile(filepath.Join(b.root(), name), size); err != nil {
			return err
		}
	}
	return nil
}

// makeFile writes so many bytes, none of them in holes.
func makeFile(path string, size int64) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	_, err = io.CopyN(f, endless{}, size)
	return err
}

// endless reads bytes that are not zero.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i%251 + 1)
	}
	return len(p), nil
}

// perInclude is how many prefixes stand in one include file, which must not be
// larger than 1 MiB.
const perInclude = 25_000

// writePolicy writes a policy file whose zone kubevirt lists so many prefixes,
// none of which can be joined with another, and this machine. extra is one more.
func (b *bench) writePolicy(name string, prefixes int, extra string) (string, error) {
	var policy strings.Builder
	for _, zone := range []string{"repo", "bundles", "yum"} {
		fmt.Fprintf(&policy, "zone %s\n    allow all\n", zone)
	}
	fmt.Fprintf(&policy, "zone kubevirt\n    allow 127.0.0.1 %s\n", extra)
	for from := 1; from < prefixes; from += perInclude {
		var list strings.Builder
		for i := from; i < min(from+perInclude, prefixes); i++ {
			fmt.Fprintf(&list, "10.%d.%d.%d/31\n", i>>14&255, i>>6&255, i<<2&255)
		}
		include := fmt.Sprintf("%s.%d.subnets", name, from/perInclude)
		if err := b.putFile(include, list.String()); err != nil {
			return "", err
		}
		fmt.Fprintf(&policy, "    include %s\n", include)
	}
	return filepath.Join(b.dir, name), b.putFile(name, policy.String())
}

// putFile puts a file in the place of another.
func (b *bench) putFile(name, text string) error {
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
