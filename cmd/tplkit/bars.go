package main

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// barNameWidth bounds the name beside a bar, so that rate and time left still
// fit a terminal of 80 columns.
const barNameWidth = 24

// bars draws a bar for each image in work; that of a finished image goes, since
// the report lists it.
type bars struct {
	mu    sync.Mutex
	p     *mpb.Progress
	drawn map[string]*mpb.Bar
}

func newBars(w io.Writer) *bars {
	return &bars{
		p:     mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(200*time.Millisecond)),
		drawn: make(map[string]*mpb.Bar),
	}
}

func (b *bars) Update(item string, done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	finished := total > 0 && done >= total
	bar := b.drawn[item]
	if bar == nil {
		if finished {
			return
		}
		bar = b.draw(item, total)
		b.drawn[item] = bar
	}
	bar.SetCurrent(done)
	if finished {
		delete(b.drawn, item)
	}
}

func (b *bars) draw(item string, total int64) *mpb.Bar {
	return b.p.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(shorten(quote(item), barNameWidth), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(
			decor.Percentage(decor.WCSyncSpace),
			decor.AverageSpeed(decor.SizeB1024(0), "% .1f", decor.WCSyncSpace),
			decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace),
		),
	)
}

// Close takes the bars of unfinished images away and waits for the last
// drawing, so that the report starts on a line of its own.
func (b *bars) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bar := range b.drawn {
		bar.Abort(true)
	}
	b.p.Wait()
}
