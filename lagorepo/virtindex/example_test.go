package virtindex_test

import (
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

func ExampleParse() {
	x, err := virtindex.Parse([]byte(`# Templates of the lab

[debian-12]
name=Debian 12
arch=x86_64
file=debian-12.xz
size=6442450944
notes=Debian 12, minimal.
 
 The root password is set at the first boot.
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range x.Entries {
		notes, _ := e.Get("notes", "")
		fmt.Println(e.ID, e.Arch(), e.File())
		fmt.Println(notes)
	}
	// Output:
	// debian-12 x86_64 debian-12.xz
	// Debian 12, minimal.
	//
	// The root password is set at the first boot.
}

func ExampleParse_error() {
	_, err := virtindex.Parse([]byte("[debian-12]\nroot-partition=/dev/sda1\n"))
	var perr *virtindex.ParseError
	if errors.As(err, &perr) {
		fmt.Println(perr.Line, perr.Text)
	}
	// Output:
	// 2 field "root-partition": a hyphen in a key is a syntax error to every client
}

func ExampleRead() {
	x, err := virtindex.Read(strings.NewReader("[debian-12]\narch=x86_64\nfile=debian-12.xz\nsize=512\n"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(x.Entries), x.Signed)
	// Output: 1 false
}

func ExampleIndex_Check() {
	x, err := virtindex.Parse([]byte("[debian-12]\narch=x86_64\nfile=/srv/debian-12.xz\nsize=6G\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range x.Check() {
		fmt.Println(p)
	}
	// Output:
	// line 1: section "debian-12": field "checksum[sha512]": missing: clients cannot tell a wrong or damaged file (warning)
	// line 3: section "debian-12": field "file": expected a path relative to the index, found the absolute one "/srv/debian-12.xz" (error)
	// line 4: section "debian-12": field "size": expected a number of bytes, found "6G" (error)
}

func ExampleIndex_Format() {
	e := virtindex.Entry{ID: "debian-12", Comment: []string{"# ours"}}
	e.Set("size", "", "6442450944")
	e.Set("file", "", "debian-12.xz")
	e.Set("arch", "", "x86_64")
	e.Set("notes", "", "Debian 12.\nMinimal.")
	text, err := (&virtindex.Index{Entries: []virtindex.Entry{e}}).Format()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// # ours
	// [debian-12]
	// arch=x86_64
	// file=debian-12.xz
	// size=6442450944
	// notes=Debian 12.
	//  Minimal.
}

func ExampleIndex_Format_error() {
	x := virtindex.Index{Entries: []virtindex.Entry{{ID: "debian-12", Fields: []virtindex.Field{
		{Key: "arch", Value: "x86_64"}, {Key: "file", Value: "../debian-12.xz"}, {Key: "size", Value: "512"},
	}}}}
	_, err := x.Format()
	fmt.Println(err)
	// Output:
	// section "debian-12": field "file": path "../debian-12.xz" climbs out of the directory
}

func ExampleUpdate() {
	old, err := virtindex.Parse([]byte(`# the prefix is the old generator's
[lago-el8]
arch=x86_64
file=el8.xz
revision=2
checksum[sha512]=` + strings.Repeat("0", 128) + `
size=512
notes=Ask Ann.
`))
	if err != nil {
		log.Fatal(err)
	}
	x, changes, err := virtindex.Update(old, []virtindex.Template{{
		Handle: "el8", Arch: "x86_64",
		Size: 1024, PackedSize: 100, Format: "raw", SHA512: strings.Repeat("1", 128),
	}}, virtindex.UpdateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range changes {
		fmt.Println(c.Action, c.ID, c.Arch, "revision", c.Revision)
	}
	text, err := x.Format()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(strings.ReplaceAll(string(text), strings.Repeat("1", 128), "1…"))
	// Output:
	// updated lago-el8 x86_64 revision 3
	// # the prefix is the old generator's
	// [lago-el8]
	// arch=x86_64
	// file=el8.xz
	// revision=3
	// checksum[sha512]=1…
	// format=raw
	// size=1024
	// compressed_size=100
	// notes=Ask Ann.
}

func ExampleUpdate_conflict() {
	t := virtindex.Template{Arch: "x86_64", Size: 512, PackedSize: 100, Format: "raw", SHA512: strings.Repeat("1", 128)}
	a, b := t, t
	a.Handle, b.Handle = "gcc+13", "gcc-13"
	_, _, err := virtindex.Update(nil, []virtindex.Template{a, b}, virtindex.UpdateOptions{})
	var conflict *virtindex.ConflictError
	if errors.As(err, &conflict) {
		for _, c := range conflict.Conflicts {
			fmt.Println(c.ID, c.Claims[0].File, c.Claims[1].File)
		}
	}
	// Output: gcc-13 gcc+13.xz gcc-13.xz
}

func ExampleTemplate_Validate() {
	err := virtindex.Template{Handle: "el8", Arch: "x86_64", Size: 512, PackedSize: 100, Format: "vmdk", SHA512: strings.Repeat("1", 128)}.Validate()
	fmt.Println(err)
	// Output: section "el8": field "format": expected raw or qcow2, found "vmdk"
}

func ExampleSectionID() {
	fmt.Println(virtindex.SectionID("gcc+13"))
	// Output: gcc-13
}
