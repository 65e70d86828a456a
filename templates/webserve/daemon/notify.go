package daemon

import (
	"fmt"
	"net"
	"strings"
)

// A notifier tells systemd how the service is, by sd_notify(3). The nil one tells nobody.
type notifier struct {
	conn *net.UnixConn
}

// newNotifier connects to the socket that NOTIFY_SOCKET names: a path, or an abstract name behind "@".
func newNotifier(getenv func(string) string) (*notifier, error) {
	name := getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil, nil
	}
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") {
		return nil, fmt.Errorf("NOTIFY_SOCKET=%q: expected a path or @ and a name", name)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	return &notifier{conn}, nil
}

// send tells a state. It is of no use to fail over what the service manager does not hear.
func (n *notifier) send(lines ...string) {
	if n != nil {
		_, _ = n.conn.Write([]byte(strings.Join(lines, "\n")))
	}
}

func (n *notifier) ready(status string) { n.send("READY=1", "STATUS="+status) }

// reloading carries the time, which Type=notify-reload wants.
func (n *notifier) reloading() {
	n.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonicMicroseconds()), "STATUS=reloading")
}

func (n *notifier) stopping() { n.send("STOPPING=1", "STATUS=finishing transfers") }

func (n *notifier) close() {
	if n != nil {
		_ = n.conn.Close()
	}
}
