package imagespec

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// BaseKind says what an image is made from.
type BaseKind string

// The kinds. The first three are the words before the colon in the base
// property.
const (
	BaseLibguestfs BaseKind = "libguestfs" // a template from virt-builder's configured sources
	BaseSimple     BaseKind = "simple"     // a copy of a file, customised
	BaseLayer      BaseKind = "layer"      // a layer on top of a file
	BaseSpec       BaseKind = "spec"       // a layer on top of what another spec builds: layer:ID or a bare ID
)

// Base is what an image is made from.
type Base struct {
	Kind BaseKind
	Ref  string // the template's name, the path or URL without its checksum, or the other spec's ID
	Sum  *Sum   // of the file's bytes as they are stored or served; nil where the spec gives none
	Line int    // of the base property, counted from 1
}

// Sum is the checksum that a spec gives for its base.
type Sum struct {
	Algorithm hashutil.Algorithm
	Hex       string // lower case
}

// String writes the base as it stands in a spec, the other spec's ID bare.
func (b Base) String() string {
	s := b.Ref
	if b.Kind != BaseSpec {
		s = string(b.Kind) + ":" + s
	}
	if b.Sum != nil {
		s += fmt.Sprintf("#%s=%s", b.Sum.Algorithm, b.Sum.Hex)
	}
	return s
}

// Remote says whether the base is fetched over http or https.
func (b Base) Remote() bool {
	return (b.Kind == BaseSimple || b.Kind == BaseLayer) && isWebURL(b.Ref)
}

// Base reads the base property:
//
//	libguestfs:TEMPLATE     virt-builder's template of that name
//	simple:PATH-or-URL      a copy of the file
//	layer:PATH-or-URL       a layer on top of the file
//	layer:ID  ID            a layer on top of what the spec of that ID builds
//
// A path is relative to the working directory of the process, as it always was,
// and not to the spec's. PATH-or-URL may end in #sha256=HEX (or md5, sha1,
// sha512), the checksum of the file before it is decompressed.
//
// known says which IDs there are; nil means none. What follows layer: is an ID
// if known says so, else a path or URL. A bare word is always an ID: whether
// its spec exists is for [NewPlan] to find. The error is a [*SpecError].
func (s *Spec) Base(known func(id string) bool) (Base, error) {
	p, ok := s.Get(KeyBase)
	if !ok || p.Value == "" {
		return Base{}, s.errorAt(p.Line, "must say what the image is made from: put a line such as #base=libguestfs:TEMPLATE into it")
	}
	b, why := parseBase(p.Value, known)
	if why != "" {
		return Base{}, s.errorAt(p.Line, "base %s: %s", templates.Quote(withoutUser(p.Value)), why)
	}
	b.Line = p.Line
	return b, nil
}

const baseForms = "expected libguestfs:TEMPLATE, simple:PATH-or-URL, layer:PATH-or-URL or the ID of another spec"

func parseBase(value string, known func(id string) bool) (b Base, why string) {
	kind, ref, found := strings.Cut(value, ":")
	if !found {
		if err := templates.CheckHandle(value); err != nil {
			return b, fmt.Sprintf("%s; and it is no ID: %v", baseForms, err)
		}
		return Base{Kind: BaseSpec, Ref: value}, ""
	}
	b = Base{Kind: BaseKind(kind), Ref: ref}
	switch {
	case b.Kind == BaseLibguestfs:
		return b, badTemplate(ref)
	case b.Kind != BaseSimple && b.Kind != BaseLayer:
		why = baseForms
		if strings.HasPrefix(ref, "//") {
			why += "; to fetch it write simple: or layer: in front"
		}
		return b, why
	}
	if b.Ref, b.Sum, why = cutSum(ref); why != "" {
		return b, why
	}
	if b.Kind == BaseLayer && known != nil && known(b.Ref) {
		b.Kind = BaseSpec
		if b.Sum != nil {
			return b, fmt.Sprintf("a checksum is for a file or URL, and %s is the ID of a spec: take the checksum away", templates.Quote(b.Ref))
		}
		return b, ""
	}
	return b, badSource(b.Ref)
}

// badTemplate says what is wrong with the name of a virt-builder template, or "".
func badTemplate(name string) string {
	switch {
	case name == "":
		return "must name a template after libguestfs:, as virt-builder --list shows them"
	case strings.HasPrefix(name, "-"):
		return "the template must not begin with a dash, which virt-builder takes for an option"
	case strings.ContainsAny(name, " \t"):
		return "the template must be one word, as virt-builder --list shows them"
	}
	return ""
}

// badSource says what is wrong with a path or URL, or "".
func badSource(ref string) string {
	switch {
	case ref == "":
		return "must name a file or URL after the colon"
	case strings.TrimSpace(ref) != ref:
		return "must have no blank behind the colon or in front of the checksum"
	case ref[0] == '"' || ref[0] == '\'':
		return "must be written without quotes"
	case isWebURL(ref):
		return badURL(ref)
	case strings.Contains(ref, "://"):
		return "only http and https are fetched; give the path of a local file as it is"
	}
	return ""
}

func badURL(ref string) string {
	u, err := url.Parse(ref)
	var uerr *url.Error
	if errors.As(err, &uerr) {
		err = uerr.Err // the URL itself may hold a password
	}
	switch {
	case err != nil:
		return fmt.Sprintf("must be a URL: %v", err)
	case u.Host == "":
		return "must name a host, as in http://host/path"
	case u.User != nil:
		return "must hold no user or password: the base is published in the template's metadata"
	case strings.Contains(ref, "#"):
		return "what follows # must be a checksum, as in #sha256=HEX"
	}
	return ""
}

// withoutUser hides user and password of a URL, since errors end up in logs.
func withoutUser(value string) string {
	scheme, rest, _ := strings.Cut(value, "://")
	host, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(host, '@')
	if at < 0 {
		return value
	}
	return scheme + "://…" + rest[at:]
}

func isWebURL(ref string) bool {
	scheme, _, ok := strings.Cut(ref, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// cutSum takes the checksum off a path or URL. A # that is followed by no word
// and = is part of the name.
func cutSum(ref string) (rest string, sum *Sum, why string) {
	at := strings.LastIndexByte(ref, '#')
	if at < 0 {
		return ref, nil, ""
	}
	name, hex, ok := strings.Cut(ref[at+1:], "=")
	if !ok {
		return ref, nil, ""
	}
	alg, err := hashutil.ParseAlgorithm(name)
	if err != nil {
		return "", nil, err.Error()
	}
	hex = strings.ToLower(hex)
	if len(hex) != alg.HexLen() || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", nil, fmt.Sprintf("the %s checksum must be %d hex digits, found %s", alg, alg.HexLen(), templates.Quote(hex))
	}
	return ref[:at], &Sum{Algorithm: alg, Hex: hex}, ""
}
