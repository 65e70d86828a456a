package imagespec_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

func knows(ids ...string) func(string) bool {
	return func(id string) bool {
		for _, k := range ids {
			if id == k {
				return true
			}
		}
		return false
	}
}

func TestBase(t *testing.T) {
	sha256 := strings.Repeat("0a", 32)
	sum := func(alg hashutil.Algorithm, hex string) *imagespec.Sum {
		return &imagespec.Sum{Algorithm: alg, Hex: hex}
	}
	for _, c := range []struct {
		value  string
		want   imagespec.Base
		remote bool
		text   string // as String writes it, where that is not the value
	}{
		{value: "libguestfs:centos-7.5", want: imagespec.Base{Kind: imagespec.BaseLibguestfs, Ref: "centos-7.5"}},
		{value: "libguestfs:a:b", want: imagespec.Base{Kind: imagespec.BaseLibguestfs, Ref: "a:b"}},
		{value: "el7", want: imagespec.Base{Kind: imagespec.BaseSpec, Ref: "el7"}},
		{value: "unknown-yet", want: imagespec.Base{Kind: imagespec.BaseSpec, Ref: "unknown-yet"}},
		{value: "layer:el7", want: imagespec.Base{Kind: imagespec.BaseSpec, Ref: "el7"}, text: "el7"},
		{value: "layer:el8", want: imagespec.Base{Kind: imagespec.BaseLayer, Ref: "el8"}},
		{value: "simple:el7", want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "el7"}},
		{value: "layer:./el7", want: imagespec.Base{Kind: imagespec.BaseLayer, Ref: "./el7"}},
		{value: "simple:/images/my disk.qcow2", want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "/images/my disk.qcow2"}},
		{value: `simple:C:\images\a.img`, want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: `C:\images\a.img`}},
		{value: "simple:/images/disk#1.img", want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "/images/disk#1.img"}},
		{value: "simple:http://host/größe.xz?a=b", want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "http://host/größe.xz?a=b"}, remote: true},
		{value: "layer:HTTPS://host:8080/a.qcow2", want: imagespec.Base{Kind: imagespec.BaseLayer, Ref: "HTTPS://host:8080/a.qcow2"}, remote: true},
		{value: "simple:http://host/a.xz#sha256=" + sha256,
			want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "http://host/a.xz", Sum: sum(hashutil.SHA256, sha256)}, remote: true},
		{value: "layer:a#b.img#SHA-256=" + strings.ToUpper(sha256), text: "layer:a#b.img#sha256=" + sha256,
			want: imagespec.Base{Kind: imagespec.BaseLayer, Ref: "a#b.img", Sum: sum(hashutil.SHA256, sha256)}},
		{value: "simple:a.img#md5=" + sha256[:32], want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "a.img", Sum: sum(hashutil.MD5, sha256[:32])}},
		{value: "simple:a.img#sha1=" + sha256[:40], want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "a.img", Sum: sum(hashutil.SHA1, sha256[:40])}},
		{value: "simple:a.img#sha512=" + sha256 + sha256, want: imagespec.Base{Kind: imagespec.BaseSimple, Ref: "a.img", Sum: sum(hashutil.SHA512, sha256+sha256)}},
	} {
		t.Run(c.value, func(t *testing.T) {
			s := parse(t, "a", "\n#base="+c.value)
			b, err := s.Base(knows("el7"))
			require.NoError(t, err)
			c.want.Line = 2
			require.Equal(t, c.want, b)
			require.Equal(t, c.remote, b.Remote())
			if c.text == "" {
				c.text = c.value
			}
			require.Equal(t, c.text, b.String())
			again, err := parse(t, "a", "\n#base="+b.String()).Base(knows("el7"))
			require.NoError(t, err)
			require.Equal(t, b, again)
		})
	}
	b, err := parse(t, "a", "#base=layer:el7").Base(nil)
	require.NoError(t, err)
	require.Equal(t, imagespec.BaseLayer, b.Kind, "nobody knows of a spec el7")
}

func TestBaseBad(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"empty", "", "must say what the image is made from"},
		{"a bare path", "images/el7.qcow2", "expected libguestfs:TEMPLATE, simple:PATH-or-URL"},
		{"a bare word with a blank", "el 7", "it is no ID"},
		{"a bare URL", "http://host/a.xz", "write simple: or layer: in front"},
		{"unknown kind", "docker:fedora", "expected libguestfs:TEMPLATE"},
		{"a kind in another case", "Layer:el7", "expected libguestfs:TEMPLATE"},
		{"no kind", ":el7", "expected libguestfs:TEMPLATE"},
		{"no template", "libguestfs:", "must name a template"},
		{"a template like an option", "libguestfs:--list", "must not begin with a dash"},
		{"two templates", "libguestfs:a b", "one word"},
		{"no path", "simple:", "must name a file or URL"},
		{"no path but a checksum", "layer:#sha256=" + strings.Repeat("0", 64), "must name a file or URL"},
		{"a blank behind the colon", "simple: a.img", "no blank"},
		{"a blank before the checksum", "simple:a.img #sha256=" + strings.Repeat("0", 64), "no blank"},
		{"quotes", `simple:"http://host/a"`, "without quotes"},
		{"single quotes", `layer:'a b'`, "without quotes"},
		{"another protocol", "simple:ftp://host/a", "only http and https"},
		{"a file URL", "simple:file:///a", "path of a local file"},
		{"no URL", "simple:http://[::1/a", "must be a URL"},
		{"no host", "simple:http:///a", "must name a host"},
		{"a password", "simple:https://me:secret@host/a", "must hold no user or password"},
		{"a fragment", "simple:http://host/a#top", "must be a checksum"},
		{"an empty fragment", "simple:http://host/a#", "must be a checksum"},
		{"an unknown algorithm", "simple:http://host/a#crc32=00000000", "expected md5, sha1, sha256 or sha512"},
		{"an unknown algorithm of a path", "simple:a.img#x=1", "expected md5, sha1, sha256 or sha512"},
		{"a short checksum", "simple:a.img#sha256=00", "must be 64 hex digits"},
		{"no checksum", "simple:a.img#sha256=", "must be 64 hex digits"},
		{"no hex", "simple:a.img#md5=" + strings.Repeat("g", 32), "must be 32 hex digits"},
		{"a checksum of a spec", "layer:el7#sha256=" + strings.Repeat("0", 64), `"el7" is the ID of a spec`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, "dir/a", "\n#base="+c.value+"\n").Base(knows("el7"))
			var bad *imagespec.SpecError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, 2, bad.Line)
			require.ErrorContains(t, err, "dir/a: line 2: ")
			require.ErrorContains(t, err, c.want)
		})
	}
	for _, base := range []string{"simple:https://me:secret@host/a", "simple:ftp://me:secret@host/a@b", "simple:http://me:secret@host:x/", "https://me:se@cret@host"} {
		_, err := parse(t, "dir/a", "#base="+base).Base(nil)
		require.ErrorContains(t, err, "@host")
		require.NotContains(t, err.Error(), "cret", "passwords are not for logs")
	}
	_, err := parse(t, "dir/a", "update\n").Base(nil)
	require.ErrorContains(t, err, "dir/a: must say what the image is made from")
}
