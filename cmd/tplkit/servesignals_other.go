//go:build !unix

package main

import "os"

// There are no signals that mean such a thing here.
var reloadSignals, reopenSignals []os.Signal
