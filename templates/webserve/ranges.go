package webserve

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// The most ranges of one request, as httpd has it. A request for more gets the
// whole file, which every client must be able to take.
const (
	maxRanges     = 200
	maxOverlaps   = 20
	maxReversals  = 20
	noRange       = ""
	rangeUnit     = "bytes"
	headerRange   = "Range"
	headerIfRange = "If-Range"
)

// span is a part of a file, both ends included.
type span struct{ first, last int64 }

// cleanRange reads a Range header for a file of the given size and says what
// [http.ServeContent] is to be told: the header as it is, or one that means the
// same in a form it takes, or "" for the whole file. That is the answer to a
// unit other than bytes and to what is malformed (RFC 9110, 14.2), to anything
// of an empty file, and to too many ranges. If none of the ranges exists the
// result is one that does not, for a 416.
func cleanRange(header string, size int64) string {
	unit, set, ok := strings.Cut(header, "=")
	if !ok || size <= 0 || !strings.EqualFold(unit, rangeUnit) || strings.Count(set, ",") >= maxRanges {
		return noRange
	}
	var spans []span
	plain, any := unit == rangeUnit, false
	for spec := range strings.SplitSeq(set, ",") {
		spec = strings.Trim(spec, " \t")
		if spec == "" {
			continue // a list may hold empty elements
		}
		s, simple, ok := parseSpan(spec, size)
		if !ok {
			return noRange
		}
		any = true
		plain = plain && simple
		if s.first < size {
			spans = append(spans, s)
		}
	}
	switch {
	case !any || excessive(spans):
		return noRange
	case plain:
		return header
	case len(spans) == 0:
		return rangeUnit + "=" + strconv.FormatInt(size, 10) + "-"
	}
	b := []byte(rangeUnit + "=")
	for i, s := range spans {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, s.first, 10)
		b = append(b, '-')
		b = strconv.AppendInt(b, s.last, 10)
	}
	return string(b)
}

// parseSpan reads one range, as "0-99", "100-" or "-5". A first byte of size or
// more says that it does not exist. simple says that ServeContent reads it the
// same way: it refuses large numbers and answers "-0" with a part of no bytes.
func parseSpan(spec string, size int64) (s span, simple, ok bool) {
	first, last, ok := strings.Cut(spec, "-")
	if !ok || first == "" && last == "" {
		return span{}, false, false
	}
	a, aFits, aOK := parseCount(first)
	b, bFits, bOK := parseCount(last)
	simple = aFits && bFits
	switch {
	case first == "":
		if !bOK {
			return span{}, false, false
		}
		return span{size - min(b, size), size - 1}, simple && b > 0, true
	case !aOK, last != "" && !bOK, last != "" && b < a:
		return span{}, false, false
	case last == "":
		b = size - 1
	}
	return span{a, min(b, size-1)}, simple, true
}

// parseCount reads decimal digits and nothing else. A number too large counts as
// the largest one. The empty string is no number, but fits.
func parseCount(s string) (n int64, fits, ok bool) {
	if s == "" {
		return 0, true, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64, false, true
	}
	return n, true, true
}

// excessive says whether ranges overlap or run backwards more often than any
// honest client has them do: each costs a seek and headers of its own.
func excessive(spans []span) bool {
	overlaps, reversals := 0, 0
	for i, s := range spans {
		if i > 0 && s.first < spans[i-1].first {
			reversals++
		}
		for _, earlier := range spans[:i] {
			if s.first <= earlier.last && earlier.first <= s.last {
				overlaps++
				break
			}
		}
	}
	return overlaps > maxOverlaps || reversals > maxReversals
}

// conditions gives the request as [http.ServeContent] should see it, which is r
// itself unless a header must be read in another way than it does. unsettled
// says that the file's date may belong to two versions of it, which is no ground
// for resuming.
func conditions(r *http.Request, size int64, unsettled bool) *http.Request {
	changed := r
	set := func(name, value string) {
		if changed == r {
			c := *r
			c.Header = r.Header.Clone()
			changed = &c
		}
		if value == "" {
			changed.Header.Del(name)
		} else {
			changed.Header.Set(name, value)
		}
	}
	if ranges := r.Header[headerRange]; len(ranges) > 0 {
		// Two headers are no list: the field holds one set of ranges only.
		want := noRange
		if len(ranges) == 1 && !(unsettled && isDate(r.Header.Get(headerIfRange))) {
			want = cleanRange(ranges[0], size)
		}
		if len(ranges) > 1 || want != ranges[0] {
			set(headerRange, want)
		}
	}
	// A list may be spread over several headers; ServeContent reads the first.
	for _, name := range []string{"If-Match", "If-None-Match"} {
		if lines := r.Header[name]; len(lines) > 1 {
			set(name, strings.Join(lines, ", "))
		}
	}
	return changed
}

// isDate says whether an If-Range header holds a date and not a tag.
func isDate(s string) bool {
	return s != "" && !strings.HasPrefix(s, `"`) && !strings.HasPrefix(s, "W/")
}
