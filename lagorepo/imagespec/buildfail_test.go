package imagespec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
)

// failing makes a tool fail on one image.
func failing(tool, id string, err error) func(context.Context, imagespec.Command) error {
	return func(_ context.Context, c imagespec.Command) error {
		if c.Tool.Name != tool || !strings.Contains(strings.Join(c.Args, " "), "/"+id+"/") {
			return nil
		}
		fmt.Fprintf(c.Log, "cannot: %s\n", err)
		return &imagespec.ToolError{Tool: tool, Args: c.Args, ExitCode: 1, Err: err}
	}
}

var tools = []string{"virt-builder", "virt-customize", "virt-sysprep", "virt-sparsify", "virt-inspector", "qemu-img"}

func TestEachToolFails(t *testing.T) {
	for _, tool := range tools {
		t.Run(tool, func(t *testing.T) {
			w := newWorkshop(t)
			w.spec("base", "libguestfs:deb12", "")
			id := "base"
			if tool == "virt-customize" || tool == "qemu-img" {
				w.spec("top", "base", "")
				id = "top"
			}
			w.fake.before = failing(tool, id, errors.New("exit status 1"))
			r, err := w.try(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, r.Summary[templates.Failed])
			for _, it := range r.Items {
				if it.Handle == id {
					require.Contains(t, it.Error, tool)
					require.Contains(t, it.Error, "\n\toutput of "+tool+"\n\tcannot: exit status 1", "the tail of the log")
				}
			}
			for _, f := range w.files() {
				require.NotContains(t, f, id+".")
				require.NotContains(t, f, "tplkit")
			}
			if id == "base" {
				require.Empty(t, w.files(), "nothing is published, not even an index")
			}
		})
	}
}

func TestKeepGoing(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			w := newWorkshop(t)
			w.spec("a", "libguestfs:deb12", "")
			w.spec("b", "a", "")
			w.spec("c", "b", "")
			w.spec("other", "simple:"+w.path("gone"), "")
			require.NoError(t, os.WriteFile(w.path("gone"), qcow2("x", ""), 0o644))
			w.opt.KeepGoing, w.opt.Jobs = keep, 1
			w.fake.before = failing("virt-builder", "a", errors.New("no"))
			if !keep {
				// It fails before another can begin.
				require.NoError(t, os.Mkdir(w.path("repo"), 0o755))
				require.NoError(t, os.WriteFile(w.repo("a.xz"), []byte("somebody's"), 0o644))
			}
			r, err := w.try(t.Context())
			require.NoError(t, err)
			list := reasons(r)
			require.Equal(t, "a: failed: ", list[0])
			require.Equal(t, `b: skipped: was not built, since its base "a" was not`, list[1])
			require.Equal(t, `c: skipped: was not built, since its base "b" was not`, list[2])
			if keep {
				require.Equal(t, "other: built: new", list[3])
				require.FileExists(t, w.repo("other.xz"))
				require.FileExists(t, w.repo("index"))
			} else {
				require.Equal(t, `other: skipped: was not begun, since "a" failed; --keep-going builds it all the same`, list[3])
				require.Equal(t, []string{"a.xz"}, w.files())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	for _, tool := range tools {
		t.Run(tool, func(t *testing.T) {
			w := newWorkshop(t)
			w.spec("a", "libguestfs:deb12", "")
			w.spec("b", "a", "")
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := errors.New("stopped")
			w.fake.before = func(ctx context.Context, c imagespec.Command) error {
				if c.Tool.Name == tool && c.Args[0] != "--list" {
					cancel(stop)
					<-ctx.Done()
				}
				return nil
			}
			_, err := w.try(ctx)
			require.ErrorIs(t, err, stop)
			for _, f := range w.files() {
				require.True(t, strings.HasPrefix(f, "a."), f)
			}
		})
	}
}

func TestNothingBeginsWithoutToolsOrSpace(t *testing.T) {
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "")
	w.fake.missing = []string{"virt-builder", "virt-sparsify"}
	_, err := w.try(t.Context())
	var missing *imagespec.MissingToolError
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "virt-sparsify")
	require.Empty(t, w.fake.did())
	require.Empty(t, w.files())

	w.fake.missing = nil
	w.opt.SpacePerImage = 1 << 60
	_, err = w.try(t.Context())
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "too little")
	require.Empty(t, w.fake.did())
	require.Empty(t, w.files())

	plan := w.plan()
	for _, opt := range []imagespec.BuildOptions{
		{Jobs: -1}, {Format: "x"}, {RepoName: "a/b"}, {BaseURL: "ftp://x"}, {StepTimeout: -1}, {SpacePerImage: -1},
	} {
		_, err = plan.Build(t.Context(), nil, opt)
		require.Error(t, err)
		_, err = plan.DryRun(t.Context(), w.path("repo"), opt)
		require.Error(t, err)
	}
}

func TestForeignImagesAreNotReplaced(t *testing.T) {
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "")
	for name, there := range map[string]map[string]string{
		"was not built from a spec":  {"a.xz": "x"},
		"expected a statement":       {"a.xz": "x", "a.provenance.json": "{}"},
		"unexpected end of JSON":     {"a.xz": "x", "a.provenance.json": "{"},
		"at most 1048576 bytes long": {"a.xz": "x", "a.provenance.json": strings.Repeat(" ", 1<<20+1)},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(w.path("repo")))
			require.NoError(t, os.Mkdir(w.path("repo"), 0o755))
			for f, data := range there {
				require.NoError(t, os.WriteFile(w.repo(f), []byte(data), 0o644))
			}
			w.opt.Force = false
			r, err := w.try(t.Context())
			require.NoError(t, err)
			require.Contains(t, r.Items[0].Error, name)
			require.Contains(t, r.Items[0].Error, "--force")
			require.Equal(t, "x", string(w.read("a.xz")))
			w.opt.Force = true
			require.Equal(t, []string{"a: built: forced"}, reasons(w.build()))
		})
	}
	w.opt.Force = false
	require.NoError(t, os.WriteFile(w.repo("a.xz"), []byte("somebody else's"), 0o644))
	r, err := w.try(t.Context())
	require.NoError(t, err)
	require.Contains(t, r.Items[0].Error, "is not the image that was built")
}

func TestToolsMakeNonsense(t *testing.T) {
	for name, image := range map[string][]byte{"qcow2": qcow2("x", "/etc/passwd"), "found raw": []byte("raw")} {
		t.Run(name, func(t *testing.T) {
			w := newWorkshop(t)
			w.spec("a", "libguestfs:deb12", "")
			w.fake.before = func(_ context.Context, c imagespec.Command) error {
				if c.Tool.Name == "virt-inspector" {
					return os.WriteFile(option(c.Args, "--add"), image, 0o600)
				}
				return nil
			}
			r, err := w.try(t.Context())
			require.NoError(t, err)
			require.Contains(t, r.Items[0].Error, name)
			require.Empty(t, w.files())
		})
	}
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "")
	w.fake.inspect = func(string) string { return "no XML" }
	r, err := w.try(t.Context())
	require.NoError(t, err)
	require.Contains(t, r.Items[0].Error, "virt-inspector: expected XML")
}

func TestKeepTemp(t *testing.T) {
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "")
	w.opt.KeepTemp = true
	w.build()
	logs, err := filepath.Glob(w.repo(".tplkit-build-*/images/a/log"))
	require.NoError(t, err)
	require.Len(t, logs, 1)
	log, err := os.ReadFile(logs[0])
	require.NoError(t, err)
	require.Contains(t, string(log), "virt-sysprep --format=qcow2 --selinux-relabel --add=")
	require.Contains(t, string(log), "output of virt-sparsify\n")
}

// TestDisksGoAsSoonAsNobodyNeedsThem looks into the staging directory while the
// last image is built.
func TestDisksGoAsSoonAsNobodyNeedsThem(t *testing.T) {
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "")
	w.spec("b", "a", "")
	w.spec("c", "b", "")
	var seen []string
	w.fake.before = func(_ context.Context, c imagespec.Command) error {
		if c.Tool.Name == "virt-inspector" && strings.Contains(option(c.Args, "--add"), "/c/") {
			seen, _ = filepath.Glob(w.repo(".tplkit-build-*/images/*"))
		}
		return nil
	}
	w.build()
	require.Len(t, seen, 2, "that of c and that of b, on which it stands: %q", seen)
}

func TestImagesAreBuiltBesideEachOther(t *testing.T) {
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "")
	w.spec("b", "libguestfs:deb12", "")
	w.opt.Jobs = 2
	meet := make(chan struct{})
	w.fake.before = func(ctx context.Context, c imagespec.Command) error {
		if c.Tool.Name == "virt-sysprep" {
			select {
			case meet <- struct{}{}:
			case <-meet:
			case <-time.After(20 * time.Second):
				return errors.New("nobody came")
			}
		}
		return nil
	}
	w.build()
}

func TestBadNames(t *testing.T) {
	spec, err := imagespec.Parse("a", []byte("#base=libguestfs:x\n#name=a$b\n#version=1/2\n"))
	require.NoError(t, err)
	plan := &imagespec.Plan{Steps: []imagespec.Step{{Spec: spec, Base: imagespec.Base{Kind: imagespec.BaseLibguestfs, Ref: "x"}}}}
	require.Contains(t, plan.Report().Items[0].Error, "line 2")
	w := newWorkshop(t)
	r, err := plan.DryRun(t.Context(), w.path("repo"), imagespec.BuildOptions{Runner: w.fake, Format: lagorepo.IndexVirtBuilder})
	require.NoError(t, err)
	require.Contains(t, r.Items[0].Error, "line 3")
}
