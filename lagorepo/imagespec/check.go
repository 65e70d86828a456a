package imagespec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/virtindex"
	"github.com/tplkit/tplkit/templates"
)

// required are the properties that a spec must have for each kind of client.
var required = []struct {
	format lagorepo.IndexFormat
	keys   []string
}{
	{lagorepo.IndexLago, []string{KeyBase, KeyName, KeyDistro}},
	{lagorepo.IndexVirtBuilder, []string{KeyBase, KeyName, KeyOSInfo, KeyArch, KeyExpand}},
}

// Check says whether the spec has what a repository of the format needs:
//
//	lago          base, name, distro
//	virt-builder  base, name, osinfo, arch, expand
//	all, ""       both
//
// and whether the clients can use the values: for lago the name must be usable
// as a template's ([templates.CheckTemplate]) and the version, where there is
// one, as a version ([templates.CheckVersion]); for virt-builder name, osinfo,
// arch, expand and lvexpand must fit into its index. A property without a value
// counts as missing. What is missing is told in one error, and the error joins
// all there is to say, each a [*SpecError].
func (s *Spec) Check(format lagorepo.IndexFormat) error {
	format, err := lagorepo.ParseIndexFormat(string(format))
	if err != nil {
		return err
	}
	errs := []error{s.missing(format)}
	for _, p := range s.Properties {
		if why := badFor(format, p); why != "" {
			errs = append(errs, s.errorAt(p.Line, "property %s: %s", templates.Quote(p.Key), why))
		}
	}
	return errors.Join(errs...)
}

// isFor says whether a repository of one format is for the clients of another.
func isFor(format, client lagorepo.IndexFormat) bool {
	return format == lagorepo.IndexAll || format == client
}

// missing tells all required properties that are absent or empty.
func (s *Spec) missing(format lagorepo.IndexFormat) error {
	var keys []string
	neededBy := make(map[string][]string)
	for _, r := range required {
		if !isFor(format, r.format) {
			continue
		}
		for _, key := range r.keys {
			if p, _ := s.Get(key); p.Value != "" {
				continue
			}
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
			neededBy[key] = append(neededBy[key], string(r.format))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	var list []string
	for _, key := range keys {
		text := key + " (for " + strings.Join(neededBy[key], " and ")
		if p, ok := s.Get(key); ok {
			text += fmt.Sprintf("; empty in line %d", p.Line)
		}
		list = append(list, text+")")
	}
	return s.errorAt(0, "lacks %s: add a line #%s=VALUE, and so on", strings.Join(list, ", "), keys[0])
}

// badFor says why the clients of the format cannot use a property, or "".
func badFor(format lagorepo.IndexFormat, p Property) string {
	if p.Value == "" {
		return ""
	}
	if isFor(format, lagorepo.IndexLago) {
		var err error
		switch p.Key {
		case KeyName:
			err = templates.CheckTemplate(p.Value)
		case KeyVersion:
			err = templates.CheckVersion(p.Value)
		}
		if err != nil {
			return err.Error()
		}
	}
	if isFor(format, lagorepo.IndexVirtBuilder) {
		return badInIndex(p)
	}
	return ""
}

// badInIndex says why virt-builder's index cannot hold a property, or "".
func badInIndex(p Property) string {
	// What is known only of a built image is filled in with something valid.
	t := virtindex.Template{Handle: "h", Size: 1, PackedSize: 1, Format: "qcow2", SHA512: strings.Repeat("0", 128)}
	switch p.Key {
	case KeyName:
		t.Name = p.Value
	case KeyOSInfo:
		t.OSInfo = p.Value
	case KeyArch:
		t.Arch = p.Value
	case KeyExpand:
		t.Expand = p.Value
	case KeyLVExpand:
		t.LVExpand = p.Value
	default:
		return ""
	}
	err := t.Validate()
	if err == nil {
		return ""
	}
	var invalid *virtindex.InvalidError
	if errors.As(err, &invalid) {
		err = errors.New(invalid.Problems[0].Text) // the section is one of what was made here
	}
	return fmt.Sprintf("virt-builder cannot use it: %v", err)
}
