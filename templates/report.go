package templates

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tplkit/tplkit/hashutil"
)

// State is what became of an [Item]. The words are part of the interface for
// scripts and do not change.
type State string

// The states of an item.
const (
	Planned      State = "planned"   // a dry run: what would be done
	PackedState  State = "packed"    // compressed and published
	RenamedState State = "renamed"   // published as it was, under its canonical name
	Unpacked     State = "unpacked"  // decompressed
	Built        State = "built"     // built from an image-spec
	Written      State = "written"   // an index or a sidecar was written
	Unchanged    State = "unchanged" // was there already, and right
	Skipped      State = "skipped"   // deliberately left out; the reason says why
	Failed       State = "failed"    // the error says why
)

// Item tells what was or would be done with one image or index. Fields that do
// not apply are empty, and absent from the JSON form.
type Item struct {
	Source      string       `json:"source,omitempty"`
	Template    string       `json:"template,omitempty"`
	Version     string       `json:"version,omitempty"`
	Handle      string       `json:"handle,omitempty"`
	Destination string       `json:"destination,omitempty"`
	State       State        `json:"state"`
	Reason      string       `json:"reason,omitempty"` // a sentence; for every state but plain success
	Error       string       `json:"error,omitempty"`  // for Failed
	Sizes       *Sizes       `json:"sizes,omitempty"`
	Digests     *ItemDigests `json:"digests,omitempty"`
}

// AddReason puts another part of a sentence behind the reason that is there. An
// empty one adds nothing.
func (it *Item) AddReason(s string) {
	if it.Reason != "" && s != "" {
		it.Reason += "; "
	}
	it.Reason += s
}

// ItemDigests are the digests that were computed for an item.
type ItemDigests struct {
	Content hashutil.Digests `json:"content,omitempty"` // of the decompressed image
	Packed  hashutil.Digests `json:"packed,omitempty"`  // of the published file
}

// Conflict says that two or more entries want one published name.
type Conflict struct {
	Name    string          `json:"name"`   // what they want
	Reason  string          `json:"reason"` // a sentence, with what to do
	Entries []ConflictEntry `json:"entries"`
}

// ConflictEntry is one of the entries in a [Conflict].
type ConflictEntry struct {
	Source    string    `json:"source"`
	Template  string    `json:"template,omitempty"`
	Version   string    `json:"version,omitempty"`
	Timestamp time.Time `json:"timestamp,omitzero"` // what "newest" goes by
}

// ConflictError is returned by a plan that cannot be carried out. Nothing has
// been written.
type ConflictError struct {
	Conflicts []Conflict
}

// Error lists every conflict with all its entries.
func (e *ConflictError) Error() string {
	var b strings.Builder
	for i, c := range e.Conflicts {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s is wanted by", Quote(c.Name))
		for j, en := range c.Entries {
			if j > 0 {
				b.WriteString(" and")
			}
			fmt.Fprintf(&b, " %s", Quote(en.Source))
		}
		if c.Reason != "" {
			fmt.Fprintf(&b, ": %s", c.Reason)
		}
	}
	return b.String()
}

// Report is the outcome of work on many images.
type Report struct {
	Items     []Item        `json:"items"`
	Conflicts []Conflict    `json:"conflicts"`
	Summary   map[State]int `json:"summary"`
}

// MarshalJSON writes all three fields whatever is in them, so that a script can
// go through them without asking.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	p := plain(r)
	if p.Items == nil {
		p.Items = []Item{}
	}
	if p.Conflicts == nil {
		p.Conflicts = []Conflict{}
	}
	if p.Summary == nil {
		p.Summary = map[State]int{}
	}
	return json.Marshal(p)
}

// Add appends items and counts them.
func (r *Report) Add(items ...Item) {
	if r.Summary == nil {
		r.Summary = make(map[State]int)
	}
	for _, it := range items {
		r.Items = append(r.Items, it)
		r.Summary[it.State]++
	}
}

// Merge appends another report's items and conflicts. A nil report adds
// nothing.
func (r *Report) Merge(o *Report) {
	if o == nil {
		return
	}
	r.Add(o.Items...)
	r.Conflicts = append(r.Conflicts, o.Conflicts...)
}

// Failed says whether an item failed or a conflict stands.
func (r *Report) Failed() bool { return r.Summary[Failed] > 0 || len(r.Conflicts) > 0 }

// Progress is one step of work on one image, for a progress bar. Done and Total
// count bytes of the image's content; Total is 0 where it is not known.
type Progress struct {
	Item  string // the image, as its Item.Source or destination names it
	Done  int64
	Total int64
}

// Mode says how a file comes to its new name where nothing is packed.
type Mode string

// The modes. The zero value means ModeCopy.
const (
	ModeCopy Mode = "copy" // a copy; the source stays
	ModeLink Mode = "link" // a hard link to the source
	ModeMove Mode = "move" // the source goes: the only mode that changes it
)

// ParseMode reads "copy", "link", "move" or "" (copy).
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case "":
		return ModeCopy, nil
	case ModeCopy, ModeLink, ModeMove:
		return m, nil
	}
	return "", fmt.Errorf("mode %s: must be copy, link or move", Quote(s))
}
