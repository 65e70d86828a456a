package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupted is the cause of a context that a signal has cancelled.
type interrupted struct{ sig os.Signal }

func (i *interrupted) Error() string { return "interrupted (" + i.sig.String() + ")" }

// withSignals gives a context that SIGINT and SIGTERM cancel. The first signal
// lets the command clean up after itself; the default action is back for the
// second, which therefore ends the process at once.
func withSignals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case sig := <-ch:
			signal.Stop(ch)
			cancel(&interrupted{sig})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		cancel(nil)
	}
}
