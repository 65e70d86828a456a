package daemon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

const plain = "GET /repo/index HTTP/1.1\r\nHost: a\r\n\r\n"

func TestIsHeader(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		plain:                                   true,
		"GET / HTTP/1.1":                        false,
		"":                                      false,
		"\r\n\r\n":                              true, // net/http refuses it and closes
		plain + plain:                           false,
		plain + "x":                             false,
		plain[1:]:                               true, // also refused
		"\r\n" + plain:                          true, // the same
		"\r\n\r\n" + plain:                      false,
		strings.ReplaceAll(plain, "\r\n", "\n"): false,
		"GET / HTTP/1.1\nHost: a\n\nGET /b HTTP/1.1\r\n\r\n":     false,
		"GET / HTTP/1.1\r\nHost: a\r\n\nGET /b HTTP/1.1\r\n\r\n": false,
		"GET / HTTP/1.1\r\nX: \r\n\r\n":                          true,
	} {
		require.Equal(t, want, daemon.IsHeader([]byte(in)), "%q", in)
	}
}

// TestFollow: a request is known only where nothing that came before leaves a doubt about where it begins.
func TestFollow(t *testing.T) {
	t.Parallel()
	const idle = "idle"
	for _, c := range []struct {
		name        string
		calls       []string
		first, asks bool // at the end: whether the next read begins a request; whether the last one is remembered
	}{
		{"the first request", []string{plain}, false, false},
		{"before the second one", []string{plain, idle}, true, false},
		{"the second one", []string{plain, idle, plain}, false, true},
		{"before the third one", []string{plain, idle, plain, idle}, true, false},
		{"a body", []string{plain, "body", idle}, false, false},
		{"a body of one byte", []string{plain, "b", idle}, false, false},
		{"a body that looks like a request", []string{plain, plain, idle}, false, false},
		{"in two parts", []string{plain[:9], plain[9:], idle}, false, false},
		{"the second one in two parts", []string{plain, idle, plain[:9], plain[9:], idle}, false, false},
		{"two at once", []string{plain + plain, idle}, false, false},
		{"two at once, with ends of lines that differ", []string{strings.ReplaceAll(plain, "\r", "") + plain, idle}, false, false},
		{"never again", []string{plain + plain, idle, plain, idle, plain, idle}, false, false},
		{"one and a half", []string{plain, idle, plain + plain[:7], plain[7:], idle}, false, false},
		{"too large to be remembered", []string{plain, idle, plain[:len(plain)-2] + "X: " + strings.Repeat("x", 1<<10) + "\r\n\r\n"}, false, false},
		{"and behind that", []string{plain, idle, plain[:len(plain)-2] + "X: " + strings.Repeat("x", 1<<10) + "\r\n\r\n", idle}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var f daemon.Follow
			for _, call := range c.calls {
				if call == idle {
					f.Idle()
				} else {
					f.Passed(call)
				}
			}
			require.Equal(t, c.first, f.First())
			if c.asks {
				require.Equal(t, c.calls[len(c.calls)-1], f.Asked())
			} else {
				require.Empty(t, f.Asked())
			}
		})
	}
}
