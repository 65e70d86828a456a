//go:build !linux

package daemon

import "net"

// limitUnsent does nothing here.
func limitUnsent(*net.TCPConn) {}
