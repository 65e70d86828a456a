package encode

import "sync"

// beside calls f with the numbers up to n, each in a goroutine of its own, and returns the first of their errors. A panic
// in one of them becomes the caller's, who can recover from it.
func beside(n int, f func(i int) error) error {
	if n == 1 {
		return f(0)
	}
	var wg sync.WaitGroup
	errs, panics := make([]error, n), make([]any, n)
	for i := range n {
		wg.Go(func() {
			defer func() { panics[i] = recover() }()
			errs[i] = f(i)
		})
	}
	wg.Wait()
	for i := range n {
		if panics[i] != nil {
			panic(panics[i])
		}
		if errs[i] != nil {
			return errs[i]
		}
	}
	return nil
}
