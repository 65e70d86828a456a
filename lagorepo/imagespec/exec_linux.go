package imagespec

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// dieWithParent has the kernel send SIGTERM when the thread that starts the
// process ends, which it does with this process.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }

// allDead tells whether all members of a process group are dead and only wait
// for their parent to take notice. Orphans wait for process 1, which in a
// container may never do so.
func allDead(pgid int) bool {
	list, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	found := false
	for _, e := range list {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		// A process that ends meanwhile has no such file any more.
		text, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		state, group, ok := parseProcStat(text)
		if !ok || group != pgid {
			continue
		}
		if state != 'Z' && state != 'X' {
			return false
		}
		found = true
	}
	// None at all: /proc may show other processes than the kernel has.
	return found
}

// parseProcStat takes the state and the process group out of a line of proc(5):
// "pid (name) state parent group …", where the name may have any character.
func parseProcStat(text []byte) (state byte, group int, ok bool) {
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 3 || len(fields[0]) != 1 {
		return 0, 0, false
	}
	group, err := strconv.Atoi(string(fields[2]))
	return fields[0][0], group, err == nil
}
