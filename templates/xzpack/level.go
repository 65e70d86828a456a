package xzpack

import (
	"fmt"
	"strings"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// Level says how much work packing puts into a small result. The zero value is [Best].
type Level int

// The levels. They find repetitions anywhere in a block, and differ in how long they look for the best of them. Sizes and
// times are those of xz -9 in blocks of 16 MiB times so much; docs/BENCHMARKS.md has the figures.
const (
	Best     Level = iota // up to 0.5 % smaller, in 0.6 to 0.72 of the CPU time
	Balanced              // 0.3 to 0.4 % larger, in 0.5 to 0.6 of the CPU time
	Fast                  // 1 to 2 % larger, in 0.4 to 0.48 of the CPU time, and two thirds of the memory
)

var levelNames = [...]string{Best: "best", Balanced: "balanced", Fast: "fast"}

// ParseLevel reads "best", "balanced" or "fast".
func ParseLevel(s string) (Level, error) {
	for l, name := range levelNames {
		if s == name {
			return Level(l), nil
		}
	}
	return 0, fmt.Errorf("level %.200q: expected one of %s", s, strings.Join(levelNames[:], ", "))
}

func (l Level) valid() bool { return l >= 0 && int(l) < len(levelNames) }

// String is the name that ParseLevel reads.
func (l Level) String() string {
	if !l.valid() {
		return fmt.Sprintf("level(%d)", int(l))
	}
	return levelNames[l]
}

// MarshalText gives the name, for flags and JSON.
func (l Level) MarshalText() ([]byte, error) {
	if !l.valid() {
		return nil, fmt.Errorf("level %d: expected one of %s", int(l), strings.Join(levelNames[:], ", "))
	}
	return []byte(levelNames[l]), nil
}

// UnmarshalText reads the name, for flags and JSON.
func (l *Level) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLevel(string(text))
	return err
}

func (l Level) effort() lzma2.Effort {
	switch l {
	case Balanced:
		return lzma2.Middle
	case Fast:
		return lzma2.Least
	}
	return lzma2.Most
}
