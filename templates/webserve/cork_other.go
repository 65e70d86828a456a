//go:build !linux

package webserve

import "syscall"

// socketCork does nothing here.
type socketCork struct{}

func newSocketCork(syscall.RawConn) *socketCork { return nil }

func (*socketCork) push() {}
func (*socketCork) pull() {}
