package hashutil_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

const (
	hexMD5    = "d41d8cd98f00b204e9800998ecf8427e"
	hexSHA1   = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	hexSHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	hexSHA512 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" +
		"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)

var upperSHA1 = strings.ToUpper(hexSHA1)

// sidecarCase is a text that is a sidecar, and who takes it.
type sidecarCase struct {
	name     string
	text     string
	want     hashutil.Algorithm
	entry    hashutil.Entry
	lago     string // why lago refuses it; empty: it does not
	kubevirt string
}

func one(alg hashutil.Algorithm, hex string, change func(*hashutil.Entry)) hashutil.Entry {
	e := hashutil.Entry{Algorithm: alg, Hex: hex, Size: -1, Line: 1}
	if change != nil {
		change(&e)
	}
	return e
}

func named(form hashutil.Form, name string) hashutil.Entry {
	return one(hashutil.SHA1, hexSHA1, func(e *hashutil.Entry) { e.Form, e.Name = form, name })
}

func flagged(change func(*hashutil.Entry)) hashutil.Entry {
	return one(hashutil.SHA1, hexSHA1, change)
}

const (
	aName   = "stands beside the digest"
	anUpper = "upper case"
	aCRLF   = "CR LF"
	aBlank  = "white space"
	aText   = "comments or a signature"
)

var goodSidecars = []sidecarCase{
	{name: "lago's exact form", text: hexSHA1, want: hashutil.SHA1, entry: one(hashutil.SHA1, hexSHA1, nil)},
	{name: "kubevirt's exact form", text: hexSHA1 + "\n", want: hashutil.SHA1, entry: one(hashutil.SHA1, hexSHA1, nil)},
	{name: "more newlines, which a shell takes away", text: hexSHA1 + "\n\n\n", entry: one(hashutil.SHA1, hexSHA1, nil)},
	{name: "md5 by length", text: hexMD5, entry: one(hashutil.MD5, hexMD5, nil), lago: "a md5", kubevirt: "a md5"},
	{name: "sha256 by length", text: hexSHA256, entry: one(hashutil.SHA256, hexSHA256, nil), lago: "a sha256", kubevirt: "a sha256"},
	{name: "sha512 by length", text: hexSHA512 + "\n", entry: one(hashutil.SHA512, hexSHA512, nil), lago: "a sha512", kubevirt: "a sha512"},
	{name: "upper case", text: upperSHA1, want: hashutil.SHA1, entry: flagged(func(e *hashutil.Entry) { e.Upper = true }), lago: anUpper, kubevirt: anUpper},
	{name: "CRLF", text: hexSHA1 + "\r\n", entry: flagged(func(e *hashutil.Entry) { e.CRLF = true }), kubevirt: aCRLF},
	{name: "blanks around", text: " \t" + hexSHA1 + "\t \n", entry: flagged(func(e *hashutil.Entry) { e.Padded = true }), kubevirt: aBlank},
	{name: "a blank after", text: hexSHA1 + " ", entry: flagged(func(e *hashutil.Entry) { e.Padded = true }), kubevirt: aBlank},
	{name: "an empty line before", text: "\n" + hexSHA1 + "\n", entry: flagged(func(e *hashutil.Entry) { e.Padded, e.Line = true, 2 }), kubevirt: aBlank},
	{name: "a line of blanks after", text: hexSHA1 + "\n  \n", entry: flagged(func(e *hashutil.Entry) { e.Padded = true }), kubevirt: aBlank},
	{name: "an empty CRLF line after", text: hexSHA1 + "\n\r\n", entry: flagged(func(e *hashutil.Entry) { e.CRLF = true }), kubevirt: aCRLF},
	{name: "gnu text", text: hexSHA1 + "  disk.img\n", entry: named(hashutil.GNUText, "disk.img"), lago: aName, kubevirt: aName},
	{name: "gnu binary", text: hexSHA1 + " *disk.img\n", entry: named(hashutil.GNUBinary, "disk.img"), lago: aName, kubevirt: aName},
	{name: "one blank", text: hexSHA1 + " disk.img", entry: named(hashutil.GNUText, "disk.img"), lago: aName, kubevirt: aName},
	{name: "a tab", text: hexSHA1 + "\tdisk.img", entry: named(hashutil.GNUText, "disk.img"), lago: aName, kubevirt: aName},
	{name: "standard input", text: hexSHA1 + "  -\n", entry: named(hashutil.GNUText, "-"), lago: aName, kubevirt: aName},
	{name: "name with blanks", text: hexSHA1 + "   my disk .img \n", entry: named(hashutil.GNUText, " my disk .img "), lago: aName, kubevirt: aName},
	{name: "name with a directory", text: hexSHA1 + "  ./images/disk.img", entry: named(hashutil.GNUText, "./images/disk.img"), lago: aName, kubevirt: aName},
	{name: "gnu text, CRLF", text: hexSHA1 + "  disk.img\r\n", entry: one(hashutil.SHA1, hexSHA1, func(e *hashutil.Entry) {
		e.Form, e.Name, e.CRLF = hashutil.GNUText, "disk.img", true
	}), lago: aName, kubevirt: aName},
	{name: "escaped name", text: `\` + hexSHA1 + `  a\\b\nc\rd` + "\n", entry: named(hashutil.GNUText, "a\\b\nc\rd"), lago: aName, kubevirt: aName},
	{name: "escaped name of one blank", text: `\` + hexSHA1 + "   \n", entry: named(hashutil.GNUText, " "), lago: aName, kubevirt: aName},
	{name: "backslash in a name that is not escaped", text: hexSHA1 + `  a\b`, entry: named(hashutil.GNUText, `a\b`), lago: aName, kubevirt: aName},
	{name: "bsd tag", text: "SHA1 (disk.img) = " + hexSHA1 + "\n", want: hashutil.SHA1, entry: named(hashutil.BSD, "disk.img"), lago: aName, kubevirt: aName},
	{name: "bsd tag, blanks after", text: "SHA1 (disk.img) = " + hexSHA1 + " \n", entry: one(hashutil.SHA1, hexSHA1, func(e *hashutil.Entry) {
		e.Form, e.Name, e.Padded = hashutil.BSD, "disk.img", true
	}), lago: aName, kubevirt: aName},
	{name: "bsd tag, parentheses in the name", text: "SHA1 (a) = (b)) = " + hexSHA1, entry: named(hashutil.BSD, "a) = (b)"), lago: aName, kubevirt: aName},
	{name: "bsd tag, escaped", text: `\SHA1 (a\nb) = ` + hexSHA1, entry: named(hashutil.BSD, "a\nb"), lago: aName, kubevirt: aName},
	{name: "bsd tag, lower case", text: "sha1 (disk.img) = " + hexSHA1, entry: named(hashutil.BSD, "disk.img"), lago: aName, kubevirt: aName},
	{name: "openssl 1", text: "SHA1(disk.img)= " + hexSHA1 + "\n", entry: named(hashutil.BSD, "disk.img"), lago: aName, kubevirt: aName},
	{name: "openssl 3", text: "SHA2-256(disk.img)= " + hexSHA256 + "\n", want: hashutil.SHA256, entry: one(hashutil.SHA256, hexSHA256, func(e *hashutil.Entry) {
		e.Form, e.Name = hashutil.BSD, "disk.img"
	}), lago: "a sha256", kubevirt: "a sha256"},
	{name: "comment with a size", text: "# disk.img: 1234 bytes\nSHA1 (disk.img) = " + hexSHA1 + "\n", entry: one(hashutil.SHA1, hexSHA1, func(e *hashutil.Entry) {
		e.Form, e.Name, e.Extra, e.Size, e.Line = hashutil.BSD, "disk.img", true, 1234, 2
	}), lago: aText, kubevirt: aText},
	{name: "clear-signed", text: clearSigned(hexSHA1 + "  disk.img\n"), entry: one(hashutil.SHA1, hexSHA1, func(e *hashutil.Entry) {
		e.Form, e.Name, e.Extra, e.Line = hashutil.GNUText, "disk.img", true, 4
	}), lago: aText, kubevirt: aText},
}

func clearSigned(text string) string {
	return "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" + text +
		"-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n"
}

// badSidecars have in error what the message must say.
var badSidecars = []struct {
	name, text string
	want       hashutil.Algorithm
	error      string
}{
	{"empty", "", hashutil.SHA1, "expected 40 hex digits (sha1), found an empty file"},
	{"blank", " \r\n\n", "", "found an empty file"},
	{"one digit short", hexSHA1[1:], hashutil.SHA1, "line 1: expected 40 hex digits (sha1), found 39"},
	{"one digit long", hexSHA1 + "0", "", "line 1: expected 32, 40, 64 or 128 hex digits (md5, sha1, sha256, sha512), found 41"},
	{"another algorithm's length", hexSHA256, hashutil.SHA1, "expected 40 hex digits (sha1), found 64 (a sha256 has as many)"},
	{"another algorithm's tag", "SHA256 (a) = " + hexSHA256, hashutil.SHA1, "expected 40 hex digits (sha1), found 64"},
	{"a tag and its digest disagree", "SHA256 (a) = " + hexSHA1, "", "expected 64 hex digits (sha256), found 40"},
	{"a tag and its digest disagree, the digest is wanted", "SHA256 (a) = " + hexSHA1, hashutil.SHA1, "expected 64 hex digits (sha256), found 40"},
	{"unknown tag", "SHA384 (a) = " + hexSHA1, "", `expected md5, sha1, sha256 or sha512, found algorithm "SHA384 "`},
	{"tag without a digest", "SHA1 (a) = ", "", "found 0"},
	{"tag without an equals sign", "SHA1 (a) " + hexSHA1, "", `found "SHA1 (a) da39`},
	{"tag with something after", "SHA1 (a) = " + hexSHA1 + " x", "", "hex digits"},
	{"tag without a name", "SHA1 () = " + hexSHA1, "", "expected a file name"},
	{"closed before it opens", "SHA1 )a( = " + hexSHA1, "", "hex digits"},
	{"a letter that is no hex digit", "g" + hexSHA1[1:], hashutil.SHA1, "expected 40 hex digits (sha1), found \"ga39"},
	{"a letter in the middle", hexSHA1[:20] + "x" + hexSHA1[21:], hashutil.SHA1, "hex digits"},
	{"a page for an error", "<html><body>404</body></html>", hashutil.SHA1, `found "<html>`},
	{"a long line", strings.Repeat("lorem ", 1000), hashutil.SHA1, `lorem lo"…`},
	{"control characters", "\x1b[2J", hashutil.SHA1, `found "\x1b[2J"`},
	{"binary without a name", hexSHA1 + " *", "", "expected a file name"},
	{"escaped without a name", `\` + hexSHA1, "", "expected a blank and a file name"},
	{"a form feed before the name", hexSHA1 + "\fname", "", "expected a blank and a file name"},
	{"unknown escape", `\` + hexSHA1 + `  a\tb`, "", `only \\, \n and \r escaped`},
	{"half an escape", `\` + hexSHA1 + `  a\`, "", `only \\, \n and \r escaped`},
	{"NUL in the name", hexSHA1 + "  a\x00b", "", "expected a file name"},
	{"two digests", hexSHA1 + "\n" + hexSHA1 + "\n", "", "line 2: expected one digest, found a second line"},
	{"UTF-8 byte order mark", "\ufeff" + hexSHA1, hashutil.SHA1, "hex digits"},
	{"UTF-16", "\xff\xfed\x00a\x003\x009\x00", hashutil.SHA1, "hex digits"},
	{"text before the armour", hexSHA1 + "\n" + clearSigned(hexSHA1+"\n"), "", "expected the signed message at the beginning"},
	{"text after the armour", clearSigned(hexSHA1+"\n") + hexSHA1 + "\n", "", "expected nothing after the signature"},
	{"armour without an end", strings.TrimSuffix(clearSigned(hexSHA1+"\n"), "-----END PGP SIGNATURE-----\n"), "", "no end of its signature"},
	{"armour with a bad header", "-----BEGIN PGP SIGNED MESSAGE-----\n" + hexSHA1 + "\n", "", "expected an armour header"},
	{"too large", strings.Repeat(" ", hashutil.MaxSidecar+1), hashutil.SHA1, "more than 64 KiB"},
}

func TestParseSidecar(t *testing.T) {
	for _, tc := range goodSidecars {
		t.Run(tc.name, func(t *testing.T) {
			e, err := hashutil.ParseSidecar([]byte(tc.text), tc.want)
			require.NoError(t, err)
			require.Equal(t, tc.entry, e)
			check := func(err error, reason string) {
				if reason == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, reason)
				}
			}
			check(e.CheckLago(), tc.lago)
			check(e.CheckKubeVirt(), tc.kubevirt)
		})
	}
}

func TestParseSidecarRefuses(t *testing.T) {
	for _, tc := range badSidecars {
		t.Run(tc.name, func(t *testing.T) {
			_, err := hashutil.ParseSidecar([]byte(tc.text), tc.want)
			require.ErrorContains(t, err, tc.error)
			var perr *hashutil.ParseError
			require.True(t, errors.As(err, &perr))
			require.Less(t, len(err.Error()), 300)
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}

func TestFormString(t *testing.T) {
	require.Equal(t, "gnu binary", hashutil.GNUBinary.String())
	require.Equal(t, "unknown", hashutil.Form(9).String())
}
