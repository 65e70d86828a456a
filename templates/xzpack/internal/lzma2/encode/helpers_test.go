package encode_test

import (
	"bytes"
	"context"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/encode"
)

var bg = context.Background()

var nastySize = flag.Int("encode.nasty", 0, "size in MiB of texts that are hard to compress, 16 for whole blocks; the time for each is then bounded")

type level struct {
	name   string
	params encode.Params
}

func (l level) encoder() *encode.Encoder { return encode.New(l.params) }

var levels = []level{{"best", encode.Best}, {"balanced", encode.Balanced}, {"fast", encode.Fast}}

// encoded is text as LZMA2 data, which our decoder has brought back.
func encoded(t testing.TB, enc *encode.Encoder, text []byte) []byte {
	t.Helper()
	packed, err := enc.Encode(bg, nil, text, false)
	require.NoError(t, err)
	requireDecodes(t, text, packed)
	return packed
}

func requireDecodes(t testing.TB, text, packed []byte) {
	t.Helper()
	var d decode.Decoder
	got := make([]byte, len(text))
	require.NoError(t, d.Block(bg, got, packed, encode.MaxSection))
	require.True(t, bytes.Equal(text, got))
}

// proven is encoded, brought back by the other codec, too.
func proven(t testing.TB, enc *encode.Encoder, text []byte) []byte {
	t.Helper()
	packed := encoded(t, enc, text)
	require.NoError(t, lzma2.Prove(bg, text, packed, encode.MaxSection))
	return packed
}

// notRaced skips a test that takes long with the race detector, for which an encoder, which is one goroutine, has nothing.
func notRaced(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("an encoder has nothing for the race detector")
	}
}
