package lagorepo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// entry makes a complete entry with a metadata timestamp, 0 for none.
func entry(t testing.TB, name string, timestamp int64, age time.Duration) lagorepo.Entry {
	t.Helper()
	id, err := lagorepo.ParseStoreName(name)
	require.NoError(t, err)
	m := new(lagorepo.Metadata)
	if timestamp != 0 {
		m.SetInt(lagorepo.KeyTimestamp, timestamp)
	}
	return lagorepo.Entry{Name: name, ID: id, State: lagorepo.Complete, HasDisk: true, Size: 1, ModTime: stamp.Add(-age), Metadata: m}
}

func states(r *templates.Report) map[string]string {
	got := map[string]string{}
	for _, it := range r.Items {
		got[it.Source] = string(it.State)
		if it.Handle != "" {
			got[it.Source] += " " + it.Handle
		}
	}
	return got
}

func TestNewPlan(t *testing.T) {
	entries := []lagorepo.Entry{
		entry(t, "phx_repo:el8.2-base:v1", 0, 0),
		entry(t, "phx_repo:lago Fedora® 22:v1", 0, 0),
		entry(t, "phx_repo:a:b:v2.1", 0, 0),
		entry(t, "phx_repo:repo:v1", 0, 0),
		entry(t, "phx_repo:index:v1", 0, 0),
		entry(t, "phx_repo:el8.hash:v1", 0, 0),
		entry(t, "phx_repo:el8.xz:v1", 0, 0),
		entry(t, "phx_repo:repo.metadata:v1", 0, 0),
		entry(t, "phx_repo:$(reboot):v1", 0, 0),
		entry(t, "phx_repo:-rf:v1", 0, 0),
		entry(t, "phx_repo:®:v1", 0, 0),
		entry(t, "phx_repo:el7:v$(reboot)", 0, 0),
		entry(t, "phx_repo:el7:v 1", 0, 0),
		entry(t, "phx_repo:x..y:v1", 0, 0),
		{Name: "lost+found", State: lagorepo.Foreign, Reason: "is a directory"},
		{Name: "phx_repo:fc1:v1", ID: lagorepo.StoreName{Repo: "phx_repo", Template: "fc1", Version: "v1"}, State: lagorepo.Unfinished, Reason: "the download did not finish", Locked: true},
		{Name: "phx_repo:fc2:v1", ID: lagorepo.StoreName{Repo: "phx_repo", Template: "fc2", Version: "v1"}, State: lagorepo.Refused, Err: errors.New("is a fifo")},
	}
	p, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{})
	require.NoError(t, err)
	r := p.Report()
	require.Equal(t, map[string]string{
		"phx_repo:el8.2-base:v1":      "planned el8.2-base",
		"phx_repo:lago Fedora® 22:v1": "planned lago-Fedora-22",
		"phx_repo:a:b:v2.1":           "planned a-b",
		"phx_repo:repo:v1":            "failed",
		"phx_repo:index:v1":           "failed",
		"phx_repo:el8.hash:v1":        "failed",
		"phx_repo:el8.xz:v1":          "failed",
		"phx_repo:repo.metadata:v1":   "failed",
		"phx_repo:$(reboot):v1":       "failed",
		"phx_repo:-rf:v1":             "failed",
		"phx_repo:®:v1":               "failed",
		"phx_repo:el7:v$(reboot)":     "failed el7",
		"phx_repo:el7:v 1":            "failed el7",
		"phx_repo:x..y:v1":            "failed",
		"lost+found":                  "skipped",
		"phx_repo:fc1:v1":             "skipped",
		"phx_repo:fc2:v1":             "failed",
	}, states(r))
	require.True(t, r.Failed())
	for _, it := range r.Items {
		switch it.State {
		case templates.Failed:
			require.NotEmpty(t, it.Error)
		case templates.Skipped:
			require.NotEmpty(t, it.Reason)
		case templates.Planned:
			require.Equal(t, "repo/"+it.Handle+".xz", it.Destination)
		}
		if it.Template == "fc1" {
			require.Equal(t, "the download did not finish; its .lock is there: lago may be at work on it", it.Reason)
		}
	}
	for _, it := range p.NormalizeReport().Items {
		if it.State == templates.Planned {
			require.Equal(t, it.Handle, it.Destination)
		}
	}
}

func TestNewPlanOrderAndStores(t *testing.T) {
	var entries []lagorepo.Entry
	for _, s := range []string{"/b", "/a"} {
		for _, n := range []string{"r:z" + s[1:] + ":v1", "r:y" + s[1:] + ":v1"} {
			e := entry(t, n, 0, 0)
			e.Store = s
			entries = append(entries, e)
		}
	}
	p, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{})
	require.NoError(t, err)
	var got []string
	for _, it := range p.Report().Items {
		got = append(got, it.Source)
	}
	require.Equal(t, []string{"/a/r:ya:v1", "/a/r:za:v1", "/b/r:yb:v1", "/b/r:zb:v1"}, got)
	require.Equal(t, map[string]string{"/b/r:yb:v1": "planned yb", "/b/r:zb:v1": "planned zb"}, states(p.ForStore("/b").Report()))
	data, err := json.Marshal(p.ForStore("/b"))
	require.NoError(t, err)
	require.JSONEq(t, `{"items": [
		{"source": "/b/r:yb:v1", "template": "yb", "version": "v1", "handle": "yb", "destination": "repo/yb.xz", "state": "planned", "sizes": {"apparent": 1}},
		{"source": "/b/r:zb:v1", "template": "zb", "version": "v1", "handle": "zb", "destination": "repo/zb.xz", "state": "planned", "sizes": {"apparent": 1}}
	], "conflicts": [], "summary": {"planned": 2}}`, string(data))
}

func TestNewPlanRepo(t *testing.T) {
	entries := []lagorepo.Entry{
		entry(t, "phx_repo:el8:v1", 0, 0), entry(t, "brq_repo:el8:v1", 0, 0),
		{Name: "x", State: lagorepo.Foreign, Reason: "is a stranger"},
		{Name: "brq_repo:bad:v1", ID: lagorepo.StoreName{Repo: "brq_repo"}, State: lagorepo.Refused, Err: errors.New("is a fifo")},
	}
	p, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{Repo: "phx_repo"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"phx_repo:el8:v1": "planned el8", "brq_repo:el8:v1": "skipped", "brq_repo:bad:v1": "skipped", "x": "skipped",
	}, states(p.Report()))
	_, err = lagorepo.NewPlan(entries, lagorepo.PlanOptions{Repo: "phx"})
	require.EqualError(t, err, `repository "phx": the store holds nothing of it, only of "brq_repo", "phx_repo"`)
	_, err = lagorepo.NewPlan(nil, lagorepo.PlanOptions{Repo: "phx"})
	require.EqualError(t, err, `repository "phx": the store holds no template`)
}

func TestNewPlanConflicts(t *testing.T) {
	day := 24 * time.Hour
	unnamed := func(e lagorepo.Entry) lagorepo.Entry { e.Metadata = nil; return e }
	for name, tc := range map[string]struct {
		entries []lagorepo.Entry
		newest  string // "" where the newest settles nothing
	}{
		"two versions, by timestamp": {[]lagorepo.Entry{entry(t, "r:el8:v1", 100, 0), entry(t, "r:el8:v2", 200, day)}, "r:el8:v2"},
		"two repositories":           {[]lagorepo.Entry{entry(t, "a:el8:v1", 200, 0), entry(t, "b:el8:v1", 100, 0)}, "a:el8:v1"},
		"two names, one handle":      {[]lagorepo.Entry{entry(t, "r:lago Fedora 22:v1", 1, 0), entry(t, "r:lago Fedora® 22:v1", 2, 0)}, "r:lago Fedora® 22:v1"},
		"equal timestamps":           {[]lagorepo.Entry{entry(t, "r:el8:v1", 100, 0), entry(t, "r:el8:v2", 100, day)}, "r:el8:v1"},
		"all equal":                  {[]lagorepo.Entry{entry(t, "r:el8:v1", 100, 0), entry(t, "r:el8:v2", 100, 0)}, ""},
		"no timestamps":              {[]lagorepo.Entry{entry(t, "r:el8:v1", 0, day), entry(t, "r:el8:v2", 0, 0)}, "r:el8:v2"},
		"one timestamp":              {[]lagorepo.Entry{entry(t, "r:el8:v1", 9e9, day), entry(t, "r:el8:v2", 0, 0)}, "r:el8:v2"},
		"no metadata":                {[]lagorepo.Entry{unnamed(entry(t, "r:el8:v1", 0, 0)), entry(t, "r:el8:v2", 100, day)}, "r:el8:v1"},
		"three, two of one age": {[]lagorepo.Entry{
			entry(t, "r:el8:v1", 100, 0), entry(t, "r:el8:v2", 100, 0), entry(t, "r:el8:v3", 50, 0)}, ""},
		"three, the equal ones old": {[]lagorepo.Entry{
			entry(t, "r:el8:v1", 50, 0), entry(t, "r:el8:v2", 50, 0), entry(t, "r:el8:v3", 100, 0)}, "r:el8:v3"},
		"a circle, were the clocks mixed": {[]lagorepo.Entry{
			entry(t, "r:el8:v1", 10, 0), entry(t, "r:el8:v2", 20, 2*day), entry(t, "r:el8:v3", 0, day)}, "r:el8:v1"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, prefer := range []lagorepo.Prefer{"", lagorepo.PreferError, lagorepo.PreferNewest} {
				p, err := lagorepo.NewPlan(tc.entries, lagorepo.PlanOptions{Prefer: prefer})
				r := p.Report()
				if prefer == lagorepo.PreferNewest && tc.newest != "" {
					require.NoError(t, err)
					for _, it := range r.Items {
						if it.Source == tc.newest {
							require.Equal(t, templates.Planned, it.State)
							continue
						}
						require.Equal(t, templates.Skipped, it.State)
						require.Contains(t, it.Reason, templates.Quote(tc.newest)+" is newer")
					}
					continue
				}
				var ce *templates.ConflictError
				require.ErrorAs(t, err, &ce)
				require.Len(t, r.Conflicts, 1)
				require.Len(t, r.Conflicts[0].Entries, len(tc.entries))
				for i, e := range tc.entries {
					require.Equal(t, e.Name, r.Conflicts[0].Entries[i].Source)
					require.ErrorContains(t, err, e.Name)
				}
				// Nothing may be written then, whoever asks.
				s, dir := newStore(t), t.TempDir()
				_, err = p.Recover(t.Context(), s.open(), openTree(t, dir), fast)
				require.ErrorAs(t, err, &ce)
				require.NoDirExists(t, dir+"/repo")
			}
		})
	}
}

// An entry that gives nothing to publish is no rival.
func TestNewPlanBrokenEntriesDoNotConflict(t *testing.T) {
	bad := entry(t, "r:el8:v2", 200, 0)
	bad.State, bad.Err = lagorepo.Refused, errors.New("is a fifo")
	p, err := lagorepo.NewPlan([]lagorepo.Entry{entry(t, "r:el8:v1", 100, 0), bad}, lagorepo.PlanOptions{})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"r:el8:v1": "planned el8", "r:el8:v2": "failed"}, states(p.Report()))
}

func TestParsePrefer(t *testing.T) {
	for in, want := range map[string]lagorepo.Prefer{"": "error", "error": "error", "newest": "newest"} {
		got, err := lagorepo.ParsePrefer(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := lagorepo.ParsePrefer("oldest")
	require.EqualError(t, err, `preference "oldest": must be error or newest`)
	_, err = lagorepo.NewPlan(nil, lagorepo.PlanOptions{Prefer: "oldest"})
	require.Error(t, err)
}

func ExampleNewPlan() {
	store := fstest.MapFS{
		"phx_repo:el8.2-base:v1": {Data: []byte("a raw disk")},
		"phx_repo:el8.2-base:v2": {Data: []byte("a newer disk")},
	}
	entries, err := lagorepo.ScanStore(context.Background(), store)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = lagorepo.NewPlan(entries, lagorepo.PlanOptions{Prefer: lagorepo.PreferError})
	var conflict *templates.ConflictError
	if errors.As(err, &conflict) {
		for _, c := range conflict.Conflicts {
			fmt.Println(c.Name, len(c.Entries))
		}
	}
	plan, err := lagorepo.NewPlan(entries[:1], lagorepo.PlanOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = json.NewEncoder(os.Stdout).Encode(plan)
	// Output:
	// el8.2-base 2
	// {"items":[{"source":"phx_repo:el8.2-base:v1","template":"el8.2-base","version":"v1","handle":"el8.2-base","destination":"repo/el8.2-base.xz","state":"planned","reason":"the store holds no .hash and no .metadata for it","sizes":{"apparent":10}}],"conflicts":[],"summary":{"planned":1}}
}
