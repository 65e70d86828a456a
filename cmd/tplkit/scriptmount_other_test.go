//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

func canMount() bool { return false }

func cmdSmallDisk(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("needs Linux") }
func cmdReadOnly(ts *testscript.TestScript, _ bool, _ []string)  { ts.Fatalf("needs Linux") }
func cmdFifo(ts *testscript.TestScript, _ bool, _ []string)      { ts.Fatalf("needs Linux") }
