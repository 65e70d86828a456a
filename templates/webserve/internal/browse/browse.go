package browse

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// Entry is one entry of a directory.
type Entry struct {
	Name    string // one element of a path, of any bytes
	Dir     bool
	Size    int64 // in bytes; of no meaning for a directory
	ModTime time.Time
	Mode    fs.FileMode
}

// Page is a directory as one visitor may see it.
type Page struct {
	// Path is the directory's path in URLs, decoded. It begins and ends with "/".
	Path string
	// Entries are the entries that the visitor may see, in byte order of the names.
	Entries []Entry
	// Catalogue lists the templates of this directory; nil means that it has no
	// catalogue. Templates that come along with an error are shown, and the error
	// above them, a line of it for each fault.
	Catalogue func() ([]templates.Published, error)
	// BaseURL is the server's URL as clients are to use it, without "/" at the
	// end, as https://host. It goes into what visitors copy.
	BaseURL string
}

// Serve answers a GET or HEAD request for the directory: as HTML, or as JSON to
// those who prefer that by Accept. The query chooses:
//
//	C=N|M|S, O=A|D               the column to sort by and its direction; "&" and ";" divide alike
//	q=WORDS                      only what holds all of the words, in whatever case
//	view=templates               the catalogue
//	template=NAME, version=V     one template; 404 if there is none; without a version the latest
//
// What the query says beyond that is ignored. Headers that the caller has set
// stay; Cache-Control is no-cache where it is not set.
func Serve(w http.ResponseWriter, r *http.Request, p Page) {
	v := view{Page: p, query: parseQuery(r.URL.RawQuery), repo: p.BaseURL + string(appendPath(nil, p.Path))}
	a := answer{status: http.StatusOK}
	if wantsJSON(r.Header.Values("Accept")) {
		a.contentType, a.body = "application/json", v.json(&a.status)
	} else {
		a.contentType, a.body = "text/html; charset=utf-8", v.html(&a.status)
		w.Header().Set("Content-Security-Policy", policy)
	}
	a.send(w, r)
}

// view is what is asked for of a page.
type view struct {
	Page
	query query
	repo  string // the directory's URL, with a slash at the end
}

// catalogue reads the catalogue; the faults are one each.
func (v *view) catalogue() (list []templates.Published, faults []string) {
	list, err := v.Catalogue()
	if err != nil {
		faults = strings.Split(strings.TrimSpace(err.Error()), "\n")
	}
	return list, faults
}

// answer is a whole answer. Its length and tag go before it, so it is made before
// anything is sent.
type answer struct {
	status      int
	contentType string
	body        []byte
}

func (a answer) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.status == http.StatusOK {
		sum := sha256.Sum256(a.body)
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
		h.Set("ETag", tag)
		if h.Get("Cache-Control") == "" {
			h.Set("Cache-Control", "no-cache")
		}
		if tagListed(r.Header.Values("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	} else {
		h.Del("Cache-Control")
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		// The client has gone away: there is nobody to tell.
		_, _ = w.Write(a.body)
	}
}

// tagListed says whether an If-None-Match names the tag, by RFC 9110's weak
// comparison. Tags of ours hold no comma.
func tagListed(lines []string, tag string) bool {
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			t = strings.TrimSpace(t)
			if t == "*" || strings.TrimPrefix(t, "W/") == tag {
				return true
			}
		}
	}
	return false
}
