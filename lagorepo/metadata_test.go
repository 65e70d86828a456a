package lagorepo_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

func mustMetadata(t testing.TB, text string) *lagorepo.Metadata {
	t.Helper()
	m, err := lagorepo.ParseMetadata([]byte(text))
	require.NoError(t, err)
	return m
}

func TestParseMetadataRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"not JSON":          {"name: el8", "must be JSON"},
		"duplicate":         {`{"arch":"x86_64","arch":"ppc64le"}`, `"arch" must occur once`},
		"duplicate nested":  {`{"x":{"y":[{"k":1,"k":2}]}}`, `"k" must occur once`},
		"case of known key": {`{"Size":1}`, `the key "Size" must be written "size"`},
		"case, dashed":      {`{"Root-Password":"x"}`, `must be written "root-password"`},
		"repo.metadata":     {`{"name":"r","sources":{},"templates":{}}`, "is a whole repository's repo.metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lagorepo.ParseMetadata([]byte(tc.in))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestMetadataMarshalKeepsWhatItDoesNotKnow(t *testing.T) {
	m := mustMetadata(t, `{"zeta": 1.10, "name":"el8", "x": {"Size": [1e3, -0.0], "é": "\u00e9<&>"}, "empty": {}, "a":[]}`)
	m.Set("name", "lago <Fedora®> 22")
	m.SetInt("size", 42)
	require.Equal(t, `{
    "zeta": 1.10,
    "name": "lago <Fedora®> 22",
    "x": {
        "Size": [
            1e3,
            -0.0
        ],
        "é": "\u00e9<&>"
    },
    "empty": {},
    "a": [],
    "size": 42
}
`, string(m.Marshal()))
	require.Equal(t, []string{"zeta", "name", "x", "empty", "a", "size"}, m.Keys())
	require.Equal(t, "{}\n", string(new(lagorepo.Metadata).Marshal()))
}

func TestMetadataGetters(t *testing.T) {
	m := mustMetadata(t, `{"name":"el8","size":6442450944,"compressed_size":"123","float":1.5,"null":null,"huge":1e400,"obj":{}}`)
	s, ok := m.Text("name")
	require.True(t, ok)
	require.Equal(t, "el8", s)
	for _, key := range []string{"size", "null", "obj", "absent"} {
		_, ok = m.Text(key)
		require.False(t, ok, key)
	}
	n, ok := m.Int("size")
	require.True(t, ok)
	require.EqualValues(t, 6442450944, n)
	n, ok = m.Int("compressed_size")
	require.True(t, ok)
	require.EqualValues(t, 123, n)
	for _, key := range []string{"name", "float", "null", "huge", "obj", "absent"} {
		_, ok = m.Int(key)
		require.False(t, ok, key)
	}
	raw, ok := m.Raw("null")
	require.True(t, ok)
	require.Equal(t, "null", string(raw))
	require.True(t, m.Has("null"))
	m.Delete("null")
	require.False(t, m.Has("null"))
}

func TestMetadataCloneIsItsOwn(t *testing.T) {
	m := mustMetadata(t, `{"name":"a"}`)
	c := m.Clone()
	c.Set("name", "b")
	c.Set("new", "c")
	require.Equal(t, `{"name":"a"}`, compactJSON(t, m))
	m.AddMissing(c)
	require.Equal(t, `{"name":"a","new":"c"}`, compactJSON(t, m))
}

func TestMetadataInsideOtherJSON(t *testing.T) {
	var v struct{ M lagorepo.Metadata }
	require.NoError(t, json.Unmarshal([]byte(`{"M": {"b": 1.0, "a": "x"}}`), &v))
	require.Equal(t, []string{"b", "a"}, v.M.Keys())
	require.ErrorContains(t, json.Unmarshal([]byte(`{"M": {"b": 1, "b": 2}}`), &v), "must occur once")
	require.Equal(t, []string{"b", "a"}, v.M.Keys(), "an error changes nothing")
}

func compactJSON(t testing.TB, m *lagorepo.Metadata) string {
	t.Helper()
	data, err := json.Marshal(m)
	require.NoError(t, err)
	return string(data)
}

func TestMetadataTimestamp(t *testing.T) {
	for in, want := range map[string]string{
		`{"timestamp":1458135000}`:       "1458135000",
		`{"timestamp":1458135000.250}`:   "1458135000.250",
		`{"timestamp":1.458135e9}`:       "1.458135e9",
		`{"timestamp":"1458135000"}`:     "1458135000",
		`{"timestamp":0}`:                "0",
		`{"timestamp":" 17 "}`:           "17",
		`{}`:                             "",
		`{"timestamp":null}`:             "",
		`{"timestamp":"yesterday"}`:      "",
		`{"timestamp":"0x10"}`:           "",
		`{"timestamp":"1_000"}`:          "",
		`{"timestamp":-1}`:               "",
		`{"timestamp":1e400}`:            "",
		`{"timestamp":99999999999999}`:   "",
		`{"timestamp":[1458135000]}`:     "",
		`{"timestamp":"2016-03-16 13Z"}`: "",
	} {
		t.Run(in, func(t *testing.T) {
			ts, ok := mustMetadata(t, in).Timestamp()
			require.Equal(t, want, string(ts))
			require.Equal(t, want != "", ok)
		})
	}
}

// hexOf makes a digest that can be told from others.
func hexOf(a hashutil.Algorithm, digit string) string { return strings.Repeat(digit, a.HexLen()) }

func someFacts() lagorepo.Facts {
	f := lagorepo.Facts{
		Template: "el8.2-base", Version: "v1", ModTime: time.Unix(1600000000, 5),
		Sizes:   templates.Sizes{Virtual: 6442450944, Apparent: 7, Allocated: 8, Packed: 9},
		Content: hashutil.Digests{}, Packed: hashutil.Digests{},
	}
	for _, a := range hashutil.Algorithms() {
		f.Content[a], f.Packed[a] = hexOf(a, "c"), hexOf(a, "d")
	}
	return f
}

func TestMetadataUpdate(t *testing.T) {
	sha := func(a hashutil.Algorithm, d string) string { return `"` + hexOf(a, d) + `"` }
	always := `"size":6442450944,"sha1":` + sha("sha1", "c") + `,"sha256":` + sha("sha256", "c") +
		`,"compressed_size":9,"checksum":` + sha("sha512", "d")
	for name, tc := range map[string]struct{ in, want string }{
		"made from nothing": {`{}`,
			`{"name":"el8.2-base","version":"v1","timestamp":1600000000,` + always + `}`},
		"stale facts, in their places": {
			`{"checksum":"of the uncompressed","name":"el8.2-base","size":"196608","sha1":"x","note":1.0,"version":"v1","timestamp":15.50}`,
			`{"checksum":` + sha("sha512", "d") + `,"name":"el8.2-base","size":6442450944,"sha1":` + sha("sha1", "c") +
				`,"note":1.0,"version":"v1","timestamp":15.50,"sha256":` + sha("sha256", "c") + `,"compressed_size":9}`},
		"digests that were there stay there": {
			`{"uncompressed_checksum":"of the compressed","sha512":"x","md5":"x","compressed_sha1":"x"}`,
			`{"uncompressed_checksum":` + sha("sha512", "c") + `,"sha512":` + sha("sha512", "c") + `,"md5":` + sha("md5", "c") +
				`,"compressed_sha1":` + sha("sha1", "d") + `,"name":"el8.2-base","version":"v1","timestamp":1600000000,` + always + `}`},
		"a name for humans stays, clients' name beside it": {
			`{"name":"CentOS 8.2","version":"v1","timestamp":1}`,
			`{"name":"CentOS 8.2","version":"v1","timestamp":1,"template":"el8.2-base",` + always + `}`},
		"a stale template name": {
			`{"name":"el8.2-base","template":"other","version":"v1","timestamp":1}`,
			`{"name":"el8.2-base","template":"el8.2-base","version":"v1","timestamp":1,` + always + `}`},
		"the version lago fetched": {
			`{"name":"el8.2-base","version":2,"timestamp":1}`,
			`{"name":"el8.2-base","version":"v1","timestamp":1,` + always + `}`},
		"a timestamp in a string becomes a number": {
			`{"name":"el8.2-base","version":"v1","timestamp":"1458135000.5"}`,
			`{"name":"el8.2-base","version":"v1","timestamp":1458135000.5,` + always + `}`},
		"an unusable timestamp": {
			`{"name":"el8.2-base","version":"v1","timestamp":"soon"}`,
			`{"name":"el8.2-base","version":"v1","timestamp":1600000000,` + always + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			m := mustMetadata(t, tc.in)
			m.Update(someFacts())
			require.Equal(t, tc.want, compactJSON(t, m))
			require.Equal(t, "el8.2-base", m.TemplateName())
			before := string(m.Marshal())
			m.Update(someFacts())
			require.Equal(t, before, string(m.Marshal()), "a second update must change nothing")
		})
	}
}

func TestMetadataUpdateRemovesADigestThatWasNotComputed(t *testing.T) {
	f := someFacts()
	delete(f.Content, hashutil.SHA512)
	m := mustMetadata(t, `{"sha512":"stale","uncompressed_checksum":"stale"}`)
	m.Update(f)
	require.False(t, m.Has("sha512"))
	require.False(t, m.Has("uncompressed_checksum"))
}

func TestMetadataAlgorithms(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                              "[sha1 sha256] [sha512]",
		`{"sha512":""}`:                   "[sha1 sha256 sha512] [sha512]",
		`{"uncompressed_checksum":""}`:    "[sha1 sha256 sha512] [sha512]",
		`{"md5":"","compressed_sha1":""}`: "[md5 sha1 sha256] [sha1 sha512]",
		`{"compressed_size":1}`:           "[sha1 sha256] [sha512]",
	} {
		t.Run(in, func(t *testing.T) {
			m := mustMetadata(t, in)
			require.Equal(t, want, fmt.Sprint(m.ContentAlgorithms(), m.PackedAlgorithms()))
		})
	}
}

func TestTemplateName(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                                "",
		`{"name":"lago Fedora® 22"}`:        "lago Fedora® 22",
		`{"name":"A","template":"b"}`:       "b",
		`{"name":"a","template":"../../x"}`: "a",
		`{"name":"$(reboot)"}`:              "",
		`{"name":7}`:                        "",
	} {
		t.Run(in, func(t *testing.T) {
			require.Equal(t, want, mustMetadata(t, in).TemplateName())
		})
	}
}

func FuzzParseMetadata(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"name":"el8","size":6442450944,"timestamp":1458135000.25}`,
		`{"x":[1,{"y":"\u00e9\ud83d\ude00"}],"z":1e400,"":null}`, `{"Size":1}`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := lagorepo.ParseMetadata(data)
		if err != nil {
			return
		}
		printed := m.Marshal()
		again, err := lagorepo.ParseMetadata(printed)
		if len(printed) > 1<<20 {
			return // indenting may take it over the cap
		}
		require.NoError(t, err)
		require.Equal(t, m.Keys(), again.Keys())
		require.Equal(t, string(printed), string(again.Marshal()))
		var a, b any
		require.NoError(t, decodeNumbers(data, &a))
		require.NoError(t, decodeNumbers(printed, &b))
		require.Equal(t, a, b, "a rewrite must lose nothing")
		m.Update(someFacts())
		require.Equal(t, "el8.2-base", m.TemplateName())
	})
}

func decodeNumbers(data []byte, v any) error {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	return dec.Decode(v)
}

func ExampleParseMetadata() {
	m, err := lagorepo.ParseMetadata([]byte(`{"name": "el8.2-base", "distro": "el8", "size": 1.0e3, "x-ours": true}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	m.SetInt(lagorepo.KeySize, 6<<30)
	fmt.Print(string(m.Marshal()))
	_, err = lagorepo.ParseMetadata([]byte(`{"distro": "el8", "Size": 1}`))
	fmt.Println(err)
	// Output:
	// {
	//     "name": "el8.2-base",
	//     "distro": "el8",
	//     "size": 6442450944,
	//     "x-ours": true
	// }
	// line 1: the key "Size" must be written "size"
}

func ExampleMetadata_Update() {
	m, _ := lagorepo.ParseMetadata([]byte(`{"distro": "el8", "sha1": "of a file that is gone"}`))
	m.Update(lagorepo.Facts{
		Template: "el8.2-base", Version: "v1", ModTime: time.Unix(1600000000, 0),
		Sizes:   templates.Sizes{Virtual: 6 << 30, Packed: 512 << 20},
		Content: hashutil.Digests{hashutil.SHA1: "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	})
	data, _ := json.Marshal(m)
	fmt.Println(string(data))
	// Output:
	// {"distro":"el8","sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709","name":"el8.2-base","version":"v1","timestamp":1600000000,"size":6442450944,"compressed_size":536870912}
}
