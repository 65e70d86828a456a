package encode

// Params say how hard to search.
type Params struct {
	Nice        uint32 // matches of this length are taken without a look at anything else; up to maxNice
	RepeatLeast uint32 // repeats from this length on are taken before all else, and their insides are not searched; more than Nice
	Depth       int    // nodes of a tree that are visited for a position
	Inside      uint32 // a position that goes on with a match of this length, which began earlier, takes the place in the tree of the one it matches; Nice: as all matches do
	Keep        int    // matches that are kept of those found for a position, the longest ones; up to maxKeep
	TreeMax     int    // positions in one tree; those of a bucket beyond that go into another
	Hash        uint32 // bytes that are hashed: matches of fewer are found where they are the nearest ones; 5 or 6
	TextHash    uint32 // the same for sections that are text
	RangeLeast  uint32 // so many positions of a part are sorted together in any case, if it has more than its share
	StorePages  int    // pages of the match store, of a kilobyte; on the last quarter one match is kept for a position, and none when all are full
	Composites  int    // how many of the longest matches are tried with a literal and a repeated match behind them
	Skip        int32  // a byte is not left from if the next one is reached at so much more, in 16ths of a bit, or less
	Slack       uint32 // what such a composite may cost more up to its literal than the best way there, in 16ths of a bit
}

const (
	maxNice = 127 // what a word of the match store can hold
	maxKeep = 4   // what the header of a record can count
)

// The levels. Sizes and times, compared with xz -9 in blocks of the same size, are in docs/BENCHMARKS.md.
var (
	Best     = Params{Nice: 127, RepeatLeast: 273, Depth: 20, Keep: 4, TreeMax: 1 << 20, Hash: 5, TextHash: 6, Inside: 127, RangeLeast: 1 << 24, StorePages: 160 << 10, Composites: 2, Skip: -4, Slack: 128}
	Balanced = Params{Nice: 64, RepeatLeast: 200, Depth: 18, Keep: 4, TreeMax: 1 << 18, Hash: 5, TextHash: 6, Inside: 64, RangeLeast: 1 << 22, StorePages: 160 << 10, Composites: 2, Skip: 12, Slack: 128}
	Fast     = Params{Nice: 64, RepeatLeast: 72, Depth: 11, Keep: 2, TreeMax: 1 << 15, Hash: 6, TextHash: 6, Inside: 40, RangeLeast: 1 << 22, StorePages: 42000, Composites: 1, Skip: 28, Slack: 48}
)
