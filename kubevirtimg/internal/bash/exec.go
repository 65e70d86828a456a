package bash

import "fmt"

func because(line int) string { return fmt.Sprintf("it depends on the condition on line %d", line) }

func (r *run) list(l list) flow {
	_, fl := r.statusOf(l)
	return fl
}

// statusOf runs a list and returns the status of its last command.
func (r *run) statusOf(l list) (truth, flow) {
	status := yes
	for _, a := range l {
		var fl flow
		if status, fl = r.andOr(a); fl != next {
			return status, fl
		}
	}
	return status, next
}

func (r *run) andOr(a andOr) (truth, flow) {
	status, fl := r.pipeline(a.pipes[0])
	for i, op := range a.ops {
		if fl != next {
			return status, fl
		}
		pipe := a.pipes[i+1]
		wanted := yes
		if op == "||" {
			wanted = no
		}
		switch status {
		case wanted:
			status, fl = r.pipeline(pipe)
		case maybe:
			line := lineOf(pipe)
			var second truth
			taken, taking := r.branch(line, func() (f flow) { second, f = r.pipeline(pipe); return f })
			fl = r.join(line, taken, taking, r.vars, next)
			// Where the second leaves, what goes on is what did not take it; else both decide together.
			if taking != next || second == wanted.not() {
				status = wanted.not()
			}
		}
	}
	return status, fl
}

func lineOf(l pipeline) int {
	for _, c := range l.cmds {
		switch n := c.(type) {
		case *simple:
			return n.line
		case *ifNode:
			return n.line
		case *caseNode:
			return n.line
		case *loop:
			return n.line
		}
	}
	return 0
}

func (r *run) pipeline(l pipeline) (truth, flow) {
	var status truth
	if len(l.cmds) == 1 {
		var fl flow
		if status, fl = r.node(l.cmds[0]); fl != next {
			return status, fl
		}
	} else {
		for _, c := range l.cmds { // each in a shell of its own
			r.apart(lineOf(l), func() (fl flow) { status, fl = r.node(c); return fl })
		}
	}
	if l.negate {
		status = status.not()
	}
	return status, next
}

func (r *run) node(n node) (truth, flow) {
	if !r.step(1, 0) {
		return maybe, leaveScript
	}
	switch n := n.(type) {
	case *simple:
		return r.simple(n)
	case *ifNode:
		return r.ifFrom(n, 0)
	case *caseNode:
		return maybe, r.caseFrom(n, r.expand(n.subject), 0)
	case *loop:
		return maybe, r.loop(n)
	case *group:
		return r.group(n)
	case *function:
		r.funcs[n.name] = n.body
		return yes, next
	case *test:
		return r.expr(n.expr), next
	}
	return maybe, next // arithmetic
}

func (r *run) group(n *group) (status truth, fl flow) {
	if !n.subshell {
		return r.statusOf(n.body)
	}
	r.apart(0, func() (f flow) { status, f = r.statusOf(n.body); return f })
	return status, next
}

func (r *run) ifFrom(n *ifNode, i int) (truth, flow) {
	for ; i < len(n.clauses); i++ {
		c := n.clauses[i]
		status, fl := r.statusOf(c.cond)
		if fl != next {
			return status, fl
		}
		switch status {
		case yes:
			return r.statusOf(c.body)
		case maybe:
			line := n.line
			if len(c.cond) > 0 {
				if l := lineOf(c.cond[0].pipes[0]); l > 0 {
					line = l
				}
			}
			taken, taking := r.branch(line, func() flow { return r.list(c.body) })
			_, fl := r.ifFrom(n, i+1)
			return maybe, r.join(line, taken, taking, r.vars, fl)
		}
	}
	return r.statusOf(n.orElse)
}

func (r *run) caseFrom(n *caseNode, subject Value, i int) flow {
	for ; i < len(n.items); i++ {
		item := n.items[i]
		status := no
		for _, w := range item.patterns {
			switch r.matches(subject, pattern{w: w, glob: true}) {
			case yes:
				status = yes
			case maybe:
				if status == no {
					status = maybe
				}
			}
		}
		switch {
		case status == no:
		case status == yes && !item.falls:
			return r.list(item.body)
		default:
			taken, taking := r.branch(n.line, func() flow { return r.list(item.body) })
			fl := r.caseFrom(n, subject, i+1)
			return r.join(n.line, taken, taking, r.vars, fl)
		}
	}
	return next
}

// loop reads a loop, and what its breaks left with it.
func (r *run) loop(n *loop) flow {
	outer := r.fromLoop
	r.fromLoop = nil
	fl := r.rounds(n)
	r.vars, fl = r.rejoin(r.vars, fl, leaveLoop, r.fromLoop, n.line)
	r.fromLoop = outer
	return fl
}

// rounds reads a for loop over words that are all known round by round. Of any other loop the body is read once, with every
// variable that it sets unknown from the start, since it is not known how often it runs.
func (r *run) rounds(n *loop) flow {
	if rounds, ok := r.forWords(n); ok {
		for _, v := range rounds {
			r.set(n.name, v, n.line)
			switch fl := r.list(n.body); {
			case fl == leaveLoop:
				return next
			case fl > leaveLoop:
				return fl
			}
		}
		return next
	}
	why := fmt.Sprintf("it is set by the loop on line %d", n.line)
	if n.name != "" {
		r.set(n.name, unknown("${"+n.name+"}", why, n.line), n.line)
	}
	once, _ := r.branch(n.line, func() flow { return r.quietly(n) })
	for name, v := range once {
		if old, ok := r.vars[name]; !ok || !same(old, v) {
			r.vars[name] = unknown("${"+name+"}", why, v.Line)
		}
	}
	after, fl := r.branch(n.line, func() flow { return r.round(n) })
	if fl == leaveLoop {
		fl = next
	}
	return r.join(n.line, after, fl, r.vars, next)
}

func (r *run) round(n *loop) flow {
	if _, fl := r.statusOf(n.cond); fl != next {
		return fl
	}
	return r.list(n.body)
}

// quietly runs a loop's condition and body without telling the handler: only to see which variables they set.
func (r *run) quietly(n *loop) flow {
	h, left := r.handler, r.fromFunc
	r.handler = deaf{}
	fl := r.round(n)
	for _, vars := range r.fromLoop { // what a break leaves is set by the loop too
		r.vars = merge(vars, r.vars, "")
	}
	r.handler, r.fromLoop, r.fromFunc = h, nil, left
	return fl
}

type deaf struct{}

func (deaf) Assign(string, Value, int) {}
func (deaf) Command(Command) bool      { return false }

// forWords returns what a for loop runs over; ok is false where that is not known, or too much.
func (r *run) forWords(n *loop) (words []Value, ok bool) {
	const most = 64
	if n.open {
		return nil, false
	}
	var out []Value
	for _, w := range n.words {
		for _, v := range r.fields(w) {
			if !v.Known || len(out) == most {
				return nil, false
			}
			out = append(out, v)
		}
	}
	return out, true
}
