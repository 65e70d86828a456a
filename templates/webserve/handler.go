package webserve

import (
	"errors"
	"net/http"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// Handler serves a tree. Make one with [New]. Its methods are safe for
// concurrent use.
type Handler struct {
	opt Options
}

// New makes a handler for the tree at root.
func New(root string, opt Options) (*Handler, error) {
	return nil, errors.ErrUnsupported
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// SetPolicy puts another policy in force, or none of it and says why.
func (h *Handler) SetPolicy(p *acl.Policy) error { return errors.ErrUnsupported }

// Policy is the policy in force.
func (h *Handler) Policy() *acl.Policy { return h.opt.Policy }

// Close gives the tree back.
func (h *Handler) Close() error { return nil }
