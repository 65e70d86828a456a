package decode_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz/lzma"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
)

var bg = context.Background()

// text is content in which matches are far and near, with noise in it that is stored raw.
func text(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 7))
	p := make([]byte, 0, n+1000)
	for len(p) < n {
		switch k := rnd.IntN(100); {
		case k == 0:
			for range rnd.IntN(900) {
				p = append(p, byte(rnd.Uint32()))
			}
		case k < 40 || len(p) < 100:
			p = append(p, "the quick brown fox jumps over a lazy dog"[rnd.IntN(30):][:rnd.IntN(11)]...)
		case k < 60:
			p = append(p, bytes.Repeat([]byte{byte(k)}, rnd.IntN(40))...)
		default:
			from := len(p) - 1 - rnd.IntN(min(len(p), 1<<(4+k%20)))
			for range rnd.IntN(300) {
				p = append(p, p[from])
				from++
			}
		}
	}
	return p[:n]
}

// pack compresses with the other codec.
func pack(t testing.TB, content []byte, c lzma.Writer2Config) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter2(&out)
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestStream(t *testing.T) {
	content := text(1, 6<<20)
	for name, dict := range map[string]int{"least": lzma.MinDictCap, "one that slides": 1 << 20, "more than the content": 8 << 20} {
		t.Run(name, func(t *testing.T) {
			packed := pack(t, content, lzma.Writer2Config{
				DictCap: dict, Properties: &lzma.Properties{LC: 0, LP: 4, PB: 4}, // these notice if positions are off
			})
			src := bufio.NewReader(io.MultiReader(bytes.NewReader(packed), bytes.NewReader([]byte("behind"))))
			s := decode.NewStream(src, int64(dict))
			for range 2 {
				got, err := io.ReadAll(iotest.HalfReader(struct{ io.Reader }{s}))
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, got))
				require.EqualValues(t, len(content), s.Content())
				require.EqualValues(t, len(packed), s.Packed())
				rest, err := io.ReadAll(src)
				require.NoError(t, err)
				require.Equal(t, "behind", string(rest))
				_, err = s.Read(make([]byte, 1))
				require.Equal(t, io.EOF, err)
				src.Reset(io.MultiReader(bytes.NewReader(packed), bytes.NewReader([]byte("behind"))))
				s.Reset(src, int64(dict))
			}
			var out bytes.Buffer
			n, err := io.Copy(&out, s)
			require.NoError(t, err)
			require.EqualValues(t, len(content), n)
			require.True(t, bytes.Equal(content, out.Bytes()))
		})
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestStreamWritesToAWriterThatFails(t *testing.T) {
	f := sample()
	s := decode.NewStream(bytes.NewReader(f.done()), 4096)
	full := errors.New("full")
	n, err := s.WriteTo(writerFunc(func([]byte) (int, error) { return 2, full }))
	require.Equal(t, full, err)
	require.EqualValues(t, 2, n)
	n, err = s.WriteTo(writerFunc(func([]byte) (int, error) { return 1, nil }))
	require.Equal(t, io.ErrShortWrite, err)
	require.EqualValues(t, 1, n)
	rest, err := io.ReadAll(s)
	require.NoError(t, err)
	require.Equal(t, string(f.content[3:]), string(rest))
	_, err = decode.NewStream(bytes.NewReader(nil), 4096).WriteTo(io.Discard)
	require.ErrorIs(t, err, decode.ErrCutOff)
}

func TestStreamIsCutOff(t *testing.T) {
	content := text(2, 3000)
	packed := pack(t, content, lzma.Writer2Config{DictCap: lzma.MinDictCap})
	for n := range packed {
		s := decode.NewStream(bytes.NewReader(packed[:n]), 4096)
		got, err := io.ReadAll(s)
		require.ErrorIs(t, err, decode.ErrCutOff)
		var e *decode.Error
		require.ErrorAs(t, err, &e)
		require.EqualValues(t, n, e.Packed)
		require.EqualValues(t, len(got), e.Content)
		require.True(t, bytes.HasPrefix(content, got))
	}
}

func TestStreamPassesOnErrors(t *testing.T) {
	packed := pack(t, text(2, 3000), lzma.Writer2Config{DictCap: lzma.MinDictCap})
	broken := errors.New("broken")
	for _, n := range []int{0, 3, 50} {
		src := bufio.NewReader(io.MultiReader(bytes.NewReader(packed[:n]), iotest.ErrReader(broken)))
		_, err := io.ReadAll(decode.NewStream(src, 4096))
		require.Equal(t, broken, err)
	}
}
