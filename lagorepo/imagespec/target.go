package imagespec

import (
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// keyID is the metadata's key for the ID of the spec.
const keyID = "id"

// target is what a spec's image is published as. Its handle is the spec's ID.
type target struct {
	template string // the name clients ask lago for
	version  string
}

// target reads the spec's name and version. A name that lago could not ask for
// is an error, unless nothing is made for lago: then the ID takes its place.
func (s *Spec) target(format lagorepo.IndexFormat) (target, error) {
	if err := templates.CheckHandle(s.ID); err != nil {
		return target{}, s.errorAt(0, "%v; rename the file", err)
	}
	t := target{template: s.ID, version: unnamedVersion}
	if p, ok := s.Get(KeyName); ok {
		err := templates.CheckTemplate(p.Value)
		if err != nil && format != lagorepo.IndexVirtBuilder {
			return t, s.errorAt(p.Line, "%v", err)
		}
		if err == nil {
			t.template = p.Value
		}
	}
	if p, ok := s.Get(KeyVersion); ok && p.Value != "" {
		if err := templates.CheckVersion(p.Value); err != nil {
			return t, s.errorAt(p.Line, "%v", err)
		}
		t.version = p.Value
	}
	return t, nil
}

// metadata makes the template's metadata of the spec's properties, all of them.
func (s *Spec) metadata() (*lagorepo.Metadata, error) {
	md := new(lagorepo.Metadata)
	md.Set(keyID, s.ID)
	for _, p := range s.Properties {
		if p.Key != keyID {
			md.Set(p.Key, p.Value)
		}
	}
	// What the index could not read again must not cost hours of building.
	if _, err := lagorepo.ParseMetadata(md.Marshal()); err != nil {
		return nil, s.errorAt(0, "its properties give no usable metadata: %v", err)
	}
	return md, nil
}

// item is what a report says of a step before anything is done.
func (st *Step) item(format lagorepo.IndexFormat) templates.Item {
	it := templates.Item{Source: st.Spec.Path, Handle: st.Spec.ID}
	t, err := st.Spec.target(format)
	if err != nil {
		it.State, it.Error = templates.Failed, err.Error()
		return it
	}
	it.Template, it.Version = t.template, t.version
	return it
}
