package templates

import "time"

// Published is what a repository tells of one version of a template. Fields that
// nothing tells are empty; the texts come out of files that others write, so
// they are to be escaped wherever they go.
type Published struct {
	Name    string // what clients ask for; may hold blanks and letters outside ASCII
	Version string // "" where only virt-builder knows the template
	Handle  string // what its files and its URL are called
	Latest  bool   // what a client gets that names no version

	Osinfo, Arch, Distro string

	VirtualSize int64     // of the disk that the guest sees, in bytes; 0 means unknown
	PackedSize  int64     // of File, in bytes; 0 means unknown
	Time        time.Time // its timestamp; the zero time means unknown

	File   string // the image relative to the repository's directory, H.xz or H; "" where it is not there
	SHA1   string // of the decompressed image, from H.hash, in lower-case hex
	SHA512 string // of File as it is served, in lower-case hex; "" unless it is sure to be that of the file that is there

	VirtBuilder string // the ID of its section in the index of virt-builder; "" if it is not listed there
	Notes       string // for humans: what the index says of it, and what is wrong with it
}
