package lagorepo

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// The keys of a template's metadata that tplkit reads or writes. Others are
// kept as they are.
const (
	KeyName           = "name"     // of the template; in some repositories a text for humans
	KeyTemplate       = "template" // the name clients ask for, only where KeyName says something else
	KeyVersion        = "version"
	KeyTimestamp      = "timestamp" // a number: seconds since 1970
	KeyArch           = "arch"
	KeyDistro         = "distro"
	KeyRootPassword   = "root-password"
	KeyRootPartition  = "root-partition"
	KeyOSInfo         = "osinfo"
	KeyExpand         = "expand"
	KeyLVExpand       = "lvexpand"
	KeySize           = "size"                  // virtual size of the disk
	KeyChecksum       = "checksum"              // SHA-512 of H.xz, as in virt-builder's index
	KeyCompressedSize = "compressed_size"       // size of H.xz
	KeyUncompressed   = "uncompressed_checksum" // SHA-512 of the decompressed disk
)

// metadataKeys are the keys seen in real metadata. Only these are guarded
// against variants in case.
var metadataKeys = []string{
	"id", KeyName, KeyTemplate, KeyVersion, "base", KeyDistro, KeyOSInfo, KeyArch,
	KeyExpand, KeyLVExpand, KeyRootPartition, KeyRootPassword,
	KeySize, "sha1", "sha256", "sha512", KeyChecksum, KeyCompressedSize,
	"compressed_sha1", KeyUncompressed, KeyTimestamp,
}

// Metadata is a template's .metadata file: one JSON object. Lago reads distro,
// arch, root-partition and root-password from it; repositories hold much more.
// Keys that tplkit does not know, the order of all keys, and values down to the
// text of their numbers survive a rewrite.
//
// The zero value is an empty object, ready to use.
type Metadata struct {
	members []member
}

// ParseMetadata reads a .metadata file. It is strict, since what two readers
// could understand differently must not be published: at most 1 MiB, UTF-8, one
// object and nothing after it, nesting at most 32 deep, no key twice in an
// object at any depth, no known key in another case ("Size"). A repo.metadata,
// which historical generators took for a template's metadata, is refused as
// what it is. The error is a [*JSONError] and does not name the file.
func ParseMetadata(data []byte) (*Metadata, error) {
	members, err := strictObject(data, func(path []string) []string {
		if len(path) == 0 {
			return metadataKeys
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	m := &Metadata{members}
	if m.holdsObject("templates") && m.holdsObject("sources") {
		return nil, &JSONError{Reason: "must describe one template, is a whole repository's repo.metadata"}
	}
	return m, nil
}

// Marshal gives the file's bytes in the one form that tplkit writes: keys in
// their order, one a line, four blanks a level, strings and numbers as they were
// read, a newline at the end. Parsing it gives an equal Metadata.
func (m *Metadata) Marshal() []byte {
	compact, _ := m.MarshalJSON()
	var b bytes.Buffer
	// Cannot fail: members hold valid JSON only.
	_ = json.Indent(&b, compact, "", "    ")
	b.WriteByte('\n')
	return b.Bytes()
}

// MarshalJSON gives the object without white space, keys in their order.
func (m *Metadata) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, mem := range m.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quoted(mem.key))
		b.WriteByte(':')
		b.Write(mem.raw)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads the object as strictly as [ParseMetadata].
func (m *Metadata) UnmarshalJSON(data []byte) error {
	p, err := ParseMetadata(data)
	if err != nil {
		return err
	}
	*m = *p
	return nil
}

// Clone gives a copy that can be changed by itself.
func (m *Metadata) Clone() *Metadata {
	return &Metadata{slices.Clone(m.members)}
}

// Keys gives the keys in their order.
func (m *Metadata) Keys() []string {
	keys := make([]string, len(m.members))
	for i, mem := range m.members {
		keys[i] = mem.key
	}
	return keys
}

// Raw gives a key's value as JSON, without white space between tokens.
func (m *Metadata) Raw(key string) (json.RawMessage, bool) {
	for _, mem := range m.members {
		if mem.key == key {
			return slices.Clone(mem.raw), true
		}
	}
	return nil, false
}

// Has says whether the key is there, with whatever value.
func (m *Metadata) Has(key string) bool {
	return slices.ContainsFunc(m.members, func(mem member) bool { return mem.key == key })
}

// Text gives the value of a key that holds a string; ok is false where the key
// is absent or holds something else.
func (m *Metadata) Text(key string) (value string, ok bool) {
	raw, ok := m.Raw(key)
	if !ok || raw[0] != '"' {
		return "", false
	}
	return value, json.Unmarshal(raw, &value) == nil
}

// Int gives the value of a key that holds an integer, as a number or, as some
// generators wrote sizes, as a string of digits.
func (m *Metadata) Int(key string) (value int64, ok bool) {
	raw, ok := m.Raw(key)
	if !ok {
		return 0, false
	}
	text := string(raw)
	if s, isText := m.Text(key); isText {
		text = s
	}
	value, err := strconv.ParseInt(text, 10, 64)
	return value, err == nil
}

// Set gives a key a string value, in its place or, where it is new, at the end.
func (m *Metadata) Set(key, value string) { m.set(key, quoted(value)) }

// SetInt gives a key a number.
func (m *Metadata) SetInt(key string, value int64) {
	m.set(key, strconv.AppendInt(nil, value, 10))
}

// Delete removes a key.
func (m *Metadata) Delete(key string) {
	m.members = slices.DeleteFunc(m.members, func(mem member) bool { return mem.key == key })
}

// AddMissing takes over, at the end, the keys of o that m does not have.
func (m *Metadata) AddMissing(o *Metadata) {
	for _, mem := range o.members {
		if !m.Has(mem.key) {
			m.members = append(m.members, mem)
		}
	}
}

func (m *Metadata) set(key string, raw json.RawMessage) {
	for i := range m.members {
		if m.members[i].key == key {
			m.members[i].raw = raw
			return
		}
	}
	m.members = append(m.members, member{key, raw})
}

func (m *Metadata) holdsObject(key string) bool {
	raw, ok := m.Raw(key)
	return ok && raw[0] == '{'
}

// quoted writes a JSON string. HTML's characters are not escaped: nobody reads
// these files as HTML, and people read them as text.
func quoted(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// A string always encodes.
	_ = enc.Encode(s)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
