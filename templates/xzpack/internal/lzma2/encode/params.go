package encode

// Params say how hard to search.
type Params struct {
	Search            // in sections that are not text
	Text       Search // in those that are: there the same work finds more
	Nice       uint32 // matches of this length are taken without a look at anything else; from keySize up to maxNice
	TreeMax    int    // positions in one tree; those of a bucket beyond that go into another
	RangeLeast uint32 // so many positions of a part are sorted together in any case, if it has more than its share
	StorePages int    // pages of the match store, of a kilobyte; on the last quarter one match is kept for a position, and none when all are full
	Composites int    // how many of the longest matches are tried with a literal and a repeated match behind them
	Slack      uint32 // what such a composite may cost more up to its literal than the best way there, in 16ths of a bit
}

// Search is what depends on the kind of content.
type Search struct {
	RepeatLeast uint32 // repeats from this length on are taken before all else, and their insides are not searched; more than Nice
	Hash        uint32 // bytes that are hashed: matches of fewer are found where they are the nearest ones; 5 to 7
	Depth       int    // nodes of a tree that are visited for a position
	Inside      uint32 // a position that goes on with a match of this length, which began earlier, takes the place in the tree of the one it matches; Nice: as all matches do
	Keep        int    // matches that are kept of those found for a position, the longest ones; up to maxKeep
	Skip        int32  // a byte is not left from if the next one is reached at so much more, in 16ths of a bit, or less
	Stay        int32  // the same where the next one is reached by the same match, and no other match begins
}

const (
	maxNice = 127 // what a word of the match store can hold
	maxKeep = 4   // what the header of a record can count
)

// The levels. Sizes and times, compared with xz -9 in blocks of the same size, are in docs/BENCHMARKS.md.
var (
	Best = Params{
		Search: Search{RepeatLeast: 273, Hash: 5, Depth: 32, Inside: 127, Keep: 4, Skip: -4, Stay: 24},
		Text:   Search{RepeatLeast: 128, Hash: 6, Depth: 28, Inside: 64, Keep: 3, Skip: 0, Stay: 48},
		Nice:   127, TreeMax: 1 << 20, RangeLeast: 1 << 24, StorePages: 160 << 10, Composites: 2, Slack: 128,
	}
	Balanced = Params{
		Search: Search{RepeatLeast: 200, Hash: 5, Depth: 20, Inside: 64, Keep: 4, Skip: 12, Stay: 40},
		Text:   Search{RepeatLeast: 72, Hash: 6, Depth: 28, Inside: 40, Keep: 3, Skip: 12, Stay: 40},
		Nice:   64, TreeMax: 1 << 18, RangeLeast: 1 << 22, StorePages: 160 << 10, Composites: 2, Slack: 128,
	}
	Fast = Params{
		Search: Search{RepeatLeast: 65, Hash: 6, Depth: 11, Inside: 48, Keep: 1, Skip: 48, Stay: 40},
		Text:   Search{RepeatLeast: 65, Hash: 7, Depth: 12, Inside: 24, Keep: 2, Skip: 32, Stay: 40},
		Nice:   64, TreeMax: 1 << 15, RangeLeast: 1 << 22, StorePages: 42000, Composites: 1, Slack: 48,
	}
)
