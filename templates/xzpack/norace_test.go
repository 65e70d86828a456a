//go:build !race

package xzpack_test

const raced = false
