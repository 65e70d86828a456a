package bash

import (
	"maps"
	"regexp"
	"slices"
)

// A Handler is told what a script does, in the order in which it does it. A branch that may or may not be taken is told of too.
type Handler interface {
	// Assign is called after a variable has been given a value.
	Assign(name string, v Value, line int)
	// Command is called for a command that is no builtin. It returns true where it knows what the command does, so that a
	// function of that name in the script is not entered.
	Command(c Command) bool
}

// A Command is one command with its words expanded; Args[0] is its name.
type Command struct {
	Line   int
	Args   []Value
	Stdout *Value // the file that standard output goes to, nil where it goes nowhere else
}

// Run reads the script once. vars are the variables that are set before it begins, all others are taken as not set: an
// ${X:-default} then gives the default, and a plain $X is unknown. budget is the work that may be done, at most [MaxSteps], and
// used the work that was; a script that needs more is an [*Error].
func (p *Program) Run(vars map[string]string, h Handler, budget int) (used int, err error) {
	r := newRun(h, budget)
	for name, text := range vars {
		r.vars[name] = known(text, 0)
	}
	r.list(p.body)
	return r.steps, r.err
}

func newRun(h Handler, budget int) *run {
	return &run{
		handler:  h,
		budget:   budget,
		vars:     make(map[string]Value),
		funcs:    make(map[string]node),
		patterns: make(map[string]*regexp.Regexp),
	}
}

// Witnesses returns texts that satisfy the comparisons in the script's conditions ([[ x =~ y ]], [[ x == y ]], [ x = y ] and
// case), each once and in the order of the script, at most max. Comparisons whose right side is not plain text give none.
func (p *Program) Witnesses(max int) []string {
	const each = 16
	var out []string
	r := newRun(deaf{}, MaxSteps)
	for _, t := range p.tests {
		expr, ok := r.expression(t)
		if !ok {
			continue
		}
		for _, w := range witnesses(expr, each) {
			if len(out) < max && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// run is the state of one reading. A branch works on a copy of vars; everything else is shared.
type run struct {
	handler Handler
	vars    map[string]Value
	funcs   map[string]node
	args    []Value // of the function that is read, without its name; nil at the top, where they are unknown
	inFunc  bool
	locals  []string // declared in the function that is read
	calls   int
	// What ways that left the loop or function that is read early left behind; they count again where it ends.
	fromLoop, fromFunc []map[string]Value

	patterns map[string]*regexp.Regexp
	steps    int
	budget   int
	err      error
}

// truth is what is known of a condition or an exit status.
type truth int

const (
	maybe truth = iota
	yes
	no
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return maybe
}

// flow says how a list ended; a higher one leaves more.
type flow int

const (
	next flow = iota
	leaveLoop
	leaveFunction
	leaveScript
)

// step counts work and reports whether there is any left to do; the first line that exceeds it is the one named.
func (r *run) step(n, line int) bool {
	if r.err != nil {
		return false
	}
	if r.steps += n; r.steps > r.budget {
		r.err = &Error{Line: line, Reason: "the script is too involved to be read without running it"}
		return false
	}
	return true
}

// branch runs f on a copy of the variables and returns what it left; the run's own variables stay as they were.
func (r *run) branch(line int, f func() flow) (map[string]Value, flow) {
	if !r.step(4+2*len(r.vars), line) {
		return r.vars, leaveScript
	}
	before, args := r.vars, r.args
	r.vars = maps.Clone(before)
	fl := f()
	after := r.vars
	r.vars, r.args = before, args
	return after, fl
}

// apart runs f in a subshell: nothing that it sets stays.
func (r *run) apart(line int, f func() flow) {
	fromLoop, fromFunc := r.fromLoop, r.fromFunc
	r.branch(line, f)
	r.fromLoop, r.fromFunc = fromLoop, fromFunc
}

// join merges what two ways through a condition on line left. A way that leaves the list does not count.
func (r *run) join(line int, a map[string]Value, fa flow, b map[string]Value, fb flow) flow {
	switch {
	case fa != next && fb != next:
		// Both leave; the way that leaves less is the one that what follows is read with.
		if fa < fb {
			a, fa, b, fb = b, fb, a, fa
		}
		r.leave(a, fa)
		r.vars = b
		return fb
	case fa != next:
		r.leave(a, fa)
		r.vars = b
		return next
	case fb != next:
		r.leave(b, fb)
		r.vars = a
		return next
	}
	r.vars = merge(a, b, because(line))
	return next
}

// leave keeps the variables of a way that left a loop or a function early.
func (r *run) leave(vars map[string]Value, fl flow) {
	switch fl {
	case leaveLoop:
		r.fromLoop = append(r.fromLoop, vars)
	case leaveFunction:
		r.fromFunc = append(r.fromFunc, vars)
	}
}

// rejoin gives what holds behind a loop or function that ended with fl: what it left at its end, and what the ways left that went
// out of it early. own is how such a way leaves it.
func (r *run) rejoin(vars map[string]Value, fl, own flow, early []map[string]Value, line int) (map[string]Value, flow) {
	if fl > own {
		if len(early) == 0 {
			return vars, fl
		}
		r.leave(vars, fl)
		vars, early = early[0], early[1:]
	}
	for _, left := range early {
		if !r.step(len(left), line) {
			break
		}
		vars = merge(left, vars, because(line))
	}
	return vars, next
}

// merge changes b to what both leave: a variable with different values is unknown.
func merge(a, b map[string]Value, why string) map[string]Value {
	for name, vb := range b {
		if va, ok := a[name]; !ok || !same(va, vb) {
			b[name] = unknown("${"+name+"}", why, vb.Line)
		}
	}
	for name, va := range a {
		if _, ok := b[name]; !ok {
			b[name] = unknown("${"+name+"}", why, va.Line)
		}
	}
	return b
}
