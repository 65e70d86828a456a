package clients_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// TestServed has the clients of a template server take from "tplkit serve" what
// they took from Apache.
func TestServed(t *testing.T) {
	s := serveTree(t, servedTree(t))
	for name, test := range map[string]func(*testing.T, *served){
		"curl resumes":       curlResumes,
		"curl as KubeVirt":   curlAsKubeVirt,
		"wget mirrors":       wgetMirrors,
		"wget resumes":       wgetResumes,
		"rclone":             rcloneReads,
		"lftp mirrors":       lftpMirrors,
		"strangers see less": strangersSeeLess,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// names are such as clients have had trouble with.
var names = []string{"a b.txt", "ü.txt", "plus+and&amp;.txt", "per%20cent.txt", "semi;colon.txt", "quote'\".txt", "deep/er/file.md5", "empty"}

func servedTree(t *testing.T) string {
	t.Helper()
	s := &served{t: t, tree: filepath.Join(t.TempDir(), "tree")}
	for _, zone := range []string{templates.RepoDir, templates.YumDir} {
		require.NoError(t, os.MkdirAll(filepath.Join(s.tree, zone), 0o755))
	}
	for i, name := range names {
		s.put("bundles/odd/"+name, patterned(i*1000))
	}
	s.put("bundles/large.tar.xz", patterned(24*mibSize))
	s.put("kubevirt/rhel8.qcow2", patterned(mibSize+7))
	s.put("kubevirt/rhel8.qcow2.sha1", []byte("0123456789012345678901234567890123456789\n"))
	s.put("bundles/.unseen", []byte("never"))
	// The tags of files that are new are weak, and nothing is resumed by them.
	old := time.Now().Add(-time.Hour)
	require.NoError(t, filepath.WalkDir(s.tree, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, old, old)
	}))
	return s.tree
}

// curlResumes breaks a download off and goes on with it.
func curlResumes(t *testing.T, s *served) {
	part := filepath.Join(t.TempDir(), "part")
	address := s.base + "/bundles/large.tar.xz"
	ctx, cut := context.WithCancel(t.Context())
	defer cut()
	slow := client(t, "curl", "-sS", "--limit-rate", "8M", "-o", part, address)
	require.NoError(t, slow.Start())
	for ctx.Err() == nil {
		if st, err := os.Stat(part); err == nil && st.Size() > 2*mibSize {
			require.NoError(t, slow.Process.Kill())
			cut()
		}
		time.Sleep(10 * time.Millisecond)
	}
	require.Error(t, slow.Wait())
	st, err := os.Stat(part)
	require.NoError(t, err)
	require.Less(t, st.Size(), int64(24*mibSize))

	told := run(t, "curl", "-sSf", "-C", "-", "-w", "%{http_code} %{size_download}", "-o", part, address)
	require.Equal(t, "206 "+strconv.FormatInt(24*mibSize-st.Size(), 10), told)
	sameBytes(t, filepath.Join(s.tree, "bundles/large.tar.xz"), part)
	// Once more there is nothing left, and curl takes the 416 for that.
	run(t, "curl", "-sS", "-C", "-", "-o", part, address)
	sameBytes(t, filepath.Join(s.tree, "bundles/large.tar.xz"), part)
}

// curlAsKubeVirt asks as KubeVirt's scripts do: with two slashes, and without
// following a redirect.
func curlAsKubeVirt(t *testing.T, s *served) {
	got := filepath.Join(t.TempDir(), "disk.img")
	url := s.base + "/kubevirt//rhel8.qcow2"
	require.Equal(t, "200 0", run(t, "curl", "-sSf", "-w", "%{http_code} %{num_redirects}", "-o", got, url))
	sameBytes(t, filepath.Join(s.tree, "kubevirt/rhel8.qcow2"), got)
	require.Equal(t, "0123456789012345678901234567890123456789\n", run(t, "curl", "-sSf", url+".sha1"))
	head := run(t, "curl", "-sSfI", url)
	require.Contains(t, head, "\r\nContent-Length: "+strconv.Itoa(mibSize+7)+"\r\n")
	require.Contains(t, head, "\r\nAccept-Ranges: bytes\r\n")

	for _, path := range []string{"/kubevirt//rhel8.qcow2", "/kubevirt/rhel8.qcow2.sha1", "/kubevirt/missing", "/kubevirt/", "//kubevirt//"} {
		body := run(t, "curl", "-sS", "--interface", stranger, "-w", "%{http_code} %{content_type} %{num_redirects}", s.base+path)
		require.Regexp(t, `403 text/plain(; charset=utf-8)? 0$`, body, path)
		require.Less(t, len(body), 300)
		require.NotContains(t, body, "rhel8")
	}
	_, status := fails(t, "curl", "-sSf", "--interface", stranger, "-o", got, url)
	require.Equal(t, 22, status)
}

func wgetMirrors(t *testing.T, s *served) {
	dir := t.TempDir()
	// Without --no-iri wget 1.21 decodes names twice, whatever the server.
	mirror := []string{"-q", "--no-iri", "-r", "-np", "-nH", "--cut-dirs=1", "-e", "robots=off", "-R", "index.html*", "-P", dir, s.base + "/bundles/"}
	run(t, "wget", mirror...)
	got := namesBelow(t, dir)
	for _, name := range namesBelow(t, filepath.Join(s.tree, "bundles")) {
		if name == ".unseen" {
			continue
		}
		// wget decodes what it calls a file once more.
		local, err := url.PathUnescape(name)
		require.NoError(t, err)
		require.Contains(t, got, local)
		sameBytes(t, filepath.Join(s.tree, "bundles", name), filepath.Join(dir, local))
	}
	require.Len(t, got, len(names)+1)
	// Times come with the files, so that -N has nothing to do the second time.
	before := fingerprint(t, dir)
	run(t, "wget", append([]string{"-N"}, mirror...)...)
	require.Equal(t, before, fingerprint(t, dir))
}

func wgetResumes(t *testing.T, s *served) {
	part := filepath.Join(t.TempDir(), "part")
	require.NoError(t, os.WriteFile(part, patterned(5*mibSize+3), 0o644))
	run(t, "wget", "-q", "-c", "-O", part, s.base+"/bundles/large.tar.xz")
	sameBytes(t, filepath.Join(s.tree, "bundles/large.tar.xz"), part)
}

func rcloneReads(t *testing.T, s *served) {
	rclone := func(args ...string) string {
		return run(t, "rclone", append(args, "--config", "/dev/null", "--http-url", s.base)...)
	}
	require.Equal(t, []string{"bundles/", "kubevirt/", "repo/", "yum/"}, strings.Fields(rclone("lsf", ":http:")))
	listed := slices.Sorted(strings.SplitSeq(strings.TrimSpace(rclone("lsf", "-R", "--files-only", ":http:bundles/")), "\n"))
	want := slices.DeleteFunc(namesBelow(t, filepath.Join(s.tree, "bundles")), func(n string) bool { return n == ".unseen" })
	require.Equal(t, want, listed)

	dir := t.TempDir()
	rclone("copy", ":http:bundles/", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".unseen"), []byte("never"), 0o644))
	sameTree(t, filepath.Join(s.tree, "bundles"), dir)
	require.NoError(t, os.Remove(filepath.Join(dir, ".unseen")))
	rclone("check", "--download", ":http:bundles/", dir)
	var list []struct {
		Path    string
		Size    int64
		ModTime time.Time
	}
	require.NoError(t, json.Unmarshal([]byte(rclone("lsjson", ":http:kubevirt/")), &list))
	require.Len(t, list, 2)
	require.Equal(t, "rhel8.qcow2", list[0].Path)
	require.EqualValues(t, mibSize+7, list[0].Size)
	st, err := os.Stat(filepath.Join(s.tree, "kubevirt/rhel8.qcow2"))
	require.NoError(t, err)
	require.WithinDuration(t, st.ModTime(), list[0].ModTime, time.Second)
}

func lftpMirrors(t *testing.T, s *served) {
	dir := t.TempDir()
	run(t, "lftp", "-c", "set net:max-retries 2; set net:timeout 10; open "+s.base+"; mirror /bundles "+dir+"/bundles")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bundles/.unseen"), []byte("never"), 0o644))
	sameTree(t, filepath.Join(s.tree, "bundles"), filepath.Join(dir, "bundles"))
	require.Contains(t, run(t, "lftp", "-c", "open "+s.base+"; cls /kubevirt/"), "rhel8.qcow2.sha1")
}

// strangersSeeLess: the page names no zone that its reader may not read.
func strangersSeeLess(t *testing.T, s *served) {
	require.Contains(t, run(t, "curl", "-sSf", s.base+"/"), "kubevirt")
	for _, accept := range []string{"text/html", "application/json"} {
		page := run(t, "curl", "-sSf", "--interface", stranger, "-H", "Accept: "+accept, s.base+"/")
		require.Contains(t, page, "bundles")
		require.NotContains(t, page, "kubevirt")
		require.NotContains(t, run(t, "curl", "-sSf", "-H", "Accept: "+accept, s.base+"/bundles/"), ".unseen")
	}
}

// TestServedToGuests has the clients that read disks take them from "tplkit
// serve".
func TestServedToGuests(t *testing.T) {
	need(t, "sfdisk", "mke2fs", "qemu-img", "ldd")
	r := recoverStore(t)
	s := serveTree(t, r.tree)
	r.url = s.base + "/" + templates.RepoDir
	dst, err := publish.Open(t.Context(), r.tree, publish.Options{})
	require.NoError(t, err)
	_, err = lagorepo.WriteIndex(t.Context(), dst, templates.RepoDir, lagorepo.IndexOptions{RepoName: "phx", BaseURL: r.url})
	require.NoError(t, err)
	require.NoError(t, dst.Close())
	for _, i := range r.images {
		copyInto(t, filepath.Join(r.tree, "kubevirt", i.handle+".img"), i.source)
	}
	for name, test := range map[string]func(*testing.T, recovered, *served){
		"virt-builder lists":    func(t *testing.T, r recovered, _ *served) { builderLists(t, r) },
		"built by virt-builder": func(t *testing.T, r recovered, _ *served) { builderBuilds(t, r) },
		"fetched by lago":       lagoFromServe,
		"read by qemu-img":      qemuReads,
	} {
		t.Run(name, func(t *testing.T) { test(t, r, s) })
	}
}

// lagoFromServe is lago's sequence of requests, with the answers it needs.
func lagoFromServe(t *testing.T, r recovered, s *served) {
	need(t, "xz", "qemu-img")
	for _, i := range r.images {
		before := len(s.asked(0, 0))
		disk := lagoDownload(t, r.url+"/repo.metadata", i.handle, i.version)
		image := "GET /repo/" + i.handle
		require.Equal(t, slices.Sorted(slices.Values([]string{
			"GET /repo/repo.metadata 200", image + ".xz 200", image + ".xz 200",
			image + ".xz.metadata 404", image + ".metadata 200", image + ".xz.hash 404", image + ".hash 200",
		})), hungUp(s.asked(before, 7)))
		identical(t, i.format, i.source, "raw", disk)
	}
}

// hungUp takes back what the log says of clients that went away, as lago does
// with the first of its two requests for the disk: whether the server still sees
// that is a matter of time.
func hungUp(lines []string) []string {
	for i, line := range lines {
		if request, ok := strings.CutSuffix(line, " 499"); ok {
			lines[i] = request + " 200"
		}
	}
	return slices.Sorted(slices.Values(lines))
}

// qemuReads opens an image where it lies: qemu asks for the parts that it needs.
func qemuReads(t *testing.T, r recovered, s *served) {
	for _, i := range r.images {
		url := s.base + "/kubevirt//" + i.handle + ".img"
		var info struct {
			Format string
			Size   int64 `json:"virtual-size"`
		}
		needCurlDriver(t, url)
		require.NoError(t, json.Unmarshal([]byte(run(t, "qemu-img", "info", "-f", i.format, "--output=json", url)), &info))
		require.Equal(t, i.format, info.Format)
		require.EqualValues(t, diskMB*mibSize, info.Size)
		identical(t, i.format, i.source, i.format, url)
		disk := filepath.Join(t.TempDir(), "disk.raw")
		// One request at a time: the curl driver of qemu 7.2 loses the wake-up of
		// parallel ones now and then and waits for ever, whatever the server.
		run(t, "qemu-img", "convert", "-m", "1", "-f", i.format, "-O", "raw", url, disk)
		identical(t, i.format, i.source, "raw", disk)
	}
}

// needCurlDriver ends the test if qemu-img cannot open URLs: its driver is a
// package of its own.
func needCurlDriver(t *testing.T, url string) {
	t.Helper()
	out, err := client(t, "qemu-img", "info", url).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Unknown protocol") {
		require.NoError(t, err, "%s", out)
		return
	}
	if required {
		t.Fatal("needs qemu-img's curl driver (Debian: qemu-block-extra)")
	}
	t.Skip("needs qemu-img's curl driver (Debian: qemu-block-extra)")
}
