//go:build !linux

package tree

// kept holds nothing where the system does not tell when a file was changed.
type kept struct{}

func newKept() *kept { return nil }

func (*kept) find(*dir, string) *File { return nil }
func (*kept) keep(string, *File)      {}

// Kept is a file whose content is known: none.
type Kept struct{}

// Content is empty.
func (*Kept) Content() []byte { return nil }

// Kept is nil.
func (*File) Kept() *Kept { return nil }

// Still says that nothing is known.
func (*Zone) Still(*Kept) bool { return false }
