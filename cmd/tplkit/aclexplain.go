package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

type aclExplainCmd struct {
	IP     string   `arg:"" name:"ip" help:"The address that the server is asked from."`
	Path   string   `arg:"" help:"The path of a URL without escapes, as /kubevirt/fedora.img; / tells of all zones."`
	Header []string `short:"H" sep:"none" placeholder:"LINE" help:"A header line that IP sends, as X-Forwarded-For:192.0.2.7: it counts if IP is a trusted proxy. May be repeated."`
	policyFlags

	ip      netip.Addr
	headers http.Header
}

func (aclExplainCmd) Help() string {
	return `Says whether the server would let a client read a path, the zone of the path, and the lines of the policy that speak of the client. Nothing is asked over the network.

The exit status is 0 whether the client may read the path or not. Scripts look at "allowed" in the JSON document.

Examples:

    tplkit acl explain 192.0.2.7 /kubevirt/fedora.img --config access.conf
    tplkit acl explain 192.0.2.7 /kubevirt/ --allow-kubevirt 192.0.2.0/24
    tplkit acl explain 10.0.0.1 /kubevirt/ --config access.conf -H X-Forwarded-For:192.0.2.7
    tplkit acl explain --json 192.0.2.7 /kubevirt/ --config access.conf | jq .allowed`
}

// Validate reads the address and the headers.
func (c *aclExplainCmd) Validate() error {
	ip, err := netip.ParseAddr(c.IP)
	if err != nil {
		return fmt.Errorf("%s is not an IP address, as 192.0.2.7 or 2001:db8::7", quote(c.IP))
	}
	c.ip = ip
	if strings.Contains(c.Path, "://") {
		return fmt.Errorf("%s is a whole URL; give its path, as /kubevirt/fedora.img", quote(c.Path))
	}
	c.headers = http.Header{}
	for _, line := range c.Header {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return fmt.Errorf("--header: %s is not a header line, as X-Forwarded-For:192.0.2.7", quote(line))
		}
		c.headers.Add(name, strings.Trim(value, " \t"))
	}
	return nil
}

// Run explains.
func (c *aclExplainCmd) Run(s *session) error {
	p, err := c.policy()
	if err != nil {
		return err
	}
	client, err := p.Client(c.ip, c.headers)
	e := p.Explain(client, c.Path)
	if err != nil {
		e.Note = err.Error()
	}
	switch {
	case s.JSON:
		return s.document(newExplainDocument(c.ip, e))
	case s.Quiet:
		return nil
	}
	out := &printer{w: s.stdout}
	out.printf("%s\n", e)
	return out.err
}

// explainDocument is the JSON document of acl explain. Without omitempty a field
// is always there.
type explainDocument struct {
	Allowed bool          `json:"allowed"`
	Reason  string        `json:"reason"`
	Peer    string        `json:"peer"`             // the address that the server is asked from
	Client  string        `json:"client,omitempty"` // the one that is decided by; absent if it is not known
	Path    string        `json:"path"`
	Zone    string        `json:"zone,omitempty"`
	Rules   []explainRule `json:"rules"` // of the zone, that speak of the client
	Note    string        `json:"note,omitempty"`
	Error   string        `json:"error,omitempty"` // nothing could be explained
}

type explainRule struct {
	Rule    string `json:"rule"` // as in a policy
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Comment string `json:"comment,omitempty"`
}

func newExplainDocument(peer netip.Addr, e acl.Explanation) explainDocument {
	d := explainDocument{
		Allowed: e.Allowed, Reason: e.Reason, Peer: peer.String(), Path: e.Path, Zone: e.Zone, Note: e.Note, Rules: []explainRule{},
	}
	if e.Client.IsValid() {
		d.Client = e.Client.String()
	}
	for _, r := range e.Rules {
		d.Rules = append(d.Rules, explainRule{r.String(), r.File, r.Line, r.Comment})
	}
	return d
}
