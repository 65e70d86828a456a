package xzpack

import (
	"context"
	"fmt"
)

// prover decodes what has been packed, with the other codec, and compares. That takes a tenth of the time of packing and
// as much memory as the dictionary, so a quarter of the workers can do it at once.
type prover struct {
	prove func(ctx context.Context, block, packed []byte, dict int64) error
	turns chan struct{}
}

func (p *prover) check(ctx context.Context, block, packed []byte, dict int64) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case p.turns <- struct{}{}:
	}
	defer func() { <-p.turns }()
	err := p.prove(ctx, block, packed, dict)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("a block of %d bytes: %w: this is an error of the encoder, please report it; nothing of the block was written", len(block), err)
	}
	return err
}
