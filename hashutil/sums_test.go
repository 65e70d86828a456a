package hashutil_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

type line struct {
	alg       hashutil.Algorithm
	hex, name string
	size      int64
	number    int
}

func linesOf(entries []hashutil.Entry) []line {
	var lines []line
	for _, e := range entries {
		lines = append(lines, line{e.Algorithm, e.Hex, e.Name, e.Size, e.Line})
	}
	return lines
}

func TestParseSums(t *testing.T) {
	const a, b = hashutil.SHA1, hashutil.SHA256
	fedora := "# Fedora-Cloud-30.qcow2: 319422464 bytes\n" +
		"SHA256 (Fedora-Cloud-30.qcow2) = " + hexSHA256 + "\n" +
		"# a remark\n" +
		"# other.raw: many bytes\n" +
		"SHA256 (other.raw) = " + hexSHA256 + "\n"
	cases := []struct {
		name, text string
		want       hashutil.Algorithm
		lines      []line
	}{
		{"SHA1SUMS", hexSHA1 + "  one.img\n" + hexSHA1 + " *two.img\n", a, []line{
			{a, hexSHA1, "one.img", -1, 1}, {a, hexSHA1, "two.img", -1, 2},
		}},
		{"no newline, blank lines, CRLF", "\r\n" + upperSHA1 + "  one.img\r\n\n" + hexSHA1 + "  two", "", []line{
			{a, hexSHA1, "one.img", -1, 2}, {a, hexSHA1, "two", -1, 4},
		}},
		{"two algorithms", hexSHA1 + "  x\n" + hexSHA256 + "  x\n", "", []line{
			{a, hexSHA1, "x", -1, 1}, {b, hexSHA256, "x", -1, 2},
		}},
		{"CHECKSUM", fedora, "", []line{
			{b, hexSHA256, "Fedora-Cloud-30.qcow2", 319422464, 2}, {b, hexSHA256, "other.raw", -1, 5},
		}},
		{"CHECKSUM, signed", clearSigned(fedora), b, []line{
			{b, hexSHA256, "Fedora-Cloud-30.qcow2", 319422464, 5}, {b, hexSHA256, "other.raw", -1, 8},
		}},
		{"signed, CRLF, no headers, dashes escaped", strings.ReplaceAll(
			strings.Replace(clearSigned("- "+hexSHA1+"  x\n"), "Hash: SHA256\n", "", 1), "\n", "\r\n"), a, []line{
			{a, hexSHA1, "x", -1, 3},
		}},
		{"a directory in the name", hexSHA1 + "  ./images/x.img\n", a, []line{{a, hexSHA1, "./images/x.img", -1, 1}}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			entries, err := hashutil.ParseSums([]byte(tc.text), tc.want)
			require.NoError(t, err)
			require.Equal(t, tc.lines, linesOf(entries))
		})
	}
}

func TestParseSumsKeepsTheGoodLines(t *testing.T) {
	text := hexSHA1 + "  good\n" + hexSHA1 + "\n" + "rubbish\n" + hexSHA256 + "  wrong\n" + hexSHA1 + "  fine\n"
	entries, err := hashutil.ParseSums([]byte(text), hashutil.SHA1)
	require.Equal(t, []line{
		{hashutil.SHA1, hexSHA1, "good", -1, 1}, {hashutil.SHA1, hexSHA1, "fine", -1, 5},
	}, linesOf(entries))
	require.ErrorContains(t, err, "line 2: expected a file name beside the digest, found none")
	require.ErrorContains(t, err, `line 3: expected 40 hex digits (sha1), found "rubbish"`)
	require.ErrorContains(t, err, "line 4: expected 40 hex digits (sha1), found 64")
	var perr *hashutil.ParseError
	require.True(t, errors.As(err, &perr))
	require.Equal(t, 2, perr.Line)
}

func TestParseSumsRefuses(t *testing.T) {
	cases := []struct{ name, text, error string }{
		{"empty", "", "expected digests with file names, found none"},
		{"comments only", "# nothing\n\n", "expected digests with file names, found none"},
		{"text outside the armour", hexSHA1 + "  x\n" + clearSigned(hexSHA1+"  y\n"), "the signed message at the beginning"},
		{"armour cut off", clearSigned(hexSHA1 + "  x\n")[:120], "a whole clear-signed message"},
		{"too large", strings.Repeat("#\n", hashutil.MaxSums/2+1), "more than 16384 KiB"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			entries, err := hashutil.ParseSums([]byte(tc.text), "")
			require.ErrorContains(t, err, tc.error)
			require.Empty(t, entries)
		})
	}
}

func TestParseSumsGivesUpOnSomethingElse(t *testing.T) {
	_, err := hashutil.ParseSums([]byte(strings.Repeat("not a digest\n", 10000)), "")
	require.Equal(t, 20, strings.Count(err.Error(), "\n")+1)
}

func TestFormatSidecar(t *testing.T) {
	cases := []struct {
		name string
		kind hashutil.Kind
		file string
		want string
	}{
		{"lago", hashutil.LagoHash, "ignored", hexSHA1},
		{"kubevirt", hashutil.KubeVirtSHA1, "ignored", hexSHA1 + "\n"},
		{"gnu", hashutil.GNU, "disk.img", hexSHA1 + "  disk.img\n"},
		{"gnu, escaped", hashutil.GNU, "a\\b\nc\rd", `\` + hexSHA1 + `  a\\b\nc\rd` + "\n"},
		{"gnu, a blank for a name", hashutil.GNU, " ", `\` + hexSHA1 + "   \n"},
		{"gnu, no name", hashutil.GNU, "", hexSHA1 + "  -\n"},
		{"bsd", hashutil.BSDTag, "disk.img", "SHA1 (disk.img) = " + hexSHA1 + "\n"},
		{"bsd, escaped", hashutil.BSDTag, "a\nb", `\SHA1 (a\nb) = ` + hexSHA1 + "\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, string(hashutil.FormatSidecar(tc.kind, hashutil.SHA1, upperSHA1, tc.file)))
		})
	}
}

func TestFormatSums(t *testing.T) {
	entries := []hashutil.Entry{
		{Algorithm: hashutil.SHA1, Hex: hexSHA1, Name: "b", Form: hashutil.GNUBinary, Upper: true},
		{Algorithm: hashutil.SHA256, Hex: hexSHA256, Name: "a\nb", Form: hashutil.BSD},
	}
	require.Equal(t, hexSHA1+"  b\n\\"+hexSHA256+"  a\\nb\n", string(hashutil.FormatSums(hashutil.GNU, entries)))
	require.Equal(t, "SHA1 (b) = "+hexSHA1+"\n\\SHA256 (a\\nb) = "+hexSHA256+"\n", string(hashutil.FormatSums(hashutil.BSDTag, entries)))
	require.Empty(t, hashutil.FormatSums(hashutil.GNU, nil))
}

func TestSidecarNames(t *testing.T) {
	cases := []struct {
		sidecar string
		images  []string
		alg     hashutil.Algorithm
	}{
		{"el8.hash", []string{"el8.xz", "el8"}, hashutil.SHA1},
		{"repo/el8.2-base.hash", []string{"repo/el8.2-base.xz", "repo/el8.2-base"}, hashutil.SHA1},
		{"phx_repo:el8.2-base:v1.hash", []string{"phx_repo:el8.2-base:v1.xz", "phx_repo:el8.2-base:v1"}, hashutil.SHA1},
		{"el8.xz.hash", []string{"el8.xz.xz", "el8.xz"}, hashutil.SHA1},
		{"kubevirt/disk.img.sha1", []string{"kubevirt/disk.img"}, hashutil.SHA1},
		{"x.tar.xz.md5", []string{"x.tar.xz"}, hashutil.MD5},
		{"x.sha256", []string{"x"}, hashutil.SHA256},
		{"x.sha512", []string{"x"}, hashutil.SHA512},
		{"x.qcow2.SHA256SUM", []string{"x.qcow2"}, hashutil.SHA256},
		{"x.md5sum", []string{"x"}, hashutil.MD5},
		{sidecar: ".hash"}, {sidecar: "dir/.sha1"}, {sidecar: "hash"}, {sidecar: "x.SHA1"},
		{sidecar: "x.sha224"}, {sidecar: "x.hash.asc"}, {sidecar: "sha1.img"}, {sidecar: ""},
	}
	for _, tc := range cases {
		images, alg, ok := hashutil.ImageFor(tc.sidecar)
		require.Equal(t, tc.images, images, tc.sidecar)
		require.Equal(t, tc.alg, alg, tc.sidecar)
		require.Equal(t, tc.images != nil, ok, tc.sidecar)
	}
	require.Equal(t, "kubevirt/a.img.sha1", hashutil.SidecarFor("kubevirt/a.img", hashutil.SHA1))
	require.Equal(t, "repo/el8.hash", hashutil.HashFor("repo/el8.xz"))
	require.Equal(t, "repo/el8.hash", hashutil.HashFor("repo/el8"))
}

func TestSumsFile(t *testing.T) {
	good := map[string]hashutil.Algorithm{
		"SHA256SUMS": hashutil.SHA256, "dir/SHA1SUMS": hashutil.SHA1, "sha512sum.txt": hashutil.SHA512,
		"MD5SUMS": hashutil.MD5, "SHA256SUM": hashutil.SHA256, "sha256sums": hashutil.SHA256,
		"CHECKSUM": "", "CHECKSUMS": "", "checksums.txt": "", "Fedora-Cloud-30-1.2-x86_64-CHECKSUM": "",
	}
	for name, want := range good {
		alg, ok := hashutil.SumsFile(name)
		require.True(t, ok, name)
		require.Equal(t, want, alg, name)
	}
	for _, name := range []string{"", "SHA256", "SHA256SUMS.asc", "x.sha256sum", "mychecksum", "sums.txt", "SHA224SUMS"} {
		_, ok := hashutil.SumsFile(name)
		require.False(t, ok, name)
	}
}
