package measure

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Ratio is a cost over another.
type Ratio struct{ Wall, CPU, Size float64 }

// Over is what c costs, with o as 1. What o does not have gives 0.
func (c Cost) Over(o Cost) Ratio {
	return Ratio{over(float64(c.Wall), float64(o.Wall)), over(float64(c.CPU), float64(o.CPU)), over(float64(c.Size), float64(o.Size))}
}

func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Rate is in MB (1,000,000 bytes) of content a second of time on the clock.
func (c Cost) Rate(content int64) float64 { return over(float64(content)/1e6, c.Wall.Seconds()) }

// Find gives the result of that name.
func Find(results []Result, name string) (Result, bool) {
	for _, r := range results {
		if r.Name == name {
			return r, true
		}
	}
	return Result{}, false
}

// Table writes results as a table in Markdown. content is the length of what was
// packed or unpacked, in bytes; 0 where there is none. against names the result
// that the others are compared with; where there is none of that name they are
// not compared. A column without any figure is left out.
func Table(w io.Writer, results []Result, content int64, against string) error {
	base, compared := Find(results, against)
	head := []string{"command", "wall, s", "CPU, s", "MB/s", "peak memory, MiB", "size, bytes"}
	if compared {
		head = append(head, "wall ratio", "CPU ratio", "size ratio")
	}
	rows := [][]string{head}
	for _, r := range results {
		row := []string{
			strings.ReplaceAll(r.Name, "|", `\|`), fmt.Sprintf("%.2f", r.Wall.Seconds()), fmt.Sprintf("%.2f", r.CPU.Seconds()),
			rateText(r.Rate(content)), known("%.0f", float64(r.Memory)/(1<<20)), known("%.0f", float64(r.Size)),
		}
		if compared {
			o := r.Over(base.Cost)
			row = append(row, known("%.2f", o.Wall), known("%.2f", o.CPU), known("%.4f", o.Size))
		}
		rows = append(rows, row)
	}
	return Markdown(w, withoutEmpty(rows))
}

// withoutEmpty drops the columns that have nothing but a head.
func withoutEmpty(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i := range rows[0] {
		if slices.ContainsFunc(rows[1:], func(row []string) bool { return row[i] != "" }) {
			for n, row := range rows {
				out[n] = append(out[n], row[i])
			}
		}
	}
	return out
}

// rateText has two digits at least.
func rateText(v float64) string {
	if v < 10 {
		return known("%.1f", v)
	}
	return known("%.0f", v)
}

// known is v, or nothing where it is 0: not known.
func known(format string, v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf(format, v)
}

// Markdown writes rows, the first of which is the head, as a table that is
// aligned for people, too: the first column to the left, the others to the right.
func Markdown(w io.Writer, rows [][]string) error {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell), 4)
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(&b, "| %-*s |", width[i], cell)
			} else {
				fmt.Fprintf(&b, " %*s |", width[i], cell)
			}
		}
		b.WriteString("\n")
		if n > 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s |", strings.Repeat("-", width[0]))
		for _, w := range width[1:] {
			fmt.Fprintf(&b, " %s: |", strings.Repeat("-", w-1))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
