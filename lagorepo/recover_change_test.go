package lagorepo_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

func TestRecoverNoticesAChangedSource(t *testing.T) {
	for name, change := range map[string]func(s *store){
		"grown": func(s *store) { s.put(el8, disk(1, 9001)) },
		"touched": func(s *store) {
			require.NoError(s.t, os.Chtimes(filepath.Join(s.dir, el8), stamp.Add(1), stamp.Add(1)))
		},
		"gone": func(s *store) { require.NoError(s.t, os.Remove(filepath.Join(s.dir, el8))) },
		"replaced": func(s *store) {
			require.NoError(s.t, os.Remove(filepath.Join(s.dir, el8)))
			require.NoError(s.t, os.Symlink("/etc/passwd", filepath.Join(s.dir, el8)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t).complete(el8, disk(1, 9000), el8Metadata), t.TempDir()
			p := s.plan(lagorepo.PlanOptions{})
			change(s)
			r, err := p.Recover(t.Context(), s.open(), openTree(t, dir), fast)
			require.NoError(t, err)
			it := only(t, r)
			require.Equal(t, templates.Failed, it.State)
			require.Contains(t, it.Error, el8)
			require.NoDirExists(t, filepath.Join(dir, "repo"))
		})
	}
}

// The same bytes, other time stamps: the digest of the scan is insisted on.
func TestRecoverInsistsOnTheProof(t *testing.T) {
	original := qcow2(0)
	s, dir := newStore(t).put(el8+".tmp", original).put(el8+".hash", []byte(sha1Hex(original))), t.TempDir()
	p := s.plan(lagorepo.PlanOptions{})
	other := qcow2(0)
	other[60_000]++
	s.put(el8+".tmp", other)
	r, err := p.Recover(t.Context(), s.open(), openTree(t, dir), fast)
	require.NoError(t, err)
	require.Contains(t, only(t, r).Error, "matched .hash")
	require.NoDirExists(t, filepath.Join(dir, "repo"))
}

// growing gives files that grow while they are read.
type growing struct {
	*templates.Dir
	t    *testing.T
	path string
}

func (g growing) Open(name string) (fs.File, error) {
	f, err := g.Dir.Open(name)
	if err != nil {
		return nil, err
	}
	return growingFile{f.(*os.File), g}, nil
}

type growingFile struct {
	*os.File
	g growing
}

func (f growingFile) ReadAt(p []byte, off int64) (int, error) {
	h, err := os.OpenFile(f.g.path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(f.g.t, err)
	_, err = h.Write([]byte("x"))
	require.NoError(f.g.t, errors.Join(err, h.Close()))
	return f.File.ReadAt(p, off)
}

func TestRecoverNoticesASourceThatGrowsWhileItIsRead(t *testing.T) {
	s, dir := newStore(t).complete(el8, disk(1, 9000), el8Metadata), t.TempDir()
	p := s.plan(lagorepo.PlanOptions{})
	r, err := p.Recover(t.Context(), growing{s.open(), t, filepath.Join(s.dir, el8)}, openTree(t, dir), fast)
	require.NoError(t, err)
	require.Contains(t, only(t, r).Error, "changed while it was read")
	require.NoDirExists(t, filepath.Join(dir, "repo"))
}

func TestRecoverCancelled(t *testing.T) {
	s, dir := newStore(t).complete("r:a:v1", disk(1, 200_000), "{}").complete("r:b:v1", disk(2, 2<<20), "{}"), t.TempDir()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	opt := fast
	var seen []string
	opt.Progress = func(p templates.Progress) {
		seen = append(seen, p.Item)
		if p.Item == "r:b:v1" && p.Done > 0 {
			cancel(cause)
		}
	}
	dst, err := publish.Open(t.Context(), dir, publish.Options{Reserve: -1})
	require.NoError(t, err)
	r, err := s.plan(lagorepo.PlanOptions{}).Recover(ctx, s.open(), dst, opt)
	require.ErrorIs(t, err, cause)
	require.Equal(t, map[templates.State]int{templates.PackedState: 1}, r.Summary)
	require.Contains(t, seen, "r:a:v1")
	require.NoError(t, dst.Close())
	require.Equal(t, []string{"repo/a.hash", "repo/a.metadata", "repo/a.xz"}, names(t, dir))

	r, err = s.plan(lagorepo.PlanOptions{}).Recover(ctx, s.open(), openTree(t, dir), opt)
	require.ErrorIs(t, err, cause)
	require.Empty(t, r.Items)
}

func TestRecoverCancelledWhileComparing(t *testing.T) {
	s, dir := newStore(t).complete(el8, disk(1, 2<<20), "{}"), t.TempDir()
	s.recoverOnce(dir, lagorepo.PlanOptions{})
	overwrite(t, dir, "repo/el8.2-base.metadata", "{}")
	before := snapshot(t, filepath.Join(dir, "repo"))
	p := s.plan(lagorepo.PlanOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	opt := fast
	opt.Progress = func(p templates.Progress) { cancel() }
	r, err := p.Recover(ctx, s.open(), openTree(t, dir), opt)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, r.Items)
	require.Equal(t, before, snapshot(t, filepath.Join(dir, "repo")))
}
