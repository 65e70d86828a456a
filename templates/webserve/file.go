package webserve

import (
	"net/http"
	"path"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

// What caches between the server and a client may do. Whatever is kept is asked
// for again with its tag, which costs next to nothing, except where the name
// itself promises that the content never changes. Nobody may recode an image.
var (
	cacheDefault   = []string{"no-cache, no-transform"}
	cacheImmutable = []string{"public, max-age=31536000, immutable, no-transform"}
	cachePrivate   = []string{"private, no-store, no-transform"}
	cacheTop       = []string{"private, no-cache, no-transform"} // the list of zones differs by client
)

// headerReprDigest carries a digest of the whole file (RFC 9530).
const headerReprDigest = "Repr-Digest"

// file sends a regular file or parts of it. Everything said of it comes from
// the one descriptor that it is read from, so a file that is replaced at the same
// time is either the old or the new one.
func (x *exchange) file(z *zone, rest string, f *tree.File) {
	info := f.Info()
	h := x.w.Header()
	h["Content-Type"] = typeOf(path.Base(rest))
	h["Etag"] = []string{etag(info, x.ev.Time)}
	fact := x.h.fact(z, rest, info)
	if fact.digest != nil {
		h[headerReprDigest] = fact.digest
	}
	if fact.immutable && !z.private {
		x.w.cache = cacheImmutable
	}
	x.repeat(z, rest, f, fact)
	r := conditions(x.r, info.Size, young(info, x.ev.Time))
	http.ServeContent(&x.w, r, "", modTime(info, x.ev.Time), f)
}

// fact is what the catalogue knows about a file.
func (h *Handler) fact(z *zone, rest string, info tree.Info) fact {
	if z.name != templates.RepoDir || h.catalogue == nil {
		return fact{}
	}
	return h.catalogue.fact(rest, info)
}
