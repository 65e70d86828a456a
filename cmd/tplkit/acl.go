package main

import (
	"fmt"
	"net/netip"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// aclCmd is the group of the commands about who may read what.
type aclCmd struct {
	Explain aclExplainCmd `cmd:"" help:"Say whether a client may read a path, and by which rule."`
	Diff    aclDiffCmd    `cmd:"" help:"Compare two policies: which clients gain and lose what."`
}

// aclPolicyFlags name a policy as the server takes it.
type aclPolicyFlags struct {
	Config        string   `placeholder:"FILE" complete:"file" xor:"policy" help:"The policy file; without it repo, bundles and yum are open, kubevirt closed."`
	AllowKubevirt []string `placeholder:"CIDR" xor:"policy" help:"Without a policy file: who may read kubevirt. May be repeated."`

	kubevirt []netip.Prefix
}

// AfterApply reads the prefixes: a wrong one is wrong use.
func (f *aclPolicyFlags) AfterApply() error {
	for _, s := range f.AllowKubevirt {
		p, err := acl.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("--allow-kubevirt: %w", err)
		}
		f.kubevirt = append(f.kubevirt, p)
	}
	return nil
}

func (f *aclPolicyFlags) policy() (*acl.Policy, error) {
	if f.Config == "" {
		return acl.Default(f.kubevirt...), nil
	}
	return acl.ParseFile(f.Config)
}

// prefixTexts are prefixes as the JSON documents have them: never null.
func prefixTexts(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.String()
	}
	return out
}
