//go:build unix

package publish_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

// contend publishes rounds sets into a tree that others publish into at the same time. A counter that every
// set raises shows lost updates.
func contend(dir, who string, rounds int) error {
	for round := range rounds {
		if err := raise(dir, fmt.Sprintf("%s-%d", who, round)); err != nil {
			return err
		}
	}
	return nil
}

func raise(dir, name string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	opt := replacing()
	opt.Wait = true
	d, err := publish.Open(ctx, dir, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	n := 0
	if text, err := d.Root().ReadFile("counter"); err == nil {
		if n, err = strconv.Atoi(string(text)); err != nil {
			return err
		}
	}
	return put(ctx, d, []file{{"by/" + name, name}, {"counter", strconv.Itoa(n + 1)}})
}

func TestContendingPublishers(t *testing.T) {
	const goroutines, processes, rounds = 6, 4, 5
	dir := filepath.Join(t.TempDir(), "tree") // made by whoever comes first
	var group sync.WaitGroup
	failures := make([]error, goroutines+processes)
	for i := range goroutines {
		group.Go(func() { failures[i] = contend(dir, fmt.Sprintf("goroutine%d", i), rounds) })
	}
	for i := range processes {
		cmd := publisher(t, "contend", dir, fmt.Sprintf("process%d", i))
		group.Go(func() { failures[goroutines+i] = cmd.Run() })
	}
	group.Wait()
	require.NoError(t, errors.Join(failures...))
	got := tree(t, dir)
	total := (goroutines + processes) * rounds
	require.Equal(t, strconv.Itoa(total), got["counter"])
	require.Len(t, got, total+2, "the counter, the directory and a file for each round: %v", got)
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	d, err := publish.Open(context.Background(), dir, small)
	require.NoError(t, err)

	_, err = publish.Open(context.Background(), dir, small)
	require.ErrorIs(t, err, publish.ErrLocked)
	var locked *publish.LockedError
	require.ErrorAs(t, err, &locked)
	host, hostErr := os.Hostname()
	require.NoError(t, hostErr)
	require.Equal(t, publish.LockedError{Dir: dir, PID: os.Getpid(), Host: host}, *locked)
	require.ErrorContains(t, err, fmt.Sprintf("pid %d", os.Getpid()))

	waiting := small
	waiting.Wait = true
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	_, err = publish.Open(ctx, dir, waiting)
	require.ErrorIs(t, err, cause)

	time.AfterFunc(50*time.Millisecond, func() { d.Close() })
	second, err := publish.Open(context.Background(), dir, waiting)
	require.NoError(t, err)
	require.NoError(t, second.Close())
	require.Empty(t, tree(t, dir))
}

func TestLockOfDeadProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := publisher(t, "hold", dir, "")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "held\n", line)

	_, err = publish.Open(context.Background(), dir, small)
	var locked *publish.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, cmd.Process.Pid, locked.PID)

	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	d, err := publish.Open(context.Background(), dir, small)
	require.NoError(t, err, "the kernel drops the lock of a process that died")
	require.NoError(t, d.Close())
	require.Empty(t, tree(t, dir))
}

func TestLockHolderUnknown(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, small)
	require.NotNil(t, d)
	for _, text := range []string{"", "garbage", `{"pid":-1}`, `{"pid":1,"host":"\u001b[31m"}`} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".tplkit", "lock"), []byte(text), 0o644))
		_, err := publish.Open(context.Background(), dir, small)
		require.ErrorIs(t, err, publish.ErrLocked)
		require.NotContains(t, err.Error(), "\x1b")
	}
}

// Sets of one Dir are filled at the same time and come out one after the other.
func TestSetsInParallel(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, small)
	var group sync.WaitGroup
	failures := make([]error, 20)
	for i := range failures {
		group.Go(func() {
			name := strconv.Itoa(i)
			failures[i] = put(context.Background(), d, []file{{"repo/" + name, name}, {"hash/" + name, name}})
		})
	}
	// All of these want one name, and one gets it.
	same := make([]error, 10)
	for i := range same {
		group.Go(func() { same[i] = put(context.Background(), d, []file{{"same", strconv.Itoa(i)}}) })
	}
	group.Wait()
	require.NoError(t, errors.Join(failures...))
	won := 0
	for i, err := range same {
		if err == nil {
			won++
			require.Equal(t, strconv.Itoa(i), tree(t, dir)["same"])
		} else {
			require.ErrorIs(t, err, publish.ErrExists)
		}
	}
	require.Equal(t, 1, won)
	for i := range failures {
		name := strconv.Itoa(i)
		require.Equal(t, name, tree(t, dir)["repo/"+name])
	}
}
