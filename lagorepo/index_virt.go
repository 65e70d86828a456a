package lagorepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
	"github.com/tplkit/tplkit/templates"
)

// signedIndexName is what a signed copy of the index is called.
const signedIndexName = templates.IndexName + ".asc"

// planVirtBuilder plans the index of virt-builder.
func (p *IndexPlan) planVirtBuilder(ctx context.Context, s *repoScan, opt IndexOptions) error {
	const name = templates.IndexName
	text, err := templates.ReadSmall(s.fsys, name, virtindex.MaxSize)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; mend it or take it away", err)
	}
	v := virtMerge{scan: s, opt: opt, old: new(virtindex.Index), byFile: map[string]*repoSet{}}
	if err == nil {
		if v.old, err = virtindex.Parse(text); err != nil {
			return fmt.Errorf("%s: %w; mend it or take it away", s.path(name), err)
		}
	}
	v.collect()
	if err := v.refreshOthers(ctx); err != nil {
		return err
	}
	index, changes, err := virtindex.Update(v.old, v.templates, virtindex.UpdateOptions{Present: v.present})
	var conflict *virtindex.ConflictError
	if errors.As(err, &conflict) {
		p.Conflicts = append(p.Conflicts, v.conflicts(conflict)...)
		return nil
	}
	var content []byte
	if err == nil {
		content, err = index.Format()
	}
	if err != nil {
		return fmt.Errorf("%s: %w; mend it by hand", s.path(name), err)
	}
	v.explain(changes)
	p.Items = append(p.Items, v.items...)
	p.Files = append(p.Files, IndexFile{
		Name: name, Content: content, Same: text != nil && bytes.Equal(text, content),
		Summary: virtSummary(index, changes) + v.signedNote(content),
	})
	return nil
}

// virtMerge puts what is there into an old index.
type virtMerge struct {
	scan      *repoScan
	opt       IndexOptions
	old       *virtindex.Index
	templates []virtindex.Template
	byFile    map[string]*repoSet
	unlisted  map[string]string // by file: why the index can say nothing new of it
	items     []templates.Item
}

// collect gives the index what the templates are.
func (v *virtMerge) collect() {
	v.unlisted = map[string]string{}
	for _, set := range v.scan.templates {
		t := set.packedImage.template(set.handle, set.handle+".xz")
		bare := t
		for key, field := range map[string]*string{
			KeyArch: &t.Arch, KeyName: &t.Name, KeyOSInfo: &t.OSInfo, KeyExpand: &t.Expand, KeyLVExpand: &t.LVExpand,
		} {
			*field, _ = set.metadata.Text(key)
		}
		if err := t.Validate(); err != nil {
			// What its bytes say goes into an entry that is there already.
			v.unlisted[t.File] = fmt.Sprintf("%s does not fit into virt-builder's index: %v", v.scan.path(set.handle+".metadata"), err)
			t = bare
		}
		v.byFile[t.File] = set
		v.templates = append(v.templates, t)
	}
}

func (p packedImage) template(handle, file string) virtindex.Template {
	return virtindex.Template{Handle: handle, File: file, Size: p.virtual, PackedSize: p.size, Format: string(p.format), SHA512: p.sum}
}

// refreshOthers finds the entries for files that are no templates of the
// repository, and of those the ones whose file is no longer what the entry says.
func (v *virtMerge) refreshOthers(ctx context.Context) error {
	seen := map[string]bool{}
	for i := range v.old.Entries {
		e := &v.old.Entries[i]
		file := path.Clean(e.File())
		sum, has := e.Get("checksum", "sha512")
		if !has {
			sum, has = e.Get("checksum", "")
		}
		if !has || seen[file] || v.byFile[file] != nil || v.scan.failed[strings.TrimSuffix(file, ".xz")] || !v.present(file) {
			continue
		}
		seen[file] = true
		img, _, err := v.scan.image(ctx, file, v.opt)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			v.items = append(v.items, templates.Item{Source: v.scan.path(file), State: templates.Failed, Error: err.Error(),
				Reason: fmt.Sprintf("its entry %s in the index was left as it was", templates.Quote(e.ID))})
			continue
		}
		if !strings.EqualFold(sum, img.sum) {
			v.templates = append(v.templates, img.template(e.ID, file))
		}
	}
	return nil
}

// present says whether a file that an entry names is there to be served.
func (v *virtMerge) present(file string) bool {
	if !fs.ValidPath(file) {
		return false
	}
	fi, err := fs.Stat(v.scan.fsys, file)
	return err == nil && fi.Mode().IsRegular()
}

// explain says what became of entries and templates, where they are not listed
// as they ask to be.
func (v *virtMerge) explain(changes []virtindex.Change) {
	for _, c := range changes {
		it := templates.Item{Source: v.scan.path(c.File)}
		if set := v.byFile[c.File]; set != nil {
			it = set.item(v.scan)
		}
		it.Destination, it.State = v.scan.path(templates.IndexName), templates.Skipped
		why := v.unlisted[c.File]
		switch {
		case c.Action == virtindex.Dropped:
			it.Reason = fmt.Sprintf("section %s was taken out of the index: %s", templates.Quote(c.ID), c.Reason)
		case c.Action == virtindex.Skipped && why == "":
			it.Reason = "is left out of virt-builder's index: its " + c.Reason
		case c.Action == virtindex.Skipped:
			it.Reason = "is left out of virt-builder's index: " + why
		case why != "":
			it.Reason = "its entry in virt-builder's index got what follows from its bytes only: " + why
		default:
			continue
		}
		v.items = append(v.items, it)
	}
}

// conflicts tells the conflicts of the index as those of the repository.
func (v *virtMerge) conflicts(err *virtindex.ConflictError) []templates.Conflict {
	var out []templates.Conflict
	for _, c := range err.Conflicts {
		o := templates.Conflict{
			Name:   fmt.Sprintf("[%s] %s", c.ID, c.Arch),
			Reason: "they want one section of virt-builder's index: give one of the files a section with another ID in it by hand, or rename it",
		}
		for _, claim := range c.Claims {
			e := templates.ConflictEntry{Source: v.scan.path(claim.File)}
			if set := v.byFile[claim.File]; set != nil {
				e = set.conflictEntry(v.scan)
			}
			o.Entries = append(o.Entries, e)
		}
		out = append(out, o)
	}
	return out
}

// signedNote says what is to be done where the old index was signed, or a signed
// copy of it lies beside it.
func (v *virtMerge) signedNote(content []byte) string {
	if v.old.Signed {
		return "; it was signed and no longer is: sign it again"
	}
	text, err := templates.ReadSmall(v.scan.fsys, signedIndexName, virtindex.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err == nil {
		var signed *virtindex.Index
		if signed, err = virtindex.Parse(text); err == nil {
			text, err = signed.Format()
		}
	}
	if err == nil && bytes.Equal(text, content) {
		return ""
	}
	return "; " + v.scan.path(signedIndexName) + " says something else: sign it again"
}

func virtSummary(x *virtindex.Index, changes []virtindex.Change) string {
	counts := map[virtindex.Action]int{}
	var raised []string
	for _, c := range changes {
		counts[c.Action]++
		if c.Action == virtindex.Updated && len(raised) < 10 {
			raised = append(raised, c.ID+" (revision "+c.Revision+")")
		}
	}
	s := "lists " + plural(len(x.Entries), "template") + " for virt-builder"
	if n := counts[virtindex.Added]; n > 0 {
		s += fmt.Sprintf(", %d of them new", n)
	}
	if len(raised) > 0 {
		s += ", brought up to date " + strings.Join(raised, ", ")
		if n := counts[virtindex.Updated] - len(raised); n > 0 {
			s += fmt.Sprintf(" and %d more", n)
		}
	}
	return s
}
