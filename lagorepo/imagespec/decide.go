package imagespec

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// The reasons for building an image or not. The words are part of the interface
// for scripts: an item's reason begins with one of them.
const (
	reasonNew       = "new"
	reasonSpec      = "spec changed"
	reasonBase      = "base changed"
	reasonTools     = "tools changed"
	reasonForced    = "forced"
	reasonUnchanged = "unchanged"
	reasonLayer     = "layer wanted" // --layered came, and the layer is not there
	reasonNoLayer   = "layer not wanted"
)

// decision says what is to be done with one step.
type decision struct {
	build  bool
	reason string // one of the above
	note   string // what else to tell
	err    error  // why it can be neither built nor left as it is

	target  target
	specSum string
	base    baseFacts
	old     *record // what is published; nil where nothing is, or nothing of ours
}

// decide says, in the order of the plan, what is to be done with each step. tree
// is what is published already; tools are those that were found. Nothing is
// changed. The error is the cause of a ctx that is done.
func (p *Plan) decide(ctx context.Context, tree fs.FS, tools map[string]Tool, ask *baseAsker) ([]decision, error) {
	all := make([]decision, len(p.Steps))
	built := map[string]*decision{}
	for i := range p.Steps {
		st, d := &p.Steps[i], &all[i]
		sum := sha256.Sum256(st.Spec.Text)
		d.specSum = hex.EncodeToString(sum[:])
		built[st.Spec.ID] = d
		if d.target, d.err = st.Spec.target(ask.opt.Format); d.err != nil {
			continue
		}
		if _, d.err = st.Spec.metadata(); d.err != nil {
			continue
		}
		if st.Base.Kind != BaseSpec {
			var err error
			if d.base, err = ask.facts(ctx, st.Base); err != nil {
				return nil, err
			}
		}
		there, err := lookAt(tree, st.Spec.ID)
		if err != nil {
			d.err = err
			continue
		}
		d.old = there.record
		d.decide(st, there, built[st.Base.Ref], tools, ask.opt)
	}
	return all, nil
}

// decide fills in build and reason. on is the decision for the spec below, if
// there is one.
func (d *decision) decide(st *Step, there published, on *decision, tools map[string]Tool, opt BuildOptions) {
	build := func(reason string) { d.build, d.reason = true, reason }
	if there.foreign != "" && !opt.Force {
		d.err = fmt.Errorf("%s: exists and %s: remove it with its .hash and .metadata, build into another directory, or have it replaced (--force)",
			templates.FilesOf(st.Spec.ID).Disk, there.foreign)
		return
	}
	old := d.old
	if st.Base.Kind == BaseSpec {
		d.base = baseFacts{URI: baseURI(st.Base)}
		if on != nil && on.old != nil && !on.build {
			d.base.SHA256 = on.old.Content[hashutil.SHA256]
		}
	}
	switch {
	case old == nil && there.foreign == "":
		build(reasonNew)
		return
	case opt.Force:
		build(reasonForced)
		return
	case there.missing != "":
		build(reasonNew)
		d.note = there.missing
		return
	case old.SpecSum != d.specSum:
		build(reasonSpec)
		return
	case on != nil && (on.build || on.err != nil) && st.Base.Kind == BaseSpec:
		build(reasonBase)
		return
	}
	changed, note := old.BaseIs.changed(d.base)
	if changed {
		build(reasonBase)
		return
	}
	for _, name := range slices.Sorted(slices.Values(toolsFor(st.Base.Kind))) {
		if t, ok := tools[name]; ok && old.Tools[name] != t.Version {
			build(reasonTools)
			d.note = fmt.Sprintf("%s was %s, is %s", name, old.Tools[name], t.Version)
			return
		}
	}
	switch wanted := opt.Layered && st.Base.Kind == BaseSpec; {
	case wanted && old.Layer == nil:
		build(reasonLayer)
	case !opt.Layered && old.Layer != nil:
		build(reasonNoLayer)
	default:
		d.reason, d.note = reasonUnchanged, note
	}
}

// sentence is the reason with what else there is to tell.
func (d *decision) sentence() string {
	if d.note == "" {
		return d.reason
	}
	return d.reason + ": " + d.note
}

// published is what lies in the repository under an ID.
type published struct {
	record  *record
	foreign string // there is an image that this package did not build: how that shows
	missing string // what is missing or wrong beside our record
}

// lookAt reads the small files of an image. ID.xz itself is not read: its size
// and what ID.metadata says of it have to fit the record. Writing the indexes
// reads it, anyhow.
func lookAt(tree fs.FS, id string) (published, error) {
	files := templates.FilesOf(id)
	disk, err := fs.Stat(tree, files.Disk)
	if errors.Is(err, fs.ErrNotExist) {
		// A record without an image speaks of nothing.
		return published{}, nil
	}
	if err != nil {
		return published{}, err
	}
	rec, err := readRecord(tree, id)
	switch {
	case err != nil:
		return published{foreign: err.Error()}, nil
	case rec == nil:
		return published{foreign: "was not built from a spec, there is no " + id + RecordSuffix}, nil
	}
	p := published{record: rec}
	text, err := templates.ReadSmall(tree, files.Metadata, maxRecord)
	if err != nil {
		p.missing = files.Metadata + " was gone"
		return p, nil
	}
	md, err := lagorepo.ParseMetadata(text)
	if err != nil {
		p.missing = files.Metadata + " was damaged"
		return p, nil
	}
	sum, _ := md.Text(lagorepo.KeyChecksum)
	size, _ := md.Int(lagorepo.KeyCompressedSize)
	if sum != rec.Packed[hashutil.SHA512] || size != disk.Size() {
		p.foreign = "is not the image that was built: its size or digest is not that of " + id + RecordSuffix
		return p, nil
	}
	names := []string{files.Hash}
	if rec.Layer != nil {
		names = append(names, layerFile(id))
	}
	for _, name := range names {
		if _, err := fs.Stat(tree, name); err != nil {
			p.missing = name + " was gone"
			return p, nil
		}
	}
	return p, nil
}

// versions gives the versions of the tools by name.
func versions(tools map[string]Tool, kind BaseKind) map[string]string {
	all := map[string]string{}
	for _, name := range toolsFor(kind) {
		all[name] = tools[name].Version
	}
	return all
}

// toolsFor names the tools that an image on a base of this kind is built with.
func toolsFor(kind BaseKind) []string {
	own := []string{"qemu-img", "virt-customize"}
	if kind == BaseLibguestfs {
		own = []string{"virt-builder"}
	}
	return append(own, "virt-sysprep", "virt-sparsify", "virt-inspector", "virt-filesystems")
}

// toolNames names the tools that the plan needs, in alphabetical order.
func (p *Plan) toolNames() []string {
	set := map[string]bool{}
	for i := range p.Steps {
		for _, name := range toolsFor(p.Steps[i].Base.Kind) {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
