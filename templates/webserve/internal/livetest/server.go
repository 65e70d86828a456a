package livetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a web server that runs until its test ends.
type Server struct {
	Addr string // host:port, on 127.0.0.1
	log  string // the path of its error log
}

// Dial connects from an address in 127.0.0.0/8.
func (s *Server) Dial(from netip.Addr) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}
	return d.Dial("tcp", s.Addr)
}

// Log is the end of the server's error log, for messages of failed tests.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// Readable makes dir, with everything in it, and the temporary directories above
// it readable for any user.
func Readable(t testing.TB, dir string) {
	t.Helper()
	for up := dir; len(up) > len(filepath.Clean(os.TempDir())) && strings.HasPrefix(up, filepath.Clean(os.TempDir())); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Chmod(path, 0o755)
		case d.Type().IsRegular():
			return os.Chmod(path, 0o644)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// find is the path of a program by any of its names.
func find(t testing.TB, required bool, debianPackage string, names ...string) string {
	t.Helper()
	for _, name := range names {
		for _, path := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
			if found, err := exec.LookPath(path); err == nil {
				return found
			}
		}
	}
	if required {
		t.Fatalf("%s is required: install the Debian package %s", names[0], debianPackage)
	}
	t.Skipf("%s is not installed (Debian package %s)", names[0], debianPackage)
	return ""
}

// freeAddr is an address that nobody listens on at the moment.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// write writes a file of the server's own.
func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// start runs the server until the test ends, and waits until it listens.
func start(t testing.TB, s *Server, cmd *exec.Cmd) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s%s", cmd, err, out.Bytes(), s.Log())
		default:
		}
		if conn, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s\n%s", cmd, s.Addr, s.Log())
		}
	}
}

// check runs a program that looks over its configuration.
func check(path string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, out)
	}
	return nil
}

// unprivileged is a user and a group for a server that root starts.
func unprivileged() (name, group string) {
	for _, name := range []string{"www-data", "apache", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			if g, err := user.LookupGroupId(u.Gid); err == nil {
				return name, g.Name
			}
		}
	}
	return "nobody", "nogroup"
}
