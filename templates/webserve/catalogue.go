package webserve

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
	"github.com/tplkit/tplkit/templates/webserve/internal/webpath"
)

// catalogueRest is the least time between two readings of the catalogue, and
// between two looks for a new one on behalf of a download.
const catalogueRest = time.Second

// catalogue keeps what Options.Catalogue says for as long as the indexes it is
// read from are the same files.
type catalogue struct {
	read func(ctx context.Context, repo fs.FS) ([]templates.Published, error)
	zone *tree.Zone

	now    atomic.Pointer[snapshot]
	looked atomic.Int64 // when a download last had it looked at, since began
	began  time.Time

	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	flight  chan struct{} // closed when the reading under way is done; nil: none is
	lastEnd time.Time
}

// snapshot is the catalogue as it was read once.
type snapshot struct {
	state state
	list  []templates.Published
	err   error
	facts map[string]fact // by file name
}

// state identifies the indexes. The zero value is that of no reading.
type state struct {
	read      bool
	repo, idx tree.Info
}

// fact is what the catalogue knows about a file, if it is the file it speaks of.
type fact struct {
	digest    []string // the value of Repr-Digest; nil if it is not sure
	immutable bool     // the name holds the version: no other content ever comes under it
	size      int64
	indexed   time.Time // when the index with the digest was written
}

func newCatalogue(read func(context.Context, fs.FS) ([]templates.Published, error), zone *tree.Zone) *catalogue {
	c := &catalogue{read: read, zone: zone, began: time.Now()}
	c.looked.Store(int64(-catalogueRest))
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// close stops a reading and waits for its end.
func (c *catalogue) close() {
	c.cancel()
	c.mu.Lock()
	flight := c.flight
	c.mu.Unlock()
	if flight != nil {
		<-flight
	}
}

// list gives the catalogue as it is now, and waits for it to be read if need be.
func (c *catalogue) list(ctx context.Context) ([]templates.Published, error) {
	var s *snapshot
	for range 2 { // what was under way may have begun before the change
		at := c.look()
		if s = c.now.Load(); s != nil && s.state == at && at.read {
			break
		}
		select {
		case <-c.launch():
			s = c.now.Load()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if c.ctx.Err() != nil {
			return nil, fs.ErrClosed
		}
	}
	return s.list, s.err
}

// launch starts a reading unless one is under way; the channel is closed at its
// end.
func (c *catalogue) launch() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight != nil {
		return c.flight
	}
	flight := make(chan struct{})
	c.flight = flight
	wait := catalogueRest - time.Since(c.lastEnd)
	go func() {
		defer close(flight)
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.ctx.Done():
		}
		if c.ctx.Err() == nil {
			c.now.Store(c.build())
		}
		c.mu.Lock()
		c.flight, c.lastEnd = nil, time.Now()
		c.mu.Unlock()
	}()
	return flight
}

// build reads the catalogue. One that failed, or whose indexes were replaced
// meanwhile, is read again when it is next asked for. An error beside a list
// tells of single entries: it stays true until the indexes change.
func (c *catalogue) build() (s *snapshot) {
	s = &snapshot{}
	defer func() {
		if p := recover(); p != nil {
			*s = snapshot{err: fmt.Errorf("catalogue of %s/: reading it panicked: %v", templates.RepoDir, p)}
		}
	}()
	before := c.look()
	s.list, s.err = c.read(c.ctx, tree.FS{Zone: c.zone, Hidden: webpath.Hidden, Limit: maxEntries})
	if (s.err == nil || s.list != nil) && before == c.look() {
		s.state = before
	}
	s.facts = facts(s.list, before.idx)
	return s
}

// look identifies the indexes that are there. That one is missing is a state as
// well; that the disk does not tell is none to rely on.
func (c *catalogue) look() state {
	s := state{read: true}
	for name, info := range map[string]*tree.Info{templates.RepoMetadataName: &s.repo, templates.IndexName: &s.idx} {
		f, err := c.zone.Open(name, false)
		if err != nil {
			kind := tree.KindOf(err)
			s.read = s.read && kind != tree.Busy && kind != tree.Broken
			continue
		}
		*info = f.Info()
		_ = f.Close()
	}
	return s
}

// fact tells what is known of a file of the zone. It never waits: what is known
// is what the last reading has found, and a new one is begun on the side.
func (c *catalogue) fact(name string, info tree.Info) fact {
	now := int64(time.Since(c.began))
	if last := c.looked.Load(); now-last >= int64(catalogueRest) && c.looked.CompareAndSwap(last, now) {
		go func() { _, _ = c.list(c.ctx) }()
	}
	s := c.now.Load()
	if s == nil {
		return fact{}
	}
	known, ok := s.facts[name]
	if !ok || !known.sure(info) {
		return fact{}
	}
	return known
}

// sure says whether a file is still the one that the index speaks of. The digest
// was computed before the index was written, so a file that has changed since,
// in its content or by being put in the place of another, must not be sent with
// it. The file's change time is set by the kernel alone, also by a rename; the
// index counts as written when its content was, at the latest: a chmod of the
// index makes no digest any newer. Equal instants prove nothing. This errs on one
// side: a tree that was copied with its times kept has no digests.
func (f fact) sure(info tree.Info) bool {
	return info.Size == f.size && info.Changed.Before(f.indexed)
}

// facts picks out of the catalogue what can be said of files as they are served.
func facts(list []templates.Published, index tree.Info) map[string]fact {
	written := index.ModTime
	if index.Changed.Before(written) {
		written = index.Changed
	}
	all := make(map[string]fact)
	for _, p := range list {
		sum, err := hex.DecodeString(p.SHA512)
		if err != nil || len(sum) != 64 || p.File == "" || p.PackedSize <= 0 {
			continue
		}
		all[p.File] = fact{
			digest:    []string{"sha-512=:" + base64.StdEncoding.EncodeToString(sum) + ":"},
			immutable: versioned(p.Handle, p.Version),
			size:      p.PackedSize,
			indexed:   written,
		}
	}
	return all
}

// versioned says whether a handle names one version, as el8-base-v1: such a name
// never gets other content. Most handles are the template's name alone, and the
// next version takes their place.
func versioned(handle, version string) bool {
	name, ok := strings.CutSuffix(handle, version)
	return ok && version != "" && version != "latest" && name != "" && strings.ContainsAny(name[len(name)-1:], "-._+")
}
