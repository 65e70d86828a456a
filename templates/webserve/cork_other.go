//go:build !linux

package webserve

import "syscall"

// cork does nothing here.
type cork struct{}

func newCork(syscall.RawConn) *cork { return nil }

func (*cork) push() {}
func (*cork) pull() {}
