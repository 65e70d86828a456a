//go:build race

package browse_test

// raced tells that the race detector is in the program, which makes ours ten times slower.
const raced = true
