//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// leastOfNginx is what tplkit has to reach of nginx's rate in the same run.
const leastOfNginx = 0.9

// leastWithPrefixes is what a long allow-list may leave of the rate.
const leastWithPrefixes = 0.95

// moreRounds is how many rounds of a contest of two that are nearly the same come instead of one.
const moreRounds = 8

// contest is one load on several servers.
type contest struct {
	what    string
	path    string
	clients int
	rate    func(result) float64
	form    string
	finer   int // so many times more rounds, as much shorter: where a small difference counts
}

// compare measures all servers in turn.
func (b *bench) compare(ctx context.Context) error {
	if err := b.makeTree(); err != nil {
		return err
	}
	nginx, err := b.startNginx(ctx)
	if err != nil {
		return err
	}
	defer nginx.stop()
	ours, err := b.startTplkit(ctx, "one.policy", 1)
	if err != nil {
		return err
	}
	defer ours.stop()
	long, err := b.startTplkit(ctx, "long.policy", b.prefixes)
	if err != nil {
		return err
	}
	defer long.stop()

	fmt.Fprintf(b.out, "%s; %s\n\n", measure.ThisMachine(ctx), nginx.version)
	client := "Go's own"
	if b.lean {
		client = "one that does next to nothing but read"
	}
	fmt.Fprintf(b.out, "Each server was asked for %.1f s in turn; medians of %d rounds, and of the ratios of the rounds; for the allow-list of %d rounds, as much shorter. The client, %s, is a process of its own on the same cores. Both servers write an access log.\n", b.seconds, b.runs, moreRounds*b.runs, client)
	gib := func(r result) float64 { return r.gib() }
	perSecond := func(r result) float64 { return r.perSecond() }
	var large, small, prefixes []contest
	for _, clients := range []int{2, 4, 8, 16} {
		large = append(large, contest{fmt.Sprintf("%d MiB, %d clients", b.largeMB, clients), "/repo/large.img", clients, gib, "%.2f GiB/s", 1})
		small = append(small, contest{fmt.Sprintf("4 KiB, %d clients", clients), "/repo/small.img", clients, perSecond, "%.0f requests/s", 1})
	}
	prefixes = append(prefixes, contest{"4 KiB in a zone with an allow-list, 16 clients", "/kubevirt/small.img", 16, perSecond, "%.0f requests/s", moreRounds})
	for _, part := range []struct {
		title    string
		contests []contest
		base     *server
		other    *server
		least    float64
	}{
		{"A large file", large, nginx, ours, leastOfNginx},
		{"Small files over kept connections", small, nginx, ours, leastOfNginx},
		{"A long allow-list", prefixes, ours, long, leastWithPrefixes},
	} {
		fmt.Fprintf(b.out, "\n## %s\n\n", part.title)
		rows := [][]string{{"load", part.base.name, part.other.name, "ratio"}}
		for _, c := range part.contests {
			base, other, ratio, err := b.contest(ctx, c, part.base, part.other)
			if err != nil {
				return err
			}
			rows = append(rows, []string{c.what, fmt.Sprintf(c.form, base), fmt.Sprintf(c.form, other), fmt.Sprintf("%.2f", ratio)})
			b.atLeast(part.least, ratio, "%s: %s over %s", c.what, part.other.name, part.base.name)
		}
		if err := measure.Markdown(b.out, rows); err != nil {
			return err
		}
	}
	return nil
}

// contest gives the medians of two servers' rates, who are asked in turn, and that of y's over x's in a round: what
// else the machine does comes and goes more slowly than the turns. Each is the first one in every other round. A first
// round, that fills caches, does not count.
func (b *bench) contest(ctx context.Context, c contest, x, y *server) (ofX, ofY, ratio float64, err error) {
	var ratesX, ratesY, ratios []float64
	seconds := b.seconds / float64(c.finer)
	for round := range c.finer*b.runs + 1 {
		rates := map[*server]float64{}
		order := []*server{x, y}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			fmt.Fprintf(b.log, "%s: round %d of %d: %s\n", c.what, round, c.finer*b.runs, s.name)
			l := load{Address: s.address, Path: c.path, Clients: c.clients, For: time.Duration(seconds * float64(time.Second)), Lean: b.lean}
			r, err := runLoad(ctx, b.self, l)
			if err != nil {
				return 0, 0, 0, fmt.Errorf("%s: %w", s.name, err)
			}
			rates[s] = c.rate(r)
		}
		if round > 0 {
			ratesX, ratesY, ratios = append(ratesX, rates[x]), append(ratesY, rates[y]), append(ratios, rates[y]/rates[x])
		}
	}
	return median(ratesX), median(ratesY), median(ratios), nil
}
