package xzpack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// blocksOf packs content in blocks of the given sizes, each with its sizes in the header.
func blocksOf(t *testing.T, content []byte, sizes ...int) []byte {
	t.Helper()
	file := container.AppendStreamHeader(nil, check)
	var records []container.Record
	p, err := newPacker(nil, -1, PackOptions{})
	require.NoError(t, err)
	for _, n := range sizes {
		b, err := p.packBlock(t.Context(), nil, content[:n:n], container.DictFor(int64(n)))
		require.NoError(t, err)
		content = content[n:]
		file, records = append(file, b.bytes...), append(records, b.record)
	}
	index := container.AppendIndex(nil, records)
	return container.AppendStreamFooter(append(file, index...), check, int64(len(index)))
}

func noiseOf(n int) []byte {
	rnd := rand.New(rand.NewPCG(3, 3))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

// TestBlocksAreDecodedBesideEachOther holds all decoders back and counts them, and what is read meanwhile.
func TestBlocksAreDecodedBesideEachOther(t *testing.T) {
	const jobs, size = 3, 200_000 // much more than is read at once
	content := noiseOf(10 * size)
	file := blocksOf(t, content, size, size, size, size, size, size, size, size, size, size)
	synctest.Test(t, func(t *testing.T) {
		src := bytes.NewReader(file)
		r, err := NewReaderOptions(t.Context(), src, ReaderOptions{Jobs: jobs})
		require.NoError(t, err)
		release := make(chan struct{})
		var decoding, most atomic.Int64
		decode := r.ahead.decode
		r.ahead.decode = func(ctx context.Context, b *block, body []byte, buf func() []byte) (bool, error) {
			most.Store(max(most.Load(), decoding.Add(1)))
			defer decoding.Add(-1)
			<-release
			return decode(ctx, b, body, buf)
		}
		done := make(chan []byte)
		go func() {
			got, _ := io.ReadAll(r)
			done <- got
		}()
		synctest.Wait()
		require.Equal(t, int64(jobs), decoding.Load())
		read := src.Size() - int64(src.Len())
		require.Less(t, read, int64((jobs+1)*size))
		close(release)
		require.True(t, bytes.Equal(content, <-done))
		require.Equal(t, int64(jobs), most.Load())
	})
}

// TestSlowSourcesAreNotWaitedFor: content that is ready must not wait until many blocks have come in.
func TestSlowSourcesAreNotWaitedFor(t *testing.T) {
	const size = 100_000
	content := noiseOf(8 * size)
	file := blocksOf(t, content, size, size, size, size, size, size, size, size)
	synctest.Test(t, func(t *testing.T) {
		slow := readerFunc(func(p []byte) (int, error) {
			time.Sleep(time.Second)
			n := copy(p[:min(len(p), size)], file)
			file = file[n:]
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		})
		r, err := NewReaderOptions(t.Context(), slow, ReaderOptions{Jobs: 8})
		require.NoError(t, err)
		start := time.Now()
		_, err = r.Read(make([]byte, 1))
		require.NoError(t, err)
		require.Less(t, time.Since(start), 6*time.Second, "a block takes one or two")
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content[1:], rest))
	})
}

// TestReaderMemory: whatever the sizes of blocks, what is held stays within the limit.
func TestReaderMemory(t *testing.T) {
	const memory = 200_000
	rnd := rand.New(rand.NewPCG(1, 1))
	var sizes []int
	total := 0
	for range 100 {
		n := []int{1, 500, 8000, 40_000}[rnd.IntN(4)]
		sizes = append(sizes, n)
		total += n
	}
	content := noiseOf(total)
	file := blocksOf(t, content, sizes...)
	r, err := NewReaderOptions(t.Context(), bytes.NewReader(file), ReaderOptions{Jobs: 7, Limits: Limits{Memory: memory}})
	require.NoError(t, err)
	var got []byte
	ahead := 0
	for p := make([]byte, 3000); ; {
		n, err := r.Read(p)
		got = append(got, p[:n]...)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		held := int64(0)
		for _, b := range append(append(r.ahead.queue, r.ahead.spare...), r.block) {
			if b != nil {
				held += b.room
				require.LessOrEqual(t, int64(cap(b.body)), b.room)
			}
		}
		require.Equal(t, held, r.ahead.held)
		require.LessOrEqual(t, held, int64(memory))
		ahead = max(ahead, len(r.ahead.queue))
	}
	require.True(t, bytes.Equal(content, got))
	require.Greater(t, ahead, 2)
}
