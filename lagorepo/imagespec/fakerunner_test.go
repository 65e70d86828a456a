package imagespec_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// qcow2 makes an image that looks like a qcow2 of 1 MiB with this in it.
func qcow2(payload, backing string) []byte {
	head := make([]byte, 64<<10)
	copy(head, "QFI\xfb")
	binary.BigEndian.PutUint32(head[4:], 3)
	if backing != "" {
		binary.BigEndian.PutUint64(head[8:], 512)
		binary.BigEndian.PutUint32(head[16:], uint32(len(backing)))
		copy(head[512:], backing)
	}
	binary.BigEndian.PutUint32(head[20:], 16)    // cluster bits
	binary.BigEndian.PutUint64(head[24:], 1<<20) // virtual size
	binary.BigEndian.PutUint32(head[36:], 1)     // L1 entries
	binary.BigEndian.PutUint64(head[40:], 65536) // L1 table
	binary.BigEndian.PutUint64(head[48:], 65536) // refcount table
	binary.BigEndian.PutUint32(head[56:], 1)
	binary.BigEndian.PutUint32(head[96:], 4)    // refcount order
	binary.BigEndian.PutUint32(head[100:], 104) // header length
	return append(append(head, payload...), make([]byte, 64<<10)...)
}

// payload is the reverse of qcow2.
func payload(image []byte) string { return string(bytes.TrimRight(image[64<<10:], "\x00")) }

// debian12 is what virt-inspector prints of a Debian 12.
const debian12 = `<?xml version="1.0"?>
<operatingsystems>
  <operatingsystem>
    <root>/dev/sda1</root><name>linux</name><arch>x86_64</arch><distro>debian</distro><osinfo>debian12</osinfo>
    <mountpoints><mountpoint dev="/dev/sda1">/</mountpoint></mountpoints>
  </operatingsystem>
</operatingsystems>`

// fakeRunner does what the tools do to the files, as far as the build can see
// it.
type fakeRunner struct {
	t       testing.TB
	version string                                               // of all tools
	missing []string                                             // tools that are not there
	before  func(ctx context.Context, c imagespec.Command) error // fails or delays a run; may be nil
	inspect func(image string) string                            // nil: a Debian 12
	listing string                                               // of virt-builder; "": one template deb12
	specs   map[string]string                                    // by ID: the bytes that reached the tool

	mu    sync.Mutex
	calls []string
}

func newFake(t testing.TB) *fakeRunner {
	return &fakeRunner{t: t, version: "1.48.2", specs: map[string]string{}}
}

func (r *fakeRunner) Find(_ context.Context, name string) (imagespec.Tool, error) {
	if slices.Contains(r.missing, name) {
		return imagespec.Tool{}, &imagespec.MissingToolError{Tool: name, Err: errors.New("not found")}
	}
	return imagespec.Tool{Name: name, Path: "/usr/bin/" + name, Version: r.version}, nil
}

var staging = regexp.MustCompile(`[^ =]*/\.tplkit-build-[a-z0-9]+/images/`)

func (r *fakeRunner) Run(ctx context.Context, c imagespec.Command) error {
	line := staging.ReplaceAllString(strings.Join(append([]string{c.Tool.Name}, c.Args...), " "), "@/")
	r.mu.Lock()
	r.calls = append(r.calls, line)
	r.mu.Unlock()
	if c.Log != nil {
		fmt.Fprintf(c.Log, "output of %s\n", c.Tool.Name)
	}
	if r.before != nil {
		if err := r.before(ctx, c); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.do(c)
}

// did gives the runs of all tools but the listing since the last call, those of
// one image together.
func (r *fakeRunner) did() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.DeleteFunc(r.calls, func(s string) bool { return strings.HasPrefix(s, "virt-builder --list") })
	r.calls = nil
	return all
}

func option(args []string, name string) string {
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}

func (r *fakeRunner) do(c imagespec.Command) error {
	last := c.Args[len(c.Args)-1]
	switch c.Tool.Name + " " + c.Args[0] {
	case "virt-builder --list":
		text := r.listing
		if text == "" {
			text = `{"version": 1, "templates": [{"os-version": "deb12", "size": 1}]}`
		}
		_, err := io.WriteString(c.Stdout, text)
		return err
	case "qemu-img create":
		return os.WriteFile(last, qcow2("on ["+r.disk(c.Args[len(c.Args)-2])+"]", c.Args[len(c.Args)-2]), 0o600)
	case "qemu-img convert":
		return os.WriteFile(last, qcow2(r.disk(c.Args[len(c.Args)-2]), ""), 0o600)
	case "qemu-img rebase":
		return os.WriteFile(last, qcow2(r.disk(last), c.Args[len(c.Args)-2]), 0o600)
	}
	switch c.Tool.Name {
	case "virt-builder":
		return os.WriteFile(option(c.Args, "--output"), qcow2("template "+last+r.spec(c), ""), 0o600)
	case "virt-customize":
		return r.add(option(c.Args, "--add"), r.spec(c))
	case "virt-sysprep":
		return r.add(option(c.Args, "--add"), " sysprepped")
	case "virt-sparsify":
		return r.add(last, " sparsified")
	case "virt-inspector":
		text := debian12
		if r.inspect != nil {
			text = r.inspect(r.disk(option(c.Args, "--add")))
		}
		_, err := io.WriteString(c.Stdout, text)
		return err
	case "virt-filesystems":
		_, err := io.WriteString(c.Stdout, "/dev/sda2\n")
		return err
	}
	return fmt.Errorf("no such tool: %s", c.Tool.Name)
}

func (r *fakeRunner) spec(c imagespec.Command) string {
	path := option(c.Args, "--commands-from-file")
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.specs[filepath.Base(filepath.Dir(path))] = string(text)
	return " with " + string(text)
}

func (r *fakeRunner) disk(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if !bytes.HasPrefix(data, []byte("QFI")) {
		return strings.TrimRight(string(data), "\x00")
	}
	return payload(data)
}

func (r *fakeRunner) add(path, what string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	backing := ""
	if n := binary.BigEndian.Uint32(data[16:]); n > 0 {
		backing = string(data[512 : 512+n])
	}
	return os.WriteFile(path, qcow2(payload(data)+what, backing), 0o600)
}

// workshop is a directory with specs and a repository.
type workshop struct {
	t    *testing.T
	dir  string
	fake *fakeRunner
	opt  imagespec.BuildOptions
}

func newWorkshop(t *testing.T) *workshop {
	w := &workshop{t: t, dir: t.TempDir(), fake: newFake(t)}
	w.opt = imagespec.BuildOptions{Runner: w.fake, SpacePerImage: 1, Jobs: 2, Level: xzpack.Fast, RepoName: "phx", BaseURL: "http://templates.example/repo"}
	require.NoError(t, os.Mkdir(w.path("specs"), 0o755))
	return w
}

func (w *workshop) path(name string) string { return filepath.Join(w.dir, name) }
func (w *workshop) repo(name string) string { return filepath.Join(w.dir, "repo", name) }

// spec writes a spec with all that is required, and more below it.
func (w *workshop) spec(id, base, more string) {
	w.t.Helper()
	text := fmt.Sprintf("#base=%s\n#name=%s name\n#distro=deb12\n#osinfo=debian12\n#arch=x86_64\n#expand=/dev/sda1\n%s", base, id, more)
	require.NoError(w.t, os.WriteFile(w.path("specs/"+id), []byte(text), 0o644))
}
