package encode

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// finder finds the matches of a whole text at once. It sorts the positions by a hash of their next five bytes, which
// brings those that can match each other together, and then goes from bucket to bucket: what is compared lies in the
// nearest cache, where a finder that follows the text would wait for memory at every step.
//
// The text is sorted in parts, each with some of the hashes: that takes less memory, and the counters stay in a nearer
// cache.
//
// As the parts know nothing of each other, they can be searched beside each other.
type finder struct {
	sorters []sorter // one for each thread
}

// sorter sorts and searches one part at a time.
type sorter struct {
	chosen []uint64 // a bit for each position: its hash belongs to the part
	counts []uint32 // by hash: where the bucket's next position goes; the bucket ends there at last
	order  []uint32 // positions by bucket, in each in the order of the text; marked with fresh where a span begins
	nodes  []node
}

const (
	hashFactor   = 0x9e3779b97f4a7c15
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
	threads = max(1, min(threads, len(store.shelves)))
	for len(f.sorters) < threads {
		f.sorters = append(f.sorters, sorter{})
	}
	var next atomic.Int32 // part
	return beside(threads, func(i int) error {
		for {
			part := int(next.Add(1)) - 1
			if part >= len(store.shelves) {
				return nil
			}
			if err := f.sorters[i].find(ctx, text, n, count, active, p, uint32(part), &store.shelves[part]); err != nil {
				return err
			}
		}
	})
}

// find puts the matches of a part of the active positions, of which there are count, into store. Where one part has many
// more of them than the others, as in a text of few symbols, it is sorted in ranges, for the sake of memory: such a text has
// its matches near.
func (f *sorter) find(ctx context.Context, text []byte, n, count uint32, active []span, p *Params, part uint32, store *shelf) error {
	shift := 32 - tableBits(count)
	f.choose(text, n, active, part, 32-p.PartBits)
	usual := count>>p.PartBits + count>>(p.PartBits+3)
	for from := 0; from < len(f.chosen); {
		to := f.rangeEnd(from, max(usual, p.RangeLeast))
		f.sort(text, active, shift, 1<<(32-shift-p.PartBits), usual, from, to)
		if err := f.visit(ctx, text, p, store); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// rangeEnd returns the end of the words of chosen from from on that have at most so many positions, at least one word.
func (f *sorter) rangeEnd(from int, most uint32) int {
	n := uint32(0)
	for to := from; to < len(f.chosen); to++ {
		n += uint32(bits.OnesCount64(f.chosen[to]))
		if n > most && to > from {
			return to
		}
	}
	return len(f.chosen)
}

// hash5 is a hash of the five bytes at p. Matches of four bytes are found by the short table, which knows the nearest one.
func hash5(text []byte, p uint32) uint32 { return uint32(le64(text, p) << 24 * hashFactor >> 32) }

// choose fills chosen with the active positions whose hash, shifted, is part.
func (f *sorter) choose(text []byte, n uint32, active []span, part, shift uint32) {
	f.chosen = resize(f.chosen, int(n>>6)+1)
	n = max(n, 4) - 4 // the last bytes begin no match
	for _, a := range active {
		for p, to := a.from, min(a.to, n); p < to; {
			end := min(to, p|63+1)
			word := uint64(0)
			for q := p; q < end; q++ {
				// 1 if equal: chance decides, so there must be no branch.
				word |= (uint64(hash5(text, q)>>shift^part) - 1) >> 63 << (q & 63)
			}
			f.chosen[p>>6] |= word
			p = end
		}
	}
}

// sort fills counts, of so many buckets, and order with the positions of some words of chosen. More than usual are only in
// texts of few symbols.
func (f *sorter) sort(text []byte, active []span, shift uint32, buckets int, usual uint32, from, to int) {
	f.counts = resize(f.counts, buckets)
	counts, mask := f.counts, uint32(len(f.counts)-1)
	for i, word := range f.chosen[from:to] {
		for ; word != 0; word &= word - 1 {
			p := uint32(from+i)<<6 | uint32(bits.TrailingZeros64(word))
			counts[hash5(text, p)>>shift&mask]++
		}
	}
	total := uint32(0)
	for h, c := range counts {
		counts[h] = total
		total += c
	}
	if uint32(cap(f.order)) < total {
		f.order = make([]uint32, total, max(total, usual))
	}
	f.order = f.order[:total]
	order := f.order
	next := uint32(0) // the next position where a span begins
	for i, word := range f.chosen[from:to] {
		for ; word != 0; word &= word - 1 {
			p := uint32(from+i)<<6 | uint32(bits.TrailingZeros64(word))
			h := hash5(text, p) >> shift & mask
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

// visit goes through the buckets, of which counts tells where each ends.
func (f *sorter) visit(ctx context.Context, text []byte, p *Params, store *shelf) error {
	counts := f.counts
	if room := min(p.TreeMax, max(len(f.order), groupSize)); len(f.nodes) < room {
		f.nodes = make([]node, room)
	}
	t := tree{text: text, nice: p.Nice, depth: p.Depth, keep: min(p.Keep, maxKeep), store: store}
	start := uint32(0)
	for h := 0; h < len(counts); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		// The buckets up to g make a group; a larger bucket stands alone.
		g := h + 1
		for g < len(counts) && counts[g]-start <= groupSize {
			g++
		}
		positions := f.order[start:counts[g-1]]
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
			for from := start; h < g; h++ {
				if counts[h]-from > 1 {
					t.search(nodes[from-start : counts[h]-start])
				}
				from = counts[h]
			}
		}
		h, start = g, counts[g-1]
	}
	return nil
}
