package xzpack_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

// client finds a real program, or skips the test; with TPLKIT_REQUIRE_CLIENTS=1 a missing one is a failure.
func client(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
		t.Fatalf("%s is not installed: apt-get install %s", name, debianPackage)
	}
	t.Skipf("%s is not installed (Debian package %s)", name, debianPackage)
	return ""
}

// output runs a program and returns its standard output.
func output(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), "%s %s: %s", name, strings.Join(args, " "), errs.String())
	return out.Bytes()
}

func writeFile(t *testing.T, name string, p []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, p, 0o600))
	return path
}

func TestXZReadsWhatWePack(t *testing.T) {
	xz := client(t, "xz", "xz-utils")
	const block = 24 << 10
	for name, content := range map[string][]byte{
		"empty": nil, "byte": {1}, "mixed": image(1, 10*block+5), "noise": noise(2, 2*block), "zeros": make([]byte, 3*block+1),
		"noise in text": append(append(image(4, block/2), noise(3, block)...), image(5, block)...),
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "image.xz", pack(t, content, xzpack.PackOptions{BlockSize: block}))
			output(t, xz, "-t", path)
			require.True(t, bytes.Equal(content, output(t, xz, "-dc", "-T0", path)))
			blocks := 0
			for line := range strings.Lines(string(output(t, xz, "--robot", "-lvv", path))) {
				f := strings.Fields(line)
				if f[0] != "block" {
					continue
				}
				blocks++
				require.Equal(t, "CRC64", f[9], line)
				require.Equal(t, "cu", f[12], "both sizes stand in the header: %s", line)
				require.Contains(t, line, "--lzma2=dict=", line)
			}
			require.Equal(t, (len(content)+block-1)/block, blocks)
		})
	}
}

func TestNbdkitReadsWhatWePack(t *testing.T) {
	nbdkit := client(t, "nbdkit", "nbdkit")
	nbdcopy := client(t, "nbdcopy", "libnbd-bin")
	content := append(image(1, 300<<10), make([]byte, 1<<20)...)
	path := writeFile(t, "image.xz", pack(t, content, xzpack.PackOptions{BlockSize: 64 << 10}))
	got := output(t, nbdkit, "-U", "-", "-r", "--filter=xz", "file", path, "--run", nbdcopy+` "$uri" -`)
	require.True(t, bytes.Equal(content, got))
}

func TestWeReadWhatXZPacks(t *testing.T) {
	xz := client(t, "xz", "xz-utils")
	content := append(image(9, 150_000), make([]byte, 100_000)...)
	path := writeFile(t, "image", content)
	for name, args := range map[string][]string{
		"one block without sizes": {"-T1"},
		"blocks without sizes":    {"-T1", "--block-size=65536"},
		"blocks with sizes":       {"-T2", "--block-size=65536"},
		"fastest":                 {"-0"},
		"no check":                {"--check=none"},
		"crc32":                   {"--check=crc32"},
		"crc64":                   {"--check=crc64"},
		"sha256":                  {"--check=sha256"},
		"other properties":        {"--lzma2=preset=1,lc=0,lp=2,pb=0"},
		"uneven blocks":           {"-T1", "--block-list=1000,1,70000,0"},
	} {
		t.Run(name, func(t *testing.T) {
			file := output(t, xz, append(args, "-kc", path)...)
			require.True(t, bytes.Equal(content, contentOf(t, file)))
			streamed, err := readStream(t, file, xzpack.Limits{})
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, streamed), "as a stream")

			padded := append(bytes.Clone(file), make([]byte, 8)...)
			require.True(t, bytes.Equal(content, contentOf(t, padded)), "stream padding")

			joined := append(append(bytes.Clone(padded), pack(t, []byte("second"), xzpack.PackOptions{})...), file...)
			want := append(append(bytes.Clone(content), "second"...), content...)
			require.True(t, bytes.Equal(want, contentOf(t, joined)), "three streams")
			streamed, err = readStream(t, joined, xzpack.Limits{})
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, streamed), "three streams as a stream")
		})
	}
	t.Run("empty", func(t *testing.T) {
		require.Empty(t, contentOf(t, output(t, xz, "-c", writeFile(t, "empty", nil))))
	})
}

func TestForeignFiltersFromXZ(t *testing.T) {
	xz := client(t, "xz", "xz-utils")
	path := writeFile(t, "image", image(9, 10_000))
	for flag, want := range map[string]string{
		"--x86": "unsupported filter x86 BCJ", "--delta=dist=4": "unsupported filter Delta", "--arm": "unsupported filter ARM BCJ",
		"--powerpc": "unsupported filter PowerPC BCJ", "--ia64": "unsupported filter IA-64 BCJ", "--armthumb": "unsupported filter ARM-Thumb BCJ",
		"--arm64": "unsupported filter ARM64 BCJ", "--sparc": "unsupported filter SPARC BCJ",
	} {
		file := output(t, xz, flag, "--lzma2", "-kc", path)
		_, err := xzpack.Open(bytes.NewReader(file), int64(len(file)), xzpack.OpenOptions{})
		require.ErrorIs(t, err, xzpack.ErrUnsupported)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "block 1 at offset 12")
		_, streamErr := readStream(t, file, xzpack.Limits{})
		require.EqualError(t, streamErr, err.Error())
	}
	file := output(t, xz, "--format=lzma", "-kc", path)
	_, err := xzpack.Open(bytes.NewReader(file), int64(len(file)), xzpack.OpenOptions{})
	require.ErrorIs(t, err, xzpack.ErrUnsupported)
	require.ErrorContains(t, err, "format .lzma: expected xz: unpack it with xz --format=lzma -d")
	_, streamErr := readStream(t, file, xzpack.Limits{})
	require.EqualError(t, streamErr, err.Error())
}

// TestOneBlockFromXZ: without --block-size xz packs an image of any size as one block, without sizes in its header.
func TestOneBlockFromXZ(t *testing.T) {
	xz := client(t, "xz", "xz-utils")
	content := append(append(image(9, 2<<20), make([]byte, 3<<20)...), image(10, 70_001)...)
	packed := output(t, xz, "--best", "-T1", "-kc", writeFile(t, "image", content))
	r := openHolding(t, packed, 1<<20)
	require.Equal(t, 1, r.NumBlocks())
	require.Equal(t, int64(64<<20), r.Blocks()[0].Dict)
	f := file(t, nil)
	var side, sides bytes.Buffer
	require.NoError(t, r.Unpack(t.Context(), f, xzpack.UnpackOptions{Content: &side, Packed: &sides}))
	got, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.True(t, bytes.Equal(content, side.Bytes()))
	require.True(t, bytes.Equal(packed, sides.Bytes()))

	for _, n := range []int{1, len(packed) / 2, len(packed) - 4} {
		_, err := xzpack.Open(bytes.NewReader(packed[:n]), int64(n), xzpack.OpenOptions{})
		require.Error(t, err, "cut at %d", n)
	}
	bad := bytes.Clone(packed)
	for at := 100; at < len(bad); at += len(bad) / 7 {
		bad[at] ^= 0x10
		require.Error(t, openHolding(t, bad, 1<<20).Unpack(t.Context(), f, xzpack.UnpackOptions{}), "byte %d", at)
		bad[at] ^= 0x10
	}
}
