package virtindex

// Limits of an index. They are far beyond any real one; a file past them is
// refused before it can fill the memory.
const (
	// MaxSize is the largest size of an index in bytes, a signature included.
	MaxSize = 16 << 20
	// MaxLine is the longest line in bytes, without its LF.
	MaxLine = 64 << 10
	// MaxLines is the largest number of lines.
	MaxLines = 500_000
	// MaxEntries is the largest number of sections.
	MaxEntries = 10_000
	// MaxFields is the largest number of fields in one section.
	MaxFields = 256
)
