package xzpack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

func TestEveryBlockIsProved(t *testing.T) {
	content := noiseOf(100_000)
	for _, no := range []bool{false, true} {
		p, err := newPacker(io.Discard, int64(len(content)), PackOptions{BlockSize: 4096, Jobs: 9, NoProof: no})
		require.NoError(t, err)
		proved := make(chan int, 100)
		prove := p.prover.prove
		p.prover.prove = func(ctx context.Context, block, packed []byte, dict int64) error {
			proved <- len(block)
			return prove(ctx, block, packed, dict)
		}
		_, err = p.pack(t.Context(), &streamSource{r: bytes.NewReader(content)})
		require.NoError(t, err)
		if no {
			require.Empty(t, proved)
		} else {
			require.Len(t, proved, 25)
		}
	}
}

// TestWhatIsNotProvedIsNotWritten has an encoder that makes a mistake in the third block.
func TestWhatIsNotProvedIsNotWritten(t *testing.T) {
	var out bytes.Buffer
	p, err := newPacker(&out, 100_000, PackOptions{BlockSize: 4096, Jobs: 1})
	require.NoError(t, err)
	n := 0
	p.encoders.free = []lzma2.Encoder{codecFunc(func(ctx context.Context, dst, block []byte, spare bool) ([]byte, error) {
		if n++; n == 3 {
			block = append([]byte{block[0] + 1}, block[1:]...)
		}
		return lzma2.NewEncoder(lzma2.Least).Encode(ctx, dst, block, false)
	})}
	_, err = p.pack(t.Context(), &streamSource{r: bytes.NewReader(noiseOf(100_000))})
	require.ErrorIs(t, err, lzma2.ErrProof)
	require.ErrorContains(t, err, "please report it")
	require.Less(t, out.Len(), 2*4200+12)
}

func TestProvingWaitsForItsTurn(t *testing.T) {
	p := prover{turns: make(chan struct{}, 1), prove: func(context.Context, []byte, []byte, int64) error { return errors.New("not called") }}
	p.turns <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, context.Canceled, p.check(ctx, nil, nil, 0))
}
