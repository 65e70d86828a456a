// Package acl says which clients may read which part of a served tree.
//
// A [Policy] names zones, the directories at the top of the tree, and for each
// of them the [Set] of addresses that may read it. What is not named is denied.
// [Parse] and [ParseFile] read a policy from its own small file format,
// [Policy.Decide] answers for one request, and [Policy.Client] finds the address
// of the client behind proxies that are trusted. [Policy.Explain] and [Diff] are
// for the people who write and review policies.
//
// Addresses are compared in one form: IPv4-mapped IPv6 addresses are the IPv4
// addresses they carry, and IPv6 zones ("%eth0") do not count. Prefixes are
// accepted in one form, too: see [ParsePrefix].
package acl
