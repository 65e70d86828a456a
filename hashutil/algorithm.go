package hashutil

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// Algorithm is the lower-case name of a digest algorithm, as it stands in
// file names and in JSON.
type Algorithm string

// The algorithms. MD5 is for release bundles and SHA1 for clients that compare
// nothing else; neither is evidence against an attacker.
const (
	MD5    Algorithm = "md5"
	SHA1   Algorithm = "sha1"
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// Algorithms lists all algorithms, shortest digest first.
func Algorithms() []Algorithm {
	return []Algorithm{MD5, SHA1, SHA256, SHA512}
}

// ParseAlgorithm reads the name of an algorithm: the name itself in either
// case, with a hyphen ("SHA-256") or as OpenSSL 3 writes it ("SHA2-256").
func ParseAlgorithm(s string) (Algorithm, error) {
	switch strings.ToLower(s) {
	case "md5":
		return MD5, nil
	case "sha1", "sha-1":
		return SHA1, nil
	case "sha256", "sha-256", "sha2-256":
		return SHA256, nil
	case "sha512", "sha-512", "sha2-512":
		return SHA512, nil
	}
	return "", fmt.Errorf("digest algorithm %s: expected md5, sha1, sha256 or sha512", quote(s))
}

// Valid reports whether a is one of [Algorithms].
func (a Algorithm) Valid() bool { return slices.Contains(Algorithms(), a) }

// New returns a new hash. It panics if a is not [Algorithm.Valid]; use
// [ParseAlgorithm] for names from outside.
func (a Algorithm) New() hash.Hash {
	switch a {
	case MD5:
		return md5.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	}
	panic(fmt.Sprintf("hashutil: no digest algorithm %s", quote(string(a))))
}

// Size is the length of a digest in bytes; 0 for an unknown algorithm.
func (a Algorithm) Size() int {
	switch a {
	case MD5:
		return md5.Size
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	case SHA512:
		return sha512.Size
	}
	return 0
}

// HexLen is the length of a digest in hex digits; 0 for an unknown algorithm.
func (a Algorithm) HexLen() int { return 2 * a.Size() }

// byHexLen tells an algorithm from the number of its hex digits, as every
// reader of bare digests has to; "" if no algorithm has that many.
func byHexLen(n int) Algorithm {
	for _, a := range Algorithms() {
		if a.HexLen() == n {
			return a
		}
	}
	return ""
}

// Digests holds one digest per algorithm, in lower-case hex.
type Digests map[Algorithm]string
