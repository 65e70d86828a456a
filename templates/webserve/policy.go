package webserve

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
	"github.com/tplkit/tplkit/templates/webserve/internal/webpath"
)

// policy is an acl.Policy with what each request needs to know of it.
type policy struct {
	number uint64 // of those that were in force
	acl    *acl.Policy
	denied int // status of a refusal
	zones  map[string]*zone
}

// zone is one that the policy names.
type zone struct {
	name    string
	dir     *tree.Zone
	private bool // not for everyone, so that no cache between may keep it
}

// newPolicy checks p.
func newPolicy(p *acl.Policy, t *tree.Tree) (*policy, error) {
	if p == nil {
		return nil, errors.New("no policy: expected one, found nil")
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	for _, z := range p.Zones {
		if webpath.Hidden(z.Name) {
			return nil, fmt.Errorf("policy: zone %s: files and directories of that name are never served; name it otherwise", templates.Quote(z.Name))
		}
	}
	next := &policy{acl: p, denied: p.Denied, zones: make(map[string]*zone, len(p.Zones))}
	if next.denied == 0 {
		next.denied = http.StatusForbidden
	}
	for _, z := range p.Zones {
		next.zones[z.Name] = &zone{
			name:    z.Name,
			dir:     t.Zone(z.Name),
			private: z.Name == templates.KubeVirtDir || !z.Allow.IsEveryone(),
		}
	}
	return next, nil
}
