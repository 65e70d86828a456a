package main

import "net/netip"

// aclCmd is the group of the commands about who may read what.
type aclCmd struct {
	Explain aclExplainCmd `cmd:"" help:"Say whether a client may read a path, and by which rule."`
	Diff    aclDiffCmd    `cmd:"" help:"Compare two policies: which clients gain and lose what."`
	Export  aclExportCmd  `cmd:"" help:"Write the policy as configuration for httpd, nginx or Caddy."`
	Import  aclImportCmd  `cmd:"" help:"Make a policy of the configuration of httpd or nginx."`
}

func (aclCmd) Help() string {
	return `A policy is a file of lines; "#" begins a comment, indentation is for the eye:

    denied 404                          # the status of refusals; 403 without this line
    trusted-proxies 10.0.0.1            # X-Forwarded-For and Forwarded count from these; they must send one
    proxy-protocol 10.0.0.3             # these must begin with a PROXY header, others must not
    zone repo                           # a directory at the top of the tree
        allow all
    zone kubevirt
        allow 192.0.2.0/24 2001:db8::/32
        include kubevirt.subnets        # a file with a prefix a line, which are allowed, too
        deny 192.0.2.7                  # wins over allow, whatever the order

What no zone names is not served, and a zone without allow is denied to everybody. Prefixes and addresses have one spelling: host bits, netmasks, shortened and IPv4-mapped addresses are refused with what to write instead.`
}

// prefixTexts are prefixes as the JSON documents have them: never null.
func prefixTexts(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.String()
	}
	return out
}
