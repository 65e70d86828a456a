package browser_test

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

var stamp = time.Date(2026, time.November, 20, 9, 30, 0, 0, time.UTC)

// tree is a tree made of small files. The catalogue reads no image, so none of
// them has to be one.
type tree struct {
	t   testing.TB
	dir string
}

func (r tree) put(name, content string) {
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	err := os.WriteFile(path, []byte(content), 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		require.NoError(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
		err = os.WriteFile(path, []byte(content), 0o644)
	}
	require.NoError(r.t, err)
	require.NoError(r.t, os.Chtimes(path, stamp, stamp))
}

// template is one template of a tree.
type template struct {
	name, version, handle string
	distro, osinfo, arch  string
	size                  int64
	age                   time.Duration
	notes                 string
}

// small is the repository that most tests look at.
var small = []template{
	{name: "el8.2-base", version: "v2", handle: "el8.2-base-v2", distro: "el8", osinfo: "rhel8.2", arch: "x86_64", size: 6 << 30, age: 24 * time.Hour, notes: "CentOS 8.2 with cloud-init, root by key only."},
	{name: "el8.2-base", version: "v1", handle: "el8.2-base", distro: "el8", osinfo: "rhel8.2", arch: "x86_64", size: 6 << 30, age: 60 * 24 * time.Hour},
	{name: "el8.2-engine", version: "v3", handle: "el8.2-engine", distro: "el8", osinfo: "rhel8.2", arch: "x86_64", size: 24 << 30, age: 9 * 24 * time.Hour},
	{name: "el9-base", version: "20261118", handle: "el9-base", distro: "el9", osinfo: "rhel9.4", arch: "x86_64", size: 10 << 30, age: 2 * 24 * time.Hour},
	{name: "el9-base-ppc64le", version: "20261118", handle: "el9-base-ppc64le", distro: "el9", osinfo: "rhel9.4", arch: "ppc64le", size: 10 << 30, age: 2 * 24 * time.Hour},
	{name: "debian12-base", version: "v5", handle: "debian12-base", distro: "debian12", osinfo: "debian12", arch: "x86_64", size: 3 << 30, age: 30 * 24 * time.Hour},
	{name: "fc40-base", version: "v1", handle: "fc40-base", distro: "fc40", osinfo: "fedora40", arch: "aarch64", size: 5 << 30, age: 100 * 24 * time.Hour},
	{name: "lago Fedora® 22", version: "v1", handle: "lago-Fedora-22", distro: "fc22", osinfo: "fedora22", arch: "x86_64", size: 4 << 30, age: 3000 * 24 * time.Hour},
}

// publish writes templates and their indexes into repo/.
func (r tree) publish(list []template) {
	type version struct {
		Source    string `json:"source"`
		Handle    string `json:"handle"`
		Timestamp int64  `json:"timestamp"`
	}
	versions := map[string]map[string]map[string]version{}
	var index strings.Builder
	for i, t := range list {
		content := strings.Repeat(t.handle, 100+37*(i%1000))
		sum := sha1.Sum([]byte(t.handle))
		metadata, err := json.Marshal(map[string]any{"name": t.name, "version": t.version, "distro": t.distro, "osinfo": t.osinfo, "arch": t.arch, "size": t.size})
		require.NoError(r.t, err)
		r.put("repo/"+t.handle+".xz", content)
		r.put("repo/"+t.handle+".hash", hex.EncodeToString(sum[:]))
		r.put("repo/"+t.handle+".metadata", string(metadata))
		if versions[t.name] == nil {
			versions[t.name] = map[string]map[string]version{"versions": {}}
		}
		versions[t.name]["versions"][t.version] = version{"r", t.handle, stamp.Add(-t.age).Unix()}
		fmt.Fprintf(&index, "[%s]\nname=%s\narch=%s\nfile=%s.xz\nrevision=1\nchecksum[sha512]=%0128x\nformat=qcow2\nsize=%d\ncompressed_size=%d\n",
			t.handle, t.name, t.arch, t.handle, i, t.size, len(content))
		if t.notes != "" {
			fmt.Fprintf(&index, "notes=%s\n", t.notes)
		}
		index.WriteString("\n")
	}
	text, err := json.Marshal(map[string]any{"name": "r", "templates": versions,
		"sources": map[string]any{"r": map[string]any{"type": "http", "args": map[string]string{"baseurl": "http://h/repo"}}}})
	require.NoError(r.t, err)
	r.put("repo/repo.metadata", string(text))
	r.put("repo/index", strings.TrimSuffix(index.String(), "\n"))
}

// serve serves a tree to this machine and gives its address.
func serve(t *testing.T, dir string) string {
	t.Helper()
	h, err := webserve.New(dir, webserve.Options{
		Policy:    acl.Default(netip.MustParsePrefix("127.0.0.0/8")),
		Catalogue: lagorepo.Catalogue,
	})
	require.NoError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, h.Close())
	})
	return server.URL
}

// site is the small tree, served.
func site(t *testing.T) string {
	t.Helper()
	r := tree{t, t.TempDir()}
	r.publish(small)
	r.put("repo/broken.xz", "x")
	r.put("bundles/ovirt-demo-tool/4.2/README.md", "Read me.\n")
	r.put("bundles/ovirt-demo-tool/release-notes.txt", strings.Repeat("x", 12345))
	r.put("bundles/a <b> & 'c'.txt", "x")
	r.put("bundles/<img src=x onerror=alert(1)>\"'.txt", "x")
	r.put("bundles/größe.tar.xz", strings.Repeat("x", 2_000_000))
	r.put("bundles/"+strings.Repeat("a-very-long-name-", 10)+".tar.xz", "x")
	r.put("yum/el8/repodata/repomd.xml", "<repomd/>")
	r.put("kubevirt/rhel8.qcow2", "x")
	return serve(t, r.dir)
}

// many is how many entries a large directory has.
const many = 10_000

// largeSite has a directory of 10,000 files, and 10,000 templates. It is made
// once: that takes a while.
func largeSite(t *testing.T) string {
	t.Helper()
	largeOnce.Do(func() {
		dir, err := os.MkdirTemp("", "tplkit-many-")
		require.NoError(t, err)
		largeDir = dir
		r := tree{t, dir}
		var list []template
		for i := range many {
			r.put(fmt.Sprintf("bundles/many/template-bundle-%05d.tar.xz", i), strings.Repeat("x", i%5000))
			name := fmt.Sprintf("t%05d", i)
			list = append(list, template{name: name, version: "v1", handle: name, distro: "el8", osinfo: "rhel8.2", arch: "x86_64", size: 6 << 30, age: time.Duration(i) * time.Hour})
		}
		r.publish(list)
	})
	return serve(t, largeDir)
}

var (
	largeOnce sync.Once
	largeDir  string
)

// fetchJSON reads the JSON form of a page.
func fetchJSON(t *testing.T, url string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(into))
}
