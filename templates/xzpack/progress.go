package xzpack

// Progress tells how far a call has got. It is reported after each block, in order and from one goroutine at a time;
// the call waits for the callback. Where a block has to be decoded as it comes, each MiB of it is reported.
type Progress struct {
	Done  int64 // bytes of content that are finished
	Total int64 // bytes of content in all; -1 where nobody knows
}

// meter reports progress to a callback, which may be nil.
type meter struct {
	Progress
	report func(Progress)
	unsaid int64 // bytes done that wait to be reported with others
}

func (m *meter) add(n int64) {
	m.Done += m.unsaid + n
	m.unsaid = 0
	if m.report != nil {
		m.report(m.Progress)
	}
}

// later is add for pieces that may be too small to be reported each.
func (m *meter) later(n int64) {
	if m.unsaid += n; m.unsaid >= readStep {
		m.add(0)
	}
}
