package browse_test

import (
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/internal/browse"
)

// program finds a client, or ends the test.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatalf("needs %s (Debian: %s)", name, name)
		}
		t.Skipf("needs %s (Debian: %s)", name, name)
	}
	return path
}

// tree is a directory with names that a listing can garble, and its content.
func tree(t *testing.T) (dir string, files map[string]string) {
	t.Helper()
	dir = t.TempDir()
	files = map[string]string{}
	for _, name := range []string{
		"el8.2-base.xz", "el8.2-base.hash", "repo.metadata", "index", "with blank.txt", "lago Fedora® 22", "a&b=c;d.txt", "100%.txt", "%41.txt", "it's.txt", `say "hi".txt`,
		"a+b.txt", "(1).txt", "[1].txt", "{1}.txt", "$HOME.txt", "a=b,c@d!e.txt", "<b>.txt", "~x.txt", "sub/deeper/file.txt", "sub dir/é.txt", "name:with:colons.txt",
		strings.Repeat("long-", 40) + ".txt",
	} {
		files[name] = "content of " + name + strings.Repeat(".", 3000)
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(files[name]), 0o644))
		require.NoError(t, os.Chtimes(path, stamp, stamp))
	}
	return dir, files
}

// serveTree serves a directory below /bundles/ with listings of ours.
func serveTree(t *testing.T, dir string) string {
	t.Helper()
	files := http.StripPrefix("/bundles/", http.FileServerFS(os.DirFS(dir)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, "/bundles/")
		if !ok {
			http.NotFound(w, r)
			return
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if st, err := os.Stat(path); err != nil || !st.IsDir() {
			files.ServeHTTP(w, r)
			return
		}
		if name != "" && !strings.HasSuffix(name, "/") {
			http.Redirect(w, r, filepath.Base(name)+"/", http.StatusMovedPermanently)
			return
		}
		list, err := os.ReadDir(path)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		p := browse.Page{Path: r.URL.Path, BaseURL: "http://" + r.Host}
		for _, de := range list {
			if fi, err := de.Info(); err == nil {
				p.Entries = append(p.Entries, browse.Entry{Name: de.Name(), Dir: de.IsDir(), Size: fi.Size(), ModTime: fi.ModTime(), Mode: fi.Mode()})
			}
		}
		if name == "" {
			p.Catalogue = repo(nil).Catalogue
		}
		browse.Serve(w, r, p)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/bundles/"
}

// client runs a client that sees no settings of the user.
func client(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, name), args...)
	home := t.TempDir()
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C.UTF-8", "TZ=UTC", "no_proxy=*"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s%s", cmd, out, stderr.String())
	return string(out)
}

// fetched reads a directory, less what is not of the tree.
func fetched(t *testing.T, dir string, skip func(name string) bool) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || skip(name) {
			return err
		}
		data, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = string(data)
		return err
	}))
	return files
}

func TestWgetMirrors(t *testing.T) {
	program(t, "wget")
	dir, files := tree(t)
	url, out := serveTree(t, dir), t.TempDir()
	client(t, "wget", "-q", "-r", "-np", "-nH", "--cut-dirs=1", "--restrict-file-names=nocontrol", "-P", out, url)
	indexes := 0
	got := fetched(t, out, func(name string) bool {
		is := strings.HasPrefix(filepath.Base(name), "index.html")
		if is {
			indexes++
		}
		return is
	})
	// It asks for the right file and then decodes the name once more.
	require.NotContains(t, got, "%41.txt")
	got["%41.txt"] = got["A.txt"]
	delete(got, "A.txt")
	require.Equal(t, slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(got)))
	require.Equal(t, files, got)
	// Four directories; of each the page, three columns in two directions, and of
	// one the catalogue, whose links say that they are not to be followed.
	require.Equal(t, 4*(1+6)+1, indexes)
}

func TestLftpMirrors(t *testing.T) {
	program(t, "lftp")
	dir, files := tree(t)
	// lftp leaves names out that begin with "~", whatever the server says.
	require.NoError(t, os.Remove(filepath.Join(dir, "~x.txt")))
	delete(files, "~x.txt")
	url, out := serveTree(t, dir), t.TempDir()
	client(t, "lftp", "-e", "set net:max-retries 1; mirror --verbose . "+out+"; exit", url)
	require.Equal(t, files, fetched(t, out, func(string) bool { return false }))
	list := client(t, "lftp", "-e", "cls -l; exit", url)
	require.Contains(t, list, "el8.2-base.xz")
	require.Contains(t, list, "sub")
	st, err := os.Stat(filepath.Join(out, "el8.2-base.xz"))
	require.NoError(t, err)
	require.Equal(t, stamp, st.ModTime().UTC(), "it asked for the time")
	// The list as it was read, with times and sizes.
	raw := client(t, "lftp", "-e", "ls; exit", url)
	require.Regexp(t, `-rw-r--r--\s+3\.0K\s+2026-11-22 10:07\s+el8\.2-base\.xz`, raw)
	require.Regexp(t, `drwxr-xr-x\s+-\s+`+time.Now().UTC().Format("2006-01-02")+` \d\d:\d\d\s+sub\n`, raw)
}

func TestRcloneLists(t *testing.T) {
	program(t, "rclone")
	dir, files := tree(t)
	url, out := serveTree(t, dir), t.TempDir()
	list := client(t, "rclone", "lsf", "-R", "--files-only", "--http-url", url, ":http:")
	got := strings.Split(strings.TrimSuffix(list, "\n"), "\n")
	var want []string
	for name := range files {
		want = append(want, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got)
	require.ElementsMatch(t, []string{"sub dir/", "sub/"}, strings.Split(strings.TrimSpace(client(t, "rclone", "lsf", "--dirs-only", "--http-url", url, ":http:")), "\n"))
	client(t, "rclone", "copy", "--http-url", url, ":http:", out)
	require.Equal(t, files, fetched(t, out, func(string) bool { return false }))
}
