package lagorepo

import (
	"path"
	"time"
)

// EntryState is what lago left behind of a template, told from the order in
// which it writes: .tmp, .metadata, comparison, .hash, conversion into the disk,
// removal of .tmp.
type EntryState string

// The states of an entry.
const (
	// Complete is a disk with .hash and .metadata and no .tmp. A conversion
	// that failed half-way without lago noticing looks the same.
	Complete EntryState = "complete"
	// Incomplete is a disk that lacks .hash or .metadata.
	Incomplete EntryState = "incomplete"
	// Interrupted is a .tmp beside a .hash or a disk: the conversion was cut
	// off, so the disk is suspect. Entry.Original is the download where it is
	// intact.
	Interrupted EntryState = "interrupted"
	// Unfinished is a download without a disk, and without a .hash that it
	// matches: nothing to recover.
	Unfinished EntryState = "unfinished"
	// NoDisk is .hash, .metadata, .lock or .users without disk and download.
	NoDisk EntryState = "no-disk"
	// Foreign is a file or directory that is no part of a template.
	Foreign EntryState = "foreign"
	// Refused is an entry that must not be used; Entry.Err says why.
	Refused EntryState = "refused"
)

// Entry is one template version of a store, or one file that is none.
type Entry struct {
	// Store tells entries of several stores apart. [ScanStore] leaves it empty;
	// a caller with several sets it, usually to the store's path.
	Store string
	Name  string    // REPO:TEMPLATE:VERSION, or the foreign file's name
	ID    StoreName // Name taken apart; zero for a foreign file
	State EntryState

	HasDisk     bool
	HasHash     bool
	HasMetadata bool
	Locked      bool // a .lock is there: lago may be at work, or was killed

	// Size and ModTime are those of the disk, or of the original where that is
	// preferred.
	Size    int64
	ModTime time.Time

	StoredHash string    // the .hash: 40 lower-case hex digits, or ""
	Metadata   *Metadata // the .metadata, or nil

	// Original is the file with the intact download, "" where there is none: its
	// content has the SHA-1 of .hash.
	Original       string
	OriginalPacked bool // the original is still an .xz

	Reason string // a sentence for every state but Complete
	Err    error  // for Refused
}

// Source is the file a recovery reads: the intact original, else the disk; ""
// where there is nothing to recover.
func (e *Entry) Source() string {
	switch {
	case e.Original != "":
		return e.Original
	case e.State == Complete, e.State == Incomplete, e.State == Interrupted:
		return e.Name
	}
	return ""
}

// Path is the entry's name with the store in front where one is set.
func (e *Entry) Path() string { return path.Join(e.Store, e.Name) }
