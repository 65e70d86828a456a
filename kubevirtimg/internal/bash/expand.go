package bash

import (
	"fmt"
	"strconv"
	"strings"
)

// expand gives the value of a word that is not split into fields.
func (r *run) expand(w word) Value {
	if len(w.parts) == 1 && w.parts[0].kind == param {
		return r.param(w.parts[0], w.line)
	}
	var j joiner
	for _, p := range w.parts {
		v := r.part(p, w.line)
		if !r.step(1+len(v.Text)/256, w.line) {
			break
		}
		j.add(v)
	}
	return j.value(w.line)
}

func (r *run) part(p part, line int) Value {
	switch p.kind {
	case literal:
		if len(p.lit) > maxValue {
			return unknown("…", "it is longer than any name", line)
		}
		return known(string(p.lit), line)
	case param:
		return r.param(p, line)
	}
	shown := "$(…)"
	if strings.HasPrefix(p.text, "${") {
		return unknown(p.text, fmt.Sprintf("%s on line %d is left to the shell", p.text, line), line)
	}
	return unknown(shown, fmt.Sprintf("%s on line %d is left to the shell", p.text, line), line)
}

// lookup returns a variable or a positional parameter; set is false where neither the script nor the caller set it.
func (r *run) lookup(name string) (v Value, set bool) {
	if v, ok := r.vars[name]; ok {
		return v, true
	}
	switch {
	case name == "@" || name == "*":
		if !r.inFunc {
			return Value{}, false
		}
		var j joiner
		for i, a := range r.args {
			if i > 0 {
				j.add(known(" ", a.Line))
			}
			j.add(a)
		}
		return j.value(0), true
	case len(name) > 0 && '0' <= name[0] && name[0] <= '9':
		n, err := strconv.Atoi(name)
		if err != nil || n == 0 || !r.inFunc || n > len(r.args) {
			return Value{}, false
		}
		return r.args[n-1], true
	}
	return Value{}, false
}

func (r *run) param(p part, line int) Value {
	if !r.step(1, line) {
		return unknown("…", "the script is too involved", line)
	}
	v, set := r.lookup(p.text)
	if !set {
		v = unknown("${"+p.text+"}", fmt.Sprintf("%s is not set in the script", p.text), line)
	}
	if v.Line == 0 {
		v.Line = line
	}
	filled := set && v.Known && (v.Text != "" || !strings.HasPrefix(p.op, ":"))
	empty := !set || v.Known && !filled
	switch strings.TrimPrefix(p.op, ":") {
	case "-", "=":
		if !empty {
			return v
		}
		v = r.expand(p.arg)
		if strings.HasSuffix(p.op, "=") && isIdentifier(p.text) {
			r.set(p.text, v, line)
		}
	case "+":
		switch {
		case filled:
			return r.expand(p.arg)
		case empty:
			return known("", line)
		}
		return unknown(v.Text, v.Why, line)
	case "#", "##", "%", "%%":
		return r.trimmed(v, p, line)
	}
	return v // also ${X:?message}: where X is not set, the script ends there
}

func (r *run) trimmed(v Value, p part, line int) Value {
	expr, ok := r.expression(pattern{w: p.arg, glob: true})
	re := r.regexp(expr)
	if !ok || re == nil || !v.Known || len(v.Text) > maxTrim {
		why := v.Why
		if why == "" {
			why = fmt.Sprintf("the pattern of ${%s%s…} on line %d is not understood", p.text, p.op, line)
		}
		return unknown("${"+p.text+p.op+"…}", why, line)
	}
	if !r.step(1+len(v.Text)*len(v.Text)/16, line) {
		return unknown("…", "the script is too involved", line)
	}
	return known(trim(v.Text, p.op, re), v.Line)
}

// fields expands a word of a command: an unquoted $X or $@ alone is split at blanks, an empty one vanishes.
func (r *run) fields(w word) []Value {
	if len(w.parts) != 1 || w.parts[0].kind != param {
		return []Value{r.expand(w)}
	}
	p := w.parts[0]
	if p.text == "@" && p.op == "" && r.inFunc {
		return r.args
	}
	v := r.expand(w)
	if p.quoted || !v.Known {
		return []Value{v}
	}
	var out []Value
	for _, f := range strings.Fields(v.Text) {
		out = append(out, known(f, v.Line))
	}
	return out
}
