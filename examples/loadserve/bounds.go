//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// bench is one run of this program.
type bench struct {
	config
	out, log io.Writer
	self     string // this program, for its children
	bounds   []bound
}

// bound is what a figure is held against.
type bound struct {
	what  string
	got   float64
	want  float64
	least bool // want is what it has to be at least, else at most
	form  string
}

func (b bound) kept() bool {
	if b.least {
		return b.got >= b.want
	}
	return b.got <= b.want
}

func (b *bench) atLeast(want, got float64, what string, args ...any) {
	b.bounds = append(b.bounds, bound{what: fmt.Sprintf(what, args...), got: got, want: want, least: true, form: "%.2f ×"})
}

func (b *bench) atMost(want, got float64, form, what string, args ...any) {
	b.bounds = append(b.bounds, bound{what: fmt.Sprintf(what, args...), got: got, want: want, form: form})
}

// tellBounds prints them; it is an error if one is missed.
func (b *bench) tellBounds() error {
	rows := [][]string{{"what", "measured", "bound", "kept"}}
	missed := false
	for _, t := range b.bounds {
		sign, kept := "≤ ", "yes"
		if t.least {
			sign = "≥ "
		}
		if !t.kept() {
			kept, missed = "**no**", true
		}
		rows = append(rows, []string{t.what, fmt.Sprintf(t.form, t.got), sign + fmt.Sprintf(t.form, t.want), kept})
	}
	fmt.Fprint(b.out, "\n## Bounds\n\n")
	if b.quick {
		fmt.Fprint(b.out, "In so short a time they say little.\n\n")
	}
	if err := measure.Markdown(b.out, rows); err != nil {
		return err
	}
	if missed && !b.quick {
		return errMissed
	}
	return nil
}

// median is the middle of the figures; of an even number the lower of the two
// in the middle.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/2]
}
