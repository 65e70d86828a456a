package clients_test

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"
)

func wrong(file, format string, args ...any) error {
	return fmt.Errorf("%s: %w", file, fmt.Errorf(format, args...))
}

func checkTree(t *testing.T, tree string) {
	t.Helper()
	require.NoError(t, newReader(tree).check())
}

// readAllTheTime checks a tree again and again while others write it. The
// function that is returned ends that, and tells how often the tree was found
// right.
func readAllTheTime(t *testing.T, tree string) (stop func() int) {
	t.Helper()
	end, done := make(chan struct{}), make(chan struct{})
	rounds := 0
	var found error
	go func() {
		defer close(done)
		for r := newReader(tree); found == nil; rounds++ {
			select {
			case <-end:
				return
			case <-time.After(5 * time.Millisecond): // leaves the cores to the writer
			}
			found = r.check()
		}
	}()
	var once sync.Once
	stop = func() int {
		once.Do(func() { close(end); <-done })
		require.NoError(t, found, "read while it was written")
		return rounds
	}
	t.Cleanup(func() { stop() })
	return stop
}

// reader looks at a tree as its clients do. It shares no code with what wrote
// the tree.
type reader struct {
	tree  string
	known map[identity]digests
}

// identity is what tells a file from others that have had its name.
type identity struct {
	path           string
	size, modified int64
	inode          uint64
}

type digests struct {
	content1, content256, served512, served1 string
}

func newReader(tree string) *reader {
	return &reader{tree, make(map[identity]digests)}
}

// check reads the indexes first and then what they name, as a client does;
// afterwards everything else that has a final name.
func (r *reader) check() error {
	return errors.Join(r.checkIndex(), r.checkRepoMetadata(), r.checkRepo(), r.checkKubeVirt())
}

// checkIndex finds every file that the index names, with the digest and size
// that it tells.
func (r *reader) checkIndex() error {
	text, err := os.ReadFile(filepath.Join(r.tree, "repo", "index"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !strings.HasSuffix(string(text), "\n") {
		return wrong("repo/index", "does not end with a newline")
	}
	sections := strings.Split(string(text), "\n[")
	for _, section := range sections {
		field := make(map[string]string)
		for line := range strings.Lines(section) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			field[key] = value
		}
		if field["file"] == "" {
			continue // comments in front of the first section
		}
		name := filepath.Join("repo", field["file"])
		got, st, err := r.digest(name)
		if err != nil {
			return wrong("repo/index", "names %s: %v", name, err)
		}
		if field["checksum[sha512]"]+field["checksum"] != got.served512 || field["compressed_size"] != fmt.Sprint(st.Size()) {
			return wrong("repo/index", "tells another checksum or size than %s has", name)
		}
	}
	return nil
}

func (r *reader) checkRepoMetadata() error {
	text, err := os.ReadFile(filepath.Join(r.tree, "repo", "repo.metadata"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var repo struct {
		Templates map[string]struct {
			Versions map[string]struct{ Handle string }
		}
	}
	if err := json.Unmarshal(text, &repo); err != nil {
		return wrong("repo/repo.metadata", "%v", err)
	}
	if len(repo.Templates) == 0 {
		return wrong("repo/repo.metadata", "names no template")
	}
	for _, t := range repo.Templates {
		for _, v := range t.Versions {
			for _, suffix := range []string{".xz", ".hash", ".metadata"} {
				if _, err := os.Stat(filepath.Join(r.tree, "repo", v.Handle+suffix)); err != nil {
					return wrong("repo/repo.metadata", "names %s: %v", v.Handle, err)
				}
			}
		}
	}
	return nil
}

// checkRepo decodes every image and compares it with the sidecars that can be
// seen.
func (r *reader) checkRepo() error {
	names, err := r.names("repo")
	if err != nil {
		return err
	}
	for _, name := range names {
		file := filepath.Join("repo", name)
		stem, suffix := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
		switch {
		case name == "index" || name == "repo.metadata":
		case suffix == ".xz":
			if _, _, err := r.digest(file); err != nil {
				return err
			}
		case suffix == ".hash":
			// The image came first, so it must be there.
			got, _, err := r.digest(filepath.Join("repo", stem+".xz"))
			if err != nil {
				return err
			}
			want, err := os.ReadFile(filepath.Join(r.tree, file))
			if err != nil {
				return err
			}
			if string(want) != got.content1 {
				return wrong(file, "holds %q, the image has %s", want, got.content1)
			}
		case suffix == ".metadata":
			if err := r.checkMetadata(file, filepath.Join("repo", stem+".xz")); err != nil {
				return err
			}
		default:
			return wrong(file, "is nothing that belongs in a repository")
		}
	}
	return nil
}

func (r *reader) checkMetadata(file, image string) error {
	text, err := os.ReadFile(filepath.Join(r.tree, file))
	if err != nil {
		return err
	}
	var md struct {
		SHA1, SHA256, Checksum string
		CompressedSize         int64 `json:"compressed_size"`
		Contact                string
	}
	if err := json.Unmarshal(text, &md); err != nil {
		return wrong(file, "%v", err)
	}
	got, st, err := r.digest(image)
	if err != nil {
		return err
	}
	if md.SHA1 != got.content1 || md.SHA256 != got.content256 || md.Checksum != got.served512 || md.CompressedSize != st.Size() {
		return wrong(file, "tells other digests or another size than the image has")
	}
	if md.Contact == "" {
		return wrong(file, "has lost a key that tplkit does not know")
	}
	return nil
}

func (r *reader) checkKubeVirt() error {
	names, err := r.names("kubevirt")
	if err != nil {
		return err
	}
	for _, name := range names {
		file := filepath.Join("kubevirt", name)
		if filepath.Ext(name) != ".sha1" {
			continue
		}
		got, _, err := r.digest(strings.TrimSuffix(file, ".sha1"))
		if err != nil {
			return err
		}
		want, err := os.ReadFile(filepath.Join(r.tree, file))
		if err != nil {
			return err
		}
		if string(want) != got.served1+"\n" {
			return wrong(file, "holds %q, the image has %s", want, got.served1)
		}
	}
	return nil
}

// names are the final names in a directory: what does not begin with a dot.
func (r *reader) names(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.tree, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// digest reads a file, and decodes it if it is an .xz, to its last byte.
func (r *reader) digest(file string) (digests, fs.FileInfo, error) {
	f, err := os.Open(filepath.Join(r.tree, file))
	if err != nil {
		return digests{}, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return digests{}, nil, err
	}
	id := identity{file, st.Size(), st.ModTime().UnixNano(), inode(st)}
	if known, ok := r.known[id]; ok {
		return known, st, nil
	}
	served512, served1 := sha512.New(), sha1.New()
	if _, err := io.Copy(io.MultiWriter(served512, served1), f); err != nil {
		return digests{}, nil, err
	}
	got := digests{served512: hex.EncodeToString(served512.Sum(nil)), served1: hex.EncodeToString(served1.Sum(nil))}
	if filepath.Ext(file) == ".xz" {
		if got.content1, got.content256, err = content(f, got.served512); err != nil {
			return digests{}, nil, wrong(file, "%v", err)
		}
	}
	r.known[id] = got
	return got, st, nil
}

// decoded remembers what files of these bytes hold. Every recovery of one store
// writes the same bytes, and decoding them takes longer than writing them.
var decoded struct {
	sync.Mutex
	content map[string][2]string // by SHA-512
}

// content decodes an .xz to its last byte, checks included, and tells the
// digests of what is in it.
func content(f *os.File, served512 string) (content1, content256 string, err error) {
	decoded.Lock()
	defer decoded.Unlock()
	if known, ok := decoded.content[served512]; ok {
		return known[0], known[1], nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", "", err
	}
	in, err := xz.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return "", "", err
	}
	h1, h256 := sha1.New(), sha256.New()
	if _, err := io.Copy(io.MultiWriter(h1, h256), in); err != nil {
		return "", "", err
	}
	content1, content256 = hex.EncodeToString(h1.Sum(nil)), hex.EncodeToString(h256.Sum(nil))
	if decoded.content == nil {
		decoded.content = make(map[string][2]string)
	}
	decoded.content[served512] = [2]string{content1, content256}
	return content1, content256, nil
}
