//go:build unix

package measure_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

func sh(name, script string) measure.Command {
	return measure.Command{Name: name, Args: []string{"/bin/sh", "-c", script}}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := sh("a file", "head -c 1000 /dev/zero > made; echo made >> log")
	file.Dir, file.Made = dir, filepath.Join(dir, "made")
	kept := sh("output", "echo 12345; echo output >> log")
	kept.Dir, kept.Stdout, kept.Keep = dir, filepath.Join(dir, "out"), true
	work := sh("work", "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo work >> log")
	work.Dir, work.Once = dir, true
	var told []string
	results, err := measure.Run(t.Context(), []measure.Command{file, kept, work}, 2, func(_ int, name string) { told = append(told, name) })
	require.NoError(t, err)
	require.Equal(t, []string{"a file", "output", "work", "a file", "output"}, told)
	ran, err := os.ReadFile(filepath.Join(dir, "log"))
	require.NoError(t, err)
	require.Equal(t, "made\noutput\nwork\nmade\noutput\n", string(ran), "in turn")

	require.Len(t, results, 3)
	require.EqualValues(t, 1000, results[0].Size)
	require.NoFileExists(t, file.Made)
	require.EqualValues(t, 6, results[1].Size)
	require.FileExists(t, kept.Stdout)
	require.Positive(t, results[2].CPU)
	require.Positive(t, results[2].Memory)
	require.GreaterOrEqual(t, results[2].Wall, results[2].CPU/2)
}

func TestFailure(t *testing.T) {
	c := sh("a failure", "echo > made; echo no good >&2; exit 3")
	c.Dir = t.TempDir()
	c.Made = filepath.Join(c.Dir, "made")
	_, err := measure.Run(t.Context(), []measure.Command{c}, 1, nil)
	require.ErrorContains(t, err, "no good")
	require.ErrorContains(t, err, "exit status 3")
	require.NoFileExists(t, c.Made)

	lazy := sh("makes nothing", "true")
	lazy.Made = c.Made
	_, err = measure.Run(t.Context(), []measure.Command{lazy}, 1, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestCancelled(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	begin := time.Now()
	_, err := measure.Run(ctx, []measure.Command{sh("long", "exec sleep 60")}, 1, func(int, string) {
		time.AfterFunc(50*time.Millisecond, func() { cancel(stop) })
	})
	require.ErrorIs(t, err, stop)
	require.Less(t, time.Since(begin), 10*time.Second)
	_, err = measure.Run(ctx, []measure.Command{sh("never", "true")}, 1, nil)
	require.ErrorIs(t, err, stop)
}

func TestMachine(t *testing.T) {
	m := measure.ThisMachine(t.Context())
	require.Positive(t, m.Cores)
	require.Contains(t, m.String(), m.Go)
	require.NotContains(t, m.String(), "\n")
}

func TestTable(t *testing.T) {
	results := []measure.Result{
		{Name: "xz | cat", Cost: measure.Cost{Wall: 2 * time.Second, CPU: 4 * time.Second, Memory: 3 << 20, Size: 1000}},
		{Name: "ours", Cost: measure.Cost{Wall: time.Second, CPU: 3 * time.Second, Memory: 6 << 20, Size: 990}},
	}
	var out strings.Builder
	require.NoError(t, measure.Table(&out, results, 50e6, "xz | cat"))
	require.Equal(t, strings.TrimPrefix(`
| command   | wall, s | CPU, s | MB/s | peak memory, MiB | size, bytes | wall ratio | CPU ratio | size ratio |
| --------- | ------: | -----: | ---: | ---------------: | ----------: | ---------: | --------: | ---------: |
| xz \| cat |    2.00 |   4.00 |   25 |                3 |        1000 |       1.00 |      1.00 |     1.0000 |
| ours      |    1.00 |   3.00 |   50 |                6 |         990 |       0.50 |      0.75 |     0.9900 |
`, "\n"), out.String())

	out.Reset()
	results[0].Size, results[1].Size, results[0].Memory, results[1].Memory = 0, 0, 0, 0
	require.NoError(t, measure.Table(&out, results, 5e6, "gone"))
	require.Equal(t, strings.TrimPrefix(`
| command   | wall, s | CPU, s | MB/s |
| --------- | ------: | -----: | ---: |
| xz \| cat |    2.00 |   4.00 |  2.5 |
| ours      |    1.00 |   3.00 |  5.0 |
`, "\n"), out.String())
}
