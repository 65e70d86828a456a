package templates

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// ReadSmall reads a file that is read as a whole: a sidecar, an index. One of more than limit bytes is an error, and no more
// than that is read of it.
func ReadSmall(fsys fs.FS, name string, limit int64) (data []byte, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Quote(name), err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: must be at most %d bytes long", Quote(name), limit)
	}
	return data, nil
}
