package imagespec

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// baseImage is a disk that an image is made of or stands on.
type baseImage struct {
	path   string // absolute
	format string // as qemu-img calls it
	facts  baseFacts
}

// sharedBases are the disks in the staging directory that several images stand
// on: each is fetched or unpacked once, and removed when the last is built.
type sharedBases struct {
	mu    sync.Mutex
	users map[string]int // by directory
	paths map[string]string
	made  map[string]*sharedBase
}

type sharedBase struct {
	once  sync.Once
	image *baseImage
	err   error
}

// hold counts one user more of each directory.
func (s *sharedBases) hold(dirs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == nil {
		s.users, s.paths, s.made = map[string]int{}, map[string]string{}, map[string]*sharedBase{}
	}
	for _, d := range dirs {
		s.users[d]++
	}
}

// release is the reverse of hold. What nobody uses any more is removed, unless
// it is to be kept.
func (s *sharedBases) release(keep bool, dirs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range dirs {
		if s.users[d]--; s.users[d] == 0 && !keep && s.paths[d] != "" {
			// What cannot be removed now goes with the staging directory, or
			// is its error.
			_ = os.RemoveAll(s.paths[d])
		}
	}
}

// at notes where a directory is, to be removed after its last user.
func (s *sharedBases) at(dir, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[dir] = path
}

// once makes the disk of a directory when it is first asked for.
func (s *sharedBases) once(dir string, make func() (*baseImage, error)) (*baseImage, error) {
	s.mu.Lock()
	one := s.made[dir]
	if one == nil {
		one = new(sharedBase)
		s.made[dir] = one
	}
	s.mu.Unlock()
	one.once.Do(func() { one.image, one.err = make() })
	return one.image, one.err
}

// dirsOf names the directories that the making of an image uses: its own, and
// that of a base which others may stand on as well.
func (b *build) dirsOf(i int) []string {
	st := &b.plan.Steps[i]
	dirs := []string{st.Spec.ID}
	switch st.Base.Kind {
	case BaseSpec:
		dirs = append(dirs, st.Base.Ref)
	case BaseLayer:
		dirs = append(dirs, layerDir(st.Base))
	}
	return dirs
}

// layerDir is the directory for a file that layers stand on. No ID begins with a
// dash.
func layerDir(b Base) string {
	sum := sha256.Sum256([]byte(b.String()))
	return "-" + hex.EncodeToString(sum[:8])
}

// baseOf gives the disk that an image is made of.
func (j *job) baseOf(ctx context.Context, st *Step) (*baseImage, error) {
	switch st.Base.Kind {
	case BaseSpec:
		if built := j.outcomes[j.byID[st.Base.Ref]].image; built != nil {
			return built, nil
		}
		return j.bases.once(st.Base.Ref, func() (*baseImage, error) { return j.unpackPublished(ctx, st.Base.Ref) })
	case BaseLayer:
		return j.bases.once(layerDir(st.Base), func() (*baseImage, error) {
			dir, err := j.sharedDir(layerDir(st.Base))
			if err != nil {
				return nil, err
			}
			return j.fetch(ctx, st, filepath.Join(dir, stagedBase))
		})
	}
	return j.fetch(ctx, st, j.path(stagedBase))
}

// sharedDir makes a directory that goes with its last user.
func (b *build) sharedDir(name string) (string, error) {
	dir, err := b.work.dir(name)
	if err == nil {
		b.bases.at(name, dir)
	}
	return dir, err
}

// fetch copies or downloads a base.
func (j *job) fetch(ctx context.Context, st *Step, dst string) (*baseImage, error) {
	format, digests, err := fetchSource(ctx, st.Base, dst, FetchOptions{
		Client: j.opt.Client,
		Progress: func(done, total int64) {
			j.tell(Progress{ID: st.Spec.ID, Step: "fetch", Done: done, Total: max(total, 0)})
		},
	})
	if err != nil {
		return nil, err
	}
	return &baseImage{path: dst, format: format, facts: baseFacts{SHA256: digests[hashutil.SHA256]}}, nil
}

// unpackPublished unpacks the published image of a spec that is not built in
// this run.
func (j *job) unpackPublished(ctx context.Context, id string) (_ *baseImage, err error) {
	name := templates.FilesOf(id).Disk
	want := j.decisions[j.byID[id]].old.Content[hashutil.SHA256]
	dir, err := j.sharedDir(id)
	if err != nil {
		return nil, err
	}
	img, err := templates.OpenImage(j.tree, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	x, err := xzpack.Open(img, img.Stat().Size(), xzpack.OpenOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	path := filepath.Join(dir, stagedBase)
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := hashutil.NewHasher(hashutil.SHA256)
	err = x.Unpack(ctx, f, xzpack.UnpackOptions{Jobs: j.opt.Jobs, Content: h, Progress: func(p xzpack.Progress) {
		j.tell(Progress{ID: id, Step: "unpack", Done: p.Done, Total: p.Total})
	}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if got := h.Sums()[hashutil.SHA256]; got != want {
		return nil, fmt.Errorf("%s: holds other content than was built (SHA-256 %s, expected %s): build it again with --force", name, got, want)
	}
	info, err := templates.DetectFormat(f, x.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &baseImage{path: path, format: string(info.Format), facts: baseFacts{SHA256: want}}, nil
}
