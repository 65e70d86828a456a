//go:build unix

package main

import (
	"os"
	"syscall"
)

var (
	reloadSignals = []os.Signal{syscall.SIGHUP}
	reopenSignals = []os.Signal{syscall.SIGUSR1}
)
