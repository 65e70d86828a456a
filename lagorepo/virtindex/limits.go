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

// clientDepth is how much of an index the clients can hold while they read it.
// Their parser is made by bison from right-recursive rules, so that every section
// up to the last lies on its stack (four places each), and every field of a
// section and every line of a value (one place each); a stack of 10,000 places is
// all it has, and then it says "memory exhausted". Measured with
// virt-index-validate 1.48: 2,498 sections of 4 fields are read, 2,499 are not.
const clientDepth = 9995

// sectionDepth is the number of places that one section takes.
const sectionDepth = 4
