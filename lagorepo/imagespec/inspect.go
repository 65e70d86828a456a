package imagespec

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// maxInspection bounds what the inspecting tools may say, in bytes. Without the
// lists of packages and icons that is a few KiB.
const maxInspection = 4 << 20

// unknownFact is what libguestfs says of what it could not find out.
const unknownFact = "unknown"

// inspect finds out what the image says of itself and completes the metadata
// with it. Where the spec says something else, the spec's word stays, and the
// item's reason names both. An image that says nothing is no error: the spec
// may say it all.
func (j *job) inspect(ctx context.Context) (err error) {
	if j.md, err = j.step.Spec.metadata(); err != nil {
		return err
	}
	out := &cappedBuffer{limit: maxInspection}
	if err := j.runTo(ctx, out, "virt-inspector", "--no-applications", "--no-icon", "--format=qcow2", "--add="+j.whole); err != nil {
		return err
	}
	found, why, err := parseInspection(out.Bytes())
	if err != nil {
		return err
	}
	if why != "" {
		j.notes = append(j.notes, why)
		return nil
	}
	if found.lvm() {
		if err := j.physicalVolume(ctx, &found); err != nil {
			return err
		}
	}
	for _, p := range found.properties() {
		j.fill(p.Key, p.Value)
	}
	return nil
}

// fill gives a key of the metadata the value that was found, or notes a
// contradiction.
func (j *job) fill(key, value string) {
	if value == "" || value == unknownFact {
		return
	}
	p, ok := j.step.Spec.Get(key)
	switch {
	case !ok || p.Value == "":
		j.md.Set(key, value)
	case p.Value != value:
		j.notes = append(j.notes, fmt.Sprintf("line %d says %s=%s, but the image holds %s",
			p.Line, key, templates.Quote(p.Value), templates.Quote(value)))
	}
}

// inspection is what an image says of itself.
type inspection struct {
	arch, osinfo string
	root         string // the device of the root file system
	physical     string // with LVM: the partition that holds the volumes
}

// parseInspection reads what virt-inspector printed. why says why an image tells
// nothing.
func parseInspection(data []byte) (found inspection, why string, err error) {
	var doc struct {
		Systems []struct {
			Root   string `xml:"root"`
			Arch   string `xml:"arch"`
			OSInfo string `xml:"osinfo"`
		} `xml:"operatingsystem"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		return found, "", fmt.Errorf("virt-inspector: expected XML, found %s: %w", templates.Quote(string(data)), err)
	}
	if n := len(doc.Systems); n != 1 {
		return found, fmt.Sprintf("nothing could be read from the image, in which libguestfs finds %d operating systems", n), nil
	}
	s := doc.Systems[0]
	return inspection{arch: strings.TrimSpace(s.Arch), osinfo: strings.TrimSpace(s.OSInfo), root: strings.TrimSpace(s.Root)}, "", nil
}

// lvm says whether the root file system lies on a logical volume: libguestfs
// writes such a device /dev/GROUP/VOLUME.
func (f inspection) lvm() bool {
	dir, _, ok := strings.Cut(strings.TrimPrefix(f.root, "/dev/"), "/")
	return ok && dir != "mapper" && dir != "disk" && dir != "md"
}

// physicalVolume finds the partition below the logical volumes, if there is
// only one.
func (j *job) physicalVolume(ctx context.Context, f *inspection) error {
	out := &cappedBuffer{limit: maxInspection}
	if err := j.runTo(ctx, out, "virt-filesystems", "--format=qcow2", "--add="+j.whole, "--physical-volumes"); err != nil {
		return err
	}
	if list := strings.Fields(out.String()); len(list) == 1 {
		f.physical = list[0]
	}
	return nil
}

// properties gives what was found under the keys of a spec. What virt-builder
// expands is the partition of the root file system, or with LVM that of the
// volumes, and then the volume.
func (f inspection) properties() []Property {
	all := []Property{
		{Key: lagorepo.KeyArch, Value: f.arch},
		{Key: lagorepo.KeyOSInfo, Value: f.osinfo},
		{Key: lagorepo.KeyRootPartition, Value: f.root},
	}
	switch {
	case f.lvm():
		return append(all, Property{Key: lagorepo.KeyExpand, Value: f.physical}, Property{Key: lagorepo.KeyLVExpand, Value: f.root})
	case strings.HasPrefix(f.root, "/dev/mapper/"):
		return all // encrypted, for one: nothing that virt-builder could expand
	}
	return append(all, Property{Key: lagorepo.KeyExpand, Value: f.root})
}
