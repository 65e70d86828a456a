package frontend

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// What is written into the configuration of every server, in regular expressions
// that PCRE and Go's package regexp read alike, and that need no escaping in
// double quotes or backquotes.
const (
	// oddTarget finds, in a path as it stands in a request, what tplkit refuses to
	// repair: "." and ".." and whatever else begins with a dot, a dot or blank at
	// the end of a name, control bytes, backslashes, "#", an escaped slash. All
	// that is not ASCII is found, too: no server can see whether it is UTF-8 in
	// normal form C. The end of the path is to be added as %s.
	oddTarget = `(?:/(?:\.|%%2[eE])|(?:\.|%%2[eE]|%%20)(?:[/%[1]s]|$)|[^!-~%[2]s]|[\x5c\x23]|%%(?:[01][0-9a-fA-F]|2[3fF]|5[cC]|7[fF]|[89a-fA-F][0-9a-fA-F]))`

	// hiddenName finds, in a decoded path and with letter case ignored, names that
	// are never served: with a dot in front, locks, files that are being written.
	hiddenName = `(?:^|/)\.|\.(?:lock|tmp)(?:/|$)`

	// The files of each content type; all others are octetStream.
	xzFiles    = `\.xz$`
	jsonFiles  = `\.(?:json|metadata)$`
	plainFiles = `(?:(?:^|/)index|\.(?:asc|hash|md5|sha1|sha256|sha512))$`
)

const (
	octetStream = "application/octet-stream"
	xzType      = "application/x-xz"
	jsonType    = "application/json"
	plainType   = "text/plain; charset=utf-8"
)

// contentTypes are the types that are not octetStream, in the order in which
// they are written.
var contentTypes = []struct {
	files string   // regular expression on the path
	exts  []string // the same for a server that goes by extensions
	typ   string
}{
	{xzFiles, []string{"xz"}, xzType},
	{jsonFiles, []string{"json", "metadata"}, jsonType},
	{plainFiles, []string{"asc", "hash", "md5", "sha1", "sha256", "sha512"}, plainType},
}

// What proxies and caches may do. Files that everyone may read are asked for
// again each time, which costs one short answer; a restricted zone, and kubevirt
// even if it is open, is stored nowhere; and nobody packs.
const (
	cacheOpen       = "no-cache, no-transform"
	cacheRestricted = "private, no-store, no-transform"
)

func cacheControl(z acl.Zone) string {
	if z.Allow.IsEveryone() && z.Name != "kubevirt" {
		return cacheOpen
	}
	return cacheRestricted
}

// zonesPattern matches the decoded paths of the zones, these themselves
// included. There must be one zone at least.
func zonesPattern(zones []acl.Zone) string {
	names := make([]string, len(zones))
	for i, z := range zones {
		names[i] = regexp.QuoteMeta(z.Name)
	}
	return "^/(?:" + strings.Join(names, "|") + ")(?:/|$)"
}

// The odd targets of the request line, which httpd has as a whole, and of the
// target itself, which nginx and Caddy have.
var (
	oddRequest = `^\S+ +[^?]*` + fmt.Sprintf(oddTarget, "? ", " ")
	oddURI     = `^[^?]*` + fmt.Sprintf(oddTarget, "?", "")
)

// longestQuoted is how much of untrusted text is shown in a message, in bytes.
const longestQuoted = 200

// quote makes text of any origin safe to print: one line, no control bytes, not
// too long.
func quote(s string) string {
	if len(s) > longestQuoted {
		return fmt.Sprintf("%q…", s[:longestQuoted])
	}
	return fmt.Sprintf("%q", s)
}
