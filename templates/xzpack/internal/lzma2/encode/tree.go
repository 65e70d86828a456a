package encode

import (
	"encoding/binary"
	"math/bits"
)

// node is a position in a binary tree that is ordered by the text behind the positions. It carries the first bytes of
// that text, so that most comparisons need nothing else.
type node struct {
	key0, key1, key2 uint64 // big-endian: they compare as the text does
	pos              uint32
	before           uint16   // the byte before it, or noByte
	same             [2]uint8 // bytes of its text that the nodes share which are next before and next behind it of those above; up to inside
	child            [2]int32 // nodes with lesser and greater text; none if negative
}

const (
	keySize = 24
	noByte  = 1 << 8 // where a span begins
)

// fresh marks a position where a span begins: the one before it is not searched.
const fresh = 1 << 31

// Of the matches that have begun earlier, those of sampleLeast bytes are stored again at every fourth position: a tree
// gives up after some nodes, so the position where a match begins does not always find it.
const (
	sampleMask  = 3
	sampleLeast = 8
)

// tree searches the positions of a bucket. Each position in turn becomes the root; on its way down the former tree it is
// compared with the nodes that it passes, from the nearest position to the farthest, and splits them into those before
// and behind it. This is the binary tree of LZMA's usual match finders.
//
// On which side of a node the search goes on nobody can foresee, so it is a number and not a branch: 1 where the node's
// text is lesser, else 0.
type tree struct {
	text   []byte
	nice   uint32
	inside uint32 // up to nice
	depth  int
	keep   int
	store  *shelf
}

// plant makes nodes of positions, among them those with a mark that a span begins there.
func (t *tree) plant(nodes []node, positions []uint32) []node {
	text := t.text
	nodes = nodes[:len(positions)]
	for i, p := range positions {
		n := &nodes[i]
		if p&fresh != 0 {
			n.before = noByte
			p &^= fresh
		} else {
			n.before = uint16(text[p-1])
		}
		key := text[p : p+keySize : p+keySize]
		n.key0, n.key1, n.key2 = binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:]), binary.BigEndian.Uint64(key[16:])
		n.pos = p
	}
	return nodes
}

// search finds the matches of all nodes, which are those of a bucket in the order of the text, and stores those that
// begin there: that cannot be extended to the left. The others are found one position earlier, and run on.
func (t *tree) search(nodes []node) {
	nice, inside := t.nice, t.inside
	var found [1 << 6]uint32 // lengths and nodes, as a word of the store has lengths and distances
	nodes[0].child = [2]int32{-1, -1}
	for i := 1; i < len(nodes); i++ {
		me := &nodes[i]
		key0, key1, key2, before := me.key0, me.key1, me.key2, uint32(me.before)
		if before == noByte {
			before++ // unlike any other
		}
		least := uint32(maxNice + 1) // from this length on, matches count that began earlier
		if me.pos&sampleMask == 0 {
			least = sampleLeast
		}
		// By side: where the next node goes, and how many bytes the last one shares with this position.
		slot := [2]*int32{&me.child[1], &me.child[0]}
		same := [2]uint32{}
		best, count := uint32(4), uint32(0)
		c := int32(i - 1)
		for depth := t.depth; ; depth-- {
			if c < 0 || depth == 0 || int(c) >= len(nodes) {
				*slot[0], *slot[1] = -1, -1
				break
			}
			n := &nodes[c]
			var l, side uint32
			if x := n.key0 ^ key0; x != 0 {
				l = uint32(bits.LeadingZeros64(x)) >> 3
				if n.key0 < key0 {
					side = 1
				}
			} else if x := n.key1 ^ key1; x != 0 {
				l = 8 + uint32(bits.LeadingZeros64(x))>>3
				if n.key1 < key1 {
					side = 1
				}
			} else if x := n.key2 ^ key2; x != 0 {
				l = 16 + uint32(bits.LeadingZeros64(x))>>3
				if n.key2 < key2 {
					side = 1
				}
			} else {
				l, side = t.compare(n, me, same)
			}
			if l > best {
				best = l
				if uint32(n.before) != before || l >= least {
					found[count&63] = l<<lenShift | uint32(c)
					count++
				}
			}
			if l >= inside && (l >= nice || uint32(n.before) == before) {
				*slot[1], *slot[0] = n.child[0], n.child[1]
				break
			}
			// A node that took another's place may stand on the wrong side of those that agree with both in inside bytes: of
			// what is beyond, nodes tell each other nothing.
			l = min(l, inside)
			same[side&1] = l
			n.same[side&1] = uint8(l)
			*slot[side&1] = c
			slot[side&1] = &n.child[side&1]
			c = n.child[side&1]
		}
		if count > 0 {
			count = min(count, 64)
			words := found[count-min(count, uint32(t.keep)) : count]
			for k, w := range words {
				words[k] = t.word(&nodes[w&distMask], me, w>>lenShift)
			}
			t.store.put(me.pos, words)
		}
	}
}

// compare returns in how many bytes the texts of n and me are the same, if all of their keys are, up to as many as are
// enough for me to take n's place; and on which side of n me's lies. Often the nodes above decide without a look at the
// text, which is far away: me agrees with the nearer of the two next to it in known bytes, and n agrees with that one in
// its.
func (t *tree) compare(n, me *node, same [2]uint32) (l, side uint32) {
	near := uint32(0)
	if same[1] >= same[0] {
		near = 1
	}
	known, its := same[near&1], uint32(n.same[(near^1)&1])
	if known >= keySize && its != known {
		if its < known {
			return its, near ^ 1
		}
		return known, near
	}
	enough := t.nice
	if n.before == me.before && n.before != noByte {
		enough = t.inside
	}
	l = matchLen(t.text, n.pos, me.pos, max(known, keySize), enough)
	if t.text[n.pos+l] < t.text[me.pos+l] {
		side = 1
	}
	return l, side
}

// word is that of the store for a match of me with n, of which at least l bytes are the same: just so many if less than
// inside.
func (t *tree) word(n, me *node, l uint32) uint32 {
	q, p := n.pos, me.pos
	if l >= t.inside && n.before == me.before {
		l = matchLen(t.text, q, p, l, t.nice)
	}
	more := uint32(0)
	switch {
	case l+3 <= agreeSize:
		if agree(n.key0^me.key0, n.key1^me.key1, l+1) == 0 {
			more = 1 << moreShift
		}
	case l < t.nice && le16(t.text, q+l+1) == le16(t.text, p+l+1):
		more = 1 << moreShift
	}
	return more | l<<lenShift | (p - q - 1)
}

// agreeSize is the number of bytes that agree looks at.
const agreeSize = 16

// agree is 0 if the two bytes at offset i of keys are the same, of which x0 and x1 are the differences.
func agree(x0, x1 uint64, i uint32) uint64 {
	if i < 8 {
		return (x0<<(8*i) | x1>>1>>(63-8*i)) >> 48
	}
	return x1 << (8*i - 64) >> 48
}
