package main

import (
	"net/netip"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// policyFlags name a policy, for the server and for those who look at it.
type policyFlags struct {
	Config        string   `xor:"policy" placeholder:"FILE" complete:"file" help:"The policy: which clients may read which zone. Without it repo, bundles and yum are open, and kubevirt is closed."`
	AllowKubevirt []subnet `xor:"policy" placeholder:"CIDR" help:"Without a policy: a subnet that may read kubevirt/. May be repeated; by default nobody may."`
}

// subnet is a prefix or an address on the command line.
type subnet netip.Prefix

// UnmarshalText reads one as policies have it.
func (n *subnet) UnmarshalText(text []byte) error {
	p, err := acl.ParsePrefix(string(text))
	*n = subnet(p)
	return err
}

// policy reads the policy, or makes the one of the flags.
func (f *policyFlags) policy() (*acl.Policy, error) {
	if f.Config != "" {
		return acl.ParseFile(f.Config)
	}
	allowed := make([]netip.Prefix, len(f.AllowKubevirt))
	for i, n := range f.AllowKubevirt {
		allowed[i] = netip.Prefix(n)
	}
	return acl.Default(allowed...), nil
}
