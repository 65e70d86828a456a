package daemon_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// pair is a connection: the server's end under a pace, and the client's with a small buffer.
func pair(t *testing.T, idle time.Duration, least int64, cut func(string)) (server net.Conn, client *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	client = nc.(*net.TCPConn)
	require.NoError(t, client.SetReadBuffer(256<<10))
	in, err := ln.Accept()
	require.NoError(t, err)
	require.NoError(t, in.(*net.TCPConn).SetWriteBuffer(128<<10))
	if cut == nil {
		cut = func(why string) { t.Errorf("cut: %s", why) }
	}
	server = daemon.WrapConn(in.(*net.TCPConn), idle, least, cut)
	t.Cleanup(func() {
		server.Close()
		client.Close()
	})
	return server, client
}

// slowly reads everything, with a pause now and then, so that the writer is kept waiting.
func slowly(r io.Reader, pauses int, pause time.Duration) ([]byte, error) {
	var all bytes.Buffer
	buf := make([]byte, 32<<10)
	for i := 0; ; i++ {
		if i < pauses {
			time.Sleep(pause)
		}
		n, err := r.Read(buf)
		all.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return all.Bytes(), nil
		}
		if err != nil {
			return all.Bytes(), err
		}
	}
}

// notSendable is a file that the kernel will not send: the bytes are copied through the program.
type notSendable struct{ *os.File }

func (notSendable) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }

func TestEverySourceArrivesWhole(t *testing.T) {
	const size = 5<<20 + 123
	path := fileOf(t, size)
	want := pattern(size)
	open := func(t *testing.T) *os.File {
		f, err := os.Open(path)
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	for name, c := range map[string]struct {
		source func(t *testing.T) io.Reader
		from   int
		n      int64 // of the limit, 0: none
	}{
		"a file":            {func(t *testing.T) io.Reader { return open(t) }, 0, 0},
		"a file to a limit": {func(t *testing.T) io.Reader { return open(t) }, 0, 3<<20 + 5},
		"beyond its end":    {func(t *testing.T) io.Reader { return open(t) }, 0, size + 1000},
		"from the middle": {func(t *testing.T) io.Reader {
			f := open(t)
			_, err := f.Seek(1<<20+7, io.SeekStart)
			require.NoError(t, err)
			return f
		}, 1<<20 + 7, 2 << 20},
		"a file that is copied": {func(t *testing.T) io.Reader { return notSendable{open(t)} }, 0, 4 << 20},
		"memory":                {func(t *testing.T) io.Reader { return bytes.NewReader(want) }, 0, 3 << 20},
		"a reader alone":        {func(t *testing.T) io.Reader { return struct{ io.Reader }{open(t)} }, 0, 0},
		"a pipe": {func(t *testing.T) io.Reader {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			t.Cleanup(func() { r.Close() })
			go func() {
				_, _ = w.Write(want)
				w.Close()
			}()
			return r
		}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Looked at each 300 ms, while the kernels wait for as much to be read as takes longer: steps end in the middle.
			server, client := pair(t, 3600*time.Millisecond, 0, nil)
			src := c.source(t)
			lr := &io.LimitedReader{R: src, N: c.n}
			if c.n > 0 {
				src = lr
			}
			var sent int64
			var serr error
			done := make(chan struct{})
			go func() {
				defer close(done)
				sent, serr = server.(io.ReaderFrom).ReadFrom(src)
				server.Close()
			}()
			got, err := slowly(client, 25, 60*time.Millisecond)
			require.NoError(t, err)
			<-done
			require.NoError(t, serr)
			end := int64(size)
			if c.n > 0 {
				end = min(end, int64(c.from)+c.n)
				require.Equal(t, c.n-(end-int64(c.from)), lr.N, "what is left of the limit")
			}
			require.EqualValues(t, end-int64(c.from), sent)
			require.True(t, bytes.Equal(want[c.from:end], got), "%d bytes, want %d", len(got), end-int64(c.from))
		})
	}
}

func TestWritesArriveWhole(t *testing.T) {
	want := pattern(3 << 20)
	server, client := pair(t, 3600*time.Millisecond, 0, nil)
	go func() {
		defer server.Close()
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 700_001)
			if _, err := server.Write(rest[:n]); err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
	}()
	got, err := slowly(client, 25, 60*time.Millisecond)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got))
}

// A client that takes nothing is cut when its time is over, whatever is sent to it, and stays so.
func TestStalledClientIsCut(t *testing.T) {
	path := fileOf(t, 8<<20)
	for name, send := range map[string]func(net.Conn) error{
		"file": func(c net.Conn) error {
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			_, err = c.(io.ReaderFrom).ReadFrom(io.LimitReader(f, 8<<20))
			return err
		},
		"bytes": func(c net.Conn) error {
			_, err := c.Write(pattern(8 << 20))
			return err
		},
		"copied": func(c net.Conn) error {
			_, err := c.(io.ReaderFrom).ReadFrom(strings.NewReader(strings.Repeat("x", 8<<20)))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var why atomic.Value
			const idle = 600 * time.Millisecond
			server, client := pair(t, idle, 0, func(s string) { why.Store(s) })
			begun := time.Now()
			err := send(server)
			took := time.Since(begun)
			require.ErrorContains(t, err, "takes too little")
			require.Equal(t, "idle", why.Load())
			require.GreaterOrEqual(t, took, idle)
			require.Less(t, took, idle+5*time.Second)
			_, err = server.Write([]byte("more"))
			require.Error(t, err)
			_, err = server.(io.ReaderFrom).ReadFrom(strings.NewReader("more"))
			require.Error(t, err)
			require.NoError(t, server.Close())
			_, err = io.Copy(io.Discard, client)
			require.Error(t, err, "the rest is not delivered: a reset")
		})
	}
}

// A client that takes a little again and again, which kernels batch up, is cut too, and one that takes enough is not.
func TestTricklingClientIsCut(t *testing.T) {
	for name, c := range map[string]struct {
		each int // bytes each 10 ms
		want string
	}{
		"too little": {each: 20, want: "rate"},
		"enough":     {each: 32 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			var why atomic.Value
			why.Store("")
			const idle = 2 * time.Second
			server, client := pair(t, idle, 60<<10, func(s string) { why.Store(s) })
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = server.Write(pattern(8 << 20))
				_ = server.Close()
			}()
			buf := make([]byte, c.each)
			for reading := true; reading; {
				select {
				case <-done:
					reading = false
				case <-time.After(10 * time.Millisecond):
					_, err := io.ReadFull(client, buf)
					reading = err == nil
				}
			}
			<-done
			if c.want == "" {
				require.Empty(t, why.Load())
				return
			}
			// Such a trickle does not even open the window again: it may count as nothing at all.
			require.NotEmpty(t, why.Load())
		})
	}
}

// The server's own deadlines hold beside the pace.
func TestServersDeadline(t *testing.T) {
	server, _ := pair(t, time.Minute, 0, nil)
	require.NoError(t, server.SetDeadline(time.Now().Add(50*time.Millisecond)))
	begun := time.Now()
	_, err := server.Write(make([]byte, 8<<20))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Less(t, time.Since(begun), 5*time.Second)
	_, err = server.Read(make([]byte, 2))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)

	// A deadline in the past ends a write that waits.
	require.NoError(t, server.SetWriteDeadline(time.Time{}))
	go func() {
		time.Sleep(50 * time.Millisecond)
		_ = server.SetWriteDeadline(time.Now().Add(-time.Second))
	}()
	_, err = server.Write(make([]byte, 8<<20))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)

	// And one that is taken back does not.
	require.NoError(t, server.SetWriteDeadline(time.Now().Add(time.Hour)))
	require.NoError(t, server.SetWriteDeadline(time.Time{}))
}

func TestWriteToClientThatLeft(t *testing.T) {
	server, client := pair(t, time.Minute, 0, nil)
	require.NoError(t, client.Close())
	path := fileOf(t, 8<<20)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	_, err = server.(io.ReaderFrom).ReadFrom(f)
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, server.Close())
	require.Error(t, server.Close(), "twice")
	_, err = server.(io.ReaderFrom).ReadFrom(f)
	require.Error(t, err)
}
