package encode

import (
	"encoding/binary"
	"math/bits"
)

// node is a position in a binary tree that is ordered by the text behind the positions. It carries the first 16 bytes of
// that text, so that most comparisons need nothing else.
type node struct {
	key0, key1 uint64 // big-endian: they compare as the text does
	pos        uint32
	before     uint32   // the byte before it; where a span begins, something that no other position has
	child      [2]int32 // nodes with lesser and greater text; none if negative
}

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
type tree struct {
	text   []byte
	nice   uint32
	inside uint32 // up to nice
	depth  int
	keep   int
	store  *shelf
}

const keySize = 16

// plant makes nodes of positions, among them those with a mark that a span begins there.
func (t *tree) plant(nodes []node, positions []uint32) []node {
	text := t.text
	nodes = nodes[:len(positions)]
	for i, p := range positions {
		n := &nodes[i]
		if p&fresh != 0 {
			n.before = p // unlike any other
			p &^= fresh
		} else {
			n.before = uint32(text[p-1])
		}
		key := text[p : p+keySize : p+keySize]
		n.key0, n.key1, n.pos = binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:]), p
	}
	return nodes
}

// search finds the matches of all nodes, which are those of a bucket in the order of the text, and stores those that
// begin there: that cannot be extended to the left. The others are found one position earlier, and run on.
func (t *tree) search(nodes []node) {
	text, nice, inside := t.text, t.nice, t.inside
	var found [1 << 6]uint32
	nodes[0].child = [2]int32{-1, -1}
	for i := 1; i < len(nodes); i++ {
		me := &nodes[i]
		key0, key1, p, before := me.key0, me.key1, me.pos, me.before
		// Where the next node with lesser and with greater text goes, and how long their match with this one is at least.
		lesser, greater := &me.child[0], &me.child[1]
		sameLesser, sameGreater := uint32(keySize), uint32(keySize)
		best, count := uint32(4), uint32(0)
		sample := p&sampleMask == 0
		c := int32(i - 1)
		for depth := t.depth; ; depth-- {
			if c < 0 || depth == 0 || int(c) >= len(nodes) {
				*lesser, *greater = -1, -1
				break
			}
			n := &nodes[c]
			var l uint32
			var less bool
			if x := n.key0 ^ key0; x != 0 {
				l = uint32(bits.LeadingZeros64(x)) >> 3
				less = n.key0 < key0
			} else if x := n.key1 ^ key1; x != 0 {
				l = 8 + uint32(bits.LeadingZeros64(x))>>3
				less = n.key1 < key1
			} else {
				// A node that took another's place may stand on the wrong side of those that agree with both in inside
				// bytes: of what is beyond, the nodes above tell nothing.
				enough := nice
				if n.before == before {
					enough = inside
				}
				l = matchLen(text, n.pos, p, min(sameLesser, sameGreater, inside), enough)
				if l >= enough {
					*lesser, *greater = n.child[0], n.child[1]
					if l > best && (n.before != before || sample) {
						l = matchLen(text, n.pos, p, l, nice)
						more := uint32(0)
						if l < nice && le16(text, n.pos+l+1) == le16(text, p+l+1) {
							more = 1 << moreShift
						}
						found[count&63] = more | l<<lenShift | (p - n.pos - 1)
						count++
					}
					break
				}
				less = text[n.pos+l] < text[p+l]
				if less {
					sameLesser = l
				} else {
					sameGreater = l
				}
			}
			if l > best {
				best = l
				if n.before != before || sample && l >= sampleLeast {
					more := uint32(1) << moreShift
					if l+3 > keySize {
						if le16(text, n.pos+l+1) != le16(text, p+l+1) {
							more = 0
						}
					} else if agree(n.key0^key0, n.key1^key1, l+1) != 0 {
						more = 0
					}
					found[count&63] = more | l<<lenShift | (p - n.pos - 1)
					count++
				}
			}
			if less {
				*lesser = c
				lesser = &n.child[1]
				c = n.child[1]
			} else {
				*greater = c
				greater = &n.child[0]
				c = n.child[0]
			}
		}
		if count > 0 {
			count = min(count, 64)
			t.store.put(p, found[count-min(count, uint32(t.keep)):count])
		}
	}
}

// agree is 0 if the two bytes at offset i of keys are the same, of which x0 and x1 are the differences.
func agree(x0, x1 uint64, i uint32) uint64 {
	if i < 8 {
		return (x0<<(8*i) | x1>>1>>(63-8*i)) >> 48
	}
	return x1 << (8*i - 64) >> 48
}
