package lagorepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// judgeDownload tells an entry with a download and a .hash apart by digests.
// .hash is written once the download has proved to be whole, so a download
// that matches it is the original, and a disk beside it may be half a disk. A
// .hash can also be left over from before: then it does not match.
func (g *group) judgeDownload(ctx context.Context, fsys fs.FS, e *Entry) error {
	var faults []string
	for _, k := range []FileKind{KindDownload, KindPacked} {
		if !g.has(k) {
			continue
		}
		name := g.name(k)
		got, packed, err := contentSHA1(ctx, fsys, name)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			faults = append(faults, fmt.Sprintf("%s cannot be read (%v)", templates.Quote(name), err))
		case got != e.StoredHash:
			faults = append(faults, fmt.Sprintf("%s has the SHA-1 %s, .hash says %s", templates.Quote(name), got, e.StoredHash))
		default:
			e.State, e.Original, e.OriginalPacked = Interrupted, name, packed
			e.Reason = fmt.Sprintf("lago was cut off while it converted the disk; the download %s matches .hash and is taken in its place",
				templates.Quote(name))
			return nil
		}
	}
	if !e.HasDisk {
		e.State, e.Reason = Unfinished, "the download did not finish ("+strings.Join(faults, "; ")+"): nothing to recover"
		return nil
	}
	e.State = Interrupted
	got, _, err := contentSHA1(ctx, fsys, e.Name)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case got == e.StoredHash:
		e.Reason = "lago was cut off while it converted the disk, but the disk matches .hash: it is whole"
		return nil
	}
	return fmt.Errorf("%s: lago was cut off while it converted the disk, and the download is of no use: %s; "+
		"if the disk is known to be good, move %s away and try again",
		templates.Quote(e.Name), strings.Join(faults, "; "), templates.Quote(g.downloadName()))
}

// contentSHA1 digests a file's content; where the file is an .xz, what is
// inside.
func contentSHA1(ctx context.Context, fsys fs.FS, name string) (sum string, packed bool, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return "", false, err
	}
	at, ok := f.(io.ReaderAt)
	if !ok {
		return "", false, fmt.Errorf("cannot be read at an offset (%T)", f)
	}
	info, err := templates.DetectFormat(at, st.Size())
	if err != nil {
		return "", false, err
	}
	packed = info.Format == templates.XZ
	h := hashutil.NewHasher(hashutil.SHA1)
	if _, err := templates.Content(ctx, f, h); err != nil {
		return "", packed, err
	}
	return h.Sums()[hashutil.SHA1], packed, nil
}
