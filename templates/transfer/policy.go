package transfer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Policy says how often and for how long a transfer is tried. The zero value is good for most.
type Policy struct {
	Retries int           // further attempts when one fails in a way that may pass and does not get on; 0 = 4, negative = none
	MaxWait time.Duration // the longest that a server's Retry-After is heeded; a longer one is an error; 0 = one minute
	Stall   time.Duration // how long a server may send nothing before an attempt has failed; 0 = one minute

	// Pause is how long to wait before another attempt, of which the first has number 0; nil = half a second, doubled each
	// time up to 16, and up to half as much more, so that many clients do not come back all at once.
	Pause func(attempt int) time.Duration
}

const (
	defaultRetries = 4
	defaultMaxWait = time.Minute
	defaultStall   = time.Minute
)

func (p Policy) withDefaults() Policy {
	if p.Retries == 0 {
		p.Retries = defaultRetries
	}
	if p.MaxWait == 0 {
		p.MaxWait = defaultMaxWait
	}
	if p.Stall == 0 {
		p.Stall = defaultStall
	}
	if p.Pause == nil {
		p.Pause = pause
	}
	return p
}

func pause(attempt int) time.Duration {
	d := 500 * time.Millisecond << min(attempt, 5)
	return d + rand.N(d/2)
}

// ErrStalled is wrapped by the error about a server that sent nothing for as long as Policy.Stall.
var ErrStalled = errors.New("the server sends nothing")

// Attempt makes one request, or the one that goes on where the last attempt broke off. It calls alive whenever something
// comes from the server. gotOn says that it brought the transfer on: after it the attempts are counted anew.
type Attempt func(ctx context.Context, alive func()) (gotOn bool, err error)

// Do makes attempts until one succeeds. An error that is not [Transient] is returned at once, as is one that comes too often
// or with a Retry-After of more than MaxWait. When ctx is done, Do returns its cause.
func (p Policy) Do(ctx context.Context, try Attempt) error {
	p = p.withDefaults()
	for failed := 0; ; {
		gotOn, err := p.attempt(ctx, try)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var t *Transient
		if !errors.As(err, &t) {
			return err
		}
		if gotOn {
			failed = 0
		}
		if failed++; failed > p.Retries {
			return fmt.Errorf("%w (attempt %d, the last)", err, failed)
		}
		if t.Wait > p.MaxWait {
			return fmt.Errorf("%w: the server asks to wait for %v, %v is the longest allowed: try later", err, t.Wait, p.MaxWait)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(max(t.Wait, p.Pause(failed-1))):
		}
	}
}

// attempt ends an attempt whose server is silent for too long.
func (p Policy) attempt(ctx context.Context, try Attempt) (gotOn bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(p.Stall, func() { cancel(ErrStalled) })
	defer watch.Stop()
	return try(ctx, func() { watch.Reset(p.Stall) })
}
