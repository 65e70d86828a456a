//go:build unix

package imagespec

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// group is the process group that a tool leads.
type group struct {
	cmd   *exec.Cmd
	grace time.Duration
	asked time.Time // when SIGTERM was sent; zero: not yet
}

// leadGroup makes cmd the leader of a process group, and its cancelling a
// SIGTERM to all of it.
func leadGroup(cmd *exec.Cmd, grace time.Duration) *group {
	g := &group{cmd: cmd, grace: grace}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error {
		g.asked = time.Now()
		err := unix.Kill(-cmd.Process.Pid, unix.SIGTERM)
		if errors.Is(err, unix.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	return g
}

const (
	groupPoll = 5 * time.Millisecond

	// killWait is how long killed processes may take to go. Only one that hangs
	// in the kernel needs longer, and nothing ends that.
	killWait = 2 * time.Second
)

// end ends what is left of the group when its leader is gone and was waited for.
// The kernel does not give the number of a group to a new process as long as the
// group has a member, and if it has none the number has only just become free.
func (g *group) end() {
	id := g.cmd.Process.Pid
	if !groupLives(id) {
		return
	}
	// Errors of kill mean that there is nobody left, which is asked for anyway.
	if g.asked.IsZero() {
		g.asked = time.Now()
		_ = unix.Kill(-id, unix.SIGTERM)
	}
	if !groupLivesUntil(id, g.asked.Add(g.grace)) {
		return
	}
	_ = unix.Kill(-id, unix.SIGKILL)
	groupLivesUntil(id, time.Now().Add(killWait))
}

// groupLivesUntil waits for the end of the group and tells whether it did not
// come in time.
func groupLivesUntil(id int, end time.Time) bool {
	for groupLives(id) {
		if !time.Now().Before(end) {
			return true
		}
		time.Sleep(groupPoll)
	}
	return false
}

// groupLives tells whether a process of the group still runs.
func groupLives(id int) bool {
	if errors.Is(unix.Kill(-id, 0), unix.ESRCH) {
		return false
	}
	return !allDead(id)
}
