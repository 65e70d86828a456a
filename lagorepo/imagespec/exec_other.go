//go:build !unix

package imagespec

import (
	"os/exec"
	"time"
)

// group stands for a tool: there are no process groups here.
type group struct{}

// leadGroup does nothing: cancelling kills the tool alone.
func leadGroup(*exec.Cmd, time.Duration) group { return group{} }

func (group) end() {}
