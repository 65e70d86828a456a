package imagespec_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

func TestCheck(t *testing.T) {
	const lago, virt = "#base=b\n#name=n\n#distro=d\n", "#base=b\n#name=n\n#osinfo=o\n#arch=a\n#expand=e\n"
	for _, c := range []struct {
		name, text string
		format     lagorepo.IndexFormat
		want       string // "": fine
	}{
		{"whole", whole, "", ""},
		{"whole for all", whole, lagorepo.IndexAll, ""},
		{"lago's", lago, lagorepo.IndexLago, ""},
		{"virt-builder's", virt, lagorepo.IndexVirtBuilder, ""},
		{"no version", lago + "#osinfo=o\n#arch=a\n#expand=e\n", "", ""},
		{"lago's for all", lago, "",
			"dir/a: lacks osinfo (for virt-builder), arch (for virt-builder), expand (for virt-builder): add a line #osinfo=VALUE, and so on"},
		{"virt-builder's for all", virt, lagorepo.IndexAll, "dir/a: lacks distro (for lago): add a line #distro=VALUE, and so on"},
		{"nothing for lago", "update\n", lagorepo.IndexLago, "dir/a: lacks base (for lago), name (for lago), distro (for lago): add"},
		{"nothing at all", "", "", "lacks base (for lago and virt-builder), name (for lago and virt-builder), distro (for lago), osinfo"},
		{"empty", virt + "#distro=\n", "", "lacks distro (for lago; empty in line 6): add"},
		{"a name for no shell", "#base=b\n#name=a$b\n#distro=d\n", lagorepo.IndexLago, `dir/a: line 2: property "name": template name "a$b": must not contain '$'`},
		{"which virt-builder can show", virt[:8] + "#name=a$b\n#osinfo=o\n#arch=a\n#expand=e\n", lagorepo.IndexVirtBuilder, ""},
		{"a version for no file", lago + "#version=v 1\n", lagorepo.IndexLago, `dir/a: line 4: property "version": version "v 1"`},
		{"a version that virt-builder does not look at", virt + "#version=v 1\n", lagorepo.IndexVirtBuilder, ""},
		{"two words", virt + "#lvexpand=/dev/a /dev/b\n", lagorepo.IndexVirtBuilder,
			`dir/a: line 6: property "lvexpand": virt-builder cannot use it: expected one word, found "/dev/a /dev/b"`},
		{"two words that lago does not look at", lago + "#lvexpand=/dev/a /dev/b\n", lagorepo.IndexLago, ""},
		{"no format", whole, "lage", "must be all, lago or virt-builder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := parse(t, "dir/a", c.text).Check(c.format)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestCheckTellsAllAtOnce(t *testing.T) {
	err := parse(t, "dir/a", "#name=`a`\n#version=..\n#arch=x y\n#expand=/dev/sda1 2\n").Check("")
	for _, want := range []string{"lacks base", `line 1: property "name"`, `line 2: property "version"`, `line 3: property "arch"`, `line 4: property "expand"`} {
		require.ErrorContains(t, err, want)
	}
	var bad *imagespec.SpecError
	require.True(t, errors.As(err, &bad))
	require.Equal(t, "dir/a", bad.Path)
}
