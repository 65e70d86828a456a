package daemon_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// TestClosedBehindAnAnswer: who closes a connection that he believes to be idle does not cut off an answer, and does
// not wait for it either.
func TestClosedBehindAnAnswer(t *testing.T) {
	want := pattern(8 << 20)
	begin := func(t *testing.T) (server net.Conn, client *net.TCPConn, ended func() bool, written chan error) {
		server, client = pair(t, time.Minute, 0, nil)
		ended = daemon.Answering(server)
		written = make(chan error, 1)
		go func() {
			_, err := server.Write(want)
			written <- err
		}()
		time.Sleep(50 * time.Millisecond) // more than kernels take is being written
		began := time.Now()
		require.NoError(t, server.Close())
		require.Less(t, time.Since(began), 500*time.Millisecond)
		return server, client, ended, written
	}
	t.Run("the client takes it", func(t *testing.T) {
		server, client, ended, written := begin(t)
		got := make([]byte, len(want))
		_, err := io.ReadFull(client, got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got))
		require.NoError(t, <-written)
		require.True(t, ended(), "it is to be closed")
		require.NoError(t, server.Close())
		_, err = client.Read(got)
		require.ErrorIs(t, err, io.EOF)
	})
	t.Run("the client takes nothing", func(t *testing.T) {
		_, _, ended, written := begin(t)
		select {
		case err := <-written:
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		case <-time.After(10 * time.Second):
			require.Fail(t, "it waits for ever")
		}
		require.True(t, ended())
	})
	t.Run("closed again", func(t *testing.T) {
		server, _, ended, written := begin(t)
		require.NoError(t, server.Close())
		require.Error(t, <-written)
		require.True(t, ended())
	})
	t.Run("nothing to close", func(t *testing.T) {
		server, client := pair(t, time.Minute, 0, nil)
		ended := daemon.Answering(server)
		require.False(t, ended())
		require.NoError(t, server.Close())
		_, err := client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})
}
