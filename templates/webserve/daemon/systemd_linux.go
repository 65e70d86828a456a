package daemon

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates"
)

// firstPassed is the first descriptor that systemd passes: sd_listen_fds(3).
const firstPassed = 3

// maxPassed is far above what a unit has.
const maxPassed = 100

// passedSockets takes the sockets that LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES speak of. They are not
// inherited by programs that are started later.
func passedSockets(getenv func(string) string) (_ []passed, err error) {
	if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil // meant for a parent of ours
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > maxPassed {
		return nil, fmt.Errorf("LISTEN_FDS=%s: expected a number up to %d", templates.Quote(getenv("LISTEN_FDS")), maxPassed)
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	var out []passed
	defer func() {
		if err != nil {
			closePassed(out)
		}
	}()
	for i := range n {
		fd := firstPassed + i
		unix.CloseOnExec(fd)
		name := ""
		if i < len(names) {
			name = names[i]
		}
		tcp, err := passedListener(fd, name)
		if err != nil {
			return out, err
		}
		out = append(out, passed{name, tcp})
	}
	return out, nil
}

func passedListener(fd int, name string) (*net.TCPListener, error) {
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d, %s, from systemd: expected a listening TCP socket: %w", fd, templates.Quote(name), err)
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		err := fmt.Errorf("descriptor %d, %s, from systemd: expected a TCP socket, found %s %s", fd, templates.Quote(name),
			ln.Addr().Network(), templates.Quote(ln.Addr().String()))
		_ = ln.Close()
		return nil, err
	}
	return tcp, nil
}

// monotonicMicroseconds is the clock that systemd compares RELOADING=1 with.
func monotonicMicroseconds() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return ts.Nano() / 1000
}
