package imagespec

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// Build builds the images of the plan into dst, the repository's directory, and
// then writes its indexes. For each spec there are, published together,
//
//	ID.xz               the disk, a qcow2 that stands alone
//	ID.hash             its SHA-1, unpacked, for lago
//	ID.metadata         the spec's properties, what the image says of itself, digests and sizes
//	ID.provenance.json  what it was built from, by what and when: see [RecordSuffix]
//
// With opt.Layered an image on another spec's is published a second time, as
// layers/ID.xz with layers/ID.xz.sha512: only what it adds, as a qcow2 whose
// backing file is called like the other spec, without a directory. Unpacked
// beside the other one, unpacked to that name, it is the same disk. The indexes
// do not know of it.
//
// Only what has changed is built: a spec whose text, base and tools are those in
// the record of its published image is [templates.Unchanged]. Each item's reason
// begins with what was found: new, spec changed, base changed, tools changed,
// forced or unchanged. That a changed spec's image is replaced under its name is
// what building is for; clients that read it at that moment may see the old
// image with the new hash, and have to try again. An image that was not built
// from a spec is never replaced without opt.Force.
//
// Of a URL it is asked with HEAD whether it has changed, of a template of
// virt-builder by what virt-builder lists of it, unless the spec gives a
// checksum. Where that cannot be told it counts as unchanged, which the reason
// says.
//
// Items are in the order of the plan, then the indexes. One that failed leaves
// nothing behind, and what stands on it is skipped; without opt.KeepGoing
// nothing else is begun either. The error is that of the options, of missing
// tools or of missing space, before anything is begun; or the cause of a ctx
// that is done. The report then holds what was finished before.
func (p *Plan) Build(ctx context.Context, dst *publish.Dir, opt BuildOptions) (*templates.Report, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	report := new(templates.Report)
	if !opt.CreateRepoOnly {
		if report, err = p.images(ctx, dst, opt); err != nil {
			return report, err
		}
		if report.Failed() && report.Summary[templates.Built]+report.Summary[templates.Unchanged] == 0 {
			// Nothing was published, so there is nothing new to say.
			return report, nil
		}
	}
	tell := opt.serialProgress()
	index, err := lagorepo.WriteIndex(ctx, dst, ".", lagorepo.IndexOptions{
		RepoName: opt.RepoName, BaseURL: opt.BaseURL, Format: opt.Format, Jobs: opt.Jobs,
		Progress: func(pr templates.Progress) { tell(Progress{Step: "index " + pr.Item, Done: pr.Done, Total: pr.Total}) },
	})
	report.Merge(index)
	return report, err
}

// serialProgress is the Progress option for several goroutines.
func (o BuildOptions) serialProgress() func(Progress) {
	if o.Progress == nil {
		return func(Progress) {}
	}
	var mu sync.Mutex
	return func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		o.Progress(p)
	}
}

// build is one run of [Plan.Build].
type build struct {
	plan      *Plan
	opt       BuildOptions
	dst       *publish.Dir
	tree      *templates.Dir // dst, for reading
	work      *workspace
	tools     map[string]Tool
	env       commandEnv
	tell      func(Progress)
	decisions []decision
	outcomes  []outcome
	byID      map[string]int // of the steps
	bases     sharedBases
	slots     *semaphore.Weighted
	packing   *semaphore.Weighted // one image at a time is packed, on all cores

	mu     sync.Mutex
	failed string // the first spec that failed; "" while none has
}

// outcome is what became of a step. It may be read when done is closed.
type outcome struct {
	done  chan struct{}
	item  templates.Item
	image *baseImage // what was built, for what stands on it
}

// images builds the images.
func (p *Plan) images(ctx context.Context, dst *publish.Dir, opt BuildOptions) (report *templates.Report, err error) {
	report = new(templates.Report)
	tools, err := p.findTools(ctx, opt.Runner)
	if err != nil {
		return report, err
	}
	tree, err := templates.OpenDir(dst.Path())
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	work, err := newWorkspace(dst.Root(), dst.Path(), opt.KeepTemp)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, work.Close()) }()
	b := &build{
		plan: p, opt: opt, dst: dst, tree: tree, work: work, tools: tools,
		env: commandEnv{temp: work.temp()}, tell: opt.serialProgress(), packing: semaphore.NewWeighted(1),
		outcomes: make([]outcome, len(p.Steps)), byID: make(map[string]int),
	}
	ask := &baseAsker{opt: opt, builder: tools["virt-builder"], env: b.env, known: map[string]baseFacts{}}
	if b.decisions, err = p.decide(ctx, tree, tools, ask); err != nil {
		return report, err
	}
	if err := b.reserve(dst.Path()); err != nil {
		return report, err
	}
	b.run(ctx)
	for i := range b.outcomes {
		if b.outcomes[i].item.State != "" {
			report.Add(b.outcomes[i].item)
		}
	}
	if ctx.Err() != nil {
		return report, context.Cause(ctx)
	}
	return report, nil
}

// findTools finds all the tools that the plan needs. The error names all that
// are missing.
func (p *Plan) findTools(ctx context.Context, r Runner) (map[string]Tool, error) {
	tools := map[string]Tool{}
	var missing []error
	for _, name := range p.toolNames() {
		t, err := r.Find(ctx, name)
		if ctx.Err() != nil {
			return tools, context.Cause(ctx)
		}
		if err != nil {
			missing = append(missing, err)
			continue
		}
		tools[name] = t
	}
	return tools, errors.Join(missing...)
}

// reserve decides how many images are built at a time: as many as were asked
// for, or fewer where there is no room for so many. One has to fit.
func (b *build) reserve(dir string) error {
	wanted := 0
	for i := range b.decisions {
		if b.decisions[i].build {
			wanted++
		}
	}
	jobs := b.opt.Jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	n := max(1, min(jobs, wanted))
	for wanted > 0 {
		err := checkSpace(dir, int64(n)*b.opt.SpacePerImage)
		if err == nil {
			break
		}
		if n == 1 {
			return fmt.Errorf("no image can be built: %w", err)
		}
		n--
	}
	b.slots = semaphore.NewWeighted(int64(n))
	return nil
}

// run carries all steps out, each as soon as what it stands on is there.
func (b *build) run(ctx context.Context) {
	for i := range b.outcomes {
		b.outcomes[i].done = make(chan struct{})
		b.byID[b.plan.Steps[i].Spec.ID] = i
		switch d := &b.decisions[i]; {
		case d.err != nil && b.failed == "":
			b.failed = b.plan.Steps[i].Spec.ID
		case d.build:
			b.bases.hold(b.dirsOf(i)...)
		}
	}
	var all sync.WaitGroup
	for i := range b.outcomes {
		all.Go(func() {
			defer close(b.outcomes[i].done)
			b.outcomes[i].item = b.step(ctx, i)
		})
	}
	all.Wait()
}

// step carries one step out. The item has no state where ctx was done before it
// was finished.
func (b *build) step(ctx context.Context, i int) templates.Item {
	st, d := &b.plan.Steps[i], &b.decisions[i]
	it := st.item(b.opt.Format)
	switch {
	case d.err != nil:
		return b.fail(it, d.err)
	case !d.build:
		it.State, it.Reason = templates.Unchanged, d.sentence()
		it.Destination = templates.FilesOf(st.Spec.ID).Disk
		return it
	}
	defer b.bases.release(b.opt.KeepTemp, b.dirsOf(i)...)
	if st.Base.Kind == BaseSpec {
		base := &b.outcomes[b.byID[st.Base.Ref]]
		<-base.done // which ctx ends as well
		if s := base.item.State; s == templates.Failed || s == templates.Skipped {
			it.State, it.Reason = templates.Skipped, "was not built, since its base "+templates.Quote(st.Base.Ref)+" was not"
			return it
		}
	}
	if err := b.slots.Acquire(ctx, 1); err != nil {
		return it
	}
	defer b.slots.Release(1)
	if first := b.firstFailure(); first != "" && !b.opt.KeepGoing {
		it.State, it.Reason = templates.Skipped, "was not begun, since "+templates.Quote(first)+" failed; --keep-going builds it all the same"
		return it
	}
	image, err := b.image(ctx, i, &it)
	if ctx.Err() != nil && it.State == "" {
		return it
	}
	if err != nil {
		return b.fail(it, err)
	}
	b.outcomes[i].image = image
	return it
}

func (b *build) fail(it templates.Item, err error) templates.Item {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == "" {
		b.failed = it.Handle
	}
	it.State, it.Reason, it.Error = templates.Failed, "", err.Error()
	return it
}

func (b *build) firstFailure() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}
