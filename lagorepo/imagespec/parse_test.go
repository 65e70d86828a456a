package imagespec_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

// whole is a spec that every format accepts, with what real ones have in them.
const whole = `#base=libguestfs:centos-7.5
#name=lago Größe® 7
#osinfo = centos7.5
#distro=el7
#version=v1
#arch=x86_64  
#expand=/dev/sda4
#root-partition=/dev/sda4
#owner =  infra = team
root-password password:secret

# fix for bz#1302678
#see the wiki
#
#=nothing
 #indented=1
edit /usr/lib/systemd/system/x.service:\
    $_ = "" if /StandardInput=tty/

write /etc/x.conf:\
#comment=in the file\
#key=value\

#notes=after the command
write /etc/motd:Grüße  
update`

func parse(t *testing.T, path, text string) *imagespec.Spec {
	t.Helper()
	s, err := imagespec.Parse(path, []byte(text))
	require.NoError(t, err)
	return s
}

func prop(key, value string, line int) imagespec.Property {
	return imagespec.Property{Key: key, Value: value, Line: line}
}

func TestParseWhole(t *testing.T) {
	text := []byte(whole)
	s, err := imagespec.Parse(filepath.Join("image-specs", "el7.5-base"), text)
	require.NoError(t, err)
	require.Equal(t, "el7.5-base", s.ID)
	require.Equal(t, filepath.Join("image-specs", "el7.5-base"), s.Path)
	require.Equal(t, whole, string(s.Text))
	require.Equal(t, []imagespec.Property{
		prop("base", "libguestfs:centos-7.5", 1),
		prop("name", "lago Größe® 7", 2),
		prop("osinfo", "centos7.5", 3),
		prop("distro", "el7", 4),
		prop("version", "v1", 5),
		prop("arch", "x86_64", 6),
		prop("expand", "/dev/sda4", 7),
		prop("root-partition", "/dev/sda4", 8),
		prop("owner", "infra = team", 9),
		prop("notes", "after the command", 24),
	}, s.Properties)
	p, ok := s.Get("owner")
	require.True(t, ok)
	require.Equal(t, 9, p.Line)
	_, ok = s.Get("comment")
	require.False(t, ok)

	text[0] = 'X'
	require.Equal(t, whole, string(s.Text), "the spec has its own copy")
}

func TestParseProperties(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []imagespec.Property
	}{
		{"nothing", "", nil},
		{"an empty line", "\n", nil},
		{"no newline at the end", "#a=b", []imagespec.Property{prop("a", "b", 1)}},
		{"no value", "#a=\n#b =  \n", []imagespec.Property{prop("a", "", 1), prop("b", "", 2)}},
		{"blanks", "#a \t = \t b c \t \n", []imagespec.Property{prop("a", "b c", 1)}},
		{"= and # in the value", "#a=b=c#d\n", []imagespec.Property{prop("a", "b=c#d", 1)}},
		{"two #", "##a=b\n", []imagespec.Property{prop("#a", "b", 1)}},
		{"every kind of character in a key", "#ä.b-c_D/1=x\n", []imagespec.Property{prop("ä.b-c_D/1", "x", 1)}},
		{"a key that only begins like a known one", "#Arches=x\n", []imagespec.Property{prop("Arches", "x", 1)}},
		{"a blank behind #", "# a=b\n", nil},
		{"a word before =", "#a b=c\n", nil},
		{"no key", "#=b\n# =b\n", nil},
		{"a blank before #", " #a=b\n\t#c=d\n", nil},
		{"inside a command", "write /x:\\\n#a=b\n#c=d\n", []imagespec.Property{prop("c", "d", 3)}},
		{"deep inside a command", "write /x:\\\n\\\n#a=b\\\n\\\n#c=d\n#e=f\n", []imagespec.Property{prop("e", "f", 6)}},
		{"inside a command that was commented out", "#write /x:\\\n#a=b\\\n#a=c\n#a=d\n", []imagespec.Property{prop("a", "d", 4)}},
		{"two backslashes continue as well", "write /x:a\\\\\n#a=b\n", nil},
		{"a backslash and a blank do not", "write /x:a\\ \n#a=b\\ \n", []imagespec.Property{prop("a", "b\\", 2)}},
		{"continued by the end", "#a=b\nwrite /x:a\\", []imagespec.Property{prop("a", "b", 1)}},
		{"an empty line ends a command", "write /x:a\\\n\n#a=b\n", []imagespec.Property{prop("a", "b", 3)}},
		{"Latin-1 in commands and comments", "# gr\xf6\xdfer\nwrite /x:gr\xf6\xdfer\n#a=b\n", []imagespec.Property{prop("a", "b", 3)}},
		{"CR inside a line", "write /x:a\rb\\\nc\r\\\n\n#a=b\n", []imagespec.Property{prop("a", "b", 4)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, "a", c.text)
			require.Equal(t, c.want, s.Properties)
			require.Equal(t, c.text, string(s.Text))
		})
	}
}

// badSpecs do not parse.
var badSpecs = []struct {
	name, path, text string
	line             int
	want             []string
}{
	{"BOM", "dir/a", "\ufeff#base=x\n", 1, []string{"byte order mark", "save the file as UTF-8 without it"}},
	{"UTF-16", "dir/a", "#\x00a\x00=\x00b\x00\n\x00", 1, []string{"NUL", "save the file as UTF-8"}},
	{"NUL in a command", "dir/a", "#a=b\nwrite /x:a\\\nb\x00c\n", 3, []string{"NUL"}},
	{"CRLF", "dir/a", "#a=b\r\n", 1, []string{"CR LF", "LF only"}},
	{"CRLF of an empty line", "dir/a", "#a=b\n\r\n", 2, []string{"CR LF"}},
	{"CR at the very end", "dir/a", "update\r", 1, []string{"CR LF"}},
	{"a key twice", "dir/a", "#a=b\n\n#c=d\n#a = b\n", 4, []string{`property "a"`, "line 1", "take one of them away"}},
	{"continued property", "dir/a", "#a=b\\\nupdate\n", 1, []string{`property "a"`, `must not end in \`}},
	{"continued property at the end", "dir/a", "#a=b\\", 1, []string{`must not end in \`}},
	{"Latin-1 in a value", "dir/a", "#name=gr\xf6\xdfer\n", 1, []string{`property "name"`, "must be UTF-8"}},
	{"Latin-1 in a key", "dir/a", "#gr\xf6=1\n", 1, []string{"must be UTF-8"}},
	{"tab in a value", "dir/a", "#a=b\tc\n", 1, []string{"control characters", "U+0009"}},
	{"CR in a value", "dir/a", "#a=b\r#c=d\n", 1, []string{"control characters", "U+000D"}},
	{"escape in a key", "dir/a", "#\x1b[31m=b\n", 1, []string{`"\x1b[31m"`, "U+001B"}},
	{"a known key in another case", "dir/a", "\n#Arch=x86_64\n", 2, []string{`property "Arch"`, `must be written "arch"`}},
	{"too large", "dir/a", strings.Repeat("#", imagespec.MaxSize+1), 0, []string{"1048576 bytes", "has 1048577"}},
	{"ID with a blank", "dir/a b", "", 0, []string{`"a b"`, "the file's name is the image's"}},
	{"ID of a sidecar", "dir/a.hash", "", 0, []string{".hash"}},
	{"ID of an index", "dir/repo", "", 0, []string{"reserved"}},
	{"no path", "", "", 0, []string{"the file's name is the image's"}},
}

func TestParseBad(t *testing.T) {
	for _, c := range badSpecs {
		t.Run(c.name, func(t *testing.T) {
			s, err := imagespec.Parse(filepath.FromSlash(c.path), []byte(c.text))
			require.Nil(t, s)
			var bad *imagespec.SpecError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, c.line, bad.Line)
			require.Equal(t, filepath.FromSlash(c.path), bad.Path)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "\x1b")
		})
	}
}

func TestSpecErrorIsFitForATerminal(t *testing.T) {
	require.EqualError(t, &imagespec.SpecError{Path: "image-specs/größe", Line: 3, Reason: "no"}, "image-specs/größe: line 3: no")
	require.EqualError(t, &imagespec.SpecError{Path: "a\x1b[31m\nb", Reason: "no"}, `"a\x1b[31m\nb": no`)
	require.EqualError(t, &imagespec.SpecError{Path: "a\xff", Reason: "no"}, `"a\xff": no`)
}

// What parses keeps its bytes; its properties are what stands in their lines, and
// a file of them alone gives them again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	for _, c := range badSpecs {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := imagespec.Parse("a", data)
		if err != nil {
			var bad *imagespec.SpecError
			require.ErrorAs(t, err, &bad)
			require.LessOrEqual(t, bad.Line, bytes.Count(data, []byte{'\n'})+1)
			return
		}
		require.True(t, bytes.Equal(data, s.Text))
		lines := bytes.Split(data, []byte{'\n'})
		var alone bytes.Buffer
		last := 0
		for _, p := range s.Properties {
			require.Greater(t, p.Line, last)
			last = p.Line
			line := string(lines[p.Line-1])
			require.True(t, strings.HasPrefix(line, "#"+p.Key))
			require.Contains(t, line[len("#"+p.Key):], p.Value)
			require.Equal(t, strings.Trim(p.Value, " "), p.Value)
			got, ok := s.Get(p.Key)
			require.True(t, ok && got == p, "one property a key")
			alone.WriteString("#" + p.Key + "=" + p.Value + " \n")
		}
		again, err := imagespec.Parse("a", alone.Bytes())
		require.NoError(t, err)
		require.Len(t, again.Properties, len(s.Properties))
		for i, p := range again.Properties {
			require.Equal(t, imagespec.Property{Key: s.Properties[i].Key, Value: s.Properties[i].Value, Line: i + 1}, p)
		}
		// Neither may panic, whatever the properties say.
		_ = s.Check("")
		if b, err := s.Base(nil); err == nil {
			require.NotEmpty(t, b.Ref)
		}
	})
}
