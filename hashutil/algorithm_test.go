package hashutil_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

func TestParseAlgorithm(t *testing.T) {
	good := map[string]hashutil.Algorithm{
		"md5": hashutil.MD5, "MD5": hashutil.MD5,
		"sha1": hashutil.SHA1, "SHA1": hashutil.SHA1, "sha-1": hashutil.SHA1,
		"sha256": hashutil.SHA256, "SHA-256": hashutil.SHA256, "SHA2-256": hashutil.SHA256,
		"sha512": hashutil.SHA512, "Sha512": hashutil.SHA512, "sha2-512": hashutil.SHA512,
	}
	for text, want := range good {
		got, err := hashutil.ParseAlgorithm(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "sha", "sha224", "sha3-256", " sha1", "md5sum", "\x1b[31m"} {
		_, err := hashutil.ParseAlgorithm(text)
		require.ErrorContains(t, err, "expected md5, sha1, sha256 or sha512", "%q", text)
		require.NotContains(t, err.Error(), "\x1b")
	}
}

func TestAlgorithmSizes(t *testing.T) {
	for _, a := range hashutil.Algorithms() {
		require.True(t, a.Valid())
		require.Equal(t, a.New().Size(), a.Size())
		require.Equal(t, hex.EncodedLen(a.Size()), a.HexLen())
	}
	unknown := hashutil.Algorithm("crc32")
	require.False(t, unknown.Valid())
	require.Zero(t, unknown.Size())
	require.Zero(t, unknown.HexLen())
	require.PanicsWithValue(t, `hashutil: no digest algorithm "crc32"`, func() { unknown.New() })
}
