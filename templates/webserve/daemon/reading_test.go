package daemon_test

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReadDeadline: the one that is wanted when the client is waited for counts, whatever was wanted before, and one
// that is set while somebody waits counts at once.
func TestReadDeadline(t *testing.T) {
	server, client := pair(t, time.Minute, 0, nil)
	buf := make([]byte, 100)
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	waits := func(least time.Duration) {
		t.Helper()
		began := time.Now()
		n, err := server.Read(buf)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Zero(t, n)
		require.GreaterOrEqual(t, time.Since(began), least-5*time.Millisecond)
		require.Less(t, time.Since(began), 5*time.Second)
	}

	require.NoError(t, server.SetReadDeadline(in(50*time.Millisecond)))
	waits(50 * time.Millisecond)
	waits(0) // it is still over
	// An earlier one is in force, which must not end this.
	require.NoError(t, server.SetReadDeadline(in(200*time.Millisecond)))
	waits(200 * time.Millisecond)
	// A later one is in force.
	require.NoError(t, server.SetReadDeadline(in(time.Hour)))
	_, err := client.Write([]byte("x"))
	require.NoError(t, err)
	n, err := server.Read(buf)
	require.NoError(t, err)
	require.Equal(t, "x", string(buf[:n]))
	require.NoError(t, server.SetReadDeadline(in(30*time.Millisecond)))
	waits(30 * time.Millisecond)

	// None: the one that has passed must not end this.
	require.NoError(t, server.SetReadDeadline(time.Time{}))
	time.AfterFunc(100*time.Millisecond, func() { _, _ = client.Write([]byte("late")) })
	n, err = server.Read(buf)
	require.NoError(t, err)
	require.Equal(t, "late", string(buf[:n]))

	// While somebody waits.
	time.AfterFunc(50*time.Millisecond, func() { _ = server.SetReadDeadline(time.Unix(1, 0)) })
	waits(50 * time.Millisecond)
	require.NoError(t, server.SetReadDeadline(time.Time{}))
	require.NoError(t, client.Close())
	_, err = server.Read(buf)
	require.ErrorIs(t, err, io.EOF)
}

// TestReadAhead: who asks for one byte learns that nothing has come, and gets it when he asks again.
func TestReadAhead(t *testing.T) {
	server, client := pair(t, time.Minute, 0, nil)
	_, err := client.Write([]byte("abcdef"))
	require.NoError(t, err)
	one, two := make([]byte, 1), make([]byte, 2)
	read := func(p []byte) string {
		t.Helper()
		n, err := server.Read(p)
		require.NoError(t, err)
		return string(p[:n])
	}
	require.Empty(t, read(one))
	require.Equal(t, "a", read(one))
	require.Equal(t, "b", read(one))
	require.Equal(t, "cd", read(two))
	require.Empty(t, read(one))
	require.Equal(t, "ef", read(two))
}
