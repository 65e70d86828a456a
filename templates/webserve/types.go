package webserve

import "strings"

// The types a server of templates needs. Anything else is a file to be saved:
// nothing that an uploader chose is ever shown as a page by a browser.
var (
	typeBinary = []string{"application/octet-stream"}
	typeXz     = []string{"application/x-xz"}
	typeJSON   = []string{"application/json"}
	typeText   = []string{"text/plain; charset=utf-8"}
)

// typesByEnding is fixed, since what the hosts' own tables say differs from one
// to the next. CDI warns of images that are text, and people read the rest in
// the browser.
var typesByEnding = map[string][]string{
	".xz":       typeXz,
	".qcow2":    typeBinary,
	".img":      typeBinary,
	".raw":      typeBinary,
	".metadata": typeJSON,
	".json":     typeJSON,
	".hash":     typeText,
	".md5":      typeText,
	".sha1":     typeText,
	".sha256":   typeText,
	".sha512":   typeText,
	".asc":      typeText,
}

// typeOf is the Content-Type of a file, by its base name.
func typeOf(base string) []string {
	if base == "index" {
		return typeText // virt-builder's
	}
	if i := strings.LastIndexByte(base, '.'); i >= 0 {
		if t := typesByEnding[base[i:]]; t != nil {
			return t
		}
	}
	return typeBinary
}
