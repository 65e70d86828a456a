package encode

import (
	"math/bits"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// way finds the cheapest symbols for the next stretch of text. It goes from byte to byte; at each it knows the cheapest
// way there, and tries all symbols that could come next on the bytes that they lead to. A stretch ends where all ways
// meet, at a match that is taken in any case, or at the window's end.
type way struct {
	cost  [wayRoom]uint32    // of the cheapest way to a byte
	last  [wayRoom]hop       // its last symbols
	reps  [wayRoom][4]uint32 // last distances on that way
	state [wayRoom]uint8
	steps [wayRoom]step

	// While a stretch is searched: the farthest byte that a way leads to.
	end uint32
}

const (
	wayWindow = 4096
	wayRoom   = wayWindow + 2*model.MaxMatch + 8
)

// hop is how a way leads to a byte: by a symbol, or by up to three at once:
//
//	back | len<<32 | (lead+1)<<48
//
// where len is the distance in bytes, and lead, if its field is not 0, says that the symbols are a match of that length
// (none if 0) with back, a literal, and a repetition of the last distance.
type hop uint64

func (h hop) back() uint32 { return uint32(h) }
func (h hop) len() uint32  { return uint32(h>>32) & 0xffff }
func (h hop) lead() uint32 { return uint32(h >> 48) }

// longer is the same with a match that is one byte longer.
func (h hop) longer() hop { return h + 1<<32 }

func symbolHop(back, n uint32) hop          { return hop(back) | hop(n)<<32 }
func compositeHop(back, lead, n uint32) hop { return hop(back) | hop(n)<<32 | hop(lead+1)<<48 }

// arrive works out the state and the last distances at byte i from those where its last hop began.
func (w *way) arrive(i uint32) {
	h := w.last[i]
	from := i - h.len()
	state, reps := w.state[from]&15, w.reps[from]
	switch lead := h.lead(); {
	case lead > 1:
		state = pass(h.back(), lead-1, state, &reps)
		fallthrough
	case lead == 1:
		state = model.AfterRep[model.AfterLiteral[state&15]&15]
	default:
		state = pass(h.back(), h.len(), state, &reps)
	}
	w.state[i], w.reps[i] = state, reps
}

// pass returns the state after a symbol, and changes the last distances.
func pass(back, n uint32, state uint8, reps *[4]uint32) uint8 {
	switch {
	case back == literal:
		return model.AfterLiteral[state&15]
	case back >= newDist:
		reps[3], reps[2], reps[1], reps[0] = reps[2], reps[1], reps[0], back-newDist
		return model.AfterMatch[state&15]
	case n == 1:
		return model.AfterShortRep[state&15]
	}
	toFront(reps, back)
	return model.AfterRep[state&15]
}

// reach makes all bytes up to j reachable, at infinite cost.
func (w *way) reach(j uint32) {
	for w.end < j {
		w.end++
		w.cost[w.end] = infinite
	}
}

// try offers a way to byte j.
func (w *way) try(j, cost uint32, h hop) {
	if cost < w.cost[j] {
		w.cost[j], w.last[j] = cost, h
	}
}

// find returns the symbols of the stretch that begins at e.pos, which is neither 0 nor the end.
func (w *way) find(e *Encoder) []step {
	w.state[0], w.reps[0] = e.state, e.reps
	w.cost[0], w.end = 0, 0
	if s := w.forced(e); s != nil {
		return s
	}
	i := uint32(1)
	for {
		p := e.pos + i
		limit := min(e.size-p, model.MaxMatch)
		if i < w.end && i < wayWindow && w.passes(e, i, p) {
			i++
			continue
		}
		w.arrive(i)
		if i == w.end || i >= wayWindow || limit == 0 {
			break
		}
		m := e.matchesAt(p, limit)
		if m.len >= e.params.Nice {
			break
		}
		w.leave(e, i, p, limit, &m)
		i++
	}
	return w.back(i)
}

// passes tells whether byte i, which is position p and not the last that a way leads to, is not worth leaving from. It is
// not where the next byte costs hardly more. And where a match just goes on it pays to end it for another one where that
// begins: what began earlier could have been taken earlier.
func (w *way) passes(e *Encoder, i, p uint32) bool {
	more := int32(w.cost[i+1] - w.cost[i])
	return more <= e.search.Skip || more <= e.search.Stay && w.last[i+1] == w.last[i].longer() && !e.store.begins(p)
}

// forced returns the first symbol of the stretch if there is no choice. Otherwise it tries all first symbols.
func (w *way) forced(e *Encoder) []step {
	p := e.pos
	limit := min(e.size-p, model.MaxMatch)
	m := e.matchesAt(p, limit)
	longest, which := uint32(0), uint32(0)
	for hits := repHits(e.text, p, &e.reps); hits != 0; hits &= hits - 1 {
		k := uint32(bits.TrailingZeros32(hits)) & 3
		if l := matchLen(e.text, p-e.reps[k]-1, p, 2, limit); l > longest {
			longest, which = l, k
		}
	}
	switch {
	case longest >= e.params.Nice:
		w.steps[0] = step{which, longest}
	case m.len >= e.params.Nice:
		w.steps[0] = step{m.dist + newDist, m.len}
	case m.len == 0 && longest < 2 && e.text[p-e.reps[0]-1] != e.text[p]:
		w.steps[0] = step{literal, 1}
	default:
		w.leave(e, 0, p, limit, &m)
		return nil
	}
	return w.steps[:1]
}

// leave tries all symbols at byte i, which is position p, with limit bytes of text left.
func (w *way) leave(e *Encoder, i, p, limit uint32, m *matches) {
	text, mod := e.text, &e.model
	state, reps := w.state[i]&15, &w.reps[i]
	posState := p & posMask
	both := uint32(state)<<4 | posState
	cost := w.cost[i]
	cur, again := text[p], text[p-reps[0]-1]

	probs := (*[literalSize]uint16)(mod.Literal[uint32(text[p-1])>>(8-lc)*literalSize:])
	literalCost := cost + price0(mod.IsMatch[both])
	if state < model.LitStates {
		literalCost += literalPrice(probs, cur)
	} else {
		literalCost += matchedPrice(probs, cur, again)
	}
	matchCost := cost + price1(mod.IsMatch[both])
	repCost := matchCost + price1(mod.IsRep[state])
	rep0Cost := repCost + price0(mod.IsRepG0[state])
	w.reach(i + 1)
	w.try(i+1, literalCost, symbolHop(literal, 1))
	if again == cur {
		w.try(i+1, rep0Cost+price0(mod.IsRep0Long[both]), symbolHop(0, 1))
	}
	if limit < 2 {
		return
	}
	if e.params.Composites > 0 && again != cur && text[p-reps[0]] == text[p+1] {
		w.literalRep(e, i, p, limit, literalCost, state)
	}

	// Repeated distances.
	covered := uint32(1) // lengths that the last distance gives are not tried with others
	for hits := repHits(text, p, reps); hits != 0; hits &= hits - 1 {
		k := uint32(bits.TrailingZeros32(hits)) & 3
		d := reps[k]
		n := matchLen(text, p-d-1, p, 2, min(limit, e.params.Nice))
		base := rep0Cost + price1(mod.IsRep0Long[both])
		if k == 0 {
			covered = n
		} else {
			base = repCost + price1(mod.IsRepG0[state])
			if k == 1 {
				base += price0(mod.IsRepG1[state])
			} else {
				base += price1(mod.IsRepG1[state]) + priceOf(mod.IsRepG2[state], k-2)
			}
		}
		w.reach(i + n)
		w.tryAll(i, 2, n, base, &e.repLens.of[posState], k)
		if e.params.Composites > 0 && n+3 <= limit {
			w.composite(e, i, p, d, k, n, base+e.repLens.of[posState][n], model.AfterRep[state], limit)
		}
	}

	if m.len <= covered {
		return
	}
	// New distances: each serves the lengths that the nearer ones cannot.
	w.reach(i + m.len)
	base := matchCost + price0(mod.IsRep[state])
	lens := &e.matchLens.of[posState]
	n := covered + 1
	for x, c := range m.list {
		l, d := min(c.end-p, m.len), c.word&distMask
		if l < n {
			continue
		}
		for ; n < 5 && n <= l; n++ {
			w.try(i+n, base+lens[n]+e.dists.of(d, n-2), symbolHop(d+newDist, n))
		}
		far := base + e.dists.of(d, model.LenStates-1)
		w.tryAll(i, n, l, far, lens, d+newDist)
		n = l + 1
		if c.word>>moreShift != 0 && len(m.list)-x <= e.params.Composites && l+3 <= limit {
			w.composite(e, i, p, d, d+newDist, l, base+lens[l]+e.dists.of(d, min(l-2, model.LenStates-1)), model.AfterMatch[state], limit)
		}
	}
}

// tryAll offers ways from byte i by a match of each length from n to most, with cost for the distance.
func (w *way) tryAll(i, n, most, cost uint32, lens *[model.MaxMatch + 1]uint32, back uint32) {
	if n > most {
		return
	}
	prices := lens[n : most+1]
	costs := w.cost[i+n : i+most+1]
	costs = costs[:len(prices)]
	h := symbolHop(back, n)
	for k, price := range prices {
		if c := cost + price; c < costs[k] {
			costs[k] = c
			w.last[i+n+uint32(k)] = h + hop(k)<<32
		}
	}
}

// literalRep offers the way by a literal and a repetition of the last distance.
func (w *way) literalRep(e *Encoder, i, p, limit, cost uint32, state uint8) {
	n := matchLen(e.text, p-w.reps[i][0], p+1, 0, min(limit-1, e.params.Nice))
	if n < 2 {
		return
	}
	j := i + 1 + n
	w.reach(j)
	w.try(j, cost+e.repAfterLiteral(p+1, n, state), compositeHop(literal, 0, 1+n))
}

// composite offers the way by a match, which costs cost, a literal, and a repetition of the match's distance.
func (w *way) composite(e *Encoder, i, p, dist, back, n, cost uint32, state uint8, limit uint32) {
	if cost > w.cost[i+n]+e.params.Slack {
		return
	}
	text := e.text
	lit := p + n
	rest := lit + 1
	if le16(text, rest) != le16(text, rest-dist-1) {
		return
	}
	more := matchLen(text, rest-dist-1, rest, 2, min(limit-n-1, e.params.Nice))
	probs := (*[literalSize]uint16)(e.model.Literal[uint32(text[lit-1])>>(8-lc)*literalSize:])
	cost += price0(e.model.IsMatch[uint32(state&15)<<4|lit&posMask]) + matchedPrice(probs, text[lit], text[lit-dist-1]) +
		e.repAfterLiteral(rest, more, state)
	j := i + n + 1 + more
	w.reach(j)
	w.try(j, cost, compositeHop(back, n, n+1+more))
}

// repAfterLiteral is the price of a match of length n with the last distance at p, behind a literal in state.
func (e *Encoder) repAfterLiteral(p, n uint32, state uint8) uint32 {
	s := model.AfterLiteral[state&15] & 15
	both := uint32(s)<<4 | p&posMask
	m := &e.model
	return price1(m.IsMatch[both]) + price1(m.IsRep[s]) + price0(m.IsRepG0[s]) + price1(m.IsRep0Long[both]) + e.repLens.of[p&posMask][n]
}

// back returns the symbols of the way to byte i.
func (w *way) back(i uint32) []step {
	at := len(w.steps)
	put := func(back, n uint32) {
		at--
		w.steps[at] = step{back, n}
	}
	for i > 0 {
		h := w.last[i]
		i -= h.len()
		switch lead := h.lead(); lead {
		case 0:
			put(h.back(), h.len())
		default:
			put(0, h.len()-lead)
			put(literal, 1)
			if lead > 1 {
				put(h.back(), lead-1)
			}
		}
	}
	return w.steps[at:]
}

// repHits has a bit for each of the last distances at which two bytes are the same as at p.
func repHits(text []byte, p uint32, reps *[4]uint32) uint32 {
	next := le16(text, p)
	return same(le16(text, p-reps[0]-1), next) | same(le16(text, p-reps[1]-1), next)<<1 |
		same(le16(text, p-reps[2]-1), next)<<2 | same(le16(text, p-reps[3]-1), next)<<3
}

// same is 1 if a and b are, else 0.
func same(a, b uint16) uint32 { return (uint32(a^b) - 1) >> 31 }

// literalPrice is the price of a literal.
func literalPrice(p *[literalSize]uint16, sym byte) uint32 {
	s := uint32(sym)
	return priceOf(p[1], s>>7) +
		priceOf(p[2|s>>7], s>>6&1) +
		priceOf(p[4|s>>6], s>>5&1) +
		priceOf(p[8|s>>5], s>>4&1) +
		priceOf(p[16|s>>4], s>>3&1) +
		priceOf(p[32|s>>3], s>>2&1) +
		priceOf(p[64|s>>2], s>>1&1) +
		priceOf(p[128|s>>1], s&1)
}

// matchedPrice is the price of a literal where the last distance points to the byte match.
func matchedPrice(p *[literalSize]uint16, sym, match byte) uint32 {
	sum, same := uint32(0), uint32(0x100)
	want := uint32(match)
	for s := uint32(sym) | 1<<8; s < 1<<16; s <<= 1 {
		want <<= 1
		sum += priceOf(p[same+want&same+s>>8], s>>7&1)
		same &^= want ^ s<<1
	}
	return sum
}
