package decode_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

const (
	ctlRaw0  = byte(model.CtlRaw0)
	ctlRaw   = byte(model.CtlRaw)
	ctlLZMA  = byte(model.CtlLZMA)
	ctlState = byte(model.CtlState)
	ctlProps = byte(model.CtlProps)
	ctlDict  = byte(model.CtlDict)
)

// first is a forge with a chunk in it that sets everything.
func first() *forge {
	return new(forge).props(3, 0, 2).begin(ctlDict).lit('a', 'b', 'c').match(2, 4).end()
}

// rules is what chunks may follow each other and what may be in them. xz is asked for its opinion, too.
var rules = map[string]struct {
	f   *forge
	err string // empty: accepted
}{
	"nothing":               {new(forge), ""},
	"raw":                   {new(forge).raw(ctlRaw0, 'a'), ""},
	"raw twice":             {new(forge).raw(ctlRaw0, 'a').raw(ctlRaw, 'b'), ""},
	"reset twice":           {new(forge).raw(ctlRaw0, 'a').raw(ctlRaw0, 'b'), ""},
	"everything":            {first(), ""},
	"raw without reset":     {new(forge).raw(ctlRaw, 'a'), "at byte 0 of the content, byte 0 of the compressed data: first chunk does not reset the dictionary (control byte 02)"},
	"lzma first":            {new(forge).begin(ctlLZMA).lit('a').end(), "does not reset the dictionary (control byte 80)"},
	"state reset first":     {new(forge).begin(ctlState).lit('a').end(), "does not reset the dictionary (control byte a0)"},
	"properties first":      {new(forge).begin(ctlProps).lit('a').end(), "does not reset the dictionary (control byte c0)"},
	"lzma after raw":        {new(forge).raw(ctlRaw0, 'a').begin(ctlLZMA).lit('a').end(), "byte 1 of the content, byte 4 of the compressed data: an LZMA chunk without properties"},
	"state after raw":       {new(forge).raw(ctlRaw0, 'a').begin(ctlState).lit('a').end(), "without properties"},
	"properties after raw":  {new(forge).raw(ctlRaw0, 'a').begin(ctlProps).lit('a').match(1, 2).end(), ""},
	"state kept":            {first().begin(ctlLZMA).match(3, 5).lit('x').end().begin(ctlLZMA).rep(1, 3).end(), ""},
	"state kept behind raw": {first().raw(ctlRaw, 'x', 'y').begin(ctlLZMA).rep(0, 1).lit('z').rep(0, 3).end(), ""},
	"state reset":           {first().begin(ctlState).rep(0, 2).lit('x').match(4, 2).end(), ""},
	"new properties":        {first().props(0, 4, 4).begin(ctlProps).lit('x', 'y').match(4, 9).lit('x', 'y').end(), ""},
	"reset":                 {first().props(1, 3, 4).begin(ctlDict).lit('x', 'y', 'z').match(1, 9).lit('1', '2').end(), ""},
	"raw reset":             {first().raw(ctlRaw0, 'x').props(1, 3, 4).begin(ctlProps).lit('x', 'y').rep(0, 3).end(), ""},
	"lzma after raw reset":  {first().raw(ctlRaw0, 'x').begin(ctlLZMA).lit('x').end(), "without properties follows a reset of the dictionary (control byte 80)"},
	"state after raw reset": {first().raw(ctlRaw0, 'x').begin(ctlState).lit('x').end(), "without properties"},

	"match before a reset":     {first().begin(ctlDict).lit('x').match(1, 2).end(), "at byte 8 of the content"},
	"match before a raw reset": {first().raw(ctlRaw0, 'x').begin(ctlProps).match(1, 2).end(), "a match begins before the dictionary does"},
	"match of nothing":         {new(forge).begin(ctlDict).match(0, 2).end(), "a match begins before the dictionary does"},
	"repeat of nothing":        {new(forge).begin(ctlDict).rep(0, 2).end(), "a match begins before the dictionary does"},
	"byte repeat of nothing":   {new(forge).begin(ctlDict).rep(0, 1).end(), "a match begins before the dictionary does"},
	"longest distance":         {new(forge).raw(ctlRaw0, make([]byte, 5000)...).begin(ctlProps).match(4095, 2).end(), ""},
	"too long a distance":      {new(forge).raw(ctlRaw0, make([]byte, 5000)...).begin(ctlProps).match(4096, 2).end(), "byte 5000 of the content"},
	"farthest distance":        {new(forge).begin(ctlDict).lit('a').match(1<<32-2, 2).end(), "a match begins before the dictionary does"},

	"more content than there is": {first().begin(ctlState).lit('x').end(1, 0), "needs more data"},
	"less content than there is": {first().begin(ctlState).lit('x', 'y').end(-1, 0), "byte 8 of the content, byte 27 of the compressed data: the range coder does not end at zero"},
	"match beyond the end":       {first().begin(ctlState).lit('x').match(0, 8).end(-3, 0), "a match goes beyond the end of its chunk"},
	"less data than it needs":    {first().begin(ctlState).lit('x', 'y').end(0, -1), "needs more data than its header says"},
	"more data than it needs":    {spare(first().begin(ctlState).lit('x', 'y').end(0, 1)), "needs less data than its header says"},
	"end marker":                 {marked(0), "the range coder does not end at zero"},
	"end marker within":          {marked(2), "end marker within LZMA2 data"},
	"no data":                    {forged(ctlDict, 0, 0, 0, 0, 0x5d, 0), "needs more data"},
	"first byte not zero":        {forged(ctlDict, 0, 0, 0, 4, 0x5d, 1, 0, 0, 0, 0), "does not begin with a zero byte"},
	"out of range":               {forged(ctlDict, 0, 0, 0, 4, 0x5d, 0, 0xff, 0xff, 0xff, 0xff), "the range coder begins out of its range"},
	"lc+lp of 5":                 {new(forge).props(3, 2, 0).begin(ctlDict).lit('a').end(), "properties byte 15 is not allowed in LZMA2: lc=3, lp=2, pb=0"},
	"pb of 5":                    {new(forge).props(0, 0, 5).begin(ctlDict).lit('a').end(), "properties byte e1 is not allowed in LZMA2: lc=0, lp=0, pb=5"},
	"greatest properties byte":   {new(forge).props(0, 0, 0).begin(ctlDict).lit('a').end().set(5, 0xff), "properties byte ff is not allowed"},
	"undefined chunk":            {first().set(0, 3), "chunk control byte 03 is not defined"},
	"last undefined chunk":       {first().set(0, 0x7f), "chunk control byte 7f is not defined"},
}

// spare appends a byte to the last chunk.
func spare(f *forge) *forge {
	f.packed = append(f.packed, 0)
	return f
}

// marked is a chunk with an end marker, whose header claims more bytes of content than there are.
func marked(more int) *forge {
	f := new(forge).props(3, 0, 2).begin(ctlDict).lit('a', 'b')
	content := f.content
	f.match(1<<32-1, 2)
	f.content = content
	return f.end(more, 0)
}

func forged(p ...byte) *forge { return &forge{packed: p} }

func (f *forge) set(at int, b byte) *forge {
	f.packed[at] = b
	return f
}

func TestRules(t *testing.T) {
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			packed := rule.f.done()
			got, err := io.ReadAll(decode.NewStream(bytes.NewReader(packed), 4096))
			var d decode.Decoder
			block := make([]byte, contentSize(packed))
			blockErr := d.Block(bg, block, packed, 4096)
			if rule.err == "" {
				require.NoError(t, err)
				require.NoError(t, blockErr)
				require.Equal(t, string(rule.f.content), string(got))
				require.Equal(t, string(rule.f.content), string(block))
			} else {
				require.ErrorContains(t, err, rule.err)
				require.Equal(t, err, blockErr)
			}
			want, xzErr := xzDecode(realXZ(t), packed)
			require.Equal(t, rule.err == "", xzErr == nil, "xz says %v", xzErr)
			if xzErr == nil {
				require.Equal(t, string(want), string(got))
			}
		})
	}
}
