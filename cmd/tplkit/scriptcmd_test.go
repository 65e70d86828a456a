package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tplkit/tplkit/templates/publish"
)

// cmdExitCode is "exitcode N COMMAND ARG...": the command must end with exactly
// that status. Its output can be looked at afterwards.
func cmdExitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		got = ee.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%v: exit status %d, want %d", args[1:], got, want)
	}
}

// cmdInterrupt is "interrupt SIGNAL DIR ARG...": runs tplkit, sends the signal as
// soon as something new appears in DIR, which must be empty or missing before, and wants
// status 130.
func cmdInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: interrupt INT|TERM DIR ARG...")
	}
	sig := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}[args[0]]
	dir := ts.MkAbs(args[1])
	before := len(listTree(dir))
	path, err := exec.LookPath("tplkit")
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	ts.Check(cmd.Start())
	for deadline := time.Now().Add(20 * time.Second); len(listTree(dir)) == before; {
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			ts.Fatalf("nothing appeared in %s; stderr: %s", dir, errs.String())
		}
		time.Sleep(time.Millisecond)
	}
	ts.Check(cmd.Process.Signal(sig))
	sent := time.Now()
	_ = cmd.Wait()
	_, _ = ts.Stdout().Write(out.Bytes())
	_, _ = ts.Stderr().Write(errs.Bytes())
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		ts.Fatalf("exit status %d, want %d\nstdout: %s\nstderr: %s", code, exitInterrupted, &out, &errs)
	}
	if took := time.Since(sent); took > 5*time.Second {
		ts.Fatalf("took %v to notice the signal", took)
	}
}

// cmdFiles is "files DIR": lists the files below DIR, hidden ones too, one a
// line.
func cmdFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: files DIR")
	}
	for _, name := range listTree(ts.MkAbs(args[0])) {
		fmt.Fprintln(ts.Stdout(), name)
	}
}

// cmdEmpty is "empty DIR": there is no file below DIR, not even a hidden one.
func cmdEmpty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: empty DIR")
	}
	if left := listTree(ts.MkAbs(args[0])); len(left) > 0 {
		ts.Fatalf("%s holds %q", args[0], left)
	}
}

func listTree(dir string) []string {
	var out []string
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err == nil {
			out = append(out, filepath.ToSlash(rel))
		}
		return err
	})
	sort.Strings(out)
	return out
}

var (
	maskedDigest = regexp.MustCompile(`"[0-9a-f]{32,128}"`)
	maskedText   = regexp.MustCompile(`(?m)("(?:reason|error)": )".*"(,?)$`)
	maskedNumber = regexp.MustCompile(`("(?:allocated|packed)": )\d{3,}`)
)

// cmdMaskJSON is "maskjson FILE": prints FILE (or "stdout") with digests,
// sentences, and the sizes that depend on the encoder and the file system
// masked, for cmp with a golden document: its shape is what scripts rely on.
func cmdMaskJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: maskjson FILE|stdout")
	}
	text := ts.ReadFile(args[0])
	text = maskedDigest.ReplaceAllStringFunc(text, func(s string) string { return fmt.Sprintf("%q", fmt.Sprintf("hex%d", len(s)-2)) })
	text = maskedNumber.ReplaceAllString(text, "${1}0")
	text = maskedText.ReplaceAllString(text, `${1}"text"${2}`)
	_, err := ts.Stdout().Write([]byte(text))
	ts.Check(err)
}

// cmdSame is "[!] same A B": whether two files have the same bytes.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same A B")
	}
	a, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	if bytes.Equal(a, b) == neg {
		ts.Fatalf("same %v: %v", args, !neg)
	}
}

// cmdDamage is "damage XZ COPY": COPY is the file XZ with a bit of its first
// block turned.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage XZ COPY")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	data[500] ^= 0x10
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o644))
}

// cmdHold is "hold DIR": somebody else publishes into DIR until the script ends.
func cmdHold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold DIR")
	}
	dir, err := publish.Open(context.Background(), ts.MkAbs(args[0]), publish.Options{})
	ts.Check(err)
	ts.Defer(func() { ts.Check(dir.Close()) })
}

// cmdTplkitAlone is "tplkitalone": from here on no other program is installed.
func cmdTplkitAlone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: tplkitalone")
	}
	path, err := exec.LookPath("tplkit")
	ts.Check(err)
	ts.Setenv("PATH", filepath.Dir(path))
}

// scriptCondition adds [root] and [mount] (a file system can be mounted).
func scriptCondition(cond string) (bool, error) {
	switch cond {
	case "root":
		return os.Geteuid() == 0, nil
	case "mount":
		return canMount(), nil
	}
	return false, fmt.Errorf("unknown condition %q on %s", cond, runtime.GOOS)
}
