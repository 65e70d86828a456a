package daemon_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", host(url))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(15*time.Second)))
	return c
}

// dialFrom connects from an address of this machine.
func dialFrom(t *testing.T, url, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", host(url))
	if err != nil {
		t.Skipf("this machine cannot connect from %s: %v", from, err)
	}
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(15*time.Second)))
	return c
}

const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// ask sends a request over an open connection, which stays open.
func ask(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
	status, body := readResponse(t, c)
	require.Equal(t, http.StatusOK, status)
	return strings.TrimSpace(body)
}

// proxied is a policy that lets 127.0.0.1 speak for others by the PROXY protocol.
func proxied(trusted ...netip.Prefix) func() *acl.Policy {
	p := acl.Default()
	p.ProxyProtocol = acl.NewSet(netip.MustParsePrefix("127.0.0.1/32"))
	p.TrustedProxies = acl.NewSet(trusted...)
	return func() *acl.Policy { return p }
}

func TestConnectionsInAll(t *testing.T) {
	s := start(t, whoAsks, daemon.Options{MaxConns: 3})
	var open []net.Conn
	for range 3 {
		c := dial(t, s.url)
		ask(t, c, request)
		open = append(open, c)
	}
	if c, err := net.Dial("tcp", host(s.url)); err == nil { // a reset can be there before the connection is
		defer c.Close()
		refusedReset(t, c)
	}
	s.figure(t, `tplkit_connections_refused_total{reason="total"}`, "1")
	s.figure(t, "tplkit_connections_open", "3")
	require.NoError(t, open[0].Close())
	s.figure(t, "tplkit_connections_open", "2")
	ask(t, dial(t, s.url), request)
	s.figure(t, "tplkit_connections_accepted_total", "4")
}

// refusedReset says that the connection was reset or closed before an answer.
func refusedReset(t *testing.T, c net.Conn) {
	t.Helper()
	_, _ = io.WriteString(c, request)
	b, err := io.ReadAll(c)
	require.Empty(t, b)
	if err != nil {
		require.NotContains(t, err.Error(), "timeout")
	}
}

func TestConnectionsOfAClient(t *testing.T) {
	s := start(t, whoAsks, daemon.Options{MaxConnsPerClient: 2, Policy: proxied(netip.MustParsePrefix("203.0.113.9/32"))})
	from := func(addr string) net.Conn {
		c := dial(t, s.url)
		family := "TCP4"
		if strings.Contains(addr, ":") {
			family = "TCP6"
		}
		_, err := fmt.Fprintf(c, "PROXY %s %s %s 1 2\r\n", family, addr, addr)
		require.NoError(t, err)
		return c
	}
	for range 2 {
		ask(t, from("192.0.2.1"), request)
		ask(t, from("2001:db8::1"), request)
	}
	refusedReset(t, from("192.0.2.1"))
	refusedReset(t, from("2001:db8::ffff"))
	s.figure(t, `tplkit_connections_refused_total{reason="client"}`, "2")
	ask(t, from("192.0.2.2"), request)
	ask(t, from("2001:db8:0:1::1"), request)
	// A proxy that is trusted comes for many, and so does one that speaks for itself.
	for range 5 {
		ask(t, from("203.0.113.9"), request)
		c := dial(t, s.url)
		_, err := io.WriteString(c, "PROXY UNKNOWN\r\n")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(ask(t, c, request), "127.0.0.1:"))
	}
}

func TestProxyProtocol(t *testing.T) {
	const limit = 200 * time.Millisecond
	s := start(t, whoAsks, daemon.Options{Policy: proxied(), ProxyTimeout: limit})
	bad := 0
	for name, c := range goodProxy {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, s.url)
			got := ask(t, conn, c.header+request)
			if c.client != "" {
				require.Equal(t, c.client, got)
			} else {
				require.Equal(t, conn.LocalAddr().String(), got, "the peer itself")
			}
		})
	}
	for name, c := range badProxy {
		bad++
		t.Run(name, func(t *testing.T) {
			conn := dial(t, s.url)
			_, err := io.WriteString(conn, c.header+strings.Repeat(" ", daemon.ProxyV2Max))
			require.NoError(t, err)
			refusedReset(t, conn)
		})
	}
	s.figure(t, `tplkit_connections_refused_total{reason="proxy-header"}`, fmt.Sprint(bad))

	t.Run("byte by byte", func(t *testing.T) {
		for _, header := range []string{goodProxy["v1 IPv4"].header, goodProxy["v2 IPv4"].header} {
			conn := dial(t, s.url)
			for i := range header {
				_, err := conn.Write([]byte{header[i]})
				require.NoError(t, err)
			}
			require.Equal(t, "192.0.2.1:40000", ask(t, conn, request))
			// The next request is still the same client's.
			require.Equal(t, "192.0.2.1:40000", ask(t, conn, request))
		}
	})
	t.Run("slow and missing", func(t *testing.T) {
		for _, head := range []string{"", "PROXY TCP4 192", daemon.ProxyV2Sig[:7]} {
			conn := dial(t, s.url)
			_, err := io.WriteString(conn, head)
			require.NoError(t, err)
			begun := time.Now()
			_, err = io.ReadAll(conn)
			if err != nil {
				require.NotContains(t, err.Error(), "timeout")
			}
			require.Less(t, time.Since(begun), 20*limit)
		}
	})
	t.Run("closed in the middle", func(t *testing.T) {
		conn := dial(t, s.url)
		_, err := io.WriteString(conn, "PROXY TCP4 192")
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		b, _ := io.ReadAll(conn)
		require.Empty(t, b)
	})
	t.Run("repeated", func(t *testing.T) {
		for _, first := range []string{goodProxy["v1 IPv4"].header, goodProxy["v2 IPv4"].header} {
			for _, second := range []string{goodProxy["v1 IPv6"].header, goodProxy["v2 IPv6"].header} {
				requireBadRequest(t, dial(t, s.url), first+second+request)
			}
		}
	})
	t.Run("from others", func(t *testing.T) {
		for name, c := range goodProxy {
			conn := dialFrom(t, s.url, "127.0.0.9")
			if strings.HasPrefix(name, "v1 unknown") || c.client != "" || strings.HasPrefix(name, "v2") {
				requireBadRequest(t, conn, c.header+request)
			}
		}
		require.True(t, strings.HasPrefix(ask(t, dialFrom(t, s.url, "127.0.0.9"), request), "127.0.0.9:"))
	})
}

// requireBadRequest says that what was sent was no request and nothing of it was believed.
func requireBadRequest(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
	b, _ := io.ReadAll(c)
	if len(b) > 0 { // a reset can overtake the answer
		require.Contains(t, string(b), "HTTP/1.1 400 ")
		require.NotContains(t, string(b), " 200 ")
	}
}

// Headers that come a byte at a time, or never, or without end.
func TestSlowHeaders(t *testing.T) {
	const limit = 300 * time.Millisecond
	s := start(t, whoAsks, daemon.Options{HeaderTimeout: limit, KeepAlive: limit})
	for name, send := range map[string]func(c net.Conn){
		"nothing": func(net.Conn) {},
		"half":    func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n") },
		"byte by byte": func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "X"); err != nil {
					return
				}
				time.Sleep(limit / 10)
			}
		},
		"body never": func(c net.Conn) {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12")
		},
		"body slow": func(c net.Conn) {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
			for {
				if _, err := io.WriteString(c, "1\r\nx\r\n"); err != nil {
					return
				}
				time.Sleep(limit / 10)
			}
		},
		"idle behind a request": func(c net.Conn) { _, _ = io.WriteString(c, request) },
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, s.url)
			go send(c)
			begun := time.Now()
			_, err := io.Copy(io.Discard, c)
			if err != nil {
				require.NotContains(t, err.Error(), "timeout")
			}
			require.Less(t, time.Since(begun), 10*limit)
		})
	}
	t.Run("too large", func(t *testing.T) {
		c := dial(t, s.url)
		go func() {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n")
		}()
		b, _ := io.ReadAll(c)
		require.Contains(t, string(b), " 431 ")
	})
	s.figure(t, "tplkit_connections_open", "0")
}
