package lagorepo_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// el8 is the entry most tests are about.
const el8 = "phx_repo:el8.2-base:v1"

const el8Metadata = `{"name": "el8.2-base", "version": "v1", "distro": "el8", "arch": "x86_64",
 "root-password": "123456", "size": 196608, "sha1": "stale", "checksum": "stale", "note": 1.50, "timestamp": 1583020800}`

var stamp = time.Date(2020, 3, 1, 12, 0, 0, 0, time.UTC)

// store is a lago store in a temporary directory, made by hand.
type store struct {
	t   testing.TB
	dir string
}

func newStore(t testing.TB) *store { return &store{t, t.TempDir()} }

// put writes a file of the store.
func (s *store) put(name string, data []byte) *store {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.WriteFile(path, data, 0o644))
	require.NoError(s.t, os.Chtimes(path, stamp, stamp))
	return s
}

// complete writes the three files of a finished download; the .hash is that of
// the original, which was no raw disk.
func (s *store) complete(name string, disk []byte, metadata string) *store {
	s.t.Helper()
	return s.put(name, disk).put(name+".hash", []byte(sha1Hex([]byte("the original of "+name)))).put(name+".metadata", []byte(metadata))
}

func (s *store) open() *templates.Dir { return openDir(s.t, s.dir) }

func (s *store) scan() []lagorepo.Entry {
	s.t.Helper()
	entries, err := lagorepo.ScanStore(s.t.Context(), s.open())
	require.NoError(s.t, err)
	return entries
}

func (s *store) plan(opt lagorepo.PlanOptions) *lagorepo.Plan {
	s.t.Helper()
	p, err := lagorepo.NewPlan(s.scan(), opt)
	require.NoError(s.t, err)
	return p
}

// fast packs small blocks with little effort.
var fast = lagorepo.RecoverOptions{Level: xzpack.Fast, BlockSize: 64 << 10, Jobs: 1}

func openDir(t testing.TB, dir string) *templates.Dir {
	t.Helper()
	d, err := templates.OpenDir(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// openTree opens a tree for publishing. The one opened before, if any, must be
// closed by then.
func openTree(t testing.TB, dir string) *publish.Dir {
	t.Helper()
	d, err := publish.Open(context.Background(), dir, publish.Options{Reserve: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// disk makes content that packs badly enough to be told apart, with a hole.
func disk(seed byte, size int) []byte {
	p := make([]byte, size)
	src := rand.NewChaCha8([32]byte{seed})
	_, _ = src.Read(p[:min(size, 20_000)])
	if size > 100_000 {
		_, _ = src.Read(p[size-10_000:])
	}
	return p
}

// qcow2 makes the header of an image with a backing file at the given offset of
// its name, 0 for none.
func qcow2(backing byte) []byte {
	p := make([]byte, 64<<10)
	copy(p, "QFI\xfb\x00\x00\x00\x02")
	p[15] = backing
	if backing != 0 {
		p[19] = 8
	}
	p[23] = 16   // cluster bits
	p[28] = 0x40 // virtual size: 1 GiB
	p[39] = 2    // l1 entries
	p[46] = 0x40 // l1 table
	p[54] = 0x80 // refcount table
	p[59] = 1    // refcount clusters
	return p
}

func sha1Hex(p []byte) string { return fmt.Sprintf("%x", sha1.Sum(p)) }

func xz(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := xzpack.Pack(t.Context(), &b, bytes.NewReader(content), int64(len(content)), xzpack.PackOptions{Level: xzpack.Fast, Jobs: 1})
	require.NoError(t, err)
	return b.Bytes()
}

func unxz(t testing.TB, packed []byte) []byte {
	t.Helper()
	r, err := xzpack.Open(bytes.NewReader(packed), int64(len(packed)), xzpack.OpenOptions{})
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = r.WriteTo(&b)
	require.NoError(t, err)
	return b.Bytes()
}

// snapshot maps every file below dir to its content, modification time
// included, to show that nothing was touched.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, de fs.DirEntry, err error) error {
		if err != nil || de.IsDir() {
			return err
		}
		fi, err := de.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		files[name] = fmt.Sprintf("%s %d", fi.Mode(), fi.ModTime().UnixNano())
		if fi.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files[name] += " " + sha1Hex(data)
		}
		return nil
	}))
	return files
}

// names lists the files below dir.
func names(t testing.TB, dir string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(snapshot(t, dir)))
}

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	require.NoError(t, err)
	return data
}

// only gives the report's one item.
func only(t testing.TB, r *templates.Report) templates.Item {
	t.Helper()
	require.Len(t, r.Items, 1)
	return r.Items[0]
}
