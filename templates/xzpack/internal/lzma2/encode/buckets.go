package encode

import (
	"context"
	"math/bits"
)

// finder finds the matches of a whole text at once. It sorts the positions by a hash of their next four bytes, which
// brings those that can match each other together, and then goes from bucket to bucket: what is compared lies in the
// nearest cache, where a finder that follows the text would wait for memory at every step.
type finder struct {
	counts []uint32 // by hash: where the bucket's next position goes; the bucket ends there at last
	order  []uint32 // positions by bucket, in each in the order of the text
	nodes  []node
}

const (
	hashFactor   = 2654435761
	maxTableBits = 19
	minTableBits = 8
	// groupSize is how many positions are made nodes of at once: few enough for the nearest cache, and enough to fetch
	// their texts beside each other.
	groupSize = 1024
)

// tableBits is the size of a hash table for a text of n bytes: a larger one costs more to clear and to step through than
// it saves.
func tableBits(n uint32) uint32 {
	return uint32(min(maxTableBits, max(minTableBits, bits.Len32(n)-5)))
}

// find puts the matches of all active positions of text, which has n bytes, into store.
func (f *finder) find(ctx context.Context, text []byte, n uint32, active []span, p *Params, store *matchStore) error {
	store.reset(n, p.StorePages)
	hb := tableBits(n)
	buckets := uint32(1) << hb
	f.counts = resize(f.counts, int(buckets))
	for part := range uint32(p.Parts) {
		from, to := part*buckets/uint32(p.Parts), (part+1)*buckets/uint32(p.Parts)
		counts := f.counts[:to-from]
		f.sort(text, n, active, from, counts, 32-hb)
		if err := f.visit(ctx, text, counts, p, store); err != nil {
			return err
		}
	}
	return nil
}

// sort fills order with the active positions whose hash is one of len(counts) from first on.
func (f *finder) sort(text []byte, n uint32, active []span, first uint32, counts []uint32, shift uint32) {
	clear(counts)
	size := uint32(len(counts))
	n = max(n, 3) - 3 // the last bytes begin no match of four
	for _, a := range active {
		for p := a.from; p < min(a.to, n); p++ {
			if h := le32(text, p)*hashFactor>>shift - first; h < size {
				counts[h]++
			}
		}
	}
	total := uint32(0)
	for i, c := range counts {
		counts[i] = total
		total += c
	}
	if uint32(cap(f.order)) < total {
		f.order = make([]uint32, total)
	}
	f.order = f.order[:total]
	order := f.order
	for _, a := range active {
		for p := a.from; p < min(a.to, n); p++ {
			if h := le32(text, p)*hashFactor>>shift - first; h < size {
				k := counts[h]
				counts[h] = k + 1
				order[k] = p
			}
		}
	}
}

// visit goes through the buckets. counts tells where each ends.
func (f *finder) visit(ctx context.Context, text []byte, counts []uint32, p *Params, store *matchStore) error {
	if room := min(p.TreeMax, max(len(f.order), groupSize)); len(f.nodes) < room {
		f.nodes = make([]node, room)
	}
	t := tree{text: text, nice: p.Nice, depth: p.Depth, keep: p.Keep, store: store}
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
