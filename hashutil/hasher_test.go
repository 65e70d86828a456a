package hashutil_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

// digestsOf computes what a Hasher has to give without any of its code.
func digestsOf(p []byte) hashutil.Digests {
	return hashutil.Digests{
		hashutil.MD5:    fmt.Sprintf("%x", md5.Sum(p)),
		hashutil.SHA1:   fmt.Sprintf("%x", sha1.Sum(p)),
		hashutil.SHA256: fmt.Sprintf("%x", sha256.Sum256(p)),
		hashutil.SHA512: fmt.Sprintf("%x", sha512.Sum512(p)),
	}
}

func sha1Of(p string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(p))) }

// noise is n bytes that no run of zeros hides in.
func noise(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(p)
	return p
}

func TestHasherWritesAndZeros(t *testing.T) {
	// Sizes around the page of zeros, the step of zeros and the write from
	// which the algorithms run side by side.
	sizes := []int{0, 1, 511, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 1<<20 + 7, 8 << 20, 8<<20 + 1}
	for _, size := range sizes {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			data := noise(size)
			var stream []byte
			stream = append(stream, data...)
			stream = append(stream, make([]byte, size)...)
			stream = append(stream, "end"...)
			h := hashutil.NewHasher(hashutil.Algorithms()...)
			n, err := h.Write(data)
			require.NoError(t, err)
			require.Equal(t, size, n)
			require.NoError(t, h.WriteZeros(int64(size)))
			half := h.Sums()
			require.Equal(t, digestsOf(stream[:2*size]), half)
			_, err = h.Write([]byte("end"))
			require.NoError(t, err)
			require.Equal(t, digestsOf(stream), h.Sums())
			require.EqualValues(t, len(stream), h.Size())
		})
	}
}

func TestHasherWithoutAlgorithmsCounts(t *testing.T) {
	h := hashutil.NewHasher()
	_, err := h.Write([]byte("abc"))
	require.NoError(t, err)
	require.NoError(t, h.WriteZeros(1<<50), "a hole that is not hashed costs nothing worth a test's time")
	require.Empty(t, h.Sums())
	require.EqualValues(t, 1<<50+3, h.Size())
}

func TestHasherTakesAnAlgorithmOnce(t *testing.T) {
	h := hashutil.NewHasher(hashutil.SHA256, hashutil.SHA1, hashutil.SHA256)
	require.Equal(t, []hashutil.Algorithm{hashutil.SHA256, hashutil.SHA1}, h.Algorithms())
	require.Len(t, h.Sums(), 2)
	require.Panics(t, func() { hashutil.NewHasher("crc32") })
}

func TestHasherRefusesNegativeZeros(t *testing.T) {
	h := hashutil.NewHasher(hashutil.SHA1)
	require.ErrorContains(t, h.WriteZeros(-1), "negative")
	require.Zero(t, h.Size())
}

func TestZerosAllocateNothing(t *testing.T) {
	h := hashutil.NewHasher(hashutil.SHA1)
	require.Zero(t, testing.AllocsPerRun(5, func() { _ = h.WriteZeros(1 << 20) }))
}

func TestBoundHasherStopsInAHole(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	h := hashutil.NewHasher(hashutil.SHA1, hashutil.SHA512)
	h.Bind(ctx)
	require.NoError(t, h.WriteZeros(1))
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	began := time.Now()
	require.ErrorIs(t, h.WriteZeros(1<<50), cause)
	require.Less(t, time.Since(began), 5*time.Second)
	_, err := h.Write([]byte("x"))
	require.ErrorIs(t, err, cause)
}

func TestSum(t *testing.T) {
	data := noise(3<<20 + 11)
	readers := map[string]func() io.Reader{
		"at once":       func() io.Reader { return bytes.NewReader(data) },
		"in halves":     func() io.Reader { return iotest.HalfReader(bytes.NewReader(data)) },
		"data with EOF": func() io.Reader { return iotest.DataErrReader(bytes.NewReader(data)) },
	}
	for name, reader := range readers {
		t.Run(name, func(t *testing.T) {
			sums, n, err := hashutil.Sum(t.Context(), reader(), hashutil.Algorithms()...)
			require.NoError(t, err)
			require.EqualValues(t, len(data), n)
			require.Equal(t, digestsOf(data), sums)
		})
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func TestSumFails(t *testing.T) {
	broken := errors.New("cable pulled")
	sums, n, err := hashutil.Sum(t.Context(), io.MultiReader(bytes.NewReader([]byte("abc")), iotest.ErrReader(broken)), hashutil.SHA1)
	require.ErrorIs(t, err, broken)
	require.EqualValues(t, 3, n)
	require.Nil(t, sums)

	_, _, err = hashutil.Sum(t.Context(), silent{}, hashutil.SHA1)
	require.ErrorIs(t, err, io.ErrNoProgress)
}

// endless cancels once it was read twice.
type endless struct {
	cancel func()
	reads  int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.reads++; e.reads == 2 {
		e.cancel()
	}
	return len(p), nil
}

func TestSumIsCancelled(t *testing.T) {
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, _, err := hashutil.Sum(ctx, &endless{cancel: func() { cancel(cause) }}, hashutil.SHA1)
	require.ErrorIs(t, err, cause)
}
