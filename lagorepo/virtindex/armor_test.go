package virtindex_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

const (
	signedHead = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
	signedTail = "-----BEGIN PGP SIGNATURE-----\n\niQEz\n=abcd\n-----END PGP SIGNATURE-----\n"
)

func TestParseSigned(t *testing.T) {
	for _, c := range []struct {
		name, text string
		escaped    bool
	}{
		{"as gpg writes it", signedHead + "# c\n[a]\nk=1\n" + signedTail, false},
		{"no hash named", "-----BEGIN PGP SIGNED MESSAGE-----\n\n# c\n[a]\nk=1\n" + signedTail, false},
		{"two hashes", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\nHash: SHA512\n\n# c\n[a]\nk=1\n" + signedTail, false},
		{"empty lines at the end", signedHead + "# c\n[a]\nk=1\n" + signedTail + "\n\n", false},
		{"dash-escaped line", signedHead + "- # c\n[a]\nk=1\n" + signedTail, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := virtindex.Parse([]byte(c.text))
			require.NoError(t, err)
			require.True(t, x.Signed)
			require.Len(t, x.Entries, 1)
			require.Equal(t, []string{"# c"}, x.Entries[0].Comment)
			require.Positive(t, x.Entries[0].Line)

			escaped := false
			for _, p := range x.Check() {
				if p.Severity == virtindex.Error && p.Section == "" {
					require.Contains(t, p.Text, "dash-escaped")
					require.Equal(t, 4, p.Line)
					escaped = true
				}
			}
			require.Equal(t, c.escaped, escaped)
		})
	}

	t.Run("empty text", func(t *testing.T) {
		x, err := virtindex.Parse([]byte(signedHead + signedTail))
		require.NoError(t, err)
		require.True(t, x.Signed)
		require.Empty(t, x.Entries)
	})
}

func TestParseSignedBad(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"blank behind the first line", "-----BEGIN PGP SIGNED MESSAGE----- \n\n[a]\n" + signedTail, 1, "nothing else on this line"},
		{"another header", "-----BEGIN PGP SIGNED MESSAGE-----\nNotDashEscaped: You need GnuPG\n\n[a]\n" + signedTail, 2, "Hash:"},
		{"text among the headers", "-----BEGIN PGP SIGNED MESSAGE-----\n[evil]\n\n[a]\n" + signedTail, 2, "Hash:"},
		{"blank instead of an empty line", "-----BEGIN PGP SIGNED MESSAGE-----\n \n[a]\n" + signedTail, 2, "Hash:"},
		{"nothing but headers", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n", 2, "Hash:"},
		{"no signature", signedHead + "[a]\n", 4, "ends without"},
		{"unescaped dash", signedHead + "[a]\n-x=1\n" + signedTail, 5, "not escaped"},
		{"message in a message", signedHead + "-----BEGIN PGP SIGNED MESSAGE-----\n" + signedTail, 4, "not escaped"},
		{"signature without end", signedHead + "[a]\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n", 7, "ends without"},
		{"signature in a signature", signedHead + "[a]\n-----BEGIN PGP SIGNATURE-----\n" + signedTail, 6, "inside the signature"},
		{"text behind the signature", signedHead + "[a]\n" + signedTail + "[evil]\n", 10, "not signed"},
		{"second message", signedHead + "[a]\n" + signedTail + signedHead + "[evil]\n" + signedTail, 10, "not signed"},
		{"bad line counts in the whole file", signedHead + "[a]\nk\n" + signedTail, 5, "key=value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := virtindex.Parse([]byte(c.text))
			var perr *virtindex.ParseError
			require.ErrorAs(t, err, &perr)
			require.Equal(t, c.line, perr.Line, perr.Text)
			require.Contains(t, perr.Text, c.want)
		})
	}
}
