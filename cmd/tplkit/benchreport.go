package main

import (
	"fmt"
	"io"
	"math"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
	"github.com/tplkit/tplkit/templates"
)

// benchDocument is the JSON document of bench. All fields but Error are always
// there.
type benchDocument struct {
	File    string            `json:"file"`
	Sizes   templates.Sizes   `json:"sizes"`
	Machine measure.Machine   `json:"machine"`
	Jobs    int               `json:"jobs"`
	Runs    int               `json:"runs"`
	Missing []string          `json:"missing"` // programs to compare with that are not installed
	Parts   []benchPartReport `json:"parts"`
	Error   string            `json:"error,omitempty"`
}

// benchPartReport is the table of one part.
type benchPartReport struct {
	Name    string     `json:"name"`
	Against string     `json:"against,omitempty"` // the command that ratios compare with; absent where it is not installed
	Rows    []benchRow `json:"commands"`

	results []measure.Result
}

// benchRow are the figures of one command: medians, each by itself.
type benchRow struct {
	Command string      `json:"command"`
	Wall    float64     `json:"wall"`           // seconds
	CPU     float64     `json:"cpu"`            // seconds, of all threads
	Rate    float64     `json:"rate"`           // 1,000,000 bytes of content a second of wall
	Memory  int64       `json:"memory"`         // bytes; the peak; 0 where the system does not tell
	Size    int64       `json:"size,omitempty"` // bytes of the file made
	Ratio   *benchRatio `json:"ratio,omitempty"`
}

// benchRatio is a command over the one that it is compared with.
type benchRatio struct {
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
	Size float64 `json:"size,omitempty"`
}

func newBenchPart(p benchPart, results []measure.Result, content int64) benchPartReport {
	rep := benchPartReport{Name: p.name, results: results}
	base, compared := measure.Find(results, p.against)
	if compared {
		rep.Against = p.against
	}
	for _, r := range results {
		row := benchRow{
			Command: r.Name, Wall: rounded(r.Wall.Seconds(), 3), CPU: rounded(r.CPU.Seconds(), 3),
			Rate: rounded(r.Rate(content), 1), Memory: r.Memory, Size: r.Size,
		}
		if compared {
			o := r.Over(base.Cost)
			row.Ratio = &benchRatio{rounded(o.Wall, 3), rounded(o.CPU, 3), rounded(o.Size, 5)}
		}
		rep.Rows = append(rep.Rows, row)
	}
	return rep
}

func rounded(f float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(f*scale) / scale
}

// newBenchFailure is the document of a bench that came to nothing.
func newBenchFailure(err error) benchDocument {
	return benchDocument{Missing: []string{}, Parts: []benchPartReport{}, Error: err.Error()}
}

// print writes the tables in Markdown.
func (d *benchDocument) print(w io.Writer) error {
	p := &printer{w: w}
	p.printf("%s: %s", quote(d.File), bytesText(d.Sizes.Apparent))
	if d.Sizes.Allocated > 0 && d.Sizes.Allocated < d.Sizes.Apparent {
		p.printf(", %s of it on disk", bytesText(d.Sizes.Allocated))
	}
	p.printf("\n%s; %s; medians of %d\n", d.Machine, count(d.Jobs, "worker"), d.Runs)
	for _, part := range d.Parts {
		p.printf("\n### %s\n\n", titled(part.Name))
		if p.err == nil {
			p.err = measure.Table(w, part.results, d.Sizes.Apparent, part.Against)
		}
	}
	return p.err
}

// titled is s with a capital.
func titled(s string) string { return fmt.Sprintf("%c%s", s[0]-'a'+'A', s[1:]) }
