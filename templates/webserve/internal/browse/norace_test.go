//go:build !race

package browse_test

const raced = false
