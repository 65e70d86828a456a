package webserve

import (
	"time"

	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

// SetClock makes the handler believe in another time: change times of files
// cannot be set.
func (h *Handler) SetClock(now func() time.Time) { h.now = now }

// SetOpener has every opening go through open, which is given the true one.
func (h *Handler) SetOpener(open func(name string, real func() (*tree.File, error)) (*tree.File, error)) {
	h.open = func(z *tree.Zone, name string, dirOnly bool) (*tree.File, error) {
		return open(name, func() (*tree.File, error) { return z.Open(name, dirOnly) })
	}
}

// CleanRange is for the fuzzer.
var CleanRange = cleanRange

// Versioned is for its table.
var Versioned = versioned
