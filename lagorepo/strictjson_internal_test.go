package lagorepo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// knownInVersions guards the keys of objects at versions.*, as a reader of
// repo.metadata does.
func knownInVersions(path []string) []string {
	if len(path) == 2 && path[0] == "versions" {
		return []string{"handle", "timestamp"}
	}
	return nil
}

func TestStrictObjectRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"empty":                   {"", "line 1: must be JSON, is empty"},
		"blanks only":             {" \n\t ", "must be JSON, is empty"},
		"array":                   {`[1]`, "line 1: must be a JSON object, found an array"},
		"string":                  {` "x"`, "found a string"},
		"number":                  {`1`, "found a number"},
		"true":                    {`true`, "found a truth value"},
		"null":                    {`null`, "found null"},
		"cut off":                 {"{\n\"a\": 1", "line 2: must be JSON: unexpected end"},
		"trailing comma":          {`{"a":1,}`, "must be JSON: invalid character '}'"},
		"second value":            {"{}\n{}", "line 2: must be JSON: invalid character '{' after top-level value"},
		"garbage behind":          {"{} x", "after top-level value"},
		"NaN":                     {`{"a":NaN}`, "must be JSON"},
		"byte order mark":         {"\ufeff{}", "must be JSON"},
		"single quotes":           {`{'a':1}`, "must be JSON"},
		"duplicate":               {"{\"a\":1,\n\"a\":1}", `line 2: the key "a" must occur once`},
		"duplicate by escape":     {`{"a":1,"\u0061":2}`, `the key "a" must occur once`},
		"duplicate deep":          {`{"x":[{"y":{"a":1,"b":2,"a":3}}]}`, `the key "a" must occur once`},
		"case variant":            {`{"versions":{"v1":{"Handle":"h"}}}`, `the key "Handle" must be written "handle"`},
		"long s":                  {`{"versions":{"v1":{"time\u017ftamp":1}}}`, `must be written "timestamp"`},
		"latin-1":                 {"{\"a\":\n\"\xe9\"}", "line 2: must be UTF-8, found the byte 0xe9"},
		"high surrogate alone":    {`{"a":"\ud83d"}`, `found the half surrogate \ud83d`},
		"high surrogate, letter":  {`{"a":"\ud83dx"}`, "half surrogate"},
		"high surrogate, escape":  {`{"a":"\ud83d\n"}`, "half surrogate"},
		"two high surrogates":     {`{"a":"\ud83d\ud83d"}`, "half surrogate"},
		"low surrogate":           {`{"\uDE00":1}`, `half surrogate \ude00`},
		"too deep, objects":       {strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), "must nest at most 32 deep"},
		"too deep, arrays":        {`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}", "must nest at most 32 deep"},
		"deeper than the grammar": {`{"a":` + strings.Repeat("[", 20000), "exceeded max depth"},
		"huge":                    {`{"a":"` + strings.Repeat("x", maxJSONSize) + `"}`, "must be at most 16777216 bytes of JSON, has 16777224"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := strictObject([]byte(tc.in), knownInVersions)
			require.ErrorContains(t, err, tc.want)
			var je *JSONError
			require.ErrorAs(t, err, &je)
		})
	}
}

func TestStrictObjectKeepsOrderAndText(t *testing.T) {
	in := `{ "z" : 1.50 , "a":[ 1 , {"b" : "\u0041\/" } , [ ] ],"":{ },
 "Handle": -0e+00, "\ud83d\ude00": null, "t":true }`
	got, err := strictObject([]byte(in), knownInVersions)
	require.NoError(t, err)
	var text []string
	for _, m := range got {
		text = append(text, m.key+"="+string(m.raw))
	}
	require.Equal(t, []string{"z=1.50", `a=[1,{"b":"\u0041\/"},[]]`, "={}", "Handle=-0e+00", "😀=null", "t=true"}, text)
}

func TestStrictObjectAllowsTheDepthCap(t *testing.T) {
	deep := strings.Repeat(`{"a":`, maxJSONDepth) + "1" + strings.Repeat("}", maxJSONDepth)
	_, err := strictObject([]byte(deep), nil)
	require.NoError(t, err)
}

func FuzzStrictJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"b":[{"c":"\ud83d\ude00"},null,true,1e5]}`, `{"a":1,"a":2}`, `{"\ud800":1}`, "{}x", `[`, "{\"\xff\":1}", `{"a":{"b":{"b":0}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		members, err := strictObject(data, nil)
		var loose map[string]json.RawMessage
		looseErr := json.Unmarshal(data, &loose)
		if err != nil {
			if looseErr == nil && loose != nil {
				// What is refused beyond the grammar must be for a reason that
				// can be shown independently.
				require.True(t, ambiguous(data), "refused without reason: %v", err)
			}
			return
		}
		require.NoError(t, looseErr, "accepted what encoding/json refuses")
		require.Len(t, members, len(loose))
		for _, m := range members {
			require.Equal(t, decoded(t, loose[m.key]), decoded(t, m.raw))
		}
	})
}

// decoded reads a value with its numbers as they are written: no float holds
// every one of them.
func decoded(t *testing.T, raw []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	return v
}

// ambiguous finds by other means what strictObject refuses in valid JSON:
// decoding loses something, or it is too deep or too large.
func ambiguous(data []byte) bool {
	if len(data) > maxJSONSize || !bytes.Equal(bytes.ToValidUTF8(data, nil), data) {
		return true
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	deepest := 0
	var read func(depth int) bool
	read = func(depth int) bool {
		deepest = max(deepest, depth)
		tok, err := dec.Token()
		if err != nil {
			return true
		}
		switch tok {
		case json.Delim('{'):
			seen := map[string]bool{}
			for dec.More() {
				k, err := dec.Token()
				if err != nil || seen[fmt.Sprint(k)] || strings.ContainsRune(fmt.Sprint(k), '\ufffd') {
					return true
				}
				seen[fmt.Sprint(k)] = true
				if read(depth + 1) {
					return true
				}
			}
			_, err = dec.Token()
			return err != nil
		case json.Delim('['):
			for dec.More() {
				if read(depth + 1) {
					return true
				}
			}
			_, err = dec.Token()
			return err != nil
		}
		s, ok := tok.(string)
		return ok && strings.ContainsRune(s, '\ufffd')
	}
	return read(0) || deepest >= maxJSONDepth
}
