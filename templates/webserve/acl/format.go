package acl

import (
	"bytes"
	"fmt"
	"net/http"
)

// Format is the policy as a file that [Parse] reads, in one form whatever it was
// written in: zones in order, the shortest lists of prefixes, nothing denied
// that is not allowed first. Comments and includes are not kept; a policy read
// from many includes may become a file that is larger than Parse takes.
func (p *Policy) Format() []byte {
	var b bytes.Buffer
	if s := p.status(); s != http.StatusForbidden {
		fmt.Fprintf(&b, "%s %d\n", denied, s)
	}
	formatSet(&b, trustedProxies, p.TrustedProxies)
	formatSet(&b, proxyProtocol, p.ProxyProtocol)
	for _, z := range p.Zones {
		fmt.Fprintf(&b, "%s %s\n", zoneWord, z.Name)
		if z.Allow.IsEveryone() {
			fmt.Fprintf(&b, "    %s %s\n", allow, all)
		} else {
			formatSet(&b, "    "+allow, z.Allow)
		}
	}
	return b.Bytes()
}

// formatSet writes a line for each prefix, which is what line-based tools
// compare well.
func formatSet(b *bytes.Buffer, word string, s Set) {
	for _, p := range s.Prefixes() {
		fmt.Fprintf(b, "%s %s\n", word, p)
	}
}
