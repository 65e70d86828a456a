package webserve

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

// young says whether a file was changed so recently that it may be changing
// still. One from the future, as after the clock was set back, is young as well.
func young(info tree.Info, now time.Time) bool { return now.Sub(info.Changed) < tree.Settled }

// etag makes an entity tag out of what the file system tells of a file: the same
// for the same bytes as long as nothing touches the file, another one after it
// was replaced or written to. It is weak, and so no ground for resuming a
// download, while the file is young. The inode's number, which is nobody's
// business, goes in hashed.
func etag(info tree.Info, now time.Time) string {
	var b [4 * 8]byte
	binary.LittleEndian.PutUint64(b[0:], info.Ino)
	binary.LittleEndian.PutUint64(b[8:], uint64(info.Size))
	binary.LittleEndian.PutUint64(b[16:], uint64(info.ModTime.UnixNano()))
	binary.LittleEndian.PutUint64(b[24:], uint64(info.Changed.UnixNano()))
	sum := sha256.Sum256(b[:])
	const n = 15 // bytes of it: 20 characters
	tag := make([]byte, 0, len(`W/""`)+n*4/3)
	if young(info, now) {
		tag = append(tag, 'W', '/')
	}
	tag = append(tag, '"')
	tag = base64.RawURLEncoding.AppendEncode(tag, sum[:n])
	return string(append(tag, '"'))
}

// modTime is what Last-Modified says. A time in the future must not be sent (RFC
// 9110, 8.8.2.1); the zero time leaves the header out.
func modTime(info tree.Info, now time.Time) time.Time {
	if info.ModTime.After(now) {
		return time.Time{}
	}
	return info.ModTime
}
