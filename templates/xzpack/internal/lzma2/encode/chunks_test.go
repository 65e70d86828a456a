package encode_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/encode"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// chunks are the headers of the chunks of LZMA2 data.
func chunks(t testing.TB, packed []byte) (all []decode.Header) {
	t.Helper()
	for {
		h, err := decode.ParseHeader(packed)
		require.NoError(t, err)
		packed = packed[h.Len+h.Packed:]
		if h.Ctl == model.CtlEnd {
			require.Empty(t, packed)
			return all
		}
		all = append(all, h)
	}
}

// kinds are the control bytes of chunks without what they tell of the size, the same ones behind each other only once.
func kinds(all []decode.Header) string {
	var names []string
	for _, h := range all {
		name := fmt.Sprintf("%02x", h.Ctl)
		if h.IsLZMA() {
			name = fmt.Sprintf("%02x", h.Ctl&0xe0)
		}
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// realXZ finds xz, or skips the test; with TPLKIT_REQUIRE_CLIENTS=1 a missing one is a failure.
func realXZ(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("xz")
	if err == nil {
		return path
	}
	if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
		t.Fatal("xz is not installed: apt-get install xz-utils")
	}
	t.Skip("xz is not installed (Debian package xz-utils)")
	return ""
}

// requireXZ decodes with xz.
func requireXZ(t *testing.T, xz string, text, packed []byte) {
	t.Helper()
	cmd := exec.Command(xz, "--format=raw", "--lzma2=dict=16MiB", "-dc")
	cmd.Stdin = bytes.NewReader(packed)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	got, err := cmd.Output()
	require.NoError(t, err, errs.String())
	require.True(t, bytes.Equal(text, got))
}

const segment = 64 << 10

// rawCases are texts with what cannot be compressed in all places, by the chunks that are to come of them.
func rawCases() map[string]struct {
	text []byte
	want string
} {
	s := newSource(1)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	noise := func(segments int) []byte { return s.noise(segments * segment) }
	prose := func(segments int) []byte { return s.prose(segments * segment) }
	shared := noise(1)
	return map[string]struct {
		text []byte
		want string
	}{
		"nothing else":            {noise(3), "01 02"},
		"one":                     {noise(1), "01"},
		"and some bytes":          {join(noise(3), []byte("few")), "01 02"},
		"in front":                {join(noise(3), prose(3)), "01 02 c0 80"},
		"in the middle":           {join(prose(4), noise(3), prose(4)), "e0 80 02 80"},
		"at the end":              {join(prose(3), noise(3)), "e0 80 02"},
		"everywhere":              {join(prose(1), noise(1), prose(1), noise(1), prose(1)), "e0 02 80 02 80"},
		"only one byte in front":  {join([]byte("x"), noise(3)), "01 02"},
		"and few bytes of text":   {join(noise(1), []byte(strings.Repeat("to be or not to be ", 6))), "01 c0"},
		"with a match led into":   {join(prose(1), shared[:2000], prose(1)[:segment-2000-1910], shared[:2000], noise(2)[90:], prose(1)), "e0 02 80"},
		"its copy":                {join(shared, noise(1), shared, noise(1)), "01 02 c0 02"},
		"a copy that is shifted":  {join(shared, noise(1), s.noise(1000), shared, noise(1)), ""},
		"zeros between":           {join(noise(2), make([]byte, 2*segment), noise(2), make([]byte, 100)), "01 02 c0 02 80"},
		"not at segments":         {join(prose(1)[:30_000], noise(3), prose(2)), ""},
		"shorter than a segment":  {join(prose(1)[:30_000], s.noise(50_000), prose(1)), ""},
		"less than a chunk holds": {join(prose(2), s.symbols(2*segment, every(255)), prose(2)), ""},
	}
}

// every has n different bytes.
func every(n int) string {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i)
	}
	return string(p)
}

// TestRawChunks: the state goes on across raw chunks, and every decoder agrees about that.
func TestRawChunks(t *testing.T) {
	notRaced(t)
	for name, tc := range rawCases() {
		for _, l := range levels {
			t.Run(name+"/"+l.name, func(t *testing.T) {
				packed := proven(t, l.encoder(), tc.text)
				if tc.want != "" {
					require.Equal(t, tc.want, kinds(chunks(t, packed)))
				}
				require.Less(t, len(packed), len(tc.text)+20+3*len(tc.text)/segment)
				if xz, err := exec.LookPath("xz"); err == nil {
					requireXZ(t, xz, tc.text, packed)
				}
			})
		}
	}
}

// TestChunksThatDoNotPay: what looks as if it could be compressed, and then cannot, is stored, and the state begins anew.
func TestChunksThatDoNotPay(t *testing.T) {
	notRaced(t)
	xz := realXZ(t)
	s := newSource(2)
	// 253 bytes are less than flat, but too little to gain more than the coder costs.
	for _, symbols := range []int{244, 250, 253} {
		text := append(append(s.prose(100_000), s.symbols(200_000, every(symbols))...), s.prose(50_000)...)
		for _, l := range levels {
			packed := proven(t, l.encoder(), text)
			t.Logf("%d symbols, %s: %s, %d of %d bytes", symbols, l.name, kinds(chunks(t, packed)), len(packed), len(text))
			requireXZ(t, xz, text, packed)
		}
	}
}

// TestChunkLimits: chunks are as long as they may be, and no longer.
func TestChunkLimits(t *testing.T) {
	notRaced(t)
	s := newSource(3)
	zeros := make([]byte, 7*model.MaxContent)
	inner := func(text []byte) []decode.Header {
		all := chunks(t, encoded(t, encode.New(encode.Fast), text))
		require.Greater(t, len(all), 3)
		return all[:len(all)-1] // the last one is what remains
	}
	for _, h := range inner(zeros) {
		require.Greater(t, h.Size, model.MaxContent-2*model.MaxMatch)
	}
	for _, h := range inner(s.prose(1 << 20)) {
		require.Greater(t, h.Packed, model.MaxPacked-200)
	}
	// Content that ends within a chunk's last symbols.
	xz := realXZ(t)
	enc := encode.New(encode.Fast)
	for _, period := range []int{1, 3, 130} {
		text := s.periodic(2*model.MaxContent+600, period)
		for _, n := range []int{-275, -274, -273, -272, -2, -1, 0, 1, 2, 272, 273, 274, 275} {
			part := text[:model.MaxContent+n]
			packed := proven(t, enc, part)
			if n > -2 && n < 2 {
				requireXZ(t, xz, part, packed)
			}
		}
	}
}
