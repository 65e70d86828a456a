package publish

import "context"

// WithStep has step called before every change to the file system; what it returns is what that change gives.
func WithStep(opt Options, step func(op, name string) error) Options {
	opt.step = step
	return opt
}

// WriteFileStep is WriteFile with such a step.
func WriteFileStep(ctx context.Context, path string, opt FileOptions, write func(*File) error, step func(op, name string) error) error {
	return writeFile(ctx, path, opt, write, step)
}

// ReencodeJournal parses a journal and writes it again.
func ReencodeJournal(text []byte) ([]byte, error) {
	j, err := parseJournal(text)
	if err != nil {
		return nil, err
	}
	return j.encode()
}

// JournalNames are the names in the tree that a journal has something done to.
func JournalNames(text []byte) ([]string, error) {
	j, err := parseJournal(text)
	if err != nil {
		return nil, err
	}
	names := j.Dirs
	for _, e := range j.Files {
		names = append(names, e.Name)
	}
	for _, e := range j.Remove {
		names = append(names, e.Name)
	}
	return names, nil
}
