package xzpack

import (
	"io"

	"github.com/tplkit/tplkit/templates/internal/sparse"
)

// page is the granularity in which files have holes.
const page = 4 << 10

// eachRun calls f for each run of pages of p that are all zeros or all not, in order. p begins at an offset of off in it.
func eachRun(p []byte, f func(off int, run []byte, zero bool) error) error {
	for start := 0; start < len(p); {
		end := min(start+page, len(p))
		zero := sparse.IsZero(p[start:end])
		for end < len(p) && sparse.IsZero(p[end:min(end+page, len(p))]) == zero {
			end = min(end+page, len(p))
		}
		if err := f(start, p[start:end], zero); err != nil {
			return err
		}
		start = end
	}
	return nil
}

// writeRuns writes p to w; where w has WriteZeros, runs of pages of zeros go there.
func writeRuns(w io.Writer, p []byte) error {
	zw, ok := w.(zeroWriter)
	if !ok {
		return writeAll(w, p)
	}
	return eachRun(p, func(_ int, run []byte, zero bool) error {
		if zero {
			return zw.WriteZeros(int64(len(run)))
		}
		return writeAll(w, run)
	})
}
