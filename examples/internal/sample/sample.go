// Package sample makes what a lost template server is recovered from: the store
// that lago keeps on a CI node, and the image cache of KubeVirt CI. The disk
// images are small but true: partitioned, with a file system and files in it.
//
// The names in lago's store have colons in them, which neither the module proxy
// nor every file system can hold; that is why the samples are made when they are
// needed and are not part of the repository.
package sample

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/tplkit/tplkit/examples/internal/fatdisk"
)

// Sizes for the sample disks, in bytes.
const (
	DiskSize  = 32 << 20 // two blocks of an .xz as the servers want it
	SmallDisk = 10 << 20 // about the smallest that the file system allows
)

// Release is the file in every sample disk that says what the disk is.
const Release = "RELEASE.TXT"

// ReleaseText is what [Release] says in the disk of this title.
func ReleaseText(title string) string {
	return "NAME=" + title + "\nThis disk was made by an example of tplkit.\n"
}

// Modified is the modification time of the sample disks.
var Modified = time.Date(2020, time.June, 1, 12, 0, 0, 0, time.UTC)

// Disk makes a sparse disk image with a file system that holds [Release], some
// 300 KB that do not compress, and a large file of zeros between them, so that
// both blocks hold data.
func Disk(path, title string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	var seed [32]byte
	copy(seed[:], title)
	noise := make([]byte, 300_000)
	_, _ = rand.NewChaCha8(seed).Read(noise) // never fails
	err = errors.Join(fatdisk.Write(f, size, "SAMPLE",
		fatdisk.File{Name: Release, Data: []byte(ReleaseText(title))},
		fatdisk.File{Name: "SOME.BIN", Data: noise[:100_000]},
		fatdisk.File{Name: "ZEROS.BIN", Data: make([]byte, size/2)},
		fatdisk.File{Name: "MORE.BIN", Data: noise[100_000:]},
	), f.Close())
	if err != nil {
		return err
	}
	return os.Chtimes(path, Modified, Modified)
}

// LagoTemplates are the names in [LagoStore] that can be recovered, and the
// names that they get on the server.
var LagoTemplates = map[string]string{
	"el8.2-base":      "el8.2-base",
	"el8.2-engine":    "el8.2-engine",
	"lago Fedora® 22": "lago-Fedora-22", // such a name has existed; no URL holds it
}

// LagoStore fills dir with a store of lago: a complete template, one that has
// lost its hash, one whose name no URL can hold, and the remains of a download.
func LagoStore(dir string, diskSize int64) error {
	for _, t := range []struct {
		entry  string
		distro string
		arch   string
		hash   bool
	}{
		{"phx_repo:el8.2-base:v1", "el8", "x86_64", true},
		{"phx_repo:el8.2-engine:v3", "el8", "x86_64", false},
		{"phx_repo:lago Fedora® 22:v1", "fc22", "x86_64", true},
	} {
		path := filepath.Join(dir, t.entry)
		if err := Disk(path, t.entry, diskSize); err != nil {
			return err
		}
		metadata, err := json.MarshalIndent(map[string]any{
			"distro": t.distro, "arch": t.arch, "osinfo": "unknown", "root-partition": "/dev/sda1", "expand": "/dev/sda1",
			"timestamp": Modified.Unix(),
			"contact":   "nobody any more", // not tplkit's business, so it must survive
		}, "", "  ")
		if err != nil {
			return err
		}
		err = errors.Join(
			os.WriteFile(path+".metadata", append(metadata, '\n'), 0o644),
			os.WriteFile(path+".lock", nil, 0o644),
		)
		if t.hash {
			err = errors.Join(err, writeSHA1(path, path+".hash", ""))
		}
		if err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "phx_repo:fc30-base:v1.tmp"), make([]byte, 12345), 0o644)
}

// KubeVirtNames tells the names in [KubeVirtCache] and those on the server.
// KubeVirt's scripts have asked for windows2016 under two names, so that one has
// to be given.
var KubeVirtNames = map[string]string{"rhel7": "rhel7.img", "windows2016": "win_16.img"}

// KubeVirtCache fills dir with an image cache of KubeVirt CI: one image with its
// digest, and one from before there were digests.
func KubeVirtCache(dir string, diskSize int64) error {
	for _, name := range []string{"rhel7", "windows2016"} {
		path := filepath.Join(dir, name, "disk.img")
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := Disk(path, name, diskSize); err != nil {
			return err
		}
	}
	disk := filepath.Join(dir, "rhel7", "disk.img")
	return writeSHA1(disk, disk+".sha1", "\n")
}

func writeSHA1(path, sidecar, end string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha1.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(sidecar, []byte(hex.EncodeToString(h.Sum(nil))+end), 0o644)
}
