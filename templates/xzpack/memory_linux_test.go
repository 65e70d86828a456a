package xzpack_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

var fullMemory = flag.Bool("memory.full", false, "TestPackMemory packs all that takes much memory at all levels, which takes ten minutes")

// What packing may take at its peak, in MiB: for each worker, and for the rest, which is the program itself and the block
// that is read meanwhile.
var workerMemory = map[xzpack.Level]int{xzpack.Best: 350, xzpack.Balanced: 350, xzpack.Fast: 120}

const (
	memoryWorkers = 2
	restMemory    = 40
	memoryBlock   = xzpack.DefaultBlockSize
)

// symbols is n bytes that are one of few.
func symbols(seed uint64, n int, few string) []byte {
	rnd := rand.New(rand.NewPCG(seed, 5))
	p := make([]byte, n)
	for i := range p {
		p[i] = few[rnd.IntN(len(few))]
	}
	return p
}

// records is n bytes of which all but each eighth are zeros.
func records(seed uint64, n int) []byte {
	p := symbols(seed, n, "abcdefghijklmnopqrstuvwxyz")
	for i := range p {
		if i%8 != 7 {
			p[i] = 0
		}
	}
	return p
}

// memoryCases are images of some blocks. The first is quick to pack.
var memoryCases = []struct {
	name   string
	blocks []func(seed uint64, n int) []byte
}{
	{"noise", same(noise)},
	{"words", same(prose)},
	{"mixed", same(image)},
	{"two symbols", same(func(seed uint64, n int) []byte { return symbols(seed, n, "ab") })},
	{"sixteen symbols", same(func(seed uint64, n int) []byte { return symbols(seed, n, "0123456789abcdef") })},
	{"few of one symbol", same(func(seed uint64, n int) []byte { return symbols(seed, n, "aaaaaaab") })},
	{"records", same(records)},
	// Each needs more of something than those before.
	{"more and more", []func(uint64, int) []byte{
		noise, noise, func(seed uint64, n int) []byte { return append(prose(seed, n/4), noise(seed, n-n/4)...) }, image, records, prose, prose,
		func(seed uint64, n int) []byte { return symbols(seed, n, "ab") },
	}},
}

func same(f func(uint64, int) []byte) []func(uint64, int) []byte {
	return []func(uint64, int) []byte{f, f, f, f}
}

// TestPackMemory packs what takes much memory, each time in a process of its own, and looks at that one's peak.
func TestPackMemory(t *testing.T) {
	if raced {
		t.Skip("the race detector takes more memory than we do")
	}
	cases, levels := memoryCases, matrixLevels
	if !*fullMemory {
		cases, levels = cases[:1], []xzpack.Level{xzpack.Fast}
	}
	for _, tc := range cases {
		path := filepath.Join(t.TempDir(), "image")
		f, err := os.Create(path)
		require.NoError(t, err)
		for i, make := range tc.blocks {
			_, err := f.Write(make(uint64(i), memoryBlock))
			require.NoError(t, err)
		}
		require.NoError(t, f.Close())
		for _, level := range levels {
			t.Run(tc.name+"/"+level.String(), func(t *testing.T) {
				peak := peakOf(t, "TestPackForMemory", "XZPACK_MEMORY_OF="+path, "XZPACK_MEMORY_LEVEL="+level.String())
				t.Logf("%-20s %-9s %4d MiB, %4d a worker", tc.name, level, peak, (peak-restMemory)/memoryWorkers)
				require.LessOrEqual(t, (peak-restMemory)/memoryWorkers, workerMemory[level])
			})
		}
	}
}

// peakOf runs a test of this program in a process of its own, which ends with tellPeak, and returns its peak in MiB.
func peakOf(t *testing.T, test string, env ...string) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	peak, err := strconv.Atoi(string(out[:max(0, bytes.IndexByte(out, '\n'))]))
	require.NoError(t, err, "%s", out)
	return peak
}

// tellPeak prints the peak of this process in MiB.
func tellPeak(t *testing.T) {
	t.Helper()
	// Not what getrusage knows: that counts what the parent had when it started this process, too.
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, peak, ok := bytes.Cut(status, []byte("VmHWM:"))
	require.True(t, ok)
	var kib int
	_, err = fmt.Sscan(string(peak), &kib)
	require.NoError(t, err)
	fmt.Println(kib >> 10)
}

// TestPackForMemory is the process that TestPackMemory looks at.
func TestPackForMemory(t *testing.T) {
	path := os.Getenv("XZPACK_MEMORY_OF")
	if path == "" {
		t.Skip("for TestPackMemory alone")
	}
	level, err := xzpack.ParseLevel(os.Getenv("XZPACK_MEMORY_LEVEL"))
	require.NoError(t, err)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	_, err = xzpack.Pack(context.Background(), io.Discard, f, info.Size(), xzpack.PackOptions{Level: level, Jobs: memoryWorkers})
	require.NoError(t, err)
	tellPeak(t)
}
