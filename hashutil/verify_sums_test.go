package hashutil_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

func sha256Of(p string) string { return digestsOf([]byte(p))[hashutil.SHA256] }

func TestVerifySums(t *testing.T) {
	tree := files{
		"SHA256SUMS": "# good.img: 1 bytes\n" +
			sha256Of("good") + "  good.img\n" +
			sha256Of("good") + "  good.img\n" + // once more: checked once
			sha256Of("bad") + " *bad.img\n" +
			strings.ToUpper(sha256Of("deep")) + "  ./sub/deep.img\n" +
			sha256Of("gone") + "  gone.img\n" +
			sha256Of("x") + "  ../climbs\n" +
			sha256Of("x") + "  /absolute\n" +
			sha256Of("x") + "  sub\n" +
			"rubbish\n",
		"SHA256SUMS.gpg": "a signature",
		"good.img":       "good",
		"bad.img":        "not what it was",
		"sub/deep.img":   "deep",
		"unlisted.img":   "x",
	}
	report := verify(t, tree.fs(), hashutil.VerifyOptions{})
	require.Equal(t, []string{
		"SHA256SUMS SHA256SUMS malformed",
		"SHA256SUMS SHA256SUMS malformed",
		"SHA256SUMS SHA256SUMS malformed",
		"bad.img SHA256SUMS mismatch",
		"gone.img SHA256SUMS orphan",
		"good.img SHA256SUMS ok",
		"sub SHA256SUMS orphan",
		"sub/deep.img SHA256SUMS ok",
		"unlisted.img unlisted.img.sha1 missing",
	}, short(report))
	require.Contains(t, report.Files[0].Reason, `line 10: expected 64 hex digits (sha256), found "rubbish"`)
	require.Contains(t, report.Files[1].Reason, `line 7: expected a file below the directory, found the name "../climbs"`)
	require.Contains(t, report.Files[2].Reason, `line 8: expected a file below the directory, found the name "/absolute"`)
	require.Equal(t, "line 6 lists it, but there is no such file", report.Files[4].Reason)
	repairs := report.Repairs()
	require.Len(t, repairs, 1, "a sums file is its publisher's")
	require.Equal(t, "unlisted.img.sha1", repairs[0].Sidecar)
}

func TestVerifyFedoraChecksum(t *testing.T) {
	text := clearSigned("# a.qcow2: 100 bytes\nSHA256 (a.qcow2) = " + sha256Of("whole") + "\n")
	tree := files{"Fedora-30-CHECKSUM": text, "a.qcow2": "who"}
	report := verify(t, tree.fs(), hashutil.VerifyOptions{})
	require.Equal(t, []string{"a.qcow2 Fedora-30-CHECKSUM mismatch"}, short(report))
	require.Contains(t, report.Files[0].Reason, "expected 100 bytes, found 3")
}

func TestVerifySumsAndSidecarInOneRead(t *testing.T) {
	counting := &countingFS{FS: files{
		"SHA256SUMS": sha256Of("x") + "  a.img\n",
		"a.img":      "x",
		"a.img.sha1": sha1Of("x"),
		"a.img.md5":  digestsOf([]byte("x"))[hashutil.MD5],
	}.fs()}
	report := verify(t, counting, hashutil.VerifyOptions{Jobs: 1})
	require.Equal(t, []string{"a.img SHA256SUMS ok", "a.img a.img.md5 ok", "a.img a.img.sha1 ok"}, short(report))
	require.Equal(t, 2, counting.opened["a.img"], "once for its magic, once for all digests")
}

func TestVerifySumsThatCannotBeRead(t *testing.T) {
	tree := fstest.MapFS{
		"SHA1SUMS":   {Mode: 0o644, Data: []byte(strings.Repeat("#\n", hashutil.MaxSums/2+1))},
		"SHA256SUMS": {Mode: 0o777 | modeSymlink, Data: []byte("/etc/passwd")},
	}
	report := verify(t, tree, hashutil.VerifyOptions{})
	require.Equal(t, []string{"SHA1SUMS SHA1SUMS malformed", "SHA256SUMS SHA256SUMS unreadable"}, short(report))
	require.Contains(t, report.Files[0].Reason, "more than 16384 KiB")
	require.Contains(t, report.Files[1].Reason, "expected a regular file, found a symbolic link")
}

func TestVerifySumsDoNotFollowALinkedDirectory(t *testing.T) {
	tree := fstest.MapFS{
		"pub/SHA1SUMS":  {Data: []byte(sha1Of("secret") + "  sub/key\n")},
		"pub/sub":       {Mode: 0o777 | modeSymlink, Data: []byte("../private")},
		"private/key":   {Data: []byte("secret")},
		"private/index": {},
	}
	report := verify(t, tree, hashutil.VerifyOptions{Names: []string{"pub/SHA1SUMS"}})
	require.Equal(t, []string{"pub/sub/key pub/SHA1SUMS unreadable"}, short(report))
	require.Contains(t, report.Files[0].Reason, `"pub/sub": expected a directory, found a symbolic link`)
}
