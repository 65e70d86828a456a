package bash

import (
	"fmt"
	"strings"
)

func (r *run) simple(n *simple) (truth, flow) {
	for _, a := range n.assigns {
		v := r.assigned(a)
		if len(n.words) == 0 { // before a command they hold for that command alone
			r.set(a.name, v, a.line)
		}
	}
	if len(n.words) == 0 {
		return maybe, next
	}
	var args []Value
	for _, w := range n.words {
		if !r.step(1, n.line) {
			return maybe, leaveScript
		}
		args = append(args, r.fields(w)...)
		if len(args) > maxFields {
			return maybe, next
		}
	}
	for len(args) > 0 && args[0].Known && (args[0].Text == "command" || args[0].Text == "builtin" || args[0].Text == "exec" || args[0].Text == "sudo") {
		args = args[1:]
	}
	if len(args) == 0 || !args[0].Known {
		return maybe, next
	}
	if status, fl, ok := r.builtin(n, args); ok {
		return status, fl
	}
	c := Command{Line: n.line, Args: args}
	if n.stdout != nil {
		out := r.expand(*n.stdout)
		c.Stdout = &out
	}
	if r.handler.Command(c) {
		return maybe, next
	}
	if body, ok := r.funcs[args[0].Text]; ok && r.calls < maxCalls {
		return r.call(body, args[1:], n.line)
	}
	return maybe, next
}

// builtin runs the builtins that change what is known; ok is false for any other command.
func (r *run) builtin(n *simple, args []Value) (status truth, fl flow, ok bool) {
	switch args[0].Text {
	case ":", "true":
		return yes, next, true
	case "false":
		return no, next, true
	case "exit":
		return maybe, leaveScript, true
	case "return":
		return maybe, leaveFunction, true
	case "break", "continue":
		return maybe, leaveLoop, true
	case "[", "test":
		return r.bracket(args[1:]), next, true
	case "export", "readonly", "local", "declare", "typeset":
		r.declare(n, args)
		return yes, next, true
	case "unset":
		for _, a := range args[1:] {
			delete(r.vars, a.Text)
		}
		return yes, next, true
	case "read", "mapfile", "readarray", "getopts", "printf":
		for _, a := range args[1:] {
			if a.Known && isIdentifier(a.Text) && (args[0].Text != "printf" || args[1].Text == "-v") {
				r.set(a.Text, unknown("${"+a.Text+"}", fmt.Sprintf("%s on line %d sets it", args[0].Text, n.line), n.line), n.line)
			}
		}
		return maybe, next, true
	case "shift":
		r.args = r.args[min(1, len(r.args)):]
		return maybe, next, true
	}
	return maybe, next, false
}

func (r *run) declare(n *simple, args []Value) {
	local := r.inFunc && args[0].Text != "export" && args[0].Text != "readonly"
	for _, a := range args[1:] { // names without a value, and options
		if local && a.Known && isIdentifier(a.Text) {
			r.locals = append(r.locals, a.Text)
			delete(r.vars, a.Text)
		}
	}
	for _, a := range n.decl {
		v := r.assigned(a)
		if local {
			r.locals = append(r.locals, a.name)
		}
		r.set(a.name, v, a.line)
	}
}

func (r *run) assigned(a assign) Value {
	if a.opaque {
		return unknown("${"+a.name+"}", fmt.Sprintf("%s is an array", a.name), a.line)
	}
	v := r.expand(a.value)
	if a.add {
		var j joiner
		if old, ok := r.lookup(a.name); ok {
			j.add(old)
		}
		j.add(v)
		return j.value(a.line)
	}
	return v
}

func (r *run) set(name string, v Value, line int) {
	if _, ok := r.vars[name]; !ok && len(r.vars) >= maxVars {
		r.step(r.budget+1, line)
		return
	}
	r.vars[name] = v
	r.handler.Assign(name, v, line)
}

// call reads the body of a function with its arguments. Variables that it declares local are as before afterwards.
func (r *run) call(body node, args []Value, line int) (truth, flow) {
	type saved struct {
		inFunc             bool
		locals             []string
		fromFunc, fromLoop []map[string]Value
	}
	old := saved{r.inFunc, r.locals, r.fromFunc, r.fromLoop}
	before := r.vars
	var status truth
	r.calls++
	after, fl := r.branch(line, func() flow {
		r.args, r.inFunc, r.locals = args, true, nil
		r.fromFunc, r.fromLoop = nil, nil
		var f flow
		status, f = r.node(body)
		return f
	})
	r.calls--
	after, fl = r.rejoin(after, fl, leaveFunction, r.fromFunc, line)
	for _, name := range r.locals {
		if v, ok := before[name]; ok {
			after[name] = v
		} else {
			delete(after, name)
		}
	}
	r.vars = after
	r.inFunc, r.locals, r.fromFunc, r.fromLoop = old.inFunc, old.locals, old.fromFunc, old.fromLoop
	return status, fl
}

// bracket decides [ … ] for one comparison of two or three words.
func (r *run) bracket(args []Value) truth {
	if n := len(args); n > 0 && args[n-1].Text == "]" {
		args = args[:n-1]
	}
	negate := false
	for len(args) > 1 && args[0].Text == "!" {
		negate = !negate
		args = args[1:]
	}
	status := maybe
	switch len(args) {
	case 1:
		status = r.unary("-n", args[0])
	case 2:
		status = r.unary(args[0].Text, args[1])
	case 3:
		if x, y := args[0], args[2]; x.Known && y.Known {
			switch args[1].Text {
			case "=", "==":
				status = truthOf(x.Text == y.Text)
			case "!=":
				status = truthOf(x.Text != y.Text)
			}
		}
	}
	if negate {
		return status.not()
	}
	return status
}

// Shown returns the command as people would write it, for messages.
func (c Command) Shown() string {
	var words []string
	for _, a := range c.Args {
		words = append(words, a.Text)
	}
	return cut(strings.Join(words, " "))
}
