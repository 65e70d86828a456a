package virtindex

import (
	"fmt"
	"strings"
)

// Claim is one template or entry that wants a section.
type Claim struct {
	Handle string `json:"handle,omitempty"` // of the template; empty for an entry of the old index
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"` // of the entry of the old index
}

// Conflict is one section that several files claim.
type Conflict struct {
	ID     string  `json:"id"`
	Arch   string  `json:"arch"`
	Claims []Claim `json:"claims"`
}

// String returns the conflict in one line, with what to do about it.
func (c Conflict) String() string {
	claims := make([]string, len(c.Claims))
	for i, cl := range c.Claims {
		claims[i] = quote(cl.File)
		if cl.Line > 0 {
			claims[i] += fmt.Sprintf(" (line %d)", cl.Line)
		}
	}
	return fmt.Sprintf("section %s with arch %s is wanted by %s: give one of the files a section with another ID in the index by hand, or rename it",
		quote(c.ID), quote(c.Arch), strings.Join(claims, " and "))
}

// ConflictError says that an index cannot be made because some sections would
// have to stand for several files each.
type ConflictError struct {
	Conflicts []Conflict // at least one
}

func (e *ConflictError) Error() string {
	texts := make([]string, len(e.Conflicts))
	for i, c := range e.Conflicts {
		texts[i] = c.String()
	}
	return strings.Join(texts, "; ")
}
