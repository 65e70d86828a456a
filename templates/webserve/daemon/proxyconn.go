package daemon

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// readProxy reads the header that a proxy sends first, within limit, and makes the connection that of the
// client it names.
func (c *conn) readProxy(limit time.Duration) error {
	if err := c.tcp.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	buf := make([]byte, 0, proxyV2Max+1)
	for {
		n, err := c.tcp.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if n > 0 {
			h, end, err := parseProxy(buf)
			if err == nil {
				c.head = buf[end:]
				if h.Client.IsValid() {
					c.client = net.TCPAddrFromAddrPort(h.Client)
				}
				return c.tcp.SetReadDeadline(time.Time{})
			}
			if !errors.Is(err, errMore) {
				return err
			}
		}
		if err != nil {
			return fmt.Errorf("reading the PROXY header: %w", err)
		}
	}
}
