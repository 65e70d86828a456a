//go:build linux

package main

import (
	"fmt"
	"slices"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// bound is what the figures are held against.
type bound struct {
	what  string
	got   float64
	most  float64
	least bool   // most is what it has to be at least
	form  string // of got and most
}

func (b bound) kept() bool {
	if b.least {
		return b.got >= b.most
	}
	return b.got <= b.most
}

// atMost holds a figure against its bound.
func (b *bench) atMost(most float64, got float64, form, what string, args ...any) {
	b.bounds = append(b.bounds, bound{what: fmt.Sprintf(what, args...), got: got, most: most, form: form})
}

func (b *bench) atLeast(least float64, got float64, form, what string, args ...any) {
	b.bounds = append(b.bounds, bound{what: fmt.Sprintf(what, args...), got: got, most: least, least: true, form: form})
}

// The forms of figures.
const (
	times    = "%.3f ×"
	timesFew = "%.4f ×" // where a part in thousand counts
	inMiB    = "%.0f MiB"
	inRate   = "%.0f MB/s"
)

// levels are what is wanted of each level, in multiples of xz -9 with the same
// blocks.
var levels = []struct {
	name                string
	size, cpu, cpuProof float64
	memory              float64 // MiB a worker; 0: no bound
}{
	{"best", 1.000, 0.75, 0.85, 350},
	{"balanced", 1.005, 0.60, 0, 0},
	{"fast", 1.02, 0.45, 0, 120},
}

// packBounds holds what was measured on an input against xz with the same number
// of workers.
func (b *bench) packBounds(on string, got figures, jobs int) {
	xz, ok := got[xzName(jobs)]
	for _, l := range levels {
		for _, proof := range []bool{false, true} {
			c, there := got[way{l.name, proof, jobs}.name()]
			if !ok || !there {
				continue
			}
			o := c.Over(xz)
			if proof {
				if l.cpuProof > 0 {
					b.atMost(l.cpuProof, o.CPU, times, "%s, %s: CPU with the proof", on, l.name)
				}
				continue
			}
			b.atMost(l.size, o.Size, timesFew, "%s, %s: size", on, l.name)
			b.atMost(l.cpu, o.CPU, times, "%s, %s: CPU without the proof", on, l.name)
			if jobs > 1 && l.name == "best" {
				b.atMost(0.70, o.Wall, times, "%s, %s: wall with all cores, without the proof", on, l.name)
			}
		}
	}
	b.notePeaks(on, got, jobs)
}

// notePeaks looks for the most memory that a worker of each level takes.
func (b *bench) notePeaks(on string, got figures, jobs int) {
	for _, l := range levels {
		for _, proof := range []bool{false, true} {
			c := got[way{l.name, proof, jobs}.name()]
			if each := c.Memory / int64(jobs); each > b.peaks[l.name].memory {
				b.peaks[l.name] = peak{each, fmt.Sprintf("%s, -j%d", on, jobs)}
			}
		}
	}
}

// unpackMemory bounds what unpacking may take.
func (b *bench) unpackMemory(on string, c measure.Cost, jobs int) {
	most := float64(blockSize/mib+16) * float64(jobs+2)
	b.atMost(most, float64(c.Memory)/mib, inMiB, "%s: peak memory of unpacking, -j%d", on, jobs)
}

func (b *bench) tellBounds() {
	for _, l := range levels {
		if p := b.peaks[l.name]; l.memory > 0 && p.memory > 0 {
			b.atMost(l.memory, float64(p.memory)/mib, inMiB, "%s: peak memory of packing for each worker, the most of all inputs (%s)", l.name, p.on)
		}
	}
	rows := [][]string{{"what", "measured", "bound", "kept"}}
	for _, t := range b.bounds {
		sign, kept := "≤ ", "yes"
		if t.least {
			sign = "≥ "
		}
		if !t.kept() {
			kept = "**no**"
		}
		rows = append(rows, []string{t.what, fmt.Sprintf(t.form, t.got), sign + fmt.Sprintf(t.form, t.most), kept})
	}
	missed := slices.IndexFunc(b.bounds, func(t bound) bool { return !t.kept() }) >= 0
	b.heading("## Bounds\n\nTimes are multiples of xz's unless something else is said.")
	if missed {
		fmt.Fprintln(b.out, "Not all are kept.")
	}
	if b.quick {
		fmt.Fprintln(b.out, "On inputs this small they say little.")
	}
	fmt.Fprintln(b.out)
	if err := measure.Markdown(b.out, rows); err != nil {
		fmt.Fprintln(b.log, err)
	}
}
