package lagorepo_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
)

// repoMetadataFull has both historical forms, both kinds of source and unknown
// keys at every level.
const repoMetadataFull = `{
    "name": "phx_repo",
    "sources": {
        "mirror": {
            "type": "file",
            "args": {
                "root": "/srv/templates"
            },
            "x-owner": "ann"
        },
        "phx_repo": {
            "type": "http",
            "args": {
                "baseurl": "http://templates.example.org/repo"
            }
        }
    },
    "templates": {
        "el7-base": {
            "versions": {
                "latest": {
                    "source": "phx_repo",
                    "handle": "el7-base",
                    "timestamp": 1441112345.25
                }
            }
        },
        "lago Fedora® 22": {
            "versions": {
                "v1": {
                    "source": "mirror",
                    "handle": "old/Fedora-22.xz",
                    "timestamp": 1433100000
                },
                "v2": {
                    "source": "phx_repo",
                    "handle": "lago-Fedora-22",
                    "timestamp": 1441112345,
                    "x-note": 1.50
                }
            },
            "x-list": [
                1
            ]
        }
    },
    "x-format": {
        "deep": [
            {}
        ]
    }
}
`

// smallRepo is a valid repo.metadata with one part of it replaced.
func smallRepo(old, new string) string {
	const text = `{"name":"r","sources":{"s":{"type":"http","args":{"baseurl":"http://h/r"}}},` +
		`"templates":{"t":{"versions":{"v":{"source":"s","handle":"h","timestamp":1}}}}}`
	if !strings.Contains(text, old) {
		panic(old)
	}
	return strings.Replace(text, old, new, 1)
}

func TestRepoMetadata(t *testing.T) {
	m, err := lagorepo.ParseRepoMetadata([]byte(repoMetadataFull))
	require.NoError(t, err)
	require.Equal(t, "phx_repo", m.Name)
	require.Equal(t, "http://templates.example.org/repo", m.Sources["phx_repo"].BaseURL)
	require.Equal(t, "/srv/templates", m.Sources["mirror"].Root)
	require.Len(t, m.Templates, 2)
	v1 := m.Templates["lago Fedora® 22"].Versions["v1"]
	require.Equal(t, "mirror", v1.Source)
	require.Equal(t, "old/Fedora-22.xz", v1.Handle)
	require.Equal(t, json.Number("1441112345.25"), m.Templates["el7-base"].Versions["latest"].Timestamp)

	text, err := m.Marshal()
	require.NoError(t, err)
	require.Equal(t, repoMetadataFull, string(text))
}

func TestRepoMetadataGood(t *testing.T) {
	for name, text := range map[string]string{
		"small":                       smallRepo("", ""),
		"name only":                   `{"name": "r"}`,
		"empty":                       `{"templates": {}, "sources": {}, "name": "r"}`,
		"https":                       smallRepo("http://h/r", "https://h:8443/r/"),
		"IPv6":                        smallRepo("http://h/r", "http://[::1]:8181"),
		"fraction":                    smallRepo(`:1}`, `:1.5}`),
		"exponent":                    smallRepo(`:1}`, `:1.4e9}`),
		"blank in a template":         smallRepo(`"t":`, `"t t":`),
		"handle in a directory":       smallRepo(`"handle":"h"`, `"handle":"d/h+1.2"`),
		"two versions":                smallRepo(`{"v":`, `{"w":{"timestamp":2,"handle":"w","source":"s"},"v":`),
		"known key in an other place": smallRepo(`{"v":`, `{"Source":{"timestamp":2,"handle":"w","source":"s"},"v":`),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := lagorepo.ParseRepoMetadata([]byte(text))
			require.NoError(t, err)
			out, err := m.Marshal()
			require.NoError(t, err)
			again, err := lagorepo.ParseRepoMetadata(out)
			require.NoError(t, err)
			require.Equal(t, m, again)
		})
	}
}

func TestRepoMetadataBad(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"not JSON", "<html>", "must be JSON"},
		{"empty", "", "is empty"},
		{"array", "[]", "must be a JSON object"},
		{"data behind it", smallRepo("", "") + "x", "must be JSON"},
		{"large", strings.Repeat(" ", 17<<20) + smallRepo("", ""), "at most"},
		{"deep", smallRepo(`"name"`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"name"`), "nest"},
		{"duplicate key", smallRepo(`"name"`, `"name":"r","name"`), "must occur once"},
		{"duplicate template", smallRepo(`{"t":`, `{"t":{"versions":{"w":{"source":"s","handle":"h","timestamp":1}}},"t":`), "must occur once"},
		{"duplicate version", smallRepo(`{"v":`, `{"v":{"source":"s","handle":"h","timestamp":1},"v":`), "must occur once"},
		{"duplicate handle", smallRepo(`"handle"`, `"handle":"x","handle"`), "must occur once"},
		{"duplicate by escape", smallRepo(`"handle"`, `"h\u0061ndle":"x","handle"`), "must occur once"},
		{"Name", smallRepo(`"name"`, `"Name"`), `must be written "name"`},
		{"Timestamp", smallRepo(`"timestamp"`, `"TimeStamp"`), `must be written "timestamp"`},
		{"BaseURL", smallRepo(`"baseurl"`, `"baseURL"`), `must be written "baseurl"`},
		{"Type", smallRepo(`"type"`, `"Type"`), `must be written "type"`},
		{"Versions", smallRepo(`"versions"`, `"Versions"`), `must be written "versions"`},
		{"no name", smallRepo(`"name":"r",`, ``), `repository name ""`},
		{"name is a number", smallRepo(`"r"`, `7`), "must be a string, found a number"},
		{"name with a colon", smallRepo(`"name":"r"`, `"name":"r:r"`), "repository name"},
		{"sources is an array", smallRepo(`{"s":{"type":"http","args":{"baseurl":"http://h/r"}}}`, `[]`), "sources: must be an object, found an array"},
		{"source is null", smallRepo(`{"type":"http","args":{"baseurl":"http://h/r"}}`, `null`), "must be an object, found null"},
		{"unknown type", smallRepo(`"http",`, `"ftp",`), `source "s": type: must be "http" or "file", found "ftp"`},
		{"no type", smallRepo(`"type":"http",`, ``), "type: must be"},
		{"type is true", smallRepo(`"http",`, `true,`), "found a truth value"},
		{"no args", smallRepo(`,"args":{"baseurl":"http://h/r"}`, ``), `must hold "baseurl"`},
		{"another arg", smallRepo(`{"baseurl":`, `{"x":"y","baseurl":`), `must hold "baseurl" and nothing else`},
		{"file without root", smallRepo(`"http",`, `"file",`), `must hold "root"`},
		{"empty root", smallRepo(`"http","args":{"baseurl":"http://h/r"}`, `"file","args":{"root":""}`), "is empty"},
		{"no scheme", smallRepo(`http://h/r`, `h/r`), "http://"},
		{"no host", smallRepo(`http://h/r`, `http:///r`), "host"},
		{"bad URL", smallRepo(`http://h/r`, `http://h:x/r`), "must be a URL"},
		{"query", smallRepo(`http://h/r`, `http://h/r?a`), "must end with a path"},
		{"fragment", smallRepo(`http://h/r`, `http://h/r#`), "must end with a path"},
		{"shell", smallRepo(`http://h/r`, `http://h/$(id)`), "blanks or quotes"},
		{"template climbs", smallRepo(`"t"`, `"../t"`), "slash"},
		{"template for a shell", smallRepo(`"t"`, `"t$(id)"`), "shell"},
		{"no versions", smallRepo(`{"v":{"source":"s","handle":"h","timestamp":1}}`, `{}`), "must have a version"},
		{"versions missing", smallRepo(`"versions":{"v":{"source":"s","handle":"h","timestamp":1}}`, ``), "must have a version"},
		{"version for a shell", smallRepo(`"v":`, `"v$(id)":`), "version"},
		{"version with a blank", smallRepo(`"v":`, `"v 1":`), "version"},
		{"handle climbs", smallRepo(`"handle":"h"`, `"handle":"../h"`), "handle"},
		{"handle absolute", smallRepo(`"handle":"h"`, `"handle":"/h"`), "handle"},
		{"handle with a blank", smallRepo(`"handle":"h"`, `"handle":"h h"`), "handle"},
		{"no handle", smallRepo(`"handle":"h",`, ``), "handle"},
		{"no source", smallRepo(`"source":"s",`, ``), "not among the sources"},
		{"unknown source", smallRepo(`"source":"s"`, `"source":"z"`), `source "z" is not among the sources`},
		{"no timestamp", smallRepo(`,"timestamp":1`, ``), "timestamp: missing"},
		{"timestamp is a string", smallRepo(`:1}`, `:"1441112345"}`), "take the quotes away"},
		{"timestamp is null", smallRepo(`:1}`, `:null}`), "number of seconds"},
		{"timestamp is negative", smallRepo(`:1}`, `:-1}`), "number of seconds"},
		{"timestamp in milliseconds", smallRepo(`:1}`, `:1441112345000}`), "number of seconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := lagorepo.ParseRepoMetadata([]byte(c.text))
			require.Nil(t, m)
			var jerr *lagorepo.JSONError
			require.ErrorAs(t, err, &jerr)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestRepoMetadataOfManyTemplates: what is written can be read again, which the limit on what is read must not prevent.
func TestRepoMetadataOfManyTemplates(t *testing.T) {
	m := &lagorepo.RepoMetadata{
		Name:      "phx_repo",
		Sources:   map[string]lagorepo.RepoSource{"phx_repo": {BaseURL: "http://templates.example/repo"}},
		Templates: make(map[string]lagorepo.RepoTemplate),
	}
	for i := range 30_000 {
		name := fmt.Sprintf("a-template-of-a-usual-name-%d", i)
		m.Templates[name] = lagorepo.RepoTemplate{Versions: map[string]lagorepo.RepoVersion{"v1": {Source: "phx_repo", Handle: name, Timestamp: "1583020800"}}}
	}
	text, err := m.Marshal()
	require.NoError(t, err)
	again, err := lagorepo.ParseRepoMetadata(text)
	require.NoError(t, err, "%d bytes", len(text))
	require.Equal(t, m.Templates, again.Templates)

	for i := range 60_000 {
		name := fmt.Sprintf("another-template-%d", i)
		m.Templates[name] = lagorepo.RepoTemplate{Versions: map[string]lagorepo.RepoVersion{"v1": {Source: "phx_repo", Handle: name, Timestamp: "1583020800"}}}
	}
	_, err = m.Marshal()
	require.ErrorContains(t, err, "at most", "more than can be read")
}

func TestRepoMetadataMarshalRefuses(t *testing.T) {
	make := func(change func(m *lagorepo.RepoMetadata, v *lagorepo.RepoVersion)) *lagorepo.RepoMetadata {
		v := lagorepo.RepoVersion{Source: "s", Handle: "h", Timestamp: "1"}
		m := &lagorepo.RepoMetadata{Name: "r", Sources: map[string]lagorepo.RepoSource{"s": {BaseURL: "http://h"}}}
		change(m, &v)
		m.Templates = map[string]lagorepo.RepoTemplate{"t": {Versions: map[string]lagorepo.RepoVersion{"v": v}}}
		return m
	}
	_, err := make(func(*lagorepo.RepoMetadata, *lagorepo.RepoVersion) {}).Marshal()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(m *lagorepo.RepoMetadata, v *lagorepo.RepoVersion)
		want   string
	}{
		"no timestamp": {func(_ *lagorepo.RepoMetadata, v *lagorepo.RepoVersion) { v.Timestamp = "" }, "timestamp"},
		"injection":    {func(_ *lagorepo.RepoMetadata, v *lagorepo.RepoVersion) { v.Timestamp = `1,"x":2` }, "timestamp"},
		"two kinds": {func(m *lagorepo.RepoMetadata, _ *lagorepo.RepoVersion) {
			m.Sources["s"] = lagorepo.RepoSource{BaseURL: "http://h", Root: "/x"}
		}, "has both"},
		"no name":   {func(m *lagorepo.RepoMetadata, _ *lagorepo.RepoVersion) { m.Name = "" }, "repository name"},
		"no source": {func(_ *lagorepo.RepoMetadata, v *lagorepo.RepoVersion) { v.Source = "x" }, "sources"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := make(c.change).Marshal()
			require.ErrorContains(t, err, c.want)
		})
	}
}

// What parses is written so that it parses to the same and is written the same.
func FuzzParseRepoMetadata(f *testing.F) {
	f.Add([]byte(repoMetadataFull))
	f.Add([]byte(smallRepo("", "")))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := lagorepo.ParseRepoMetadata(data)
		if err != nil {
			var jerr *lagorepo.JSONError
			require.ErrorAs(t, err, &jerr)
			return
		}
		text, err := m.Marshal()
		if err != nil {
			require.ErrorContains(t, err, "at most") // white space makes it longer
			return
		}
		again, err := lagorepo.ParseRepoMetadata(text)
		require.NoError(t, err)
		text2, err := again.Marshal()
		require.NoError(t, err)
		require.Equal(t, string(text), string(text2))
		require.Equal(t, len(m.Templates), len(again.Templates))
		require.Equal(t, m.Name, again.Name)
	})
}
