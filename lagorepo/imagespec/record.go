package imagespec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// The types of a provenance statement, and who makes it how.
const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://slsa.dev/provenance/v1"
	buildType     = "https://github.com/tplkit/tplkit/lagorepo/imagespec/v1"
	builderID     = "https://github.com/tplkit/tplkit"
)

// RecordSuffix ends the name of the file beside an image that tells what it was
// built from.
const RecordSuffix = ".provenance.json"

// maxRecord bounds what is read of such a file.
const maxRecord = 1 << 20

// A statement is the content of ID.provenance.json: an in-toto statement with
// SLSA's provenance as its predicate. Subjects are the published files and the
// disk inside; dependencies are the spec and its base.
type statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     predicate  `json:"predicate"`
}

type predicate struct {
	BuildDefinition struct {
		BuildType            string             `json:"buildType"`
		ExternalParameters   externalParameters `json:"externalParameters"`
		InternalParameters   internalParameters `json:"internalParameters"`
		ResolvedDependencies []resource         `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID      string            `json:"id"`
			Version map[string]string `json:"version"`
		} `json:"builder"`
		Metadata struct {
			StartedOn  time.Time `json:"startedOn"`
			FinishedOn time.Time `json:"finishedOn"`
		} `json:"metadata"`
	} `json:"runDetails"`
}

type externalParameters struct {
	Spec    string `json:"spec"` // its ID
	Base    string `json:"base"` // as [Base.String] writes it
	Layered bool   `json:"layered"`
}

type internalParameters struct {
	// Metadata are the keys of the template's metadata that come from the spec
	// or the image; others are somebody's additions, and stay.
	Metadata []string `json:"metadata"`
}

type resource struct {
	Name        string            `json:"name"`
	URI         string            `json:"uri,omitempty"`
	Digest      hashutil.Digests  `json:"digest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// The names of the dependencies.
const (
	dependencySpec = "spec"
	dependencyBase = "base"
)

// programName is the key of this program among the versions of a record.
const programName = "tplkit"

// record is what was built from what, as far as later runs ask.
type record struct {
	ID       string
	Base     Base
	Layered  bool
	Keys     []string // of the metadata, see internalParameters
	SpecSum  string   // SHA-256 of the spec
	BaseIs   baseFacts
	Tools    map[string]string // version by name
	Version  string            // of this program
	Started  time.Time
	Finished time.Time

	Content hashutil.Digests // of the disk
	Packed  hashutil.Digests // of ID.xz
	Layer   hashutil.Digests // of layers/ID.xz; nil without one
}

// marshal writes the record as a statement.
func (r *record) marshal() ([]byte, error) {
	var s statement
	s.Type, s.PredicateType = statementType, predicateType
	s.Subject = []resource{
		{Name: templates.FilesOf(r.ID).Disk, Digest: r.Packed},
		{Name: r.ID, Digest: r.Content},
	}
	if r.Layer != nil {
		s.Subject = append(s.Subject, resource{Name: layerFile(r.ID), Digest: r.Layer})
	}
	def := &s.Predicate.BuildDefinition
	def.BuildType = buildType
	def.ExternalParameters = externalParameters{Spec: r.ID, Base: r.Base.String(), Layered: r.Layered}
	def.InternalParameters = internalParameters{Metadata: r.Keys}
	base := resource{Name: dependencyBase, URI: baseURI(r.Base), Annotations: r.BaseIs.Marks}
	if r.BaseIs.SHA256 != "" {
		base.Digest = hashutil.Digests{hashutil.SHA256: r.BaseIs.SHA256}
	}
	def.ResolvedDependencies = []resource{
		{Name: dependencySpec, Digest: hashutil.Digests{hashutil.SHA256: r.SpecSum}},
		base,
	}
	run := &s.Predicate.RunDetails
	run.Builder.ID = builderID
	run.Builder.Version = map[string]string{programName: r.Version}
	for name, version := range r.Tools {
		run.Builder.Version[name] = version
	}
	run.Metadata.StartedOn = r.Started.UTC().Truncate(time.Second)
	run.Metadata.FinishedOn = r.Finished.UTC().Truncate(time.Second)
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// baseURI tells bases of different kinds apart.
func baseURI(b Base) string { return string(b.Kind) + ":" + b.Ref }

// parseRecord reads what marshal has written.
func parseRecord(data []byte) (*record, error) {
	var s statement
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	def, run := &s.Predicate.BuildDefinition, &s.Predicate.RunDetails
	if s.Type != statementType || s.PredicateType != predicateType || def.BuildType != buildType {
		return nil, fmt.Errorf("expected a statement about a build of the type %s, found %s", buildType, templates.Quote(def.BuildType))
	}
	r := &record{
		ID: def.ExternalParameters.Spec, Layered: def.ExternalParameters.Layered, Keys: def.InternalParameters.Metadata,
		Tools: map[string]string{}, Version: run.Builder.Version[programName],
		Started: run.Metadata.StartedOn, Finished: run.Metadata.FinishedOn,
	}
	for name, version := range run.Builder.Version {
		if name != programName {
			r.Tools[name] = version
		}
	}
	for _, d := range def.ResolvedDependencies {
		switch d.Name {
		case dependencySpec:
			r.SpecSum = d.Digest[hashutil.SHA256]
		case dependencyBase:
			r.BaseIs = baseFacts{URI: d.URI, SHA256: d.Digest[hashutil.SHA256], Marks: d.Annotations}
		}
	}
	for _, f := range s.Subject {
		switch f.Name {
		case templates.FilesOf(r.ID).Disk:
			r.Packed = f.Digest
		case r.ID:
			r.Content = f.Digest
		case layerFile(r.ID):
			r.Layer = f.Digest
		}
	}
	if r.SpecSum == "" || r.Content[hashutil.SHA256] == "" || r.Packed[hashutil.SHA512] == "" {
		return nil, errors.New("expected the digests of spec, disk and packed image, found not all of them")
	}
	return r, nil
}

// readRecord reads the record of an image; nil where there is none.
func readRecord(tree fs.FS, id string) (*record, error) {
	name := id + RecordSuffix
	data, err := templates.ReadSmall(tree, name, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := parseRecord(data)
	if err == nil && r.ID != id {
		err = fmt.Errorf("is of another image, %s", templates.Quote(r.ID))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
