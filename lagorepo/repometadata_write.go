package lagorepo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tplkit/tplkit/templates"
)

// Marshal gives the file's bytes: the known keys in a fixed order, sources,
// templates and versions in byte order of their names, four blanks a level, a
// newline at the end. The same content gives the same bytes, and
// [ParseRepoMetadata] reads them; what that would refuse is not written, and the
// error is the one it would give.
func (m *RepoMetadata) Marshal() ([]byte, error) {
	if err := m.writable(); err != nil {
		return nil, err
	}
	compact := rawObject(m.extra,
		member{KeyName, quoted(m.Name)},
		member{keySources, rawMap(m.Sources, RepoSource.raw)},
		member{keyTemplates, rawMap(m.Templates, RepoTemplate.raw)})
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "    "); err != nil {
		return nil, &JSONError{Reason: "must be JSON: " + err.Error()}
	}
	b.WriteByte('\n')
	if _, err := ParseRepoMetadata(b.Bytes()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writable refuses what would be written as something else.
func (m *RepoMetadata) writable() error {
	for _, name := range slices.Sorted(maps.Keys(m.Sources)) {
		if s := m.Sources[name]; s.BaseURL != "" && s.Root != "" {
			return &JSONError{Reason: fmt.Sprintf("source %s: must have either a base URL or a root, has both", templates.Quote(name))}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Templates)) {
		versions := m.Templates[name].Versions
		for _, version := range slices.Sorted(maps.Keys(versions)) {
			if ts := string(versions[version].Timestamp); !isUsableTimestamp(ts) {
				return &JSONError{Reason: fmt.Sprintf("template %s: version %s: timestamp: must be a number of seconds since 1970, is %s",
					templates.Quote(name), templates.Quote(version), templates.Quote(ts))}
			}
		}
	}
	return nil
}

func (s RepoSource) raw() json.RawMessage {
	kind, key, value := "http", keyBaseURL, s.BaseURL
	if s.Root != "" {
		kind, key, value = "file", keyRoot, s.Root
	}
	return rawObject(s.extra,
		member{keyType, quoted(kind)},
		member{keyArgs, rawObject(nil, member{key, quoted(value)})})
}

func (t RepoTemplate) raw() json.RawMessage {
	return rawObject(t.extra, member{keyVersions, rawMap(t.Versions, RepoVersion.raw)})
}

func (v RepoVersion) raw() json.RawMessage {
	return rawObject(v.extra,
		member{keySource, quoted(v.Source)},
		member{keyHandle, quoted(v.Handle)},
		member{KeyTimestamp, json.RawMessage(v.Timestamp)})
}

// rawMap writes an object with its keys in byte order.
func rawMap[V any](m map[string]V, raw func(V) json.RawMessage) json.RawMessage {
	var members []member
	for _, key := range slices.Sorted(maps.Keys(m)) {
		members = append(members, member{key, raw(m[key])})
	}
	return rawObject(nil, members...)
}

func rawObject(extra []member, members ...member) json.RawMessage {
	b, _ := (&Metadata{append(members, extra...)}).MarshalJSON() // never fails
	return b
}
