package virtindex_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

// client returns the path of a program that reads indexes in earnest.
func client(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatalf("%s is required: install the Debian package %s", name, debianPackage)
		}
		t.Skipf("%s is not installed (Debian package %s)", name, debianPackage)
	}
	return path
}

// clients are virt-index-validate and virt-builder, kept away from the network
// and from the user's own files.
type clients struct {
	validate, builder string
	dir               string
	env               []string
}

func newClients(t *testing.T) clients {
	t.Helper()
	c := clients{dir: t.TempDir(), validate: client(t, "virt-index-validate", "guestfs-tools"), builder: client(t, "virt-builder", "guestfs-tools")}
	c.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "LC_ALL=C.UTF-8",
		"XDG_CONFIG_HOME=" + c.dir + "/config", "XDG_CACHE_HOME=" + c.dir + "/cache",
		"VIRT_BUILDER_DIRS=/nonexistent", "LIBGUESTFS_BACKEND=direct",
	}
	return c
}

func (c clients) run(t *testing.T, program string, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, ctx.Err(), "%s hangs", program)
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "%s did not run", program)
		t.Logf("%s: %s", filepath.Base(program), strings.TrimSpace(stderr.String()))
	}
	return out, err
}

// read gives the text to both clients. The index is put under the name "index",
// the rest of the directory being empty.
func (c clients) read(t *testing.T, text string) (list []byte, validate, builder error) {
	t.Helper()
	path := filepath.Join(c.dir, "index")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	_, validate = c.run(t, c.validate, path)
	list, builder = c.run(t, c.builder, "--source", "file://"+path, "--no-check-signature", "--list", "--list-format", "json")
	return list, validate, builder
}

// listing is what virt-builder --list --list-format json prints.
type listing struct {
	Templates []struct {
		ID         string            `json:"os-version"`
		Name       string            `json:"full-name"`
		Arch       string            `json:"arch"`
		Size       int64             `json:"size"`
		PackedSize string            `json:"compressed-size"`
		Notes      map[string]string `json:"notes"`
		Aliases    []string          `json:"aliases"`
		Hidden     bool              `json:"hidden"`
	} `json:"templates"`
}

// Everything that one of the clients refuses is refused by Parse or an error of
// Check. The reverse does not hold: they pass much that does not work.
func TestClientsRefuseNothingMore(t *testing.T) {
	c := newClients(t)
	var texts []struct{ name, text string }
	add := func(name, text string) { texts = append(texts, struct{ name, text string }{name, text}) }
	for _, f := range badFiles {
		add(f.name, f.text)
	}
	for _, f := range badLines {
		if len(f.text) < 1<<20 {
			add(f.name, f.text)
		}
	}
	for _, f := range strangeFiles {
		add(f.name, f.text)
	}
	for _, f := range flawlessFiles {
		add(f.name, f.text)
	}
	add("one section too many", sections(2499))
	refusedByValidate, refusedByBuilder := 0, 0
	for _, f := range texts {
		t.Run(f.name, func(t *testing.T) {
			_, validate, builder := c.read(t, f.text)
			if validate != nil {
				refusedByValidate++
			}
			if builder != nil {
				refusedByBuilder++
			}
			x, err := virtindex.Parse([]byte(f.text))
			flagged := err != nil || len(errorsOf(x)) > 0
			if validate != nil || builder != nil {
				require.True(t, flagged, "a client refuses this, and Check finds no error")
			}
		})
	}
	// Else this test would pass with clients that accept anything.
	require.Greater(t, refusedByValidate, 15)
	require.Greater(t, refusedByBuilder, 35)
}

// What Format writes is accepted by both clients, and virt-builder finds in it
// what was put there.
func TestClientsReadWhatIsWritten(t *testing.T) {
	c := newClients(t)
	for _, f := range []struct {
		name string
		text string
	}{
		{"written", string(readTestdata(t, "written.index"))},
		{"updated", string(readTestdata(t, "after.index"))},
		{"mended", "[a] \n\narch=x86_64\nfile=a.xz\n\nsize=1\n# b\n[b]\narch=x86_64\nfile=b.xz\nsize=1\nnotes=1\n \n\n  3\n"},
	} {
		t.Run(f.name, func(t *testing.T) {
			x := parse(t, f.text)
			list, validate, builder := c.read(t, format(t, x))
			require.NoError(t, validate)
			require.NoError(t, builder)
			sameListing(t, x, list)
		})
	}
	for _, f := range flawlessFiles {
		t.Run(f.name, func(t *testing.T) {
			x := parse(t, f.text)
			list, validate, builder := c.read(t, f.text)
			require.NoError(t, validate)
			require.NoError(t, builder)
			sameListing(t, x, list)
		})
	}
}

// sameListing demands that virt-builder's list says the same as the index.
func sameListing(t *testing.T, x *virtindex.Index, list []byte) {
	t.Helper()
	var listed listing
	require.NoError(t, json.Unmarshal(list, &listed))
	require.Len(t, listed.Templates, len(x.Entries))
	for i, l := range listed.Templates {
		e := &x.Entries[i]
		field := func(key, sub string) string { v, _ := e.Get(key, sub); return v }
		require.Equal(t, e.ID, l.ID)
		require.Equal(t, e.Arch(), l.Arch)
		require.Equal(t, field("name", ""), l.Name)
		require.Equal(t, field("size", ""), strconv.FormatInt(l.Size, 10))
		require.Equal(t, field("compressed_size", ""), l.PackedSize)
		require.Equal(t, field("aliases", ""), strings.Join(l.Aliases, " "))
		require.Equal(t, field("hidden", "") == "true", l.Hidden)
		notes := 0
		for _, f := range e.Fields {
			if f.Key == "notes" {
				lang := f.Sub
				if lang == "" {
					lang = "C"
				}
				require.Equal(t, f.Value, l.Notes[lang])
				notes++
			}
		}
		require.Len(t, l.Notes, notes)
	}
}

// An index signed by gpg is read by the clients and by Parse as the same.
func TestClientsReadSigned(t *testing.T) {
	c := newClients(t)
	gpg := client(t, "gpg", "gnupg")
	home := filepath.Join(t.TempDir(), "g")
	require.NoError(t, os.Mkdir(home, 0o700))
	batch := []string{"--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""}
	_, err := c.run(t, gpg, append(batch, "--quick-generate-key", "Test <test@example.com>", "rsa3072", "sign")...)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = c.run(t, "/usr/bin/gpgconf", "--homedir", home, "--kill", "all") })

	plain := filepath.Join(c.dir, "plain")
	text := format(t, parse(t, string(readTestdata(t, "written.index"))))
	require.NoError(t, os.WriteFile(plain, []byte(text), 0o644))
	signed, err := c.run(t, gpg, append(batch, "--clearsign", "--output", "-", plain)...)
	require.NoError(t, err)

	x := parse(t, string(signed))
	require.True(t, x.Signed)
	require.Empty(t, errorsOf(x))
	require.Equal(t, text, format(t, x))
	list, validate, builder := c.read(t, string(signed))
	require.NoError(t, validate)
	require.NoError(t, builder)
	sameListing(t, x, list)
}
