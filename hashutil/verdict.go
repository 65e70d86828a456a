package hashutil

import (
	"fmt"
	"path"
	"strings"
)

// result turns a verdict into words. img is nil if the file could not be
// opened.
func (d *verdict) result(t *target, img *image) FileResult {
	r := FileResult{
		Path: t.path, Sidecar: d.sidecar, Algorithm: d.alg,
		Got: d.got, Method: d.method, Kind: d.kind,
	}
	if d.second {
		r.Kind = 0 // what H.hash says is for the H.xz beside it to decide
	}
	if d.entry != nil {
		r.Want = d.entry.Hex
	}
	right := d.entry != nil && d.entry.Hex == d.got
	switch {
	case d.closed != nil:
		r.Status, r.Reason, r.Kind = StatusUnreadable, "its sidecar cannot be read: "+reason(d.closed), 0
	case d.err != nil:
		r.Status, r.Reason, r.Got, r.Method = StatusUnreadable, reason(d.err), "", ""
		if d.fault != nil {
			r.Reason += "; its sidecar is malformed too: " + reason(d.fault)
		}
	case d.missing:
		r.Status, r.Reason = StatusMissing, "no sidecar speaks of it"
	case d.fault != nil:
		r.Status, r.Reason = StatusMalformed, reason(d.fault)
		switch {
		case right:
			r.Reason += "; the digest itself is right"
		case d.entry != nil:
			r.Reason += "; the digest is wrong too"
		}
	case right:
		r.Status = StatusOK
	case d.packed != "" && d.entry.Hex == d.packed:
		r.Status = StatusCompressed
		r.Reason = "the digest is of the compressed file; lago compares with the decompressed one and refuses it"
	default:
		r.Status, r.Reason = StatusMismatch, d.mismatch(t, img)
	}
	return r
}

// mismatch says what the digests differ in, and why that may be so.
func (d *verdict) mismatch(t *target, img *image) string {
	packed := strings.HasSuffix(t.path, xzSuffix)
	what := "of its bytes"
	if d.hash && packed {
		what = "of its decompressed content"
	}
	text := fmt.Sprintf("the %s %s is not the one in the sidecar", d.alg, what)
	switch {
	case d.entry.Size >= 0 && d.entry.Size != img.info.Size():
		text += fmt.Sprintf("; expected %d bytes, found %d", d.entry.Size, img.info.Size())
	case d.second:
		text += fmt.Sprintf("; lago takes the sidecar for that of %s", quote(path.Base(t.path)+xzSuffix))
	case d.hash && !packed && img.xz:
		text += "; the file is an xz file, which lago only decompresses if its name ends in .xz"
	case d.hash && storeName(t.path):
		text += "; that is expected in a lago store: the disk there is a raw conversion, the digest that of the download before it"
	}
	return text
}
