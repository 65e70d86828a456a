package lagorepo

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// compressedPrefix begins the keys for digests of H.xz, as compressed_sha1.
const compressedPrefix = "compressed_"

// maxTimestamp is the end of the year 9999: later than any template, and the
// last that dates with four digits can tell.
const maxTimestamp = 253402300799

// Facts are what is true of a published template, to be told in its metadata.
type Facts struct {
	Template string    // the name clients ask for
	Version  string    // as "v1"
	ModTime  time.Time // of the disk; becomes the timestamp where there is none
	Sizes    templates.Sizes
	Content  hashutil.Digests // of the decompressed disk
	Packed   hashutil.Digests // of H.xz
}

// ContentAlgorithms are the digests of the decompressed disk that the metadata
// is to hold: SHA-1, which lago compares, SHA-256, and any it holds already.
func (m *Metadata) ContentAlgorithms() []hashutil.Algorithm {
	return m.algorithms(func(a hashutil.Algorithm) bool {
		return a == hashutil.SHA1 || a == hashutil.SHA256 || m.Has(string(a)) ||
			a == hashutil.SHA512 && m.Has(KeyUncompressed)
	})
}

// PackedAlgorithms are the digests of H.xz that the metadata is to hold:
// SHA-512, which virt-builder compares, and any it holds already
// (compressed_sha1).
func (m *Metadata) PackedAlgorithms() []hashutil.Algorithm {
	return m.algorithms(func(a hashutil.Algorithm) bool {
		return a == hashutil.SHA512 || m.Has(compressedPrefix+string(a))
	})
}

func (m *Metadata) algorithms(want func(hashutil.Algorithm) bool) []hashutil.Algorithm {
	return slices.DeleteFunc(slices.Clone(hashutil.Algorithms()), func(a hashutil.Algorithm) bool { return !want(a) })
}

// Update brings the metadata up to date with what is published. Repositories
// hold copies whose size, sha1 and checksum speak of a file that no longer
// exists, or, by a fault of the historical generator, of the wrong one of the
// two files; they are replaced whatever they say:
//
//	size                   virtual size of the disk
//	sha1, sha256           of the decompressed disk; md5, sha512 where they were there
//	compressed_size        of H.xz
//	checksum               SHA-512 of H.xz
//	compressed_sha1        of H.xz, where it was there
//	uncompressed_checksum  SHA-512 of the decompressed disk, where it was there
//
// version becomes f.Version and timestamp stays, or becomes f.ModTime where it
// is no usable number. name stays as well: where it is not f.Template, which is
// what clients ask for, template says so beside it.
//
// Digests are taken from f, which must hold those of [Metadata.ContentAlgorithms]
// and [Metadata.PackedAlgorithms]; a digest that f lacks is removed rather than
// left to be wrong.
func (m *Metadata) Update(f Facts) {
	m.updateName(f.Template)
	if v, ok := m.Text(KeyVersion); !ok || v != f.Version {
		m.Set(KeyVersion, f.Version)
	}
	if raw, ok := m.Raw(KeyTimestamp); !ok || !isUsableTimestamp(string(raw)) {
		ts, _ := m.Timestamp()
		if ts == "" {
			ts = json.Number(strconv.FormatInt(f.ModTime.Unix(), 10))
		}
		m.set(KeyTimestamp, json.RawMessage(ts))
	}
	m.setInt(KeySize, f.Sizes.Virtual)
	for _, a := range m.ContentAlgorithms() {
		m.setDigest(string(a), f.Content[a])
	}
	if m.Has(KeyUncompressed) {
		m.setDigest(KeyUncompressed, f.Content[hashutil.SHA512])
	}
	m.setInt(KeyCompressedSize, f.Sizes.Packed)
	m.setDigest(KeyChecksum, f.Packed[hashutil.SHA512])
	for _, a := range hashutil.Algorithms() {
		if key := compressedPrefix + string(a); m.Has(key) {
			m.setDigest(key, f.Packed[a])
		}
	}
}

// TemplateName is the name under which clients ask for the template: what
// "template" says, else "name", else "" where neither is a usable name.
func (m *Metadata) TemplateName() string {
	for _, key := range []string{KeyTemplate, KeyName} {
		if s, ok := m.Text(key); ok && templates.CheckTemplate(s) == nil {
			return s
		}
	}
	return ""
}

func (m *Metadata) updateName(template string) {
	if !m.Has(KeyName) {
		m.Set(KeyName, template)
	}
	if m.TemplateName() != template {
		m.Set(KeyTemplate, template)
	}
}

// Timestamp gives the time of the template as the number that was written,
// seconds since 1970 with fractions allowed; ok is false where there is none
// between 1970 and 9999. A number in a string is taken for the number: lago
// fails on a repo.metadata that mixes the two.
func (m *Metadata) Timestamp() (ts json.Number, ok bool) {
	raw, ok := m.Raw(KeyTimestamp)
	if !ok {
		return "", false
	}
	text := string(raw)
	if s, isText := m.Text(KeyTimestamp); isText {
		text = strings.TrimSpace(s)
	}
	if !isUsableTimestamp(text) {
		return "", false
	}
	return json.Number(text), true
}

// isUsableTimestamp says whether text is a JSON number in range.
func isUsableTimestamp(text string) bool {
	if text == "" || text[0] < '0' || text[0] > '9' || !json.Valid([]byte(text)) {
		return false
	}
	sec, err := strconv.ParseFloat(text, 64)
	return err == nil && sec <= maxTimestamp
}

// timeOf turns a usable timestamp into a time.
func timeOf(ts json.Number) time.Time {
	if sec, err := ts.Int64(); err == nil {
		return time.Unix(sec, 0).UTC()
	}
	f, _ := ts.Float64()
	return time.UnixMicro(int64(f * 1e6)).UTC()
}

// setInt leaves a value alone that says the same number already, so that its
// text survives.
func (m *Metadata) setInt(key string, value int64) {
	if raw, ok := m.Raw(key); !ok || string(raw) != strconv.FormatInt(value, 10) {
		m.SetInt(key, value)
	}
}

func (m *Metadata) setDigest(key, hex string) {
	if hex == "" {
		m.Delete(key)
		return
	}
	m.Set(key, hex)
}
