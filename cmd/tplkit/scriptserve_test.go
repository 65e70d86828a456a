package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptServer is the server that a script has started.
type scriptServer struct {
	cmd          *exec.Cmd
	stdout, errs safeBuffer
	done         chan struct{}
}

var (
	scriptServersLock sync.Mutex
	scriptServers     = make(map[*testscript.TestScript]*scriptServer)
)

func serverOf(ts *testscript.TestScript) *scriptServer {
	scriptServersLock.Lock()
	defer scriptServersLock.Unlock()
	s := scriptServers[ts]
	if s == nil {
		ts.Fatalf("no server was started")
	}
	return s
}

// cmdServer is "server start ARG...": runs tplkit serve on a port of its own, whose address is in $URL, and that of
// its admin listener in $ADMIN. "server signal HUP|USR1|TERM" sends a signal, "server says REGEXP" waits until it is
// on standard error, "server makes FILE" until that exists, "server stall PATH" asks for a file and does not read it, and "server ends N" waits for the end and its status; its output can be looked at then.
func cmdServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: server start|signal|says|makes|stall|ends ...")
	}
	switch args[0] {
	case "start":
		startServer(ts, args[1:])
	case "signal":
		sig, ok := scriptSignals[args[1]]
		if !ok {
			ts.Fatalf("no signal %s here", args[1])
		}
		ts.Check(serverOf(ts).cmd.Process.Signal(sig))
	case "says":
		serverOf(ts).waitFor(ts, args[1])
	case "makes":
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
			if _, err := os.Stat(ts.MkAbs(args[1])); err == nil {
				return
			} else if time.Now().After(end) {
				ts.Fatalf("%v", err)
			}
		}
	case "stall":
		c, err := net.Dial("tcp", strings.TrimPrefix(ts.Getenv("URL"), "http://"))
		ts.Check(err)
		ts.Defer(func() { c.Close() })
		_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", args[1])
		ts.Check(err)
		_, err = io.ReadFull(c, make([]byte, 1)) // it has begun to answer
		ts.Check(err)
	case "ends":
		s := serverOf(ts)
		select {
		case <-s.done:
		case <-time.After(20 * time.Second):
			ts.Fatalf("it does not end")
		}
		_, _ = io.WriteString(ts.Stdout(), s.stdout.String())
		_, _ = io.WriteString(ts.Stderr(), s.errs.String())
		if got := fmt.Sprint(s.cmd.ProcessState.ExitCode()); got != args[1] {
			ts.Fatalf("exit status %s, want %s; stderr:\n%s", got, args[1], s.errs.String())
		}
	default:
		ts.Fatalf("server %s: not known", args[0])
	}
}

func startServer(ts *testscript.TestScript, args []string) {
	path, err := exec.LookPath("tplkit")
	ts.Check(err)
	s := &scriptServer{cmd: exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...), done: make(chan struct{})}
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NOTIFY_SOCKET=") }), "NOTIFY_SOCKET=")
	s.cmd.Stdout, s.cmd.Stderr = &s.stdout, &s.errs
	ts.Check(s.cmd.Start())
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	scriptServersLock.Lock()
	scriptServers[ts] = s
	scriptServersLock.Unlock()
	ts.Defer(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
	})
	ts.Setenv("URL", s.waitFor(ts, `serving .* on (https?://\S+)`))
	ts.Setenv("ADMIN", s.waitFor(ts, `metrics and health on (http://\S+)`))
}

// waitFor waits until the server has said something, and gives what the parentheses hold.
func (s *scriptServer) waitFor(ts *testscript.TestScript, pattern string) string {
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if m := re.FindStringSubmatch(s.errs.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-s.done:
			ts.Fatalf("it has ended; stderr:\n%s", s.errs.String())
		default:
		}
	}
	ts.Fatalf("it does not say %s; stderr:\n%s", pattern, s.errs.String())
	return ""
}

// cmdFetch is "fetch URL [NAME:VALUE]...": asks once, and prints the status and the body.
func cmdFetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fetch URL [NAME:VALUE]...")
	}
	req, err := http.NewRequest(http.MethodGet, args[0], nil)
	ts.Check(err)
	for _, h := range args[1:] {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(name, value)
	}
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d\n%s", resp.StatusCode, body)
}

// safeBuffer is written by a process and read by the script.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// scriptSignals are those that a script can send.
var scriptSignals = func() map[string]os.Signal {
	out := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	if len(reloadSignals) > 0 {
		out["HUP"], out["USR1"] = reloadSignals[0], reopenSignals[0]
	}
	return out
}()
