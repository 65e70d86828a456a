package bash

import (
	"regexp"
	"strings"
)

func (r *run) expr(e expr) truth {
	if !r.step(1, 0) {
		return maybe
	}
	switch e := e.(type) {
	case exprNot:
		return r.expr(e.x).not()
	case exprAndOr:
		x := r.expr(e.x)
		decides := no
		if e.op == "||" {
			decides = yes
		}
		if x == decides {
			return x
		}
		y := r.expr(e.y)
		if y == decides || x != maybe {
			return y
		}
		return maybe
	case exprUnary:
		return r.unary(e.op, r.expand(e.x))
	case exprBinary:
		return r.binary(e)
	case exprWord:
		return r.unary("-n", r.expand(e.x))
	}
	return maybe
}

// unary decides -z and -n; the others ask the file system or the shell.
func (r *run) unary(op string, v Value) truth {
	switch {
	case op != "-z" && op != "-n":
		return maybe
	case v.Known:
		return truthOf((v.Text == "") == (op == "-z"))
	case v.Tail != "": // whatever the rest is, it is not empty
		return truthOf(op == "-n")
	}
	return maybe
}

func (r *run) binary(e exprBinary) truth {
	subject := r.expand(e.x)
	switch e.op {
	case "=~":
		return r.matches(subject, pattern{w: e.y})
	case "==", "=":
		return r.matches(subject, pattern{w: e.y, glob: true})
	case "!=":
		return r.matches(subject, pattern{w: e.y, glob: true}).not()
	}
	return maybe
}

func (r *run) matches(subject Value, p pattern) truth {
	expr, ok := r.expression(p)
	if !ok || !subject.Known {
		return maybe
	}
	re := r.regexp(expr)
	if re == nil || !r.step(1+len(subject.Text)*len(expr)/2, p.w.line) {
		return maybe
	}
	return truthOf(re.MatchString(subject.Text))
}

// expression builds the regular expression of a pattern, in which quoted text stands for itself; ok is false where a part of
// it is unknown.
func (r *run) expression(p pattern) (expr string, ok bool) {
	var g globText
	for _, part := range p.w.parts {
		v := r.part(part, p.w.line)
		if !v.Known {
			return "", false
		}
		g.pieces = append(g.pieces, globPart{text: v.Text, quoted: part.quoted})
	}
	if p.glob {
		return globRegexp(&g), true
	}
	var b strings.Builder
	for _, piece := range g.pieces {
		if piece.quoted {
			b.WriteString(regexp.QuoteMeta(piece.text))
		} else {
			b.WriteString(piece.text)
		}
	}
	return b.String(), true
}

// regexp compiles an expression once in a run; nil where it is none.
func (r *run) regexp(expr string) *regexp.Regexp {
	if re, ok := r.patterns[expr]; ok {
		return re
	}
	if !r.step(64+len(expr), 0) {
		return nil
	}
	re := compile(expr)
	if len(r.patterns) < maxVars {
		r.patterns[expr] = re
	}
	return re
}
