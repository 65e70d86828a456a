package publish

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// journalName is there while a set is being published, undoName while it is taken back.
	journalName = "journal"
	undoName    = "undo"

	journalVersion = 1
	// maxJournal is room for some 50,000 files.
	maxJournal = 16 << 20
)

// A journal says what is to be done to publish a set, so that another process can do it.
// All names are in the tree; Staged, Backup and Taken are in the staging directory.
type journal struct {
	Version int           `json:"version"`
	Label   string        `json:"label,omitempty"`
	Dirs    []string      `json:"dirs,omitempty"` // to be made, outermost first
	Files   []fileEntry   `json:"files,omitempty"`
	Remove  []removeEntry `json:"remove,omitempty"`
}

type fileEntry struct {
	Name   string            `json:"name"`
	Staged string            `json:"staged"`
	Size   int64             `json:"size"`
	Sums   map[string]string `json:"sums,omitempty"` // hex by algorithm
	// Replaces says that there was a file of that name, Backup where a link to it is.
	Replaces bool   `json:"replaces,omitempty"`
	Backup   string `json:"backup,omitempty"`
}

type removeEntry struct {
	Name string `json:"name"`
	// Taken is where the file is moved to, so that it can be put back.
	Taken string `json:"taken"`
}

func newFileEntry(f *File, replaces bool) fileEntry {
	return fileEntry{Name: f.cfg.name, Staged: f.pending.tmp, Size: f.size, Sums: f.sums, Replaces: replaces}
}

func backupName(i int) string { return fmt.Sprintf("b%d", i) }
func takenName(i int) string  { return fmt.Sprintf("r%d", i) }

func (j *journal) empty() bool { return len(j.Files) == 0 && len(j.Remove) == 0 }

func (j *journal) encode() ([]byte, error) {
	j.Version = journalVersion
	text, err := json.MarshalIndent(j, "", " ")
	if err != nil {
		return nil, err
	}
	if len(text) >= maxJournal {
		return nil, fmt.Errorf("a set of %d files needs a journal of %d bytes, the limit is %d: publish in several sets", len(j.Files), len(text), maxJournal)
	}
	return append(text, '\n'), nil
}

// parseJournal reads a journal as something that anybody may have written: a name in it that could not have
// been given to Create is an error, and so is everything that encode does not write.
func parseJournal(text []byte) (*journal, error) {
	if len(text) > maxJournal {
		return nil, fmt.Errorf("%d bytes or more, the limit is %d", len(text), maxJournal)
	}
	var j journal
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		return nil, fmt.Errorf("no journal: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("no journal: found more after its end")
	}
	if j.Version != journalVersion {
		return nil, fmt.Errorf("journal version %d: expected %d", j.Version, journalVersion)
	}
	if err := j.check(); err != nil {
		return nil, err
	}
	return &j, nil
}

func (j *journal) check() error {
	if j.Label != cut(j.Label) {
		return errors.New("the label is longer than a label can be")
	}
	if j.empty() {
		return errors.New("the journal lists nothing")
	}
	var names claims
	staged := make(map[string]bool)
	for i, e := range j.Files {
		if err := names.add(e.Name); err != nil {
			return err
		}
		if err := e.check(i); err != nil {
			return about(e.Name, err)
		}
		if staged[e.Staged] {
			return about(e.Name, fmt.Errorf("staged file %s is used twice", e.Staged))
		}
		staged[e.Staged] = true
	}
	made := make(map[string]bool)
	for _, dir := range j.Dirs {
		if !names.dirs[dir] || made[dir] {
			return fmt.Errorf("%s: expected a directory of one of the files, once", quote(dir))
		}
		made[dir] = true
	}
	for i, e := range j.Remove {
		if err := names.add(e.Name); err != nil {
			return err
		}
		if e.Taken != takenName(i) {
			return about(e.Name, fmt.Errorf("found taken name %s, expected %s", quote(e.Taken), takenName(i)))
		}
	}
	return nil
}

func (e *fileEntry) check(i int) error {
	if !isStagedFile(e.Staged) {
		return fmt.Errorf("found staged name %s, expected one as publishing gives", quote(e.Staged))
	}
	if e.Size < 0 {
		return fmt.Errorf("size %d: expected 0 or more", e.Size)
	}
	if e.Backup != "" && (!e.Replaces || e.Backup != backupName(i)) {
		return fmt.Errorf("found backup name %s, expected none or, for a file that is replaced, %s", quote(e.Backup), backupName(i))
	}
	for name, sum := range e.Sums {
		h := newSum(name)
		if h == nil {
			return fmt.Errorf("digest %s: expected sha256 or sha512", quote(name))
		}
		if raw, err := hex.DecodeString(sum); err != nil || hex.EncodeToString(raw) != sum || len(raw) != h.Size() {
			return fmt.Errorf("%s %s: expected %d lower-case hexadecimal digits", name, quote(sum), 2*h.Size())
		}
	}
	return nil
}
