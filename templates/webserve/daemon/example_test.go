package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// A program that serves a tree: a policy that can be read again, a log, metrics on a listener of their own, and a
// clean end when the context is cancelled, as signal.NotifyContext does it.
func Example() {
	tree, err := os.MkdirTemp("", "tree")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(tree)
	_ = os.Mkdir(filepath.Join(tree, "repo"), 0o755)
	_ = os.WriteFile(filepath.Join(tree, "repo", "notes.txt"), []byte("read me\n"), 0o644)

	metrics := new(daemon.Metrics)
	log, err := daemon.NewAccessLog(io.Discard, daemon.LogOptions{Format: daemon.LogJSON})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	h, err := webserve.New(tree, webserve.Options{Observe: func(e *webserve.Event) {
		metrics.Observe(e)
		log.Observe(e)
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	s, err := daemon.Open(context.Background(), h, daemon.Options{
		Listen: []string{"127.0.0.1:0"}, Admin: "127.0.0.1:0", Metrics: metrics, AccessLog: log, Policy: h.Policy,
		Reload: func() error { return h.SetPolicy(acl.Default()) }, // or acl.ParseFile
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()

	for _, url := range []string{s.Addrs()[0] + "/repo/notes.txt", s.AdminAddr() + "/healthz"} {
		resp, err := http.Get(url)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Print(resp.StatusCode, " ", string(body))
	}
	fmt.Println(s.Reload())
	stop()
	fmt.Println(<-ended)
	// Output:
	// 200 read me
	// 200 ok
	// <nil>
	// <nil>
}

// What is wrong with sockets and certificate is an error before anybody is served.
func ExampleOpen() {
	_, err := daemon.Open(context.Background(), http.NotFoundHandler(), daemon.Options{Listen: []string{"https://127.0.0.1:0"}})
	fmt.Println(err)
	// Output: listen address "https://127.0.0.1:0": needs a certificate and its key
}

// A server that is killed has cut transfers off, and says so.
func ExampleServer_Kill() {
	s, err := daemon.Open(context.Background(), http.NotFoundHandler(), daemon.Options{Listen: []string{"127.0.0.1:0"}, Grace: time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Kill() // on a second signal
	fmt.Println(errors.Is(s.Run(context.Background()), daemon.ErrKilled))
	// Output: true
}

func ExampleMetrics_Gauge() {
	m := new(daemon.Metrics)
	m.Gauge("example_temperature_celsius", "How warm it is.", func() (float64, bool) { return 21.5, true })
	_, err := m.WriteTo(io.Discard)
	fmt.Println(err)
	// Output: <nil>
}

func ExampleOpenAccessLog() {
	_, err := daemon.OpenAccessLog("/nonexistent/access.log", daemon.LogOptions{})
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output: true
}
