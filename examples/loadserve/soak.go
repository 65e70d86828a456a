//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// What a soak may show.
const (
	mostGrowth    = 1.15 // of the memory, from the second quarter to the last
	idleMore      = 3    // goroutines or descriptors more after the load than before
	soakClients   = 12
	soakFiles     = 8
	soakPrefixes  = 1000
	settling      = 3 * time.Second // until closed connections are gone
	sampleEvery   = time.Second
	replaceEvery  = 250 * time.Millisecond
	reloadEvery   = 2 * time.Second
	soakPolicy    = "soak.policy"
	deniedAddress = "127.0.0.9"
)

// sample is what the server has at a time.
type sample struct {
	goroutines, descriptors, memory float64 // memory in MiB
}

// soakFor keeps the server busy and watches it.
func (b *bench) soakFor(ctx context.Context) error {
	if err := b.makeTree(); err != nil {
		return err
	}
	files, err := newFiles(b.root())
	if err != nil {
		return err
	}
	s, err := b.startTplkit(ctx, soakPolicy, soakPrefixes)
	if err != nil {
		return err
	}
	defer s.stop()

	// What the first requests make for good is there before the first sample.
	if err := b.busy(ctx, s, files, min(b.soak/10, 30*time.Second), nil); err != nil {
		return err
	}
	before, err := s.idle(ctx)
	if err != nil {
		return err
	}
	var samples []sample
	if err := b.busy(ctx, s, files, b.soak, &samples); err != nil {
		return err
	}
	after, err := s.idle(ctx)
	if err != nil {
		return err
	}
	return b.tellSoak(ctx, samples, before, after, files)
}

// busy runs the mixed load for some time. The first fault ends it.
func (b *bench) busy(ctx context.Context, s *server, files *files, long time.Duration, samples *[]sample) error {
	deadline, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	fault, stop := context.WithCancelCause(deadline)
	defer stop(nil)
	var all sync.WaitGroup
	start := func(what string, every time.Duration, do func(n int) error) {
		all.Go(func() {
			for n := 0; fault.Err() == nil; n++ {
				if err := do(n); err != nil && fault.Err() == nil {
					stop(fmt.Errorf("%s: %w", what, err))
					return
				}
				select {
				case <-fault.Done():
				case <-time.After(every):
				}
			}
		})
	}
	for i := range soakClients {
		c := newVisitor(s.address, i, files)
		defer c.close()
		start("client", 0, func(n int) error { return c.visit(fault, n) })
	}
	start("replacing files", replaceEvery, files.replace)
	start("reload", reloadEvery, func(n int) error { return b.reload(s, n) })
	if samples != nil {
		begin := time.Now()
		start("sample", sampleEvery, func(n int) error {
			now, err := s.sample(fault)
			if err != nil {
				return err
			}
			*samples = append(*samples, now)
			if n%30 == 0 {
				fmt.Fprintf(b.log, "%v: %.0f goroutines, %.0f descriptors, %.1f MiB; %s\n", time.Since(begin).Round(time.Second), now.goroutines, now.descriptors, now.memory, files)
			}
			return nil
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := context.Cause(fault); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// reload puts another policy in force.
func (b *bench) reload(s *server, n int) error {
	if _, err := b.writePolicy(soakPolicy, soakPrefixes+n%2*soakPrefixes, fmt.Sprintf("192.0.2.%d", n%256)); err != nil {
		return err
	}
	return s.hup()
}

// tellSoak prints what was seen, quarter by quarter.
func (b *bench) tellSoak(ctx context.Context, samples []sample, before, after sample, files *files) error {
	if len(samples) < 8 {
		return fmt.Errorf("%d samples: a soak has to last longer", len(samples))
	}
	fmt.Fprintf(b.out, "%s\n\n%v of mixed load by %d clients: %s. Medians of the samples of each quarter.\n\n", measure.ThisMachine(ctx), b.soak, soakClients, files)
	rows := [][]string{{"when", "goroutines", "descriptors", "memory, MiB"}}
	row := func(when string, s sample) {
		rows = append(rows, []string{when, fmt.Sprintf("%.0f", s.goroutines), fmt.Sprintf("%.0f", s.descriptors), fmt.Sprintf("%.1f", s.memory)})
	}
	row("idle before", before)
	var quarters [4]sample
	for i := range quarters {
		quarters[i] = middle(samples[len(samples)*i/4 : len(samples)*(i+1)/4])
		row(fmt.Sprintf("quarter %d", i+1), quarters[i])
	}
	row("idle after", after)
	if err := measure.Markdown(b.out, rows); err != nil {
		return err
	}
	b.atMost(mostGrowth, quarters[3].memory/quarters[1].memory, "%.2f ×", "memory under load: last quarter over the second")
	b.atMost(mostGrowth, quarters[3].goroutines/quarters[1].goroutines, "%.2f ×", "goroutines under load: last quarter over the second")
	b.atMost(mostGrowth, quarters[3].descriptors/quarters[1].descriptors, "%.2f ×", "descriptors under load: last quarter over the second")
	b.atMost(idleMore, after.goroutines-before.goroutines, "%+.0f", "goroutines when idle: after the load less before")
	b.atMost(idleMore, after.descriptors-before.descriptors, "%+.0f", "descriptors when idle: after the load less before")
	return nil
}

// middle takes the median of each figure.
func middle(samples []sample) sample {
	of := func(figure func(sample) float64) float64 {
		var all []float64
		for _, s := range samples {
			all = append(all, figure(s))
		}
		return median(all)
	}
	return sample{
		of(func(s sample) float64 { return s.goroutines }),
		of(func(s sample) float64 { return s.descriptors }),
		of(func(s sample) float64 { return s.memory }),
	}
}
