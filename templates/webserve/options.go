package webserve

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// Options say how a tree is served. The zero value serves repo/, bundles/ and
// yum/ to everyone and kubevirt/ to nobody, with listings and without a
// catalogue.
type Options struct {
	// Policy says who may read which zone. nil means [acl.Default] without any
	// subnet for kubevirt/. It must not be changed afterwards; give a new one to
	// [Handler.SetPolicy].
	Policy *acl.Policy

	// Catalogue reads what repo/ holds, for its page and for the digests of its
	// files; lagorepo.Catalogue does. It is called when repo.metadata or index
	// was replaced, by one goroutine at a time and at most once a second; no
	// download waits for it. An error beside a list, which tells of single entries,
	// is shown with it. nil means that there is no catalogue.
	Catalogue func(ctx context.Context, repo fs.FS) ([]templates.Published, error)

	// PublicURL is the address that visitors know the tree's top by, as
	// https://templates.example.org, for a server behind a proxy: the browse
	// page shows it in its snippets. "" means what the request itself says.
	PublicURL string

	// Observe is called once at the end of every request, from the request's
	// goroutine, also when the client went away. The event may be kept. nil
	// means that nobody looks.
	Observe func(*Event)

	// NoListing refuses to list directories, with 403.
	NoListing bool
}

// publicURL checks an address for the snippets and takes the slash off its end.
func publicURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(s, "?#") {
		return "", fmt.Errorf("public URL %s: expected http:// or https://, a host and at most a path", templates.Quote(s))
	}
	return strings.TrimRight(s, "/"), nil
}
