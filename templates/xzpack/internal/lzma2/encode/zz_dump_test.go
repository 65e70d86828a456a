package encode_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/encode"
)

func TestDump(t *testing.T) {
	text, _ := os.ReadFile("/tmp/enctest/prose")
	text = text[:8<<20]
	b := encode.Best
	b.Nice, b.Depth = 64, 40
	for _, f := range []func(p *encode.Params){
		func(p *encode.Params) {},
		func(p *encode.Params) { p.Keep = 8 },
		func(p *encode.Params) { p.Depth = 200 },
		func(p *encode.Params) { p.TreeMax = 1 << 23; p.StorePages = 100 << 10 },
		func(p *encode.Params) { p.StorePages = 100 << 10 },
		func(p *encode.Params) { p.Composites = 8 },
		func(p *encode.Params) { p.Composites = 8; p.Keep = 8; p.Depth = 200; p.StorePages = 100 << 10 },
		func(p *encode.Params) { p.Nice = 127 },
	} {
		p := b
		f(&p)
		s := cpu()
		out, _ := encode.New(p).Encode(bg, nil, text, false)
		fmt.Println(p, len(out), cpu()-s)
	}
}
