package templates_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

// goodHandles were all in use on real servers, or are at an edge of the rule.
var goodHandles = []string{
	"el8.2-base", "el7-base-4", "fedora23-base", "rhel7.6-host", "lago-Fedora-22",
	"win_19_2", "a", "0", "A+b", strings.Repeat("a", 128), "x.metadata2", "index2", "repos",
}

var badHandles = []string{
	"", ".", "..", ".hidden", "-x", "_x", "+x", "a/b", "a b", "a:b", "a\x00b", "a\nb", "é",
	"a..b", "../x", "x.hash", "x.metadata", "x.xz", "x.asc", "x.lock", "x.users", "x.tmp",
	"x.sha1", "x.md5", "repo", "index", "a$(b)", "a`b", strings.Repeat("a", 129), "a\xff",
}

func TestCheckHandle(t *testing.T) {
	for _, s := range goodHandles {
		require.NoError(t, templates.CheckHandle(s), s)
	}
	for _, s := range badHandles {
		err := templates.CheckHandle(s)
		require.Error(t, err, "%q", s)
		var ne *templates.NameError
		require.True(t, errors.As(err, &ne), "%q", s)
		require.Equal(t, s, ne.Name)
	}
}

func TestHandle(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"el8.2-base", "el8.2-base"},
		{"lago Fedora® 22", "lago-Fedora-22"},
		{"  x", ""},
		{"Ж", ""},
		{"Жx", "x"},
		{"xЖ", "x"},
		{"xЖЖy z", "x-y-z"},
		{"a:b", "a-b"},
		{"x-", "x-"},
		{"(x)", "x"},
		{"x - y", "x---y"},
		{"é.hash", ""},
		{"répo", "r-po"},
		{"repo", ""},
		{"repo®", ""},
		{"a..b", ""},
		{"a/b", ""},
		{"v$(reboot)", ""},
		{"a\"b", ""},
		{"a\\b", ""},
		{"a`b", ""},
		{"a\tb", ""},
		{"a\u202eb", ""},
		{"\xff", ""},
		{"-x", ""},
		{"..", ""},
		{"", ""},
		{strings.Repeat("a", 201), ""},
	} {
		got, err := templates.Handle(tt.name)
		if tt.want == "" {
			require.Error(t, err, "%q gave %q", tt.name, got)
			continue
		}
		require.NoError(t, err, "%q", tt.name)
		require.Equal(t, tt.want, got)
	}
}

func TestCheckFileName(t *testing.T) {
	for _, s := range []string{"rhel8.qcow2", "rhel7.img", "win_12.qcow2", "win01.img", "x.img.xz", "index"} {
		require.NoError(t, templates.CheckFileName(s), s)
	}
	for _, s := range []string{"", "../x", "a/b", ".x", "x.sha1", "x.img.sha256", "x.lock", "x y"} {
		require.Error(t, templates.CheckFileName(s), s)
	}
}

func TestCheckVersion(t *testing.T) {
	for _, s := range []string{"v1", "latest", "2016-05-12", "1.0+rc1"} {
		require.NoError(t, templates.CheckVersion(s), s)
	}
	for _, s := range []string{"", "v$(x)", "a:b", "v 1", "../v1", "-1"} {
		require.Error(t, templates.CheckVersion(s), s)
	}
}

func TestQuoteCutsAndEscapes(t *testing.T) {
	require.Equal(t, `"a\x1b[31mb"`, templates.Quote("a\x1b[31mb"))
	long := templates.Quote(strings.Repeat("a", 300))
	require.Equal(t, `"`+strings.Repeat("a", 200)+`"…`, long)
}

func FuzzHandle(f *testing.F) {
	for _, s := range append(goodHandles, badHandles...) {
		f.Add(s)
	}
	f.Add("lago Fedora® 22")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := templates.Handle(s)
		if err != nil {
			return
		}
		if err := templates.CheckHandle(h); err != nil {
			t.Fatalf("%q gave the bad handle %q: %v", s, h, err)
		}
		again, err := templates.Handle(h)
		if err != nil || again != h {
			t.Fatalf("%q gave %q, which gives %q, %v", s, h, again, err)
		}
	})
}

func ExampleHandle() {
	h, _ := templates.Handle("lago Fedora® 22")
	fmt.Println(h)
	_, err := templates.Handle("../../x")
	fmt.Println(err)
	// Output:
	// lago-Fedora-22
	// template name "../../x": must not contain a slash
}

func ExampleCheckHandle() {
	fmt.Println(templates.CheckHandle("el8.2-base"))
	fmt.Println(templates.CheckHandle("el8.2-base.hash"))
	// Output:
	// <nil>
	// handle "el8.2-base.hash": must not end in .hash, which names another kind of file
}
