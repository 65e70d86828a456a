package imagespec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CycleLink is one spec in a [CycleError].
type CycleLink struct {
	ID   string
	Path string // of the spec
	Line int    // of its base property
}

// CycleError says that specs stand on each other in a circle, so that none of
// them can be built first.
type CycleError struct {
	Links []CycleLink // each stands on the next, and the last on the first; the lowest ID is first
}

// Error names the whole cycle, with the lines that make it.
func (e *CycleError) Error() string {
	var b strings.Builder
	b.WriteString("the bases form a cycle: ")
	for i, l := range e.Links {
		next := e.Links[(i+1)%len(e.Links)]
		what := next.ID
		if next.ID == l.ID {
			what = "itself"
		}
		fmt.Fprintf(&b, "%s stands on %s (%s, line %d), ", l.ID, what, shownPath(l.Path), l.Line)
	}
	b.WriteString("so none can be built first: give one of them another base")
	return b.String()
}

// inOrder sorts steps so that each comes after those it stands on, and fills in
// After. A spec follows its base as soon as it can, and of two that could be next
// the lower ID is: an order that depends on nothing else. The steps come in
// order of their IDs and each one's base, if it is a spec, is among them. The
// error joins a [*CycleError] for every cycle.
func inOrder(steps []Step) ([]Step, error) {
	o := orderer{index: make(map[string]int), at: make(map[string]place), after: make(map[string][]string), steps: steps}
	for i, st := range steps {
		o.index[st.Spec.ID] = i
	}
	for _, st := range steps {
		o.add(st.Spec.ID)
	}
	if len(o.cycles) > 0 {
		return nil, errors.Join(o.cycles...)
	}
	return o.out, nil
}

// place is how far a spec has come on its way into the order.
type place int

const (
	waiting place = iota
	onTheWay
	placed
)

type orderer struct {
	steps  []Step
	index  map[string]int // in steps, by ID
	at     map[string]place
	out    []Step
	after  map[string][]string
	cycles []error
}

// add puts a spec into the order behind all that it stands on, where it is not
// there already.
func (o *orderer) add(id string) {
	var chain []string // from the spec down to the last that is not placed
	has := true
	for has && o.at[id] == waiting {
		o.at[id] = onTheWay
		chain = append(chain, id)
		id, has = o.base(id)
	}
	if has && o.at[id] == onTheWay {
		o.cycles = append(o.cycles, o.cycle(chain[slices.Index(chain, id):]))
	}
	all := chain
	if has {
		all = append(slices.Clip(chain), id)
		all = append(all, o.after[id]...)
	}
	for i, id := range slices.Backward(chain) {
		o.at[id] = placed
		st := o.steps[o.index[id]]
		st.After = all[i+1 : len(all) : len(all)]
		o.after[id] = st.After
		o.out = append(o.out, st)
	}
}

// base gives the spec that a spec stands on, if it stands on one.
func (o *orderer) base(id string) (string, bool) {
	b := o.steps[o.index[id]].Base
	return b.Ref, b.Kind == BaseSpec
}

func (o *orderer) cycle(ids []string) *CycleError {
	low := slices.Index(ids, slices.Min(ids))
	var e CycleError
	for _, id := range slices.Concat(ids[low:], ids[:low]) {
		st := o.steps[o.index[id]]
		e.Links = append(e.Links, CycleLink{ID: id, Path: st.Spec.Path, Line: st.Base.Line})
	}
	return &e
}
