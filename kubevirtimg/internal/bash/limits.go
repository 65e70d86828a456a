package bash

import "fmt"

// Limits of one script. They are far above any script that people write and low enough that a hostile one is refused within
// a second and a few megabytes.
const (
	MaxSize   = 1 << 20 // bytes of a script
	MaxLines  = 10_000  // lines of a script
	maxDepth  = 128     // nested constructs, counted over commands, words and substitutions
	maxValue  = 4 << 10 // bytes of one value: a=$a$a… stops growing here and becomes unknown
	maxTrim   = 512     // bytes of a value that ${X%…} and the like are worked out for
	maxVars   = 1024    // variables alive at once
	maxFields = 1024    // words of one command after expansion
	maxCalls  = 8       // functions that call each other
	MaxSteps  = 1 << 21 // commands, words, copied variables and compared bytes of all runs of a script together
)

// An Error says on which line a script cannot be read, and why. Line counts from 1; 0 means the script as a whole.
type Error struct {
	Line   int
	Reason string
}

// Error names the line and the reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}
