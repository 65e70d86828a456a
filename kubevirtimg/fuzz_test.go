package kubevirtimg_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
)

// plainest writes names as the plainest script that says the same: a download each, under the targets that it is for.
func plainest(names []kubevirtimg.ScriptName) []byte {
	var b bytes.Buffer
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	for _, n := range names {
		fetch := fmt.Sprintf("safe_download lock https://x/kubevirt/%s /c/%s/disk.img", n.Image, quote(n.Dir))
		if n.Targets == nil {
			fmt.Fprintln(&b, fetch)
			continue
		}
		for _, t := range n.Targets {
			fmt.Fprintf(&b, "[[ $TARGET == %s ]] && %s\n", quote(t), fetch)
		}
	}
	return b.Bytes()
}

// said is what a script says about directories, without where and for which target.
func said(names []kubevirtimg.ScriptName) map[kubevirtimg.Name]bool {
	m := make(map[kubevirtimg.Name]bool)
	for _, n := range names {
		m[n.Name()] = true
	}
	return m
}

func FuzzNamesFromScript(f *testing.F) {
	files, err := filepath.Glob("testdata/scripts/*.sh")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, s := range []string{
		"f() ( local a=$1; curl $a > \"${b:-/c/d}/disk.img\" )\nf http://x/kubevirt/a.img || exit 1",
		"for x in a b; do case $x in (a|b*) u=${u%/}/$x;; esac; done; [[ ! ( -n $u && $TARGET =~ ^r(h|H)el[78].*$ ) ]] || x_image_url=y/$u",
		"cat <<-A <<'B'\n\tA\nB\na=`b \\` c`$((1+(2)))${#a}${a[1]}$'x\\n'$\"y\" <(d) 2>&1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := kubevirtimg.NamesFromScript(data)
		if err != nil {
			require.Nil(t, got)
			return
		}
		lines := bytes.Count(data, []byte{'\n'}) + 1
		for i, n := range got.Names {
			require.NoError(t, n.Name().Check())
			require.True(t, 1 <= n.Line && n.Line <= lines, "line %d of %d", n.Line, lines)
			if i > 0 {
				require.LessOrEqual(t, got.Names[i-1].Line, n.Line)
			}
		}
		for _, u := range got.Unread {
			require.True(t, 1 <= u.Line && u.Line <= lines, "line %d of %d", u.Line, lines)
			require.NotEmpty(t, u.Reason)
		}
		again, err := kubevirtimg.NamesFromScript(data)
		require.NoError(t, err)
		require.Equal(t, got, again, "the same script says the same")

		printed, err := kubevirtimg.NamesFromScript(plainest(got.Names))
		require.NoError(t, err)
		require.Empty(t, printed.Unread)
		require.Equal(t, said(got.Names), said(printed.Names))
	})
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"rhel8=rhel8.qcow2", "a=b=c", "=x", "x=", "../x=y", "x=../y", "x=y.sha1", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := kubevirtimg.ParseName(s)
		if err != nil {
			return
		}
		require.Equal(t, s, n.String())
		again, err := kubevirtimg.ParseName(n.String())
		require.NoError(t, err)
		require.Equal(t, n, again)
	})
}
