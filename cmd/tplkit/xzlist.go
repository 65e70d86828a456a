package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/xzpack"
)

type xzListCmd struct {
	File []string `arg:"" complete:"file" help:"Packed files; any .xz with LZMA2 alone."`
}

func (xzListCmd) Help() string {
	return `Says what the headers and indexes of .xz files say: streams, blocks, sizes, checks, dictionary. Nothing is decompressed, so damage within a block is not found: verify-hashes and unpack do that.

Parallel decoders, as xz -T0 -d, use more than one core where every block header carries both sizes. Random access, as that of nbdkit, wants small blocks.

Examples:

    tplkit xz-list /srv/templates/repo/*.xz
    tplkit xz-list -v el8.2-base.xz                        # each block, too
    tplkit xz-list --json el8.2-base.xz | jq '.files[].blocks | length'`
}

// Run lists.
func (c *xzListCmd) Run(ctx context.Context, s *session) error {
	var files []xzFile
	for _, path := range c.File {
		if ctx.Err() != nil {
			return s.finishXZList(files, context.Cause(ctx))
		}
		files = append(files, listXZ(path))
	}
	return s.finishXZList(files, nil)
}

// listedState is that of a file that could be listed; of any other it is
// templates.Failed.
const listedState templates.State = "listed"

// xzFile is what is said of one file.
type xzFile struct {
	Path       string           `json:"path"`
	State      templates.State  `json:"state"`
	Error      string           `json:"error,omitempty"`
	Sizes      *templates.Sizes `json:"sizes,omitempty"`      // apparent: of the content
	Ratio      float64          `json:"ratio,omitempty"`      // packed over apparent; absent without content
	Streams    int              `json:"streams,omitempty"`    // those without blocks, too
	Checks     []xzpack.Check   `json:"checks,omitempty"`     // in the order of the blocks, each once
	Dictionary int64            `json:"dictionary,omitempty"` // bytes; the largest
	Sized      int              `json:"sized"`                // blocks whose headers carry both sizes
	Blocks     []xzBlock        `json:"blocks"`
}

// xzBlock is what is said of one block. Sizes and offsets are in bytes.
type xzBlock struct {
	Stream        int          `json:"stream"` // counted from 1
	Offset        int64        `json:"offset"` // of its header, in the file
	Packed        int64        `json:"packed"` // with header, padding and check
	ContentOffset int64        `json:"content_offset"`
	Content       int64        `json:"content"`
	Check         xzpack.Check `json:"check"`
	Dictionary    int64        `json:"dictionary"`
	Sized         bool         `json:"sized"` // the header carries both sizes
}

// anySize lifts the limits on what costs memory or time only where something is
// decompressed.
var anySize = xzpack.Limits{Size: math.MaxInt64, Dict: math.MaxInt64, Ratio: math.MaxInt64}

func listXZ(path string) xzFile {
	f, err := readXZ(path)
	if err != nil {
		return xzFile{Path: path, State: templates.Failed, Error: err.Error(), Blocks: []xzBlock{}}
	}
	return f
}

func readXZ(path string) (_ xzFile, err error) {
	img, err := templates.OpenImageFile(path)
	if err != nil {
		return xzFile{}, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	x, err := xzpack.Open(img, img.Sizes.Apparent, xzpack.OpenOptions{Limits: anySize})
	if err != nil {
		return xzFile{}, err
	}
	f := xzFile{
		Path: path, State: listedState, Streams: x.NumStreams(), Blocks: []xzBlock{},
		Sizes: &templates.Sizes{Apparent: x.Size(), Packed: x.PackedSize()},
	}
	if x.Size() > 0 {
		f.Ratio = ratio(x.PackedSize(), x.Size())
	}
	for _, b := range x.Blocks() {
		sized := b.HasPackedSize && b.HasSize
		if sized {
			f.Sized++
		}
		if !slices.Contains(f.Checks, b.Check) {
			f.Checks = append(f.Checks, b.Check)
		}
		f.Dictionary = max(f.Dictionary, b.Dict)
		f.Blocks = append(f.Blocks, xzBlock{
			Stream: b.Stream, Offset: b.Offset, Packed: b.TotalSize, ContentOffset: b.ContentOffset, Content: b.Size,
			Check: b.Check, Dictionary: b.Dict, Sized: sized,
		})
	}
	return f, img.Unchanged()
}

// ratio is packed over content to four digits, which is what can be compared by
// eye.
func ratio(packed, content int64) float64 {
	return math.Round(float64(packed)/float64(content)*1e4) / 1e4
}

// xzListDocument is the JSON document of xz-list. The first two fields are
// always there.
type xzListDocument struct {
	Files   []xzFile                `json:"files"`
	Summary map[templates.State]int `json:"summary"`
	Error   string                  `json:"error,omitempty"` // of the command as a whole
}

func newXZListDocument(files []xzFile, err error) xzListDocument {
	d := xzListDocument{Files: files, Summary: map[templates.State]int{}}
	if files == nil {
		d.Files = []xzFile{}
	}
	for _, f := range files {
		d.Summary[f.State]++
	}
	if err != nil {
		d.Error = err.Error()
	}
	return d
}

// finishXZList prints what was found and gives the error that stands for the
// outcome.
func (s *session) finishXZList(files []xzFile, err error) error {
	doc := newXZListDocument(files, err)
	var perr error
	switch {
	case s.JSON:
		perr = s.document(doc)
	case s.Quiet:
		perr = printXZFaults(s.stderr, files)
	default:
		perr = printXZList(s.stdout, doc, s.Verbose)
	}
	if err := errors.Join(err, perr); err != nil {
		return err
	}
	if n := doc.Summary[templates.Failed]; n > 0 {
		return &outcome{exitFailed, fmt.Sprintf("%d of %d failed", n, len(files))}
	}
	return nil
}

// printXZList writes a line for each file, what failed below them, and a line of
// counts. With blocks each file has a table of its own.
func printXZList(w io.Writer, doc xzListDocument, blocks bool) error {
	p := &printer{w: w}
	var t table
	for _, f := range doc.Files {
		if f.State != listedState {
			continue
		}
		if len(t.lines) == 0 {
			t.row("file", "streams", "blocks", "packed", "content", "ratio", "check", "dictionary", "sizes in headers")
		}
		t.row(f.cells()...)
		if blocks {
			t.print(p)
			t = table{}
			f.printBlocks(p)
		}
	}
	t.print(p)
	if p.err == nil {
		p.err = printXZFaults(w, doc.Files)
	}
	if line := summaryLine(doc.Summary, []templates.State{listedState, templates.Failed}); line != "" {
		p.printf("%s\n", line)
	}
	return p.err
}

func printXZFaults(w io.Writer, files []xzFile) error {
	p := &printer{w: w}
	var t table
	for _, f := range files {
		if f.State == templates.Failed {
			t.row(string(f.State), quote(f.Path), oneLine(withoutSubject(f.Error, f.Path)))
		}
	}
	t.print(p)
	return p.err
}

func (f *xzFile) cells() []string {
	checks := make([]string, len(f.Checks))
	for i, c := range f.Checks {
		checks[i] = string(c)
	}
	var sized string
	switch n := len(f.Blocks); {
	case n == 0:
	case f.Sized == n:
		sized = "all"
	case f.Sized > 0:
		sized = fmt.Sprintf("%d of %d: xz -T0 -d uses one core for the rest", f.Sized, n)
	case n > 1:
		sized = "none: xz -T0 -d uses one core"
	default:
		sized = "none"
	}
	return []string{
		quote(f.Path), fmt.Sprint(f.Streams), fmt.Sprint(len(f.Blocks)), bytesText(f.Sizes.Packed), bytesText(f.Sizes.Apparent),
		ratioText(f.Sizes.Packed, f.Sizes.Apparent), strings.Join(checks, ","), bytesText(f.Dictionary), sized,
	}
}

func ratioText(packed, content int64) string {
	if content == 0 {
		return ""
	}
	return fmt.Sprintf("%.4f", ratio(packed, content))
}

// printBlocks writes a line for each block, sizes and offsets in bytes.
func (f *xzFile) printBlocks(p *printer) {
	var t table
	t.row("  block", "stream", "offset", "packed", "content at", "content", "ratio", "check", "dictionary", "sizes in header")
	for i, b := range f.Blocks {
		sized := "no"
		if b.Sized {
			sized = "yes"
		}
		t.row(fmt.Sprintf("  %d", i+1), fmt.Sprint(b.Stream), fmt.Sprint(b.Offset), fmt.Sprint(b.Packed), fmt.Sprint(b.ContentOffset),
			fmt.Sprint(b.Content), ratioText(b.Packed, b.Content), string(b.Check), bytesText(b.Dictionary), sized)
	}
	t.print(p)
}
