package browser_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// required says that nothing may be missing.
var required = os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1"

// patience is how long Chromium may take for one thing.
const patience = 60 * time.Second

// missing ends the test for want of something.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if required {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// chromium is a running browser. Messages to it and from it are JSON, each with
// a NUL behind it.
type chromium struct {
	cmd     *exec.Cmd
	in, out *os.File
	profile string

	mu       sync.Mutex
	sent     int
	answers  map[int]chan message
	watchers map[string]func(message) // by session
	gone     error
}

// message is what goes either way.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
		Data    string `json:"data"`
	} `json:"error,omitempty"`
}

// theBrowser is started by the first test that needs it.
var theBrowser = sync.OnceValues(startChromium)

func TestMain(m *testing.M) {
	status := m.Run()
	if started {
		if c, err := theBrowser(); err == nil {
			c.stop()
		}
	}
	if largeDir != "" {
		_ = os.RemoveAll(largeDir)
	}
	os.Exit(status)
}

var started bool

func startChromium() (*chromium, error) {
	started = true
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "tplkit-browser-")
	if err != nil {
		return nil, err
	}
	toRead, in, err1 := os.Pipe()
	out, toWrite, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "--headless", "--remote-debugging-pipe", "--user-data-dir="+profile,
		"--no-sandbox", // it may run as root, and opens nothing but our own pages
		"--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
		// It is to ask nobody but the server of the test.
		"--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings",
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--no-proxy-server",
		"--force-color-profile=srgb", "--hide-scrollbars")
	cmd.ExtraFiles = []*os.File{toRead, toWrite} // its descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	_, _ = toRead.Close(), toWrite.Close()
	c := &chromium{cmd: cmd, in: in, out: out, profile: profile, answers: map[int]chan message{}, watchers: map[string]func(message){}}
	go c.listen()
	return c, nil
}

// listen hands out what the browser says, until it says nothing more.
func (c *chromium) listen() {
	r := bufio.NewReader(c.out)
	for {
		data, err := r.ReadBytes(0)
		var m message
		if err == nil {
			err = json.Unmarshal(data[:len(data)-1], &m)
		}
		c.mu.Lock()
		if err != nil {
			c.gone = fmt.Errorf("chromium: %w", err)
			for _, ch := range c.answers {
				close(ch)
			}
			c.answers = nil
			c.mu.Unlock()
			return
		}
		answer, watch := c.answers[m.ID], c.watchers[m.Session]
		delete(c.answers, m.ID)
		c.mu.Unlock()
		if m.ID != 0 && answer != nil {
			answer <- m
		} else if m.ID == 0 && watch != nil {
			watch(m)
		}
	}
}

// call sends a command and waits for its result.
func (c *chromium) call(session, method string, params, result any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	if params == nil {
		raw = nil
	}
	answer := make(chan message, 1)
	c.mu.Lock()
	if c.gone != nil {
		defer c.mu.Unlock()
		return c.gone
	}
	c.sent++
	m := message{ID: c.sent, Session: session, Method: method, Params: raw}
	c.answers[m.ID] = answer
	data, err := json.Marshal(m)
	if err == nil {
		_, err = c.in.Write(append(data, 0))
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return c.gone
		case m.Error != nil:
			return fmt.Errorf("%s: %s %s", method, m.Error.Message, m.Error.Data)
		case result != nil:
			return json.Unmarshal(m.Result, result)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer in %v", method, patience)
	}
}

func (c *chromium) watch(session string, f func(message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers[session] = f
}

func (c *chromium) stop() {
	_ = c.call("", "Browser.close", nil, nil)
	done := make(chan struct{})
	go func() {
		_ = c.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = c.cmd.Process.Kill()
		<-done
	}
	_ = os.RemoveAll(c.profile)
}

// browserOf is the browser, or the end of the test.
func browserOf(t *testing.T) *chromium {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		missing(t, "needs chromium (Debian: chromium)")
	}
	c, err := theBrowser()
	require.NoError(t, err)
	return c
}
