package acl

import "fmt"

// longestQuoted is how much of untrusted text is shown in a message, in bytes.
const longestQuoted = 200

// quote makes text of any origin safe to print: one line, no control bytes, not
// too long.
func quote(s string) string {
	if len(s) > longestQuoted {
		return fmt.Sprintf("%q…", s[:longestQuoted])
	}
	return fmt.Sprintf("%q", s)
}
