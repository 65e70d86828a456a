// Package fatdisk makes and reads the disk images of the examples: an MBR
// partition table with one FAT16 file system, which Linux, Windows, qemu and
// libguestfs all mount. It exists so that the examples can work on a true disk
// image with nothing installed but Go, and it knows no more than they need: one
// partition, a root directory without subdirectories, short names.
//
// The layout is Microsoft's "FAT: General Overview of On-Disk Format", 1.03.
package fatdisk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

const (
	sector         = 512
	partitionStart = 2048 // sectors: 1 MiB, where every partitioning tool starts
	clusterSectors = 4
	clusterSize    = clusterSectors * sector
	reserved       = 1 // sectors in front of the first table: the boot sector
	tables         = 2
	rootEntries    = 512
	entrySize      = 32
	rootSectors    = rootEntries * entrySize / sector
	firstCluster   = 2 // clusters are counted from 2
	endOfChain     = 0xffff

	typeFAT16LBA  = 0x0e
	attrVolume    = 0x08
	attrArchive   = 0x20
	firstDate     = 1<<5 | 1 // 1980-01-01: the same image at any time
	minClusters   = 4085     // fewer would make it a FAT12
	maxClusters   = 65524    // more a FAT32
	maxImageBytes = 128 << 20
)

// ErrNotExist is wrapped in the error for a file that the file system does not
// hold.
var ErrNotExist = errors.New("no such file in the image")

// File is a file in the root directory of the image. Name is in the form 8.3,
// of A-Z, 0-9, "-" and "_", as "MOTD.TXT".
type File struct {
	Name string
	Data []byte
}

var le = binary.LittleEndian

// shortName is the name as a directory entry holds it: eleven bytes, padded with
// blanks.
func shortName(name string) ([11]byte, error) {
	var out [11]byte
	for i := range out {
		out[i] = ' '
	}
	base, ext, _ := strings.Cut(name, ".")
	if len(base) == 0 || len(base) > 8 || len(ext) > 3 {
		return out, fmt.Errorf("file %q: the name must have up to 8 characters, a dot and up to 3 more", name)
	}
	for _, c := range []byte(base + ext) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return out, fmt.Errorf("file %q: character %q: must be A-Z, 0-9, - or _", name, c)
		}
	}
	copy(out[:8], base)
	copy(out[8:], ext)
	return out, nil
}
