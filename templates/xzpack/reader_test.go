package xzpack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// stream opens a file as a stream.
func stream(t testing.TB, file io.Reader, opt xzpack.ReaderOptions) *xzpack.Reader {
	t.Helper()
	r, err := xzpack.NewReaderOptions(context.Background(), file, opt)
	require.NoError(t, err)
	return r
}

// streams are files with something of everything, and their content.
func streams(t testing.TB) map[string][2][]byte {
	mixed := append(image(3, 60_000), make([]byte, 40_000)...)
	sizes := pack(t, mixed, xzpack.PackOptions{BlockSize: 8192})
	forge := func(check container.Check, blocks ...forgedBlock) []byte {
		return forged{check: check, blocks: blocks}.bytes(t)
	}
	without := forge(container.CheckSHA256, forgedBlock{content: mixed}, forgedBlock{content: []byte("short")}, forgedBlock{})
	alternating := forge(container.CheckCRC32,
		forgedBlock{content: mixed[:9000], sizes: true}, forgedBlock{content: mixed[9000:20_000]}, forgedBlock{sizes: true, content: []byte{}},
		forgedBlock{content: mixed[20_000:50_000], sizes: true}, forgedBlock{content: mixed[50_000:70_000], sizes: true}, forgedBlock{content: mixed[70_000:]})
	empty := pack(t, nil, xzpack.PackOptions{})
	return map[string][2][]byte{
		"sizes":       {sizes, mixed},
		"no sizes":    {without, append(bytes.Clone(mixed), "short"...)},
		"alternating": {alternating, mixed},
		"empty":       {empty, {}},
		"one byte":    {pack(t, []byte("x"), xzpack.PackOptions{}), []byte("x")},
		"no check":    {forge(container.CheckNone, forgedBlock{content: mixed, sizes: true}, forgedBlock{content: mixed}), append(bytes.Clone(mixed), mixed...)},
		"many streams": {
			bytes.Join([][]byte{empty, sizes, make([]byte, 8), without, empty, alternating, make([]byte, 100_000)}, nil),
			bytes.Join([][]byte{mixed, mixed, []byte("short"), mixed}, nil),
		},
	}
}

func TestReader(t *testing.T) {
	for name, f := range streams(t) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, iotest.TestReader(stream(t, bytes.NewReader(f[0]), xzpack.ReaderOptions{}), f[1]))
			for source, wrap := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "by bytes": iotest.OneByteReader, "by halves": iotest.HalfReader,
				"with the end": iotest.DataErrReader, "with pauses": func(r io.Reader) io.Reader { return &pausing{r: r} },
			} {
				for _, jobs := range []int{0, 1, 3} {
					var content, packed bytes.Buffer
					var last xzpack.Progress
					opt := xzpack.ReaderOptions{Jobs: jobs, Content: &content, Packed: &packed, Progress: func(p xzpack.Progress) { last = p }}
					got, err := io.ReadAll(stream(t, wrap(bytes.NewReader(f[0])), opt))
					require.NoError(t, err, source)
					require.True(t, bytes.Equal(f[1], got), source)
					require.True(t, bytes.Equal(f[1], content.Bytes()), source)
					require.True(t, bytes.Equal(f[0], packed.Bytes()), source)
					require.Equal(t, int64(len(f[1])), last.Done)
				}
			}
			r := stream(t, bytes.NewReader(f[0]), xzpack.ReaderOptions{})
			var out bytes.Buffer
			n, err := r.WriteTo(&out)
			require.NoError(t, err)
			require.Equal(t, int64(out.Len()), n)
			require.True(t, bytes.Equal(f[1], out.Bytes()))
			_, err = r.Read(make([]byte, 1))
			require.Equal(t, io.EOF, err)
			require.NoError(t, r.Close())
		})
	}
}

// pausing gives nothing every other time.
type pausing struct {
	r     io.Reader
	pause bool
}

func (p *pausing) Read(b []byte) (int, error) {
	if p.pause = !p.pause; p.pause {
		return 0, nil
	}
	return p.r.Read(b)
}

func TestReaderInSmallSteps(t *testing.T) {
	f := streams(t)["alternating"]
	for _, n := range []int{1, 7, 4096, 8191} {
		r, p := stream(t, bytes.NewReader(f[0]), xzpack.ReaderOptions{}), make([]byte, n)
		var got []byte
		for {
			m, err := r.Read(p)
			got = append(got, p[:m]...)
			if err != nil {
				require.Equal(t, io.EOF, err)
				break
			}
			if len(got)%5 == 0 { // what is left may go the other way
				var rest bytes.Buffer
				_, err := r.WriteTo(&rest)
				require.NoError(t, err)
				got = append(got, rest.Bytes()...)
			}
		}
		require.True(t, bytes.Equal(f[1], got), "%d bytes at a time", n)
	}
	r := stream(t, bytes.NewReader(f[0]), xzpack.ReaderOptions{})
	n, err := r.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestReaderTellsOfZeros(t *testing.T) {
	content := make([]byte, 10<<16)
	copy(content[2<<16+100:], "data")
	sizes := pack(t, content, xzpack.PackOptions{BlockSize: 1 << 16})
	without := forged{blocks: []forgedBlock{{content: content, dict: 1 << 20}}}.bytes(t)
	for _, file := range [][]byte{sizes, without} {
		var dst zeroCounter
		n, err := stream(t, bytes.NewReader(file), xzpack.ReaderOptions{}).WriteTo(&dst)
		require.NoError(t, err)
		require.Equal(t, int64(len(content)), n)
		require.True(t, bytes.Equal(content, dst.Bytes()))
		require.Equal(t, int64(len(content)-4096), dst.zeros, "all but one page")
	}
	var sum zeroCounter
	_, err := stream(t, bytes.NewReader(sizes), xzpack.ReaderOptions{Content: &sum}).WriteTo(io.Discard)
	require.NoError(t, err)
	require.Equal(t, int64(9<<16), sum.zeros, "whole blocks")
}

func TestReaderOptionsAreChecked(t *testing.T) {
	_, err := xzpack.NewReaderOptions(t.Context(), nil, xzpack.ReaderOptions{Jobs: -1})
	require.ErrorContains(t, err, "jobs: expected 0")
	_, err = xzpack.NewReaderOptions(t.Context(), nil, xzpack.ReaderOptions{Limits: xzpack.Limits{Dict: -1}})
	require.ErrorContains(t, err, "limit of dictionary")
}

func TestReaderIsCancelled(t *testing.T) {
	cause := errors.New("the operator pressed Ctrl-C")
	for name, f := range streams(t) {
		if len(f[1]) < 10_000 {
			continue
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		r, err := xzpack.NewReaderOptions(ctx, bytes.NewReader(f[0]), xzpack.ReaderOptions{Jobs: 3})
		require.NoError(t, err)
		_, err = io.ReadFull(r, make([]byte, 100))
		require.NoError(t, err)
		cancel(cause)
		_, err = io.Copy(io.Discard, r)
		require.ErrorIs(t, err, cause, name)
		_, err = r.Read(make([]byte, 1))
		require.ErrorIs(t, err, cause, name)
		_, err = xzpack.NewReaderOptions(ctx, bytes.NewReader(f[0]), xzpack.ReaderOptions{})
		require.ErrorIs(t, err, cause, name)
	}
}

func TestReaderIsClosed(t *testing.T) {
	r := stream(t, bytes.NewReader(pack(t, image(1, 100_000), xzpack.PackOptions{BlockSize: 8192})), xzpack.ReaderOptions{})
	_, err := io.ReadFull(r, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	_, err = r.Read(make([]byte, 10))
	require.ErrorIs(t, err, os.ErrClosed)
	_, err = r.WriteTo(io.Discard)
	require.ErrorIs(t, err, os.ErrClosed)
}

// TestAbandonedReaderLeaksNothing: drop-in callers never call Close.
func TestAbandonedReaderLeaksNothing(t *testing.T) {
	file := pack(t, image(1, 400_000), xzpack.PackOptions{BlockSize: 16 << 10})
	before := runtime.NumGoroutine()
	collected := make(chan struct{})
	func() {
		r := stream(t, bytes.NewReader(file), xzpack.ReaderOptions{Jobs: 4})
		_, err := r.Read(make([]byte, 10))
		require.NoError(t, err)
		runtime.AddCleanup(r, func(struct{}) { close(collected) }, struct{}{})
	}()
	xzpack.NoMoreGoroutines(t, before)
	for end := time.Now().Add(10 * time.Second); ; {
		runtime.GC()
		select {
		case <-collected:
			return
		case <-time.After(time.Millisecond):
			require.True(t, time.Now().Before(end), "an abandoned Reader is held by something")
		}
	}
}

// closing fails when it is read while nobody may.
type closing struct {
	io.Reader
	t       *testing.T
	reading bool
}

func (c *closing) Read(p []byte) (int, error) {
	if !c.reading {
		c.t.Error("the source is read behind the back of its owner")
	}
	return c.Reader.Read(p)
}

func TestSourceIsOnlyReadWithinRead(t *testing.T) {
	src := &closing{bytes.NewReader(pack(t, image(1, 300_000), xzpack.PackOptions{BlockSize: 8192})), t, true}
	r := stream(t, src, xzpack.ReaderOptions{Jobs: 3})
	p := make([]byte, 4096)
	for {
		src.reading = true
		_, err := r.Read(p)
		src.reading = false
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		time.Sleep(10 * time.Microsecond)
	}
}

func TestReaderWritersFail(t *testing.T) {
	for name, f := range streams(t) {
		if len(f[1]) < 70_000 {
			continue
		}
		for _, opt := range []xzpack.ReaderOptions{{Content: &full{room: 10_000}}, {Packed: &full{room: 1000}}} {
			r, err := xzpack.NewReaderOptions(t.Context(), bytes.NewReader(f[0]), opt)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			require.ErrorIs(t, err, errDisk, name)
		}
		n, err := stream(t, bytes.NewReader(f[0]), xzpack.ReaderOptions{}).WriteTo(&full{room: 10_000})
		require.ErrorIs(t, err, errDisk, name)
		require.LessOrEqual(t, n, int64(10_000))
	}
}

func TestReaderUnpacks(t *testing.T) {
	for name, f := range streams(t) {
		dst := file(t, noise(1, 1000))
		require.NoError(t, stream(t, bytes.NewReader(f[0]), xzpack.ReaderOptions{}).Unpack(dst))
		got, err := os.ReadFile(dst.Name())
		require.NoError(t, err)
		require.True(t, bytes.Equal(f[1], got), name)
	}
	zeros := pack(t, make([]byte, 100_000), xzpack.PackOptions{})
	dst := file(t, nil)
	require.NoError(t, stream(t, bytes.NewReader(zeros), xzpack.ReaderOptions{}).Unpack(dst))
	fi, err := dst.Stat()
	require.NoError(t, err)
	require.Equal(t, int64(100_000), fi.Size(), "a hole at the end counts")

	pr, pw, err := os.Pipe()
	require.NoError(t, err)
	defer pr.Close()
	defer pw.Close()
	require.ErrorContains(t, stream(t, bytes.NewReader(zeros), xzpack.ReaderOptions{}).Unpack(pw), "expected a regular file, found mode p")
	require.NoError(t, dst.Close())
	require.ErrorIs(t, stream(t, bytes.NewReader(zeros), xzpack.ReaderOptions{}).Unpack(dst), os.ErrClosed)
	r := stream(t, bytes.NewReader(zeros[:len(zeros)-5]), xzpack.ReaderOptions{})
	require.ErrorIs(t, r.Unpack(file(t, nil)), io.ErrUnexpectedEOF)
}
