package xzpack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/internal/sparse"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// packed packs content in blocks of 4 KiB and opens the result.
func packed(t *testing.T, content []byte, opt OpenOptions) *ReaderAt {
	t.Helper()
	var out bytes.Buffer
	_, err := Pack(context.Background(), &out, bytes.NewReader(content), int64(len(content)), PackOptions{BlockSize: 4096})
	require.NoError(t, err)
	r, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()), opt)
	require.NoError(t, err)
	return r
}

// codecFunc is a codec made for a test.
type codecFunc func(ctx context.Context, dst, block []byte, spare bool) ([]byte, error)

func (f codecFunc) Encode(ctx context.Context, dst, block []byte, spare bool) ([]byte, error) {
	return f(ctx, dst, block, spare)
}

func (codecFunc) SetThreads(int) {}

func TestPanickingWorkerIsAnError(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, jobs := range []int{1, 4} {
		p, err := newPacker(io.Discard, 100_000, PackOptions{BlockSize: 4096, Jobs: jobs, Content: io.Discard})
		require.NoError(t, err)
		var n atomic.Int64
		for range jobs {
			p.encoders.free = append(p.encoders.free, codecFunc(func(ctx context.Context, dst, block []byte, spare bool) ([]byte, error) {
				if n.Add(1) == 5 {
					panic("index out of range")
				}
				return lzma2.NewEncoder(lzma2.Least).Encode(ctx, dst, block, spare)
			}))
		}
		_, err = p.pack(context.Background(), &streamSource{r: bytes.NewReader(bytes.Repeat([]byte("x"), 100_000))})
		require.ErrorContains(t, err, "panic: index out of range")
	}
	NoMoreGoroutines(t, before)
}

// TestNoMoreBlocksThanWorkersAndOne holds the first block back and counts what is read meanwhile.
func TestNoMoreBlocksThanWorkersAndOne(t *testing.T) {
	const jobs = 3
	synctest.Test(t, func(t *testing.T) {
		p, err := newPacker(io.Discard, -1, PackOptions{BlockSize: 4096, Jobs: jobs})
		require.NoError(t, err)
		release := make(chan struct{})
		first := true
		p.opt.Progress = func(Progress) {}
		var read atomic.Int64
		p.meter.report = func(Progress) {
			if first {
				first = false
				<-release
			}
		}
		src := readerFunc(func(b []byte) (int, error) {
			if read.Load() >= 50*4096 {
				return 0, io.EOF
			}
			b[0] = 1
			read.Add(int64(len(b)))
			return len(b), nil
		})
		done := make(chan error)
		go func() { _, err := p.pack(t.Context(), &streamSource{r: src}); done <- err }()
		synctest.Wait()
		require.Equal(t, int64((jobs+1)*4096), read.Load())
		close(release)
		require.NoError(t, <-done)
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// countingFile is a file that counts what is read of it.
type countingFile struct {
	*os.File
	read int64
}

func (f *countingFile) ReadAt(p []byte, off int64) (int, error) {
	f.read += int64(len(p))
	return f.File.ReadAt(p, off)
}

func TestHolesAreNotRead(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "holey"))
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Truncate(64<<20))
	_, err = f.WriteAt([]byte("here"), 33<<20)
	require.NoError(t, err)
	for e := range sparse.Data(f, 64<<20) {
		if e.Len == 64<<20 {
			t.Skip("this file system does not report holes")
		}
	}
	p, err := newPacker(io.Discard, 64<<20, PackOptions{BlockSize: 1 << 20})
	require.NoError(t, err)
	src := &fileSource{r: &countingFile{File: f}, size: 64 << 20}
	res, err := p.pack(context.Background(), src)
	require.NoError(t, err)
	require.Equal(t, 64, res.Blocks)
	require.Equal(t, 63, res.ZeroBlocks)
	require.LessOrEqual(t, src.r.(*countingFile).read, int64(64<<10))
}

func TestRandomReadsCostADecodeEach(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 64<<10/16)
	r := packed(t, content, OpenOptions{})
	rnd := rand.New(rand.NewPCG(1, 1))
	p := make([]byte, 512)
	for range 1000 {
		off := rnd.Int64N(r.Size()/512) * 512
		_, err := r.ReadAt(p, off)
		require.NoError(t, err)
		require.Equal(t, content[off:off+512], p)
	}
	require.LessOrEqual(t, r.decoder.decoded.Load(), int64(1000))
	require.Greater(t, r.decoder.decoded.Load(), int64(100), "the cache is small")
	n := r.decoder.decoded.Load()
	for range 100 {
		_, err := r.ReadAt(p, 4096)
		require.NoError(t, err)
	}
	require.LessOrEqual(t, r.decoder.decoded.Load(), n+1)
}

func TestOneDecodeForManyCallers(t *testing.T) {
	r := packed(t, bytes.Repeat([]byte("x"), 4096), OpenOptions{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			p := make([]byte, 4096)
			if _, err := r.ReadAt(p, 0); err != nil || p[4095] != 'x' {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(1), r.decoder.decoded.Load())
}

func TestZerosAreDecodedOnce(t *testing.T) {
	r := packed(t, make([]byte, 100*4096), OpenOptions{})
	require.NoError(t, r.Copy(context.Background(), io.Discard, UnpackOptions{Jobs: 1}))
	require.Equal(t, int64(1), r.decoder.decoded.Load())
}

func TestMemoryBoundsWorkersAndCache(t *testing.T) {
	content := bytes.Repeat([]byte("x"), 64<<10)
	for _, tc := range []struct {
		memory     int64
		jobs, keep int
	}{
		{0, 9, 4}, {1, 1, 1}, {30_000, 6, 3},
	} {
		r := packed(t, content, OpenOptions{Limits: Limits{Memory: tc.memory}})
		jobs, err := r.workers(9)
		require.NoError(t, err)
		require.Equal(t, tc.jobs, jobs, "memory %d", tc.memory)
		require.Equal(t, tc.keep, r.cache.keep, "memory %d", tc.memory)
	}
}

func TestZeroMemo(t *testing.T) {
	var m zeroMemo
	ctx := context.Background()
	calls := 0
	pack := func() (packedBlock, error) { calls++; return packedBlock{bytes: []byte{1}}, nil }
	for range 3 {
		_, err := m.get(ctx, zeroKey{size: 1}, pack)
		require.NoError(t, err)
	}
	require.Equal(t, 1, calls)

	for size := range 2 * maxZeroBlocks {
		_, err := m.get(ctx, zeroKey{size: size}, pack)
		require.NoError(t, err)
	}
	require.Len(t, m.entries, maxZeroBlocks)
	require.Len(t, m.order, maxZeroBlocks)

	failed := errors.New("failed")
	_, err := m.get(ctx, zeroKey{size: -1}, func() (packedBlock, error) { return packedBlock{}, failed })
	require.ErrorIs(t, err, failed)
	_, err = m.get(ctx, zeroKey{size: -1}, pack)
	require.NoError(t, err, "a failure is not remembered")

	cancelled, cancel := context.WithCancel(ctx)
	_, err = m.get(ctx, zeroKey{size: -2}, func() (packedBlock, error) {
		cancel()
		_, err := m.get(cancelled, zeroKey{size: -2}, pack)
		return packedBlock{}, err
	})
	require.ErrorIs(t, err, context.Canceled, "waiting for another caller ends with the context")
}
