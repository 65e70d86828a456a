package webserve

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

// Handler serves a tree. Make one with [New]. Its methods are safe for
// concurrent use.
type Handler struct {
	opt       Options
	tree      *tree.Tree
	catalogue *catalogue // nil: none
	open      func(z *tree.Zone, name string, dirOnly bool) (*tree.File, error)
	now       func() time.Time

	policy   atomic.Pointer[policy]
	policies atomic.Uint64 // that were put in force
}

// New makes a handler for the tree at root, the directory that holds repo/,
// bundles/, yum/ and kubevirt/. A zone that is not there is served once it is.
// The path is looked up again while the handler is in use, so root may be
// replaced by a rename or be a symbolic link that is switched; the zones
// themselves may not be links. An error names what is wrong with root or with
// the options.
func New(root string, opt Options) (*Handler, error) {
	var err error
	if opt.PublicURL, err = publicURL(opt.PublicURL); err != nil {
		return nil, err
	}
	if opt.Policy == nil {
		opt.Policy = acl.Default()
	}
	t, err := tree.Open(root)
	if err != nil {
		return nil, fmt.Errorf("tree to serve: %w", err)
	}
	h := &Handler{opt: opt, tree: t, open: (*tree.Zone).Open, now: time.Now}
	if err := h.SetPolicy(opt.Policy); err != nil {
		return nil, err
	}
	if opt.Catalogue != nil {
		h.catalogue = newCatalogue(opt.Catalogue, t.Zone(templates.RepoDir))
	}
	return h, nil
}

// SetPolicy puts another policy in force for the requests that begin from now
// on; those that are being answered go on as they were. If p is not valid
// nothing changes and the error says why. p must not be changed afterwards.
func (h *Handler) SetPolicy(p *acl.Policy) error {
	next, err := newPolicy(p, h.tree)
	if err != nil {
		return err
	}
	next.number = h.policies.Add(1)
	h.policy.Store(next)
	return nil
}

// Policy is the policy in force.
func (h *Handler) Policy() *acl.Policy { return h.policy.Load().acl }

// Close gives the tree back and waits for the catalogue, if it is being read.
// Downloads that have begun go on; whatever comes later is answered with 503.
func (h *Handler) Close() error {
	if h.catalogue != nil {
		h.catalogue.close()
	}
	return h.tree.Close()
}

// ServeHTTP answers one request. GET and HEAD are answered, with the same status
// and header; everything else is refused. The path is that of r.URL, so a mux
// may have taken a prefix off with [http.StripPrefix].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		h:      h,
		policy: h.policy.Load(),
		r:      r,
		w:      writer{ResponseWriter: w, cork: corkOf(r.Context()), head: r.Method == http.MethodHead, length: -1},
		ev:     Event{Request: r, Time: h.now()},
	}
	if h.opt.Observe != nil {
		// Also when the server is told to drop the connection by a panic.
		defer x.observe()
	}
	x.serve()
}
