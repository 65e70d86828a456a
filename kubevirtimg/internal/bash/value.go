package bash

import "strings"

// A Value is what is known of a text that a script builds.
type Value struct {
	// Text is the value; where Known is false it is the value with what is not known written as in the script (${NAME}, $(…)),
	// for people to read.
	Text  string
	Known bool
	// Tail is what the value is known to end with: Text where Known is true, else what stands after the last unknown part.
	Tail string
	// Why says what is unknown and where that comes from; empty where Known is true.
	Why string
	// Line is where the value is written in the script: for a value handed on by variables, where it was first put together.
	Line int
}

func known(text string, line int) Value {
	return Value{Text: text, Known: true, Tail: text, Line: line}
}

func unknown(shown, why string, line int) Value {
	return Value{Text: shown, Why: why, Line: line}
}

// joiner puts a value together from its pieces.
type joiner struct {
	text, tail strings.Builder
	why        string
}

func (j *joiner) add(v Value) {
	if j.text.Len() <= maxValue {
		j.text.WriteString(v.Text)
	}
	if !v.Known {
		if j.why == "" {
			j.why = v.Why
		}
		j.tail.Reset()
	}
	if j.tail.Len() <= maxValue {
		j.tail.WriteString(v.Tail)
	}
}

func (j *joiner) value(line int) Value {
	switch {
	case j.text.Len() > maxValue || j.tail.Len() > maxValue:
		return unknown("…", "it is longer than any name", line)
	case j.why != "":
		return Value{Text: j.text.String(), Tail: j.tail.String(), Why: j.why, Line: line}
	}
	return known(j.text.String(), line)
}

// same reports whether two branches left a variable with one value; where it was written may differ.
func same(a, b Value) bool { return a.Known && b.Known && a.Text == b.Text }
