//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// load is what clients ask for, each over one connection that is kept.
type load struct {
	Address string        `json:"address"` // host:port
	Path    string        `json:"path"`
	Clients int           `json:"clients"`
	For     time.Duration `json:"for"`
	// Lean has the client do next to nothing but read: it finds out what a server
	// can give at most. Otherwise it is Go's own, which does what real ones do.
	Lean bool `json:"lean"`
}

// result is what came of it.
type result struct {
	Requests int64         `json:"requests"` // that were answered whole
	Bytes    int64         `json:"bytes"`    // of bodies, also of those not yet whole at the end
	Took     time.Duration `json:"took"`
}

func (r result) perSecond() float64 { return float64(r.Requests) / r.Took.Seconds() }
func (r result) gib() float64       { return float64(r.Bytes) / (1 << 30) / r.Took.Seconds() }

// runLoad has a process of its own ask, the same program for every server.
func runLoad(ctx context.Context, self string, l load) (result, error) {
	order, err := json.Marshal(l)
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, self, loadWord, string(order))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return result{}, fmt.Errorf("load on http://%s%s: %w", l.Address, l.Path, err)
	}
	var r result
	return r, json.Unmarshal(out, &r)
}

// loadWord is the first argument of this program when it is the client.
const loadWord = "load"

// loadMain is the client's process.
func loadMain(ctx context.Context, args []string, stdout io.Writer) error {
	var l load
	if len(args) != 1 {
		return errors.New("usage: load ORDER")
	}
	if err := json.Unmarshal([]byte(args[0]), &l); err != nil {
		return err
	}
	r, err := l.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(r)
}

// run asks until the time is over.
func (l load) run(ctx context.Context) (result, error) {
	if l.Clients < 1 || l.For <= 0 {
		return result{}, fmt.Errorf("%d clients for %v: expected 1 or more, for some time", l.Clients, l.For)
	}
	begin := time.Now()
	end := begin.Add(l.For)
	results, errs := make([]result, l.Clients), make([]error, l.Clients)
	var all sync.WaitGroup
	for i := range l.Clients {
		ask := l.client
		if l.Lean {
			ask = l.lean
		}
		all.Go(func() { results[i], errs[i] = ask(ctx, end) })
	}
	all.Wait()
	sum := result{Took: time.Since(begin)}
	for _, r := range results {
		sum.Requests += r.Requests
		sum.Bytes += r.Bytes
	}
	return sum, errors.Join(errs...)
}

// client is one of them, as programs in Go have it.
func (l load) client(ctx context.Context, end time.Time) (result, error) {
	var r result
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	buffer := make([]byte, 256<<10)
	for ctx.Err() == nil {
		err := r.get(ctx, client, "http://"+l.Address+l.Path, buffer)
		if err != nil && ctx.Err() == nil {
			return r, err
		}
	}
	if time.Now().Before(end) {
		return r, context.Cause(ctx)
	}
	return r, nil
}

// get asks once, and reads all of the answer.
func (r *result) get(ctx context.Context, client *http.Client, url string, buffer []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		return fmt.Errorf("answer %s with Content-Length %d, expected 200 with one", resp.Status, resp.ContentLength)
	}
	for {
		n, err := resp.Body.Read(buffer)
		r.Bytes += int64(n)
		if errors.Is(err, io.EOF) {
			r.Requests++
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// lean is a client that does as little as it can beside reading, since it shares
// the cores with the server.
func (l load) lean(ctx context.Context, end time.Time) (result, error) {
	var r result
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.Address)
	if err != nil {
		return r, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(end); err != nil {
		return r, err
	}
	request := []byte("GET " + l.Path + " HTTP/1.1\r\nHost: " + l.Address + "\r\nUser-Agent: loadserve\r\n\r\n")
	buffer := make([]byte, 256<<10)
	for time.Now().Before(end) {
		if err := r.once(conn, request, buffer); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			return r, err
		}
	}
	return r, nil
}

// once sends a request and reads the answer.
func (r *result) once(conn net.Conn, request, buffer []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	n := 0
	head := -1
	for head < 0 {
		m, err := conn.Read(buffer[n:])
		if err != nil {
			return err
		}
		n += m
		head = bytes.Index(buffer[:n], []byte("\r\n\r\n"))
		if head < 0 && n == len(buffer) {
			return errors.New("an answer without end of its header")
		}
	}
	length, err := lengthOf(string(buffer[:head]))
	if err != nil {
		return err
	}
	rest := length - int64(n-head-4)
	r.Bytes += int64(n - head - 4)
	for rest > 0 {
		m, err := conn.Read(buffer[:min(rest, int64(len(buffer)))])
		r.Bytes += int64(m)
		if err != nil {
			return err
		}
		rest -= int64(m)
	}
	r.Requests++
	return nil
}

// lengthOf is the Content-Length of a 200.
func lengthOf(head string) (int64, error) {
	status, fields, _ := strings.Cut(head, "\r\n")
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return 0, fmt.Errorf("answer %.100q, expected 200", status)
	}
	for line := range strings.SplitSeq(fields, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("answer without Content-Length: %.300q", head)
}
