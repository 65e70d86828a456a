package fatdisk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ReadFile reads a file out of an image that [Write] made, with a few small
// reads at the places where they are needed: the partition table, the boot
// sector, the root directory, then the file's clusters.
func ReadFile(disk io.ReaderAt, name string) ([]byte, error) {
	want, err := shortName(name)
	if err != nil {
		return nil, err
	}
	v, err := openVolume(disk)
	if err != nil {
		return nil, err
	}
	root := make([]byte, rootEntries*entrySize)
	if err := v.read(root, v.rootStart()); err != nil {
		return nil, err
	}
	for e := range slices.Chunk(root, entrySize) {
		if e[0] == 0 {
			break
		}
		if e[11] == attrArchive && bytes.Equal(e[:11], want[:]) {
			data, err := v.follow(int(le.Uint16(e[26:])), int(le.Uint32(e[28:])))
			if err != nil {
				return nil, fmt.Errorf("file %q: %w", name, err)
			}
			return data, nil
		}
	}
	return nil, fmt.Errorf("file %q: %w", name, ErrNotExist)
}

type volume struct {
	geometry
	disk io.ReaderAt
}

func openVolume(disk io.ReaderAt) (*volume, error) {
	mbr, boot := make([]byte, sector), make([]byte, sector)
	v := &volume{disk: io.NewSectionReader(disk, 0, maxImageBytes)}
	if _, err := disk.ReadAt(mbr, 0); err != nil {
		return nil, err
	}
	p := mbr[446:]
	if le.Uint16(mbr[510:]) != 0xaa55 || p[4] != typeFAT16LBA || le.Uint32(p[8:]) != partitionStart {
		return nil, errors.New("partition table: expected a FAT16 partition at 1 MiB")
	}
	g, err := newGeometry(partitionStart*sector + int64(le.Uint32(p[12:]))*sector)
	if err != nil {
		return nil, fmt.Errorf("partition table: %w", err)
	}
	v.geometry = g
	if err := v.read(boot, 0); err != nil {
		return nil, err
	}
	if got := int(le.Uint16(boot[22:])); string(boot[54:62]) != "FAT16   " || got != g.tableSize || boot[13] != clusterSectors {
		return nil, errors.New("boot sector: not of a file system that this package made")
	}
	return v, nil
}

// read fills p from a sector of the partition on.
func (v *volume) read(p []byte, at int) error {
	_, err := v.disk.ReadAt(p, int64(partitionStart+at)*sector)
	return err
}

// follow reads a chain of clusters that holds size bytes.
func (v *volume) follow(cluster, size int) ([]byte, error) {
	if size > v.clusters*clusterSize {
		return nil, fmt.Errorf("%d bytes: more than the volume has", size)
	}
	var out []byte
	for len(out) < size {
		if cluster < firstCluster || cluster >= firstCluster+v.clusters {
			return nil, fmt.Errorf("cluster %d: the volume has %d to %d", cluster, firstCluster, firstCluster+v.clusters-1)
		}
		buf := make([]byte, min(clusterSize, size-len(out)))
		if err := v.read(buf, v.dataStart()+(cluster-firstCluster)*clusterSectors); err != nil {
			return nil, err
		}
		out = append(out, buf...)
		next := make([]byte, sector)
		if err := v.read(next, reserved+cluster*2/sector); err != nil {
			return nil, err
		}
		cluster = int(le.Uint16(next[cluster*2%sector:]))
	}
	return out, nil
}
