package daemon

import (
	"sync/atomic"
	"time"
)

// lastAnswer is the time that an answer has to be handed over when its connection is to be closed: the kernel takes as
// little as that at once, as a rule.
const lastAnswer = time.Second

// ending lets an answer that net/http knows nothing of go out before the connection is closed.
type ending struct{ state atomic.Int32 }

const (
	endingNot  int32 = iota
	answering        // an answer is being written
	closeAfter       // and the connection is to be closed behind it
)

// begin is called before an answer. False: there is none to be given any more.
func (e *ending) begin() bool { return e.state.CompareAndSwap(endingNot, answering) }

// end is called behind it. True: the connection is to be closed.
func (e *ending) end() bool { return !e.state.CompareAndSwap(answering, endingNot) }

// defers says whether closing is put off. It is once.
func (e *ending) defers() bool { return e.state.CompareAndSwap(answering, closeAfter) }
