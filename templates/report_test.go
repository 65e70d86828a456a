package templates_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

func TestReportJSON(t *testing.T) {
	var r templates.Report
	text, err := json.Marshal(&r)
	require.NoError(t, err)
	require.JSONEq(t, `{"items": [], "conflicts": [], "summary": {}}`, string(text))
	require.False(t, r.Failed())

	r.Add(templates.Item{
		Source: "phx_repo:el8.2-base:v1", Template: "el8.2-base", Version: "v1", Handle: "el8.2-base",
		Destination: "repo/el8.2-base.xz", State: templates.PackedState,
		Sizes:   &templates.Sizes{Virtual: 4, Apparent: 3, Allocated: 2, Packed: 1},
		Digests: &templates.ItemDigests{Packed: hashutil.Digests{hashutil.SHA1: "00"}},
	}, templates.Item{Source: "x", State: templates.Skipped, Reason: "It is a lock."})
	text, err = json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"items": [
		{"source": "phx_repo:el8.2-base:v1", "template": "el8.2-base", "version": "v1", "handle": "el8.2-base",
		 "destination": "repo/el8.2-base.xz", "state": "packed",
		 "sizes": {"virtual": 4, "apparent": 3, "allocated": 2, "packed": 1}, "digests": {"packed": {"sha1": "00"}}},
		{"source": "x", "state": "skipped", "reason": "It is a lock."}],
		"conflicts": [], "summary": {"packed": 1, "skipped": 1}}`, string(text))
}

func TestReportMerge(t *testing.T) {
	var r templates.Report
	r.Merge(nil)
	r.Merge(&templates.Report{Items: []templates.Item{{State: templates.Failed, Error: "x"}}})
	require.True(t, r.Failed())
	require.Equal(t, 1, r.Summary[templates.Failed])
	r = templates.Report{}
	r.Merge(&templates.Report{Conflicts: []templates.Conflict{{Name: "a"}}})
	require.True(t, r.Failed(), "a conflict is a failure")
}

func TestAddReason(t *testing.T) {
	var it templates.Item
	for _, s := range []string{"", "verified", "", "its .lock is there"} {
		it.AddReason(s)
	}
	require.Equal(t, "verified; its .lock is there", it.Reason)
}

func TestParseMode(t *testing.T) {
	for in, want := range map[string]templates.Mode{
		"": templates.ModeCopy, "copy": templates.ModeCopy, "link": templates.ModeLink, "move": templates.ModeMove,
	} {
		got, err := templates.ParseMode(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := templates.ParseMode("symlink")
	require.ErrorContains(t, err, `"symlink": must be copy, link or move`)
}

func ExampleConflictError() {
	var err error = &templates.ConflictError{Conflicts: []templates.Conflict{{
		Name: "el8.2-base", Reason: "choose with --repo or --prefer newest",
		Entries: []templates.ConflictEntry{{Source: "phx_repo:el8.2-base:v1"}, {Source: "old_repo:el8.2-base:v1"}},
	}}}
	var ce *templates.ConflictError
	fmt.Println(errors.As(err, &ce), len(ce.Conflicts[0].Entries))
	fmt.Println(err)
	// Output:
	// true 2
	// "el8.2-base" is wanted by "phx_repo:el8.2-base:v1" and "old_repo:el8.2-base:v1": choose with --repo or --prefer newest
}

func ExampleFilesOf() {
	fmt.Println(templates.FilesOf("el8.2-base"))
	// Output: {el8.2-base.xz el8.2-base.hash el8.2-base.metadata}
}
