package browse

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShortSizeIsThatOfAutoindex(t *testing.T) {
	for n, want := range map[int64]string{
		-1: "0", 0: "0", 1: "1", 999: "999", 1000: "1.0K", 1024: "1.0K", 1229: "1.2K", 10189: "10K", 972 << 10: "972K", 973 << 10: "1.0M", 1023 << 10: "1.0M", 1 << 20: "1.0M",
		1288490189: "1.2G", 15 << 20: "15M", 1 << 40: "1.0T", 1 << 50: "1.0P", math.MaxInt64: "8.0E",
	} {
		d := new(document)
		d.shortSize(n)
		require.Equal(t, want, string(d.b), n)
		require.LessOrEqual(t, len(d.b), 4)
	}
}

func TestSizeIsForPeople(t *testing.T) {
	for n, want := range map[int64]string{
		-1: "", 0: "", 1: "1 B", 1023: "1023 B", 1024: "1.0 KiB", 1288490189: "1.2 GiB", 6 << 30: "6.0 GiB", 10 << 30: "10 GiB", 1023 << 20: "1.0 GiB", math.MaxInt64: "8.0 EiB",
	} {
		d := new(document)
		d.size(n)
		require.Equal(t, want, string(d.b), n)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		d := new(document)
		d.number(n)
		require.Equal(t, want, string(d.b))
	}
}

func TestQuantityIsEnough(t *testing.T) {
	for n, want := range map[int64]string{1: "1Mi", 1 << 20: "1Mi", 1<<20 + 1: "2Mi", 6 << 30: "6Gi", 6<<30 + 512: "6145Mi", math.MaxInt64: "8796093022208Mi"} {
		require.Equal(t, want, quantity(n))
	}
}

func TestDNSLabel(t *testing.T) {
	for in, want := range map[string]string{
		"el8.2-base": "el8-2-base", "EL8": "el8", "--x--": "x", "": "template", "®": "template",
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg.hh": "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg",
	} {
		require.Equal(t, want, dnsLabel(in))
	}
}

func TestOneLine(t *testing.T) {
	require.Equal(t, "a b", oneLine(" a\n\tb "))
	long := oneLine("a" + strings.Repeat("ä", 100))
	require.Equal(t, "a"+strings.Repeat("ä", 79)+"…", long)
}
