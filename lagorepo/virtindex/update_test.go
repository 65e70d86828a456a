package virtindex_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

// The SHA-512 of three packed images.
var (
	sum1 = strings.Repeat("1", 128)
	sum2 = strings.Repeat("2", 128)
	sum3 = strings.Repeat("3", 128)
)

func template(handle, arch, sum string) virtindex.Template {
	return virtindex.Template{Handle: handle, Arch: arch, Size: 4096, PackedSize: 64, Format: "raw", SHA512: sum}
}

// present makes a directory that has these files.
func present(files ...string) func(string) bool {
	return func(file string) bool {
		for _, f := range files {
			if f == file {
				return true
			}
		}
		return false
	}
}

func parse(t *testing.T, text string) *virtindex.Index {
	t.Helper()
	x, err := virtindex.Parse([]byte(text))
	require.NoError(t, err)
	return x
}

func format(t *testing.T, x *virtindex.Index) string {
	t.Helper()
	text, err := x.Format()
	require.NoError(t, err)
	return string(text)
}

// section returns an entry as Update writes it.
func section(id, arch, file, sum, revision string, more ...string) string {
	return fmt.Sprintf("[%s]\narch=%s\nfile=%s\nrevision=%s\nchecksum[sha512]=%s\nformat=raw\nsize=4096\ncompressed_size=64\n%s",
		id, arch, file, revision, sum, strings.Join(more, ""))
}

func TestUpdateGolden(t *testing.T) {
	before := parse(t, string(readTestdata(t, "before.index")))
	el7 := template("el7-base", "x86_64", "")
	el7.SHA512, _ = before.Entries[2].Get("checksum", "")
	el7.Name, el7.Format, el7.Size, el7.PackedSize = "EL 7 base, again", "qcow2", 6442450944, 101
	el8 := template("el8", "x86_64", el7.SHA512)
	el8.Size, el8.PackedSize = 2048, 200
	fedora := template("Fedora+22", "x86_64", "")
	fedora.SHA512, _ = before.Entries[0].Get("checksum", "sha512")
	fedora.Name, fedora.OSInfo, fedora.Expand = "lago Fedora® 22", "fedora22", "/dev/sda1"

	want := readTestdata(t, "after.index")
	x, changes, err := virtindex.Update(before, []virtindex.Template{fedora, el8, el7}, virtindex.UpdateOptions{
		Present: present("el7-base.xz", "el8.xz", "Fedora+22.xz", "aarch64/el8.xz")})
	require.NoError(t, err)
	require.Equal(t, string(want), format(t, x))
	require.Equal(t, []virtindex.Change{
		{Action: virtindex.Updated, ID: "lago-el7-base", Arch: "x86_64", File: "el7-base.xz", Handle: "el7-base", Revision: "4"},
		{Action: virtindex.Dropped, ID: "fc20", Arch: "x86_64", File: "fc20.xz", Revision: "4", Reason: `file "fc20.xz" is not there`},
		{Action: virtindex.Updated, ID: "el8", Arch: "x86_64", File: "el8.xz", Handle: "el8", Revision: "1"},
		{Action: virtindex.Kept, ID: "el8", Arch: "aarch64", File: "aarch64/el8.xz"},
		{Action: virtindex.Added, ID: "Fedora-22", Arch: "x86_64", File: "Fedora+22.xz", Handle: "Fedora+22", Revision: "1"},
	}, changes)

	// The same once more changes nothing, and the old index is as it was.
	again, changes, err := virtindex.Update(parse(t, string(want)), []virtindex.Template{el7, fedora, el8}, virtindex.UpdateOptions{})
	require.NoError(t, err)
	require.Equal(t, string(want), format(t, again))
	for _, c := range changes {
		require.Contains(t, []virtindex.Action{virtindex.Unchanged, virtindex.Kept}, c.Action)
	}
	require.Equal(t, parse(t, string(readTestdata(t, "before.index"))), before)
}

func TestUpdate(t *testing.T) {
	for _, c := range []struct {
		name      string
		old       string
		templates []virtindex.Template
		present   func(string) bool
		want      string
		actions   []virtindex.Action
	}{
		{name: "nothing of nothing"},
		{name: "new entries are sorted by ID and architecture",
			templates: []virtindex.Template{
				template("b", "x86_64", sum1),
				{Handle: "a2", File: "x/a.xz", Arch: "x86_64", Size: 4096, PackedSize: 64, Format: "raw", SHA512: sum2},
				{Handle: "b", File: "arm/b.xz", Arch: "aarch64", Size: 4096, PackedSize: 64, Format: "raw", SHA512: sum3},
			},
			want: section("a2", "x86_64", "x/a.xz", sum2, "1") + "\n" + section("b", "aarch64", "arm/b.xz", sum3, "1") + "\n" +
				section("b", "x86_64", "b.xz", sum1, "1"),
			actions: []virtindex.Action{virtindex.Added, virtindex.Added, virtindex.Added}},
		{name: "the same bytes keep the revision",
			old:       section("a", "x86_64", "a.xz", sum1, "5"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("a", "x86_64", "a.xz", sum1, "5"),
			actions:   []virtindex.Action{virtindex.Unchanged}},
		{name: "other bytes raise the revision",
			old:       section("a", "x86_64", "a.xz", sum1, "5"),
			templates: []virtindex.Template{template("a", "x86_64", sum2)},
			want:      section("a", "x86_64", "a.xz", sum2, "6"),
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "no revision is revision 1",
			old:       "[a]\narch=x86_64\nfile=a.xz\nchecksum=" + sum1 + "\nsize=1\n",
			templates: []virtindex.Template{template("a", "x86_64", sum2)},
			want:      "[a]\narch=x86_64\nfile=a.xz\nrevision=2\nchecksum[sha512]=" + sum2 + "\nformat=raw\nsize=4096\ncompressed_size=64\n",
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "no checksum: nobody knows, so the revision rises",
			old:       "[a]\narch=x86_64\nfile=a.xz\nrevision=2\nsize=1\n",
			templates: []virtindex.Template{template("a", "x86_64", sum2)},
			want:      "[a]\narch=x86_64\nfile=a.xz\nrevision=3\nchecksum[sha512]=" + sum2 + "\nformat=raw\nsize=4096\ncompressed_size=64\n",
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "a checksum without brackets is the same bytes",
			old:       "[a]\nchecksum=" + strings.ToUpper(sum1[:64]) + sum1[64:] + "\narch=x86_64\nfile=a.xz\nrevision=2\nformat=raw\nsize=4096\ncompressed_size=64\n",
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      "[a]\nchecksum[sha512]=" + sum1 + "\narch=x86_64\nfile=a.xz\nrevision=2\nformat=raw\nsize=4096\ncompressed_size=64\n",
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "other checksums live as long as the bytes",
			old:       section("a", "x86_64", "a.xz", sum1, "2", "checksum=", sum1, "\nchecksum[md5]=x\n"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("a", "x86_64", "a.xz", sum1, "2", "checksum[md5]=x\n"),
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "other checksums go with the bytes",
			old:       section("a", "x86_64", "a.xz", sum1, "2", "checksum[md5]=x\n"),
			templates: []virtindex.Template{template("a", "x86_64", sum2)},
			want:      section("a", "x86_64", "a.xz", sum2, "3"),
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "revision 0 is brought to 1",
			old:       section("a", "x86_64", "a.xz", sum1, "0"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("a", "x86_64", "a.xz", sum1, "1"),
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "what the metadata does not say stays",
			old:       section("a", "x86_64", "a.xz", sum1, "2", "expand=/dev/sda2\nnotes=n\n m\naliases=b\nhidden=true\nx_y=z\n"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("a", "x86_64", "a.xz", sum1, "2", "expand=/dev/sda2\nnotes=n\n m\naliases=b\nhidden=true\nx_y=z\n"),
			actions:   []virtindex.Action{virtindex.Unchanged}},
		{name: "what the metadata says is written",
			old: section("a", "i686", "a.xz", sum1, "2", "expand=/dev/sda2\n"),
			templates: []virtindex.Template{{Handle: "a", Arch: "x86_64", Size: 4096, PackedSize: 64, Format: "raw", SHA512: sum1,
				Name: "A", OSInfo: "o", Expand: "/dev/sda3", LVExpand: "/dev/v/l"}},
			want: "[a]\nname=A\nosinfo=o\n" + strings.TrimPrefix(section("a", "x86_64", "a.xz", sum1, "2", "expand=/dev/sda3\nlvexpand=/dev/v/l\n"),
				"[a]\n"),
			actions: []virtindex.Action{virtindex.Updated}},
		{name: "no architecture, and nobody gave one",
			templates: []virtindex.Template{template("a", "", sum1)},
			actions:   []virtindex.Action{virtindex.Skipped}},
		{name: "no architecture, but the index has one",
			old:       section("mine", "x86_64", "a.xz", sum1, "2"),
			templates: []virtindex.Template{template("a", "", sum2)},
			want:      section("mine", "x86_64", "a.xz", sum2, "3"),
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "all entries of a file get its bytes, its own one gets the rest",
			old: section("shown", "x86_64", "a.xz", sum1, "4") + "\n" + section("lago-a", "x86_64", "a.xz", sum1, "2") + "\n" +
				section("a", "i686", "a.xz", sum1, "8"),
			templates: []virtindex.Template{{Handle: "a", Arch: "x86_64", Size: 4096, PackedSize: 64, Format: "raw", SHA512: sum2, Expand: "/dev/sda1"}},
			want: section("shown", "x86_64", "a.xz", sum2, "5") + "\n" + section("lago-a", "x86_64", "a.xz", sum2, "3", "expand=/dev/sda1\n") + "\n" +
				section("a", "i686", "a.xz", sum2, "9"),
			actions: []virtindex.Action{virtindex.Updated, virtindex.Updated, virtindex.Updated}},
		{name: "another spelling of the file name is the same file",
			old:       section("a", "x86_64", "d/a.xz", sum1, "2"),
			templates: []virtindex.Template{{Handle: "a", File: "d//./a.xz", Arch: "x86_64", Size: 4096, PackedSize: 64, Format: "raw", SHA512: sum1}},
			want:      section("a", "x86_64", "d/a.xz", sum1, "2"),
			actions:   []virtindex.Action{virtindex.Unchanged}},
		{name: "a file that got another name",
			old:       section("a", "x86_64", "a.qcow2.xz", sum1, "2", "notes=mine\n"),
			templates: []virtindex.Template{template("a", "x86_64", sum2)},
			present:   present("a.xz"),
			want:      section("a", "x86_64", "a.xz", sum2, "3", "notes=mine\n"),
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "a file that got another name, under the historical ID",
			old:       section("lago-a", "x86_64", "a.img.xz", sum1, "2"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			present:   present("a.xz"),
			want:      section("lago-a", "x86_64", "a.xz", sum1, "2"),
			actions:   []virtindex.Action{virtindex.Updated}},
		{name: "a template that is really called lago-… does not take another's entry",
			old:       section("a", "x86_64", "gone.xz", sum1, "2"),
			templates: []virtindex.Template{template("lago-a", "x86_64", sum1)},
			present:   present("lago-a.xz"),
			want: section("lago-a", "x86_64", "lago-a.xz", sum1, "1") +
				"\n# gone: [a] arch=x86_64 revision=2 checksum[sha512]=" + sum1 + "\n",
			actions: []virtindex.Action{virtindex.Dropped, virtindex.Added}},
		{name: "an entry whose file is gone leaves its revision",
			old: section("b", "x86_64", "b.xz", sum1, "9") + "\n" + section("a", "x86_64", "a.xz", sum1, "7") + "\n" +
				section("c", "x86_64", "c.xz", sum1, "1"),
			present: present("c.xz"),
			want: section("c", "x86_64", "c.xz", sum1, "1") + "\n# gone: [a] arch=x86_64 revision=7 checksum[sha512]=" + sum1 +
				"\n# gone: [b] arch=x86_64 revision=9 checksum[sha512]=" + sum1 + "\n",
			actions: []virtindex.Action{virtindex.Dropped, virtindex.Dropped, virtindex.Kept}},
		{name: "the only entry is gone",
			old:     "# mine\n\n" + section("a", "x86_64", "a.xz", sum1, "7") + "\n# end\n",
			present: present(),
			want:    "# mine\n\n# end\n\n# gone: [a] arch=x86_64 revision=7 checksum[sha512]=" + sum1 + "\n",
			actions: []virtindex.Action{virtindex.Dropped}},
		{name: "it comes back with other bytes",
			old:       "# mine\n\n# end\n\n# gone: [a] arch=x86_64 revision=7 checksum[sha512]=" + sum1 + "\n",
			templates: []virtindex.Template{template("a", "x86_64", sum2)},
			want:      "# mine\n\n# end\n\n" + section("a", "x86_64", "a.xz", sum2, "8"),
			actions:   []virtindex.Action{virtindex.Added}},
		{name: "it comes back with the same bytes",
			old:       "# gone: [a] arch=x86_64 revision=7 checksum[sha512]=" + sum1 + "\n",
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("a", "x86_64", "a.xz", sum1, "7"),
			actions:   []virtindex.Action{virtindex.Added}},
		{name: "it comes back, and nobody knew its bytes",
			old:       section("c", "x86_64", "c.xz", sum1, "1") + "\n# gone: [a] arch=x86_64 revision=7\n",
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("c", "x86_64", "c.xz", sum1, "1") + "\n" + section("a", "x86_64", "a.xz", sum1, "8"),
			actions:   []virtindex.Action{virtindex.Kept, virtindex.Added}},
		{name: "another architecture does not come back",
			old:       "# gone: [a] arch=i686 revision=7\n",
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("a", "x86_64", "a.xz", sum1, "1") + "\n# gone: [a] arch=i686 revision=7\n",
			actions:   []virtindex.Action{virtindex.Added}},
		{name: "a hand wrote the entry again",
			old:     section("a", "x86_64", "a.xz", sum1, "9") + "\n# gone: [a] arch=x86_64 revision=7\n",
			present: present("a.xz"),
			want:    section("a", "x86_64", "a.xz", sum1, "9"),
			actions: []virtindex.Action{virtindex.Kept}},
		{name: "comments on a dropped entry go, those apart stay where they were",
			old: "# h\n\n# on a\n" + section("a", "x86_64", "a.xz", sum1, "x") + "# below a\n\n# apart from b\n\n# on b\n" +
				section("b", "x86_64", "b.xz", sum1, "x") + "\n# on c\n" + section("c", "x86_64", "c.xz", sum1, "1"),
			present: present("c.xz"),
			want:    "# h\n\n# apart from b\n\n# on c\n" + section("c", "x86_64", "c.xz", sum1, "1"),
			actions: []virtindex.Action{virtindex.Dropped, virtindex.Dropped, virtindex.Kept}},
		{name: "a comment apart from the last entry goes to the end",
			old: section("a", "x86_64", "a.xz", sum1, "1") + "\n# apart\n\n" + section("b", "x86_64", "b.xz", sum1, "x") + "\n# end\n",
			templates: []virtindex.Template{
				template("d", "x86_64", sum3)},
			present: present("a.xz", "d.xz"),
			want:    section("a", "x86_64", "a.xz", sum1, "1") + "\n" + section("d", "x86_64", "d.xz", sum3, "1") + "\n# apart\n\n# end\n",
			actions: []virtindex.Action{virtindex.Kept, virtindex.Dropped, virtindex.Added}},
		{name: "repeated fields of ours are mended",
			old:       section("a", "x86_64", "a.xz", sum1, "2", "size=9\nchecksum[sha512]=", sum2, "\n"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want:      section("a", "x86_64", "a.xz", sum1, "2"),
			actions:   []virtindex.Action{virtindex.Updated}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, changes, err := virtindex.Update(parse(t, c.old), c.templates, virtindex.UpdateOptions{Present: c.present})
			require.NoError(t, err)
			require.Equal(t, c.want, format(t, x))
			var actions []virtindex.Action
			for _, ch := range changes {
				actions = append(actions, ch.Action)
				if ch.Action == virtindex.Dropped || ch.Action == virtindex.Skipped {
					require.NotEmpty(t, ch.Reason)
				}
			}
			require.Equal(t, c.actions, actions)

			// What Update made is what Parse reads, and is stable.
			require.Equal(t, c.want, format(t, parse(t, c.want)))
			again, _, err := virtindex.Update(parse(t, c.want), c.templates, virtindex.UpdateOptions{Present: c.present})
			require.NoError(t, err)
			require.Equal(t, c.want, format(t, again))
		})
	}
}

func TestUpdateWithoutOld(t *testing.T) {
	x, _, err := virtindex.Update(nil, []virtindex.Template{template("a", "x86_64", sum1)}, virtindex.UpdateOptions{})
	require.NoError(t, err)
	require.Equal(t, section("a", "x86_64", "a.xz", sum1, "1"), format(t, x))
}

func TestUpdateConflicts(t *testing.T) {
	for _, c := range []struct {
		name      string
		old       string
		templates []virtindex.Template
		present   func(string) bool
		want      []virtindex.Conflict
	}{
		{name: "two handles, one ID",
			templates: []virtindex.Template{template("a+b", "x86_64", sum1), template("a-b", "x86_64", sum2)},
			want: []virtindex.Conflict{{ID: "a-b", Arch: "x86_64", Claims: []virtindex.Claim{
				{Handle: "a+b", File: "a+b.xz"}, {Handle: "a-b", File: "a-b.xz"}}}}},
		{name: "an entry written by hand has the ID",
			old:       section("a", "x86_64", "hand.xz", sum1, "1"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			present:   present("hand.xz", "a.xz"),
			want: []virtindex.Conflict{{ID: "a", Arch: "x86_64", Claims: []virtindex.Claim{
				{File: "hand.xz", Line: 1}, {Handle: "a", File: "a.xz"}}}}},
		{name: "the metadata's new architecture is taken",
			old:       section("a", "i686", "a.xz", sum1, "1") + "\n" + section("a", "x86_64", "hand.xz", sum1, "1"),
			templates: []virtindex.Template{template("a", "x86_64", sum1)},
			want: []virtindex.Conflict{{ID: "a", Arch: "x86_64", Claims: []virtindex.Claim{
				{Handle: "a", File: "a.xz", Line: 1}, {File: "hand.xz", Line: 10}}}}},
		{name: "all are listed",
			templates: []virtindex.Template{template("a+", "x86_64", sum1), template("a-", "x86_64", sum2),
				template("b+", "x86_64", sum1), template("b-", "x86_64", sum2), template("b-", "i686", sum2)}[:4],
			want: []virtindex.Conflict{
				{ID: "a-", Arch: "x86_64", Claims: []virtindex.Claim{{Handle: "a+", File: "a+.xz"}, {Handle: "a-", File: "a-.xz"}}},
				{ID: "b-", Arch: "x86_64", Claims: []virtindex.Claim{{Handle: "b+", File: "b+.xz"}, {Handle: "b-", File: "b-.xz"}}}}},
		{name: "two templates, one file",
			templates: []virtindex.Template{template("a", "x86_64", sum1), template("a", "i686", sum2)},
			want: []virtindex.Conflict{{ID: "a", Arch: "i686", Claims: []virtindex.Claim{
				{Handle: "a", File: "a.xz"}, {Handle: "a", File: "a.xz"}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, changes, err := virtindex.Update(parse(t, c.old), c.templates, virtindex.UpdateOptions{Present: c.present})
			require.Nil(t, x)
			require.Nil(t, changes)
			var conflict *virtindex.ConflictError
			require.ErrorAs(t, err, &conflict)
			require.Equal(t, c.want, conflict.Conflicts)
			require.ErrorContains(t, err, fmt.Sprintf("section %q with arch %q", c.want[0].ID, c.want[0].Arch))
		})
	}

	t.Run("settled by hand", func(t *testing.T) {
		old := section("a-plus-b", "x86_64", "a+b.xz", sum1, "1")
		x, _, err := virtindex.Update(parse(t, old), []virtindex.Template{template("a+b", "x86_64", sum1), template("a-b", "x86_64", sum2)},
			virtindex.UpdateOptions{})
		require.NoError(t, err)
		require.Equal(t, old+"\n"+section("a-b", "x86_64", "a-b.xz", sum2, "1"), format(t, x))
	})
}

func TestUpdateRefuses(t *testing.T) {
	bad := func(change func(*virtindex.Template)) virtindex.Template {
		tpl := template("a", "x86_64", sum1)
		change(&tpl)
		return tpl
	}
	for _, c := range []struct {
		name, old string
		tpl       virtindex.Template
		want      string
	}{
		{"no handle", "", bad(func(t *virtindex.Template) { t.Handle = "" }), "section ID"},
		{"handle with a blank", "", bad(func(t *virtindex.Template) { t.Handle = "a b" }), "section ID"},
		{"file climbs", "", bad(func(t *virtindex.Template) { t.File = "../a.xz" }), "climbs"},
		{"no size", "", bad(func(t *virtindex.Template) { t.Size = 0 }), `field "size"`},
		{"no packed size", "", bad(func(t *virtindex.Template) { t.PackedSize = -1 }), `field "compressed_size"`},
		{"no format", "", bad(func(t *virtindex.Template) { t.Format = "" }), `field "format"`},
		{"no digest", "", bad(func(t *virtindex.Template) { t.SHA512 = "" }), `field "checksum[sha512]"`},
		{"name of two lines", "", bad(func(t *virtindex.Template) { t.Name = "a\n[evil]" }), `template "a": section "a": field "name"`},
		{"architecture of two words", "", bad(func(t *virtindex.Template) { t.Arch = "x86_64 " }), `field "arch"`},
		{"old revision is no number", section("a", "x86_64", "a.xz", sum1, "2b"), template("a", "x86_64", sum1), `line 4: section "a": field "revision"`},
		{"old revision is at the end", section("a", "x86_64", "a.xz", sum1, "4611686018427387903"), template("a", "x86_64", sum2), "cannot rise"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := virtindex.Update(parse(t, c.old), []virtindex.Template{c.tpl}, virtindex.UpdateOptions{})
			var invalid *virtindex.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.ErrorContains(t, err, c.want)
		})
	}
	require.NoError(t, template("a", "", sum1).Validate())
}

// What is broken and not ours stays broken, and Format says so.
func TestUpdateKeepsWhatIsBroken(t *testing.T) {
	x, _, err := virtindex.Update(parse(t, "[hand]\narch=x86_64\nsize=512\n"), []virtindex.Template{template("a", "x86_64", sum1)},
		virtindex.UpdateOptions{Present: present("a.xz")})
	require.NoError(t, err)
	_, err = x.Format()
	require.ErrorContains(t, err, `line 1: section "hand": field "file": missing`)
}
