package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// packedBytes is content as this program packs it.
func packedBytes(t *testing.T, content []byte, blockSize int64) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := xzpack.Pack(t.Context(), &out, bytes.NewReader(content), int64(len(content)), xzpack.PackOptions{BlockSize: blockSize})
	require.NoError(t, err)
	return out.Bytes()
}

// unsizedBytes is content as a packer writes it that puts no sizes into block
// headers.
func unsizedBytes(t *testing.T, content []byte, blockSize int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := xz.WriterConfig{BlockSize: blockSize, CheckSum: xz.SHA256}.NewWriter(&out)
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestListXZ(t *testing.T) {
	content := bytes.Repeat([]byte("el8.2-base "), 30_000)
	sized := packedBytes(t, content, 128<<10)
	unsized := unsizedBytes(t, content, 200_000)
	path := filepath.Join(t.TempDir(), "a.xz")
	list := func(data []byte) xzFile {
		require.NoError(t, os.WriteFile(path, data, 0o644))
		f := listXZ(path)
		require.Equal(t, listedState, f.State, f.Error)
		require.EqualValues(t, len(data), f.Sizes.Packed)
		return f
	}

	f := list(sized)
	require.EqualValues(t, len(content), f.Sizes.Apparent)
	require.Len(t, f.Blocks, 3)
	require.Equal(t, 3, f.Sized)
	require.Equal(t, 1, f.Streams)
	require.Equal(t, []xzpack.Check{xzpack.CheckCRC64}, f.Checks)
	require.Equal(t, xzBlock{Stream: 1, Offset: 12, Packed: f.Blocks[0].Packed, Content: 128 << 10, Check: "crc64", Dictionary: f.Blocks[0].Dictionary, Sized: true}, f.Blocks[0])
	require.Equal(t, "all", last(f.cells()))

	f = list(unsized)
	require.Zero(t, f.Sized)
	require.Equal(t, []xzpack.Check{xzpack.CheckSHA256}, f.Checks)
	require.Equal(t, "none: xz -T0 -d uses one core", last(f.cells()))
	require.Equal(t, "none", last(new(list(unsizedBytes(t, content, 1<<20))).cells()), "one block needs one core anyway")

	f = list(append(append(append([]byte{}, sized...), 0, 0, 0, 0), unsized...))
	require.Equal(t, 2, f.Streams)
	require.Equal(t, []xzpack.Check{xzpack.CheckCRC64, xzpack.CheckSHA256}, f.Checks)
	require.Equal(t, 1, f.Blocks[2].Stream)
	require.Equal(t, 2, f.Blocks[3].Stream)
	require.EqualValues(t, len(content), f.Blocks[3].ContentOffset)
	require.Equal(t, "3 of 5: xz -T0 -d uses one core for the rest", last(f.cells()))

	f = list(append(packedBytes(t, nil, 0), sized...))
	require.Equal(t, 2, f.Streams, "one of them is empty")
	require.Equal(t, 2, f.Blocks[0].Stream)

	f = list(packedBytes(t, nil, 0))
	require.Equal(t, 1, f.Streams)
	require.Empty(t, f.Blocks)
	require.Zero(t, f.Ratio)
	require.Empty(t, last(f.cells()))
}

// What unpacking refuses for its cost can be listed all the same: it costs
// nothing.
func TestListXZKnowsNoLimitOfUnpacking(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.xz")
	var out bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 128 << 20}.NewWriter(&out)
	require.NoError(t, err)
	_, err = w.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = xzpack.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), xzpack.OpenOptions{})
	require.ErrorIs(t, err, xzpack.ErrLimit)

	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o644))
	f := listXZ(path)
	require.Empty(t, f.Error)
	require.EqualValues(t, 128<<20, f.Dictionary)
}

func TestXZListDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.xz")
	require.NoError(t, os.WriteFile(path, packedBytes(t, []byte("x"), 0), 0o644))
	code, out, errs := runs(t, "xz-list", "--json", path, path+"gone")
	require.Equal(t, exitFailed, code)
	require.Equal(t, "tplkit: 1 of 2 failed\n", errs)
	var doc xzListDocument
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	require.Equal(t, map[templates.State]int{listedState: 1, templates.Failed: 1}, doc.Summary)
	require.Equal(t, listXZ(path), doc.Files[0])
	require.Equal(t, templates.Failed, doc.Files[1].State)
	require.NotEmpty(t, doc.Files[1].Error)
}

func TestXZListCannotReachTheTerminal(t *testing.T) {
	var out strings.Builder
	doc := newXZListDocument([]xzFile{{Path: "a\x1b[2J", State: templates.Failed, Error: "a\x1b[2J: bad\nworse\x1b"}}, nil)
	require.NoError(t, printXZList(&out, doc, true))
	require.NotContains(t, out.String(), "\x1b")
}

func last(cells []string) string { return cells[len(cells)-1] }
