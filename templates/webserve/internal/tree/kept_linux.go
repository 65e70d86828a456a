package tree

import (
	"bytes"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates/webserve/internal/recent"
)

const (
	// keptFile is the size in bytes up to which a file is kept, and keptAll that of
	// all that a zone keeps.
	keptFile = 32 << 10
	keptAll  = 8 << 20
	// keptBeside is what a file takes beside its content.
	keptBeside = 512
)

// kept holds the contents of small files, the indexes and sidecars that clients
// ask for again and again. One is used only if its name still stands for the same
// file and nothing about that has changed, which takes one call of the kernel
// where opening, looking at, reading and closing take four. A directory on the
// way to a file could be replaced by a symbolic link without a trace in the
// file, so only those right in the zone's directory are kept.
type kept struct {
	files recent.Map[Kept]
}

func newKept() *kept { return &kept{files: recent.Map[Kept]{Limit: keptAll}} }

// Kept is a file whose content is known.
type Kept struct {
	name    string
	info    Info
	content []byte
}

// Content is that of the file. Nobody may change it.
func (one *Kept) Content() []byte { return one.content }

// Still says whether a file that was opened by this zone is the one that its name stands for now, unchanged.
func (z *Zone) Still(one *Kept) bool {
	d, err := z.acquire()
	if err != nil {
		return false
	}
	defer d.release()
	return one.still(d)
}

// still asks the kernel.
func (one *Kept) still(d *dir) bool {
	var st unix.Statx_t
	// Of a network's file system not what is cached, but what is so.
	const flags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT | unix.AT_STATX_FORCE_SYNC
	err := unix.Statx(d.fd, one.name, flags, unix.STATX_BASIC_STATS, &st)
	return err == nil && one.info == infoOfStatx(&st)
}

// find returns the file called name in d, if its content is known.
func (k *kept) find(d *dir, name string) *File {
	one := k.files.Get(name)
	if one == nil {
		return nil
	}
	if !one.still(d) {
		k.files.Drop(name, one)
		return nil
	}
	return &File{name: name, info: one.info, fd: -1, memory: bytes.NewReader(one.content), kept: one}
}

// keep remembers the content of f, which has been opened as name, if it is small,
// and nothing changes it meanwhile.
func (k *kept) keep(name string, f *File) {
	if f.info.Size > keptFile || !f.info.Mode.IsRegular() || strings.Contains(name, "/") || time.Since(f.info.Changed) < Settled {
		return
	}
	content := make([]byte, f.info.Size)
	if n, err := f.ReadAt(content, 0); err != nil || n != len(content) {
		return
	}
	var st unix.Stat_t
	if unix.Fstat(f.fd, &st) != nil || infoOf(&st) != f.info {
		return
	}
	k.files.Put(name, &Kept{name: name, info: f.info, content: content}, len(content)+keptBeside)
}

func infoOfStatx(st *unix.Statx_t) Info {
	return Info{
		Size:    int64(st.Size),
		Mode:    modeOf(uint32(st.Mode)),
		ModTime: time.Unix(st.Mtime.Sec, int64(st.Mtime.Nsec)),
		Changed: time.Unix(st.Ctime.Sec, int64(st.Ctime.Nsec)),
		Dev:     unix.Mkdev(st.Dev_major, st.Dev_minor),
		Ino:     st.Ino,
	}
}
