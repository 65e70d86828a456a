package xzpack

// Progress tells how far a call has got. It is reported after each block, in order and from one goroutine at a time;
// the call waits for the callback.
type Progress struct {
	Done  int64 // bytes of content that are finished
	Total int64 // bytes of content in all; -1 where nobody knows
}

// meter reports progress to a callback, which may be nil.
type meter struct {
	Progress
	report func(Progress)
}

func (m *meter) add(n int64) {
	m.Done += n
	if m.report != nil {
		m.report(m.Progress)
	}
}
