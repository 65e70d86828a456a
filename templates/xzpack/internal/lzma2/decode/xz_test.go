package decode_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
)

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

// xzDecode is what xz makes of bare LZMA2 data with a dictionary of 4 KiB.
func xzDecode(xz string, packed []byte) ([]byte, error) {
	cmd := exec.Command(xz, "--format=raw", "--lzma2=dict=4KiB", "-dcq")
	cmd.Stdin = bytes.NewReader(packed)
	return cmd.Output()
}

func xzEncode(t *testing.T, xz, options string, content []byte) []byte {
	t.Helper()
	cmd := exec.Command(xz, "--format=raw", "--lzma2="+options, "-c")
	cmd.Stdin = bytes.NewReader(content)
	packed, err := cmd.Output()
	require.NoError(t, err)
	return packed
}

func requireDecodes(t *testing.T, content, packed []byte, dict int64) {
	t.Helper()
	var d decode.Decoder
	block := make([]byte, len(content))
	require.NoError(t, d.Block(bg, block, packed, dict))
	require.True(t, bytes.Equal(content, block))
	got, err := io.ReadAll(decode.NewStream(bytes.NewReader(packed), dict))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got), "stream")
}

func TestWhatXZPacks(t *testing.T) {
	xz := realXZ(t)
	content := text(3, 40_000)
	for lc := range 5 {
		for lp := range 5 - lc {
			for pb := range 5 {
				options := fmt.Sprintf("preset=1,dict=4KiB,lc=%d,lp=%d,pb=%d", lc, lp, pb)
				requireDecodes(t, content, xzEncode(t, xz, options, content), 4096)
			}
		}
	}
	noise := make([]byte, 300_000)
	_, _ = rand.NewChaCha8([32]byte{5}).Read(noise)
	content = append(append(append(text(4, 1<<20), noise...), text(5, 200_000)...), make([]byte, 3<<20)...)
	for _, options := range []string{"preset=0", "preset=6", "preset=9e", "preset=6,dict=64KiB", "preset=6,nice=273,mf=bt2"} {
		requireDecodes(t, content, xzEncode(t, xz, options, content), 64<<20)
	}
	requireDecodes(t, content, xzEncode(t, xz, "preset=6,dict=64KiB", content), 64<<10)
}

// TestXZAgrees asks xz about the cases that the decoders are compared with: it must accept the same and find the same.
func TestXZAgrees(t *testing.T) {
	xz := realXZ(t)
	d := newDiffer()
	rnd := rand.NewChaCha8([32]byte{6})
	accepted := 0
	for range 600 {
		p := make([]byte, rnd.Uint64()%150)
		_, _ = rnd.Read(p)
		e := entropy(p)
		packed := d.mutated(&e)
		in := bytes.NewReader(packed)
		got, err := io.ReadAll(decode.NewStream(in, 4096))
		want, xzErr := xzDecode(xz, packed[:len(packed)-in.Len()])
		require.Equal(t, xzErr == nil, err == nil, "%x: we say %v, xz says %v", packed, err, xzErr)
		if err == nil {
			require.True(t, bytes.Equal(want, got), "%x", packed)
			accepted++
		}
	}
	require.Greater(t, accepted, 100)
	require.Less(t, accepted, 500)
}
