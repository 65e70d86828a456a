package main

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// quote makes a name that comes from a file safe to print: control characters
// cannot reach the terminal, and a name of any length stays one line.
func quote(name string) string {
	const most = 200
	if len(name) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut] + "…"
	}
	return strconv.Quote(name)
}

// shorten keeps the end of s, where names differ.
func shorten(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return "…" + string(r[len(r)-width+1:])
}

// bytesText is a size for people: "310.2 MiB".
func bytesText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	unit := ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		f /= 1024
		if f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

func percent(done, total int64) string {
	return fmt.Sprintf("%d%%", int64(float64(done)/float64(total)*100))
}
