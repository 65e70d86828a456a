package xzpack

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// pipeline is a row of stages that items of type T pass through:
//
//	next ──┬─ side (in order, beside work) ─┬─ emit (in order)
//	       └─ work (jobs of them at once) ──┘
//
// There are as many items as slots says, and no more; each comes back to next when emit is done with it. So however slow a stage is,
// that is the memory in use.
type pipeline[T any] struct {
	jobs  int
	slots int                                                     // 0 = jobs+1: one is read while the others are worked on
	next  func(ctx context.Context, item *T) (ok bool, err error) // fills an item; false at the end
	side  func(ctx context.Context, item *T) error                // may be nil
	work  func(ctx context.Context, item *T) error
	emit  func(ctx context.Context, item *T) error
}

// slot is an item on its way.
type slot[T any] struct {
	item   T
	worked chan struct{} // gets one value from each pass through work
	sided  chan struct{} // and from each through side
}

// run passes all items through. It returns when all of its goroutines have ended: with nil when the last item is through,
// with the cause of ctx if that is done, or else with the first error of a stage. A stage that panics is an error.
func (p *pipeline[T]) run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	slots := p.slots
	if slots == 0 {
		slots = p.jobs + 1
	}
	var (
		free  = make(chan *slot[T], slots)
		works = make(chan *slot[T], slots)
		sides = make(chan *slot[T], slots)
		emits = make(chan *slot[T], slots)
	)
	for range slots {
		free <- &slot[T]{worked: make(chan struct{}, 1), sided: make(chan struct{}, 1)}
	}
	stage := func(f func() error) { g.Go(func() error { return guard(f) }) }

	stage(func() error {
		defer func() { close(works); close(sides); close(emits) }()
		for s := range receive(gctx, free) {
			ok, err := p.next(gctx, &s.item)
			if err != nil || !ok {
				return err
			}
			works <- s // none of these blocks: there are no more slots than the channels hold
			if p.side != nil {
				sides <- s
			}
			emits <- s
		}
		return context.Cause(gctx)
	})
	for range p.jobs {
		stage(func() error {
			for s := range receive(gctx, works) {
				if err := p.work(gctx, &s.item); err != nil {
					return err
				}
				s.worked <- struct{}{}
			}
			return context.Cause(gctx)
		})
	}
	if p.side != nil {
		stage(func() error {
			for s := range receive(gctx, sides) {
				if err := p.side(gctx, &s.item); err != nil {
					return err
				}
				s.sided <- struct{}{}
			}
			return context.Cause(gctx)
		})
	}
	stage(func() error {
		for s := range receive(gctx, emits) {
			if !wait(gctx, s.worked) || p.side != nil && !wait(gctx, s.sided) {
				break
			}
			if err := p.emit(gctx, &s.item); err != nil {
				return err
			}
			free <- s
		}
		return context.Cause(gctx)
	})
	err := g.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// receive yields what comes out of c until that is closed or ctx is done.
func receive[T any](ctx context.Context, c <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case v, ok := <-c:
				if !ok || !yield(v) {
					return
				}
			}
		}
	}
}

// wait waits for c and tells whether it came before ctx was done.
func wait(ctx context.Context, c <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-c:
		return true
	}
}

// guard calls f and makes an error of a panic in it, so that one bad block, or a caller's writer, does not take the
// process down from a goroutine that nobody can recover in.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			buf := make([]byte, 4<<10)
			err = fmt.Errorf("panic: %v\n%s", p, buf[:runtime.Stack(buf, false)])
		}
	}()
	return f()
}

// workers is the number of workers that jobs stands for, with no more than there are blocks.
func workers(jobs int, blocks int64) (int, error) {
	if jobs < 0 {
		return 0, fmt.Errorf("jobs: expected 0 (all cores) or more, found %d", jobs)
	}
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	return int(max(1, min(int64(jobs), blocks))), nil
}
