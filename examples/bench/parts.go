//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// part is what can be measured by itself.
type part struct {
	name    string
	onDense bool // needs dense.xz
	run     func(*bench, context.Context) error
}

var parts = []part{
	{"dense", false, (*bench).dense},
	{"unpacking", true, (*bench).denseUnpacking},
	{"reading", true, (*bench).denseReading},
	{"verifying", true, (*bench).denseVerifying},
	{"tar", false, (*bench).sources},
	{"compressed", true, (*bench).compressed},
	{"zeros", false, (*bench).zeros},
	{"periodic", false, (*bench).periodic},
	{"sparse", false, (*bench).sparse},
}

func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// chosen are the parts that list, with commas, names; all if it is empty.
func chosen(list string) ([]part, error) {
	if list == "" {
		return parts, nil
	}
	names := strings.Split(list, ",")
	var out []part
	for _, p := range parts {
		if i := slices.Index(names, p.name); i >= 0 {
			out, names = append(out, p), slices.Delete(names, i, i+1)
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("-only: %q: the parts are %s, each once", names[0], partNames())
	}
	return out, nil
}

// measure runs the parts. What the part "dense" leaves is made without being
// measured if that is not among them.
func (b *bench) measure(ctx context.Context, list []part) error {
	made := false
	for _, p := range list {
		if p.onDense && !made {
			if err := b.packDense(ctx); err != nil {
				return err
			}
		}
		made = made || p.onDense || p.name == "dense"
		if err := p.run(b, ctx); err != nil {
			return err
		}
	}
	return nil
}

// packDense makes dense.raw, dense.xz and ours.xz.
func (b *bench) packDense(ctx context.Context) error {
	if err := b.makeDense(ctx); err != nil {
		return err
	}
	_, err := measure.Run(ctx, []measure.Command{
		keep(b.xz(b.jobs, "dense.raw", "dense.xz")), keep(b.pack(way{"fast", false, b.jobs}, "dense.raw", "ours.xz")),
	}, 1, nil)
	return err
}
