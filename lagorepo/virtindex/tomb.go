package virtindex

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
)

// A tomb is a comment that keeps the last revision of an entry that was dropped.
// Without it, a template that comes back with other bytes would begin at revision
// 1 again, and every client with an old copy in its cache would refuse it.
type tomb struct {
	id, arch, sum string
	revision      int64
}

var tombLine = regexp.MustCompile(
	`^# gone: \[([-A-Za-z0-9._]+)\] arch=([-A-Za-z0-9._]+) revision=([1-9][0-9]{0,18})(?: checksum\[sha512\]=([0-9a-f]{128}))?$`)

func (t tomb) String() string {
	text := "# gone: [" + t.id + "] arch=" + t.arch + " revision=" + strconv.FormatInt(t.revision, 10)
	if t.sum != "" {
		text += " checksum[sha512]=" + t.sum
	}
	return text
}

// tombs are the tombs of an index by section and architecture.
type tombs map[[2]string]tomb

// readTombs finds the tombs among the comments of an index. They stand in the
// footer, and so in the header when there are no entries.
func readTombs(x *Index) tombs {
	found := tombs{}
	for _, text := range slices.Concat(x.Header, x.Footer) {
		if m := tombLine.FindStringSubmatch(text); m != nil {
			if revision, err := strconv.ParseInt(m[3], 10, 64); err == nil {
				found.put(tomb{id: m[1], arch: m[2], sum: m[4], revision: revision})
			}
		}
	}
	return found
}

func (ts tombs) put(t tomb) {
	key := [2]string{t.id, t.arch}
	if ts[key].revision <= t.revision {
		ts[key] = t
	}
}

// bury keeps the revision of an entry that is dropped.
func (ts tombs) bury(e *Entry) {
	t := tomb{id: e.ID, arch: e.Arch(), revision: 1}
	if text, ok := e.Get("revision", ""); ok {
		t.revision, _ = strconv.ParseInt(text, 10, 64)
	}
	if t.sum, _ = e.Get("checksum", "sha512"); t.sum == "" {
		t.sum, _ = e.Get("checksum", "")
	}
	if sha512Hex(t.sum) != "" {
		t.sum = ""
	}
	if tombLine.MatchString(t.String()) {
		ts.put(t)
	}
}

// revive returns the new entry with the revision that follows the one it had
// before it was dropped, and removes the tomb.
func (ts tombs) revive(e Entry) Entry {
	key := [2]string{e.ID, e.Arch()}
	t, ok := ts[key]
	if !ok {
		return e
	}
	delete(ts, key)
	revision := t.revision
	if !e.sameBytes(t.sum) && revision < maxRevision {
		revision++
	}
	e.Set("revision", "", strconv.FormatInt(min(revision, maxRevision), 10))
	return e
}

// lines returns the comment that keeps the tombs.
func (ts tombs) lines() []string {
	all := make([]tomb, 0, len(ts))
	for _, t := range ts {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b tomb) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.arch, b.arch)) })
	var out []string
	for _, t := range all {
		out = append(out, t.String())
	}
	return out
}

// withoutTombs returns the comment without the lines that are tombs.
func withoutTombs(comment []string) []string {
	return tidy(slices.DeleteFunc(slices.Clone(comment), tombLine.MatchString))
}
