package kubevirtimg_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
)

func TestParseName(t *testing.T) {
	for _, s := range []string{
		"rhel8=rhel8.qcow2", "windows2016=win_16.img", "a b=c", "odd=dir=c.img", "Fedora®=f.img", "x=y.qcow2.xz",
	} {
		n, err := kubevirtimg.ParseName(s)
		require.NoError(t, err, s)
		require.Equal(t, s, n.String())
	}
	bad := map[string]string{
		"":                               "must be DIR=IMAGE, as in rhel8=rhel8.qcow2",
		"rhel8":                          "must be DIR=IMAGE",
		"=a.img":                         "the directory is missing",
		"a=":                             "must not be empty",
		"../a=b.img":                     "must be the name of one directory",
		"..=b.img":                       "must be the name of one directory",
		".=b.img":                        "must be the name of one directory",
		"a/b=c.img":                      "must be the name of one directory",
		"a\n=c.img":                      "unprintable",
		"\xff=c.img":                     "unprintable",
		"a=../b.img":                     "must begin with a letter or digit",
		"a=b/c.img":                      "must consist of",
		"a=b..c":                         `must not contain ".."`,
		"a=.hidden":                      "must begin with",
		"a=b.sha1":                       "must not end in .sha1",
		"a=b.provenance.json":            "must not end in .provenance.json",
		"a=b c":                          "must consist of",
		"a=" + strings.Repeat("b", 129):  "at most 128 bytes",
		strings.Repeat("a", 256) + "=b.": "no name has more than 255 bytes",
	}
	for s, want := range bad {
		_, err := kubevirtimg.ParseName(s)
		require.ErrorContains(t, err, want, s)
	}
}

func TestKnown(t *testing.T) {
	require.Equal(t, []string{
		"rhel", "rhel6", "rhel7", "rhel8", "windows10", "windows2012", "windows2012_syspreped", "windows2016", "windows2019",
	}, kubevirtimg.KnownDirs())
	for _, dir := range kubevirtimg.KnownDirs() {
		candidates := kubevirtimg.Known(dir)
		require.NotEmpty(t, candidates)
		for _, c := range candidates {
			require.NoError(t, kubevirtimg.Name{Dir: dir, Image: c.Image}.Check())
			require.NotEmpty(t, c.By)
		}
		candidates[0].Image = "changed"
		require.NotEqual(t, "changed", kubevirtimg.Known(dir)[0].Image, "what is returned is a copy")
	}
	require.Empty(t, kubevirtimg.Known("rhel9"))
}
