package clients_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lagoFetches does what lago's own client does to get a template into its store
// (its lago/templates.py: HttpTemplateProvider and TemplateStore.download), with
// the same requests and programs, and holds the result against the source.
func lagoFetches(t *testing.T, r recovered) {
	need(t, "xz", "qemu-img")
	for _, i := range r.images {
		before := len(r.asked())
		disk := lagoDownload(t, r.url+"/repo.metadata", i.handle, i.version)

		base := "/" + path.Base(r.url) + "/"
		require.Equal(t, []string{
			"GET " + base + "repo.metadata 200",
			"GET " + base + i.handle + ".xz 200",
			"GET " + base + i.handle + ".xz 200",
			"GET " + base + i.handle + ".xz.metadata 404",
			"GET " + base + i.handle + ".metadata 200",
			"GET " + base + i.handle + ".xz.hash 404",
			"GET " + base + i.handle + ".hash 200",
		}, r.asked()[before:])

		identical(t, i.format, i.source, "raw", disk)
		if i.format == "raw" {
			sameBytes(t, i.source, disk)
		}
		st, err := os.Stat(disk)
		require.NoError(t, err)
		require.EqualValues(t, diskMB*mibSize, st.Size())
	}
}

// lagoDownload gives the raw disk that lago would have in its store.
func lagoDownload(t *testing.T, repoMetadata, name, version string) string {
	t.Helper()
	// 1: the repository.
	var repo struct {
		Name    string
		Sources map[string]struct {
			Type string
			Args map[string]string
		}
		Templates map[string]struct {
			Versions map[string]struct {
				Source, Handle string
				Timestamp      float64
			}
		}
	}
	require.NoError(t, json.Unmarshal(lagoRead(t, repoMetadata), &repo))
	require.NotEmpty(t, repo.Name)
	// 2: the version; without one it is the newest.
	template, ok := repo.Templates[name]
	require.True(t, ok, "%q is not in %v", name, repo.Templates)
	newest, latest := 0.0, ""
	for v, what := range template.Versions {
		if what.Timestamp >= newest {
			newest, latest = what.Timestamp, v
		}
	}
	require.Equal(t, version, latest)
	handle := template.Versions[version].Handle
	// 3: the source.
	source := repo.Sources[template.Versions[version].Source]
	require.Equal(t, "http", source.Type)
	url := source.Args["baseurl"] + "/" + handle

	// 4: the image, metadata and hash, each first with .xz. Whether the image
	// is packed is found out with a request that is dropped.
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	resp, packed := lagoOpen(t, url)
	require.NoError(t, resp.Body.Close())
	require.True(t, packed)
	resp, _ = lagoOpen(t, url)
	file, err := os.Create(disk + ".xz")
	require.NoError(t, err)
	n, err := io.Copy(file, resp.Body)
	require.NoError(t, err)
	require.Equal(t, resp.ContentLength, n)
	require.NoError(t, file.Close())
	require.NoError(t, resp.Body.Close())
	var metadata map[string]any
	require.NoError(t, json.Unmarshal(lagoReadEither(t, url, ".metadata"), &metadata))
	for _, key := range []string{"distro", "arch", "root-partition"} {
		require.Contains(t, metadata, key)
	}
	hash := strings.TrimSpace(string(lagoReadEither(t, url, ".hash")))
	// 5: the image is unpacked.
	run(t, "xz", "--threads=0", "--decompress", disk+".xz")
	// 6: the hash is of what comes out.
	require.Equal(t, hash, sha1File(t, disk))
	// 7: the store keeps raw disks.
	run(t, "qemu-img", "convert", "-O", "raw", disk, disk+".raw")
	return disk + ".raw"
}

// lagoOpen asks for the name with .xz, and without if that is refused. Lago
// wants to know the length.
func lagoOpen(t *testing.T, url string) (_ *http.Response, packed bool) {
	t.Helper()
	resp := lagoGet(t, url+".xz")
	if resp.StatusCode >= 300 {
		require.NoError(t, resp.Body.Close())
		resp = lagoGet(t, url)
		require.Less(t, resp.StatusCode, 300, url)
		return resp, false
	}
	return resp, true
}

func lagoGet(t *testing.T, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Accept-Encoding", "identity") // as Python's urllib
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NotEmpty(t, resp.Header.Get("Content-Length"), url)
	return resp
}

func lagoRead(t *testing.T, url string) []byte {
	t.Helper()
	resp := lagoGet(t, url)
	defer resp.Body.Close()
	require.Less(t, resp.StatusCode, 300, url)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return data
}

// lagoReadEither reads the sidecar of the packed name, or of the plain one.
func lagoReadEither(t *testing.T, url, suffix string) []byte {
	t.Helper()
	resp := lagoGet(t, url+".xz"+suffix)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNotFound, resp.StatusCode, "%s.xz%s would shadow the right one", url, suffix)
	return lagoRead(t, url+suffix)
}
