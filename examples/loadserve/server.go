//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// server is a server that runs.
type server struct {
	name    string // for the table
	version string
	address string // host:port
	admin   string // host:port of tplkit's metrics
	cmd     *exec.Cmd
	log     bytes.Buffer
	ended   chan struct{}
}

// freeAddress is one that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// start runs a server and waits until it answers on path.
func (s *server) start(ctx context.Context, path string) error {
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	// A terminal's interrupt is for this program, which ends the server.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // what it says is in the log
		close(s.ended)
	}()
	for range 100 {
		resp, err := http.Get("http://" + s.address + path)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("%s: %s", path, resp.Status)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended: %s", s.cmd, s.log.Bytes())
		case <-ctx.Done():
			s.stop()
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
			s.version = err.Error()
		}
	}
	s.stop()
	return fmt.Errorf("%s does not answer: %s\n%s", s.name, s.version, s.log.Bytes())
}

// stop ends it.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

func (s *server) hup() error { return s.cmd.Process.Signal(syscall.SIGHUP) }

// startTplkit starts the command with a policy whose zone kubevirt lists so many
// prefixes. Both servers write an access log.
func (b *bench) startTplkit(ctx context.Context, policy string, prefixes int) (*server, error) {
	file, err := b.writePolicy(policy, prefixes, "192.0.2.0/32")
	if err != nil {
		return nil, err
	}
	s := &server{name: "tplkit"}
	if prefixes > 1 {
		s.name = fmt.Sprintf("tplkit, %d prefixes", prefixes)
	}
	if s.address, err = freeAddress(); err != nil {
		return nil, err
	}
	if s.admin, err = freeAddress(); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(b.tplkit, "serve", b.root(), "--listen", s.address, "--admin", s.admin, "--config", file,
		"--access-log", filepath.Join(b.dir, policy+".log"))
	return s, s.start(ctx, "/kubevirt/small.img")
}

// nginxConf is nginx as it is set up for files: sendfile, all cores, connections
// kept for ever.
const nginxConf = `daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.error.log;
worker_processes auto;
events { worker_connections 4096; }
http {
    access_log %[1]s/nginx.access.log combined;
    client_body_temp_path %[1]s/nginx.temp;
    proxy_temp_path %[1]s/nginx.temp;
    fastcgi_temp_path %[1]s/nginx.temp;
    uwsgi_temp_path %[1]s/nginx.temp;
    scgi_temp_path %[1]s/nginx.temp;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    server {
        listen %[2]s;
        root %[3]s;
    }
}
`

func (b *bench) startNginx(ctx context.Context) (*server, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx" // not in an ordinary user's path
	}
	version, err := exec.CommandContext(ctx, program, "-v").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("nginx is needed (Debian: nginx-light): %w", err)
	}
	s := &server{name: "nginx"}
	if s.address, err = freeAddress(); err != nil {
		return nil, err
	}
	conf := filepath.Join(b.dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, b.dir, s.address, b.root()), 0o644); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(program, "-p", b.dir, "-e", filepath.Join(b.dir, "nginx.error.log"), "-c", conf)
	err = s.start(ctx, "/repo/small.img")
	s.version = strings.TrimSpace(string(version))
	return s, err
}

// sample asks the server for its goroutines, and the kernel for the rest.
func (s *server) sample(ctx context.Context) (sample, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+"/metrics", nil)
	if err != nil {
		return sample{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return sample{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return sample{}, err
	}
	var got sample
	if got.goroutines, err = figure(string(text), "go_goroutines "); err != nil {
		return got, err
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		return got, err
	}
	got.descriptors = float64(len(open))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return got, err
	}
	kib, err := figure(string(status), "VmRSS:")
	got.memory = kib / 1024
	return got, err
}

// figure reads the number behind a name at the beginning of a line.
func figure(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			var f float64
			_, err := fmt.Sscan(rest, &f)
			return f, err
		}
	}
	return 0, errors.New("no " + strings.TrimSpace(name) + " is told")
}

// idle is what the server has when nobody asks for anything any more.
func (s *server) idle(ctx context.Context) (sample, error) {
	http.DefaultClient.CloseIdleConnections()
	select {
	case <-ctx.Done():
		return sample{}, context.Cause(ctx)
	case <-time.After(settling):
	}
	return s.sample(ctx)
}
