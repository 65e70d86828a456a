//go:build !race

package encode_test

const raced = false
