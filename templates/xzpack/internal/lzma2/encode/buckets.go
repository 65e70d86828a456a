package encode

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// finder finds the matches of a whole text at once. It sorts the positions by a hash of their next bytes, which brings
// those that can match each other together, and then goes from bucket to bucket: what is compared lies in the nearest
// cache, where a finder that follows the text would wait for memory at every step.
//
// The text is sorted in parts, each with some of the hashes: that takes less memory, and the counters stay in a nearer
// cache.
//
// As the parts know nothing of each other, they can be searched beside each other.
type finder struct {
	parts   parts
	sorters []sorter // one for each thread
}

// sorter sorts and searches one part at a time.
type sorter struct {
	counts []uint32 // by hash: where the bucket's next position goes; the bucket ends there at last
	order  []uint32 // positions by bucket, in each in the order of the text; marked with fresh where a span begins
	nodes  []node
}

const (
	maxTableBits = 21
	minTableBits = 8
	// groupSize is how many positions are made nodes of at once: few enough for the nearest cache, and enough to fetch
	// their texts beside each other.
	groupSize = 1024
)

// tableBits is the size of a hash table for n positions: a larger one costs more to clear and to step through than it
// saves.
func tableBits(n uint32) uint32 {
	return uint32(min(maxTableBits, max(minTableBits, bits.Len32(n)-3)))
}

// find puts the matches of all active positions of text, which has n bytes, into store, on so many threads.
func (f *finder) find(ctx context.Context, text []byte, n uint32, active []span, p *Params, store *matchStore, threads int) error {
	count := uint32(0)
	for _, a := range active {
		count += a.to - a.from
	}
	store.reset(n, count, p)
	f.parts.choose(text, n, active, hasher{p.Hash})
	threads = max(1, min(threads, numParts))
	for len(f.sorters) < threads {
		f.sorters = append(f.sorters, sorter{})
	}
	var next atomic.Int32 // part
	return beside(threads, func(i int) error {
		for {
			part := int(next.Add(1)) - 1
			if part >= numParts {
				return nil
			}
			if err := f.sorters[i].find(ctx, text, f.parts.part(part), count, active, p, &store.shelves[part]); err != nil {
				return err
			}
		}
	})
}

// find puts the matches of a part of the active positions, of which there are count, into store. Where one part has many
// more of them than the others, as in a text of few symbols, it is sorted in ranges, for the sake of memory: such a text has
// its matches near.
func (f *sorter) find(ctx context.Context, text []byte, chosen part, count uint32, active []span, p *Params, store *shelf) error {
	tableBits := tableBits(count)
	usual := count/numParts + count/numParts>>3
	for from := 0; from < chosen.words(); {
		to := chosen.rangeEnd(from, max(usual, p.RangeLeast))
		f.sort(text, chosen, active, hasher{p.Hash}, tableBits, usual, from, to)
		if err := f.visit(ctx, text, p, store); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// sort fills counts and order with the positions of some words of chosen, without those that are alone in a bucket, which
// order has no room for: what matches nothing need not be fetched again. More than usual are only in texts of few symbols.
func (f *sorter) sort(text []byte, chosen part, active []span, hash hasher, tableBits, usual uint32, from, to int) {
	f.counts = resize(f.counts, 1<<(tableBits-partBits))
	counts, mask, shift := f.counts, uint32(len(f.counts)-1), 32-tableBits
	for i := from; i < to; i++ {
		for word := chosen.word(i); word != 0; word &= word - 1 {
			p := uint32(i)<<6 | uint32(bits.TrailingZeros64(word))
			counts[hash.of(text, p)>>shift&mask]++
		}
	}
	total := uint32(alone + 1)
	for h, c := range counts {
		counts[h] = alone
		if c > 1 {
			counts[h] = total
			total += c
		}
	}
	if uint32(cap(f.order)) < total {
		f.order = make([]uint32, total, max(total, usual))
	}
	f.order = f.order[:total]
	order := f.order
	next := uint32(0) // the next position where a span begins
	for i := from; i < to; i++ {
		for word := chosen.word(i); word != 0; word &= word - 1 {
			p := uint32(i)<<6 | uint32(bits.TrailingZeros64(word))
			h := hash.of(text, p) >> shift & mask
			k := counts[h]
			counts[h] = k + 1
			if p >= next {
				for len(active) > 0 && active[0].from < p {
					active = active[1:]
				}
				if len(active) > 0 && active[0].from == p {
					p |= fresh
					active = active[1:]
				}
				next = unset
				if len(active) > 0 {
					next = active[0].from
				}
			}
			order[k] = p
		}
	}
}

// alone is where in order the positions go that are alone in their bucket, one over the other. A bucket that ends there or
// right behind has no others.
const alone = 0

// visit goes through the buckets, of which counts tells where each ends.
func (f *sorter) visit(ctx context.Context, text []byte, p *Params, store *shelf) error {
	counts := f.counts
	if room := min(p.TreeMax, max(len(f.order), groupSize)); len(f.nodes) < room {
		f.nodes = make([]node, room)
	}
	t := tree{text: text, nice: p.Nice, inside: min(p.Inside, p.Nice), depth: p.Depth, keep: min(p.Keep, maxKeep), store: store}
	group := uint32(min(groupSize, len(f.nodes)))
	start := uint32(alone + 1)
	for h := 0; h < len(counts); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// The buckets up to g make a group; a larger bucket stands alone.
		g, end := h, start
		for ; g < len(counts) && end-start < group; g++ {
			if c := counts[g]; c > alone+1 {
				if c-start > group && end > start {
					break
				}
				end = c
			}
		}
		positions := f.order[start:end]
		if len(positions) > len(f.nodes) {
			for len(positions) > 0 {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				k := min(len(positions), len(f.nodes))
				t.search(t.plant(f.nodes, positions[:k]))
				positions = positions[k:]
			}
		} else {
			nodes := t.plant(f.nodes, positions)
			from := start
			for _, c := range counts[h:g] {
				if c > alone+1 {
					t.search(nodes[from-start : c-start])
					from = c
				}
			}
		}
		h, start = g, end
	}
	return nil
}
