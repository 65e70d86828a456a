package fatdisk

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// geometry tells where the parts of the file system are, in sectors from the
// start of the partition.
type geometry struct {
	sectors   int // of the partition
	tableSize int
	clusters  int
}

func newGeometry(size int64) (geometry, error) {
	if size%sector != 0 || size > maxImageBytes {
		return geometry{}, fmt.Errorf("image of %d bytes: must be whole sectors of %d bytes and at most %d bytes", size, sector, maxImageBytes)
	}
	g := geometry{sectors: int(size/sector) - partitionStart}
	// A table describes the clusters that are left when the tables are taken
	// away: taking the larger count for the tables wastes a sector at most.
	most := (g.sectors - reserved - rootSectors) / clusterSectors
	g.tableSize = ((most+firstCluster)*2 + sector - 1) / sector
	g.clusters = (g.sectors - g.dataStart()) / clusterSectors
	if g.clusters < minClusters || g.clusters > maxClusters {
		return geometry{}, fmt.Errorf("image of %d bytes: has %d clusters of %d bytes, FAT16 wants %d to %d", size, g.clusters, clusterSize, minClusters, maxClusters)
	}
	return g, nil
}

// empty is a cluster that need not be written.
var empty = make([]byte, clusterSize)

func (g geometry) rootStart() int { return reserved + tables*g.tableSize }
func (g geometry) dataStart() int { return g.rootStart() + rootSectors }

// Write makes an image of size bytes in dst, which must be empty: only what is
// not zero is written, so a new file becomes a sparse one. The same arguments
// give the same bytes. size must be a multiple of 512, from about 10 MiB to
// 128 MiB.
func Write(dst io.WriterAt, size int64, label string, files ...File) error {
	g, err := newGeometry(size)
	if err != nil {
		return err
	}
	volume, err := shortName(label)
	if err != nil {
		return err
	}
	root := [][]byte{entry(volume, attrVolume, 0, 0)}
	table := []uint16{0xfff8, endOfChain} // the two entries before the first cluster
	var data bytes.Buffer
	for _, f := range files {
		name, err := shortName(f.Name)
		if err != nil {
			return err
		}
		first := 0
		if n := (len(f.Data) + clusterSize - 1) / clusterSize; n > 0 {
			first = len(table)
			for i := 1; i < n; i++ {
				table = append(table, uint16(first+i))
			}
			table = append(table, endOfChain)
			data.Write(f.Data)
			data.Write(make([]byte, n*clusterSize-len(f.Data)))
		}
		root = append(root, entry(name, attrArchive, first, len(f.Data)))
	}
	if len(table)-firstCluster > g.clusters || len(root) > rootEntries {
		return fmt.Errorf("%d files of %d bytes do not fit in an image of %d bytes", len(files), data.Len(), size)
	}
	fat := make([]byte, 0, 2*len(table))
	for _, next := range table {
		fat = le.AppendUint16(fat, next)
	}
	parts := []struct {
		at   int // sector of the image
		data []byte
	}{
		{0, partitionTable(g)},
		{partitionStart, bootSector(g, volume)},
		{partitionStart + reserved, fat},
		{partitionStart + reserved + g.tableSize, fat},
		{partitionStart + g.rootStart(), bytes.Join(root, nil)},
	}
	for _, p := range parts {
		if _, err := dst.WriteAt(p.data, int64(p.at)*sector); err != nil {
			return err
		}
	}
	at := int64(partitionStart+g.dataStart()) * sector
	for cluster := range slices.Chunk(data.Bytes(), clusterSize) {
		if !bytes.Equal(cluster, empty) {
			if _, err := dst.WriteAt(cluster, at); err != nil {
				return err
			}
		}
		at += clusterSize
	}
	// The last byte of the image gives a sparse file its size.
	_, err = dst.WriteAt([]byte{0}, size-1)
	return err
}

func entry(name [11]byte, attr byte, first, size int) []byte {
	e := make([]byte, entrySize)
	copy(e, name[:])
	e[11] = attr
	le.PutUint16(e[16:], firstDate)
	le.PutUint16(e[18:], firstDate)
	le.PutUint16(e[24:], firstDate)
	le.PutUint16(e[26:], uint16(first))
	le.PutUint32(e[28:], uint32(size))
	return e
}

func partitionTable(g geometry) []byte {
	b := make([]byte, sector)
	le.PutUint32(b[440:], 0x10203040) // the disk's identifier
	p := b[446:]
	p[0] = 0x80 // bootable
	// The addresses in cylinders and heads say "look at the sector numbers".
	copy(p[1:], []byte{0xfe, 0xff, 0xff, typeFAT16LBA, 0xfe, 0xff, 0xff})
	le.PutUint32(p[8:], partitionStart)
	le.PutUint32(p[12:], uint32(g.sectors))
	le.PutUint16(b[510:], 0xaa55)
	return b
}

func bootSector(g geometry, volume [11]byte) []byte {
	b := make([]byte, sector)
	copy(b, "\xeb\x3c\x90tplkit  ")
	le.PutUint16(b[11:], sector)
	b[13] = clusterSectors
	le.PutUint16(b[14:], reserved)
	b[16] = tables
	le.PutUint16(b[17:], rootEntries)
	if g.sectors < 1<<16 {
		le.PutUint16(b[19:], uint16(g.sectors))
	} else {
		le.PutUint32(b[32:], uint32(g.sectors))
	}
	b[21] = 0xf8 // a fixed disk
	le.PutUint16(b[22:], uint16(g.tableSize))
	le.PutUint16(b[24:], 63)  // sectors a track
	le.PutUint16(b[26:], 255) // heads
	le.PutUint32(b[28:], partitionStart)
	b[36] = 0x80 // the first disk
	b[38] = 0x29 // identifier, label and type follow
	le.PutUint32(b[39:], 0x50607080)
	copy(b[43:], volume[:])
	copy(b[54:], "FAT16   ")
	le.PutUint16(b[510:], 0xaa55)
	return b
}
