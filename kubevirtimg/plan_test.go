package kubevirtimg_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/templates"
)

// cacheOf is a cache with a disk and a sidecar in each directory.
func cacheOf(dirs ...string) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for i, dir := range dirs {
		disk := raw(byte(i))
		fsys[dir+"/disk.img"] = &fstest.MapFile{Data: disk, ModTime: day.Add(time.Duration(i) * time.Hour)}
		fsys[dir+"/disk.img.sha1"] = &fstest.MapFile{Data: []byte(sha1Of(disk) + "\n"), ModTime: day.Add(time.Duration(i) * time.Hour)}
	}
	return fsys
}

func TestNewPlanNames(t *testing.T) {
	sum := sha1Of(raw(0)) // of the one directory in each cache
	script := func(images ...string) (out []kubevirtimg.ScriptName) {
		for i, image := range images {
			out = append(out, kubevirtimg.ScriptName{Dir: "windows2016", Image: image, Line: 10 + i, Targets: []string{"win"}})
		}
		return out
	}
	named := func(s ...string) (out []kubevirtimg.Name) {
		for _, n := range s {
			name, err := kubevirtimg.ParseName(n)
			require.NoError(t, err)
			out = append(out, name)
		}
		return out
	}
	tests := map[string]struct {
		dir    string
		opt    kubevirtimg.PlanOptions
		images []string
		text   string // in the reason, or in the error where there are no images
	}{
		"rhel8":                 {dir: "rhel8", images: []string{"rhel8.qcow2"}},
		"rhel7 of both users":   {dir: "rhel7", images: []string{"rhel7.img"}},
		"windows2012_syspreped": {dir: "windows2012_syspreped", images: []string{"windows2012_syspreped.img"}},
		"windows2019": {
			dir: "windows2019", images: []string{"win_19_2.qcow2"},
			text: `was also asked for as "win_19.img" (common-templates, for two months before)`,
		},
		"windows2016 is ambiguous": {
			dir: "windows2016",
			text: `"windows2016": KubeVirt asked for more than one image with this directory: "win_16.img" (common-templates from 2019-12), ` +
				`"win01.img" (kubevirt, from 2018 to the end); choose with --name windows2016=win_16.img`,
		},
		"rhel is ambiguous": {dir: "rhel", text: `"rhel6.qcow2" (common-templates in 2019, whichever was fetched last), "rhel7.img"`},
		"unknown":           {dir: "rhel9", text: "give it with --name DIR=IMAGE, or the script that downloads it with --names-from SCRIPT"},
		"an extension is never guessed": {
			dir: "fedora30", text: "has no name",
		},
		"a name": {
			dir: "rhel9", opt: kubevirtimg.PlanOptions{Names: named("rhel9=rhel-9.qcow2")}, images: []string{"rhel-9.qcow2"},
		},
		"a name for what is known": {
			dir: "rhel8", opt: kubevirtimg.PlanOptions{Names: named("rhel8=other.img")}, images: []string{"other.img"},
		},
		"two names, one of them twice": {
			dir:    "windows2016",
			opt:    kubevirtimg.PlanOptions{Names: named("windows2016=win_16.img", "windows2016=win01.img", "windows2016=win_16.img")},
			images: []string{"win01.img", "win_16.img"},
		},
		"a known SHA-1": {
			dir: "windows2016", opt: kubevirtimg.PlanOptions{SHA1: map[string]string{sum: "win01.img", sha1Of(raw(7)): "win_16.img"}},
			images: []string{"win01.img"}, text: `named by its SHA-1, which is known as that of "win01.img"`,
		},
		"a known SHA-1 in upper case": {
			dir: "rhel", opt: kubevirtimg.PlanOptions{SHA1: map[string]string{strings.ToUpper(sum): "rhel8.qcow2"}}, images: []string{"rhel8.qcow2"},
		},
		"an SHA-1 is worth more than a script": {
			dir: "windows2016", opt: kubevirtimg.PlanOptions{SHA1: map[string]string{sum: "win01.img"}, Script: script("win_16.img")},
			images: []string{"win01.img"},
		},
		"the operator more than both": {
			dir: "windows2016", opt: kubevirtimg.PlanOptions{
				Names: named("windows2016=mine.img"), SHA1: map[string]string{sum: "win01.img"}, Script: script("win_16.img"),
			},
			images: []string{"mine.img"},
		},
		"a script": {
			dir: "windows2016", opt: kubevirtimg.PlanOptions{Script: script("win01.img")},
			images: []string{"win01.img"}, text: "named by line 10 of the script for TARGET=win",
		},
		"a script that says it twice": {
			dir: "windows2016", opt: kubevirtimg.PlanOptions{Script: script("win01.img", "win01.img")}, images: []string{"win01.img"},
		},
		"a script with two images": {
			dir: "windows2016", opt: kubevirtimg.PlanOptions{Script: script("a.img", "b.img")},
			text: `"a.img" (line 10 of the script for TARGET=win), "b.img" (line 11 of the script for TARGET=win); choose with --name windows2016=a.img`,
		},
		"a script on other directories": {
			dir: "rhel8", opt: kubevirtimg.PlanOptions{Script: script("a.img")}, images: []string{"rhel8.qcow2"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := plan(t, cacheOf(test.dir), test.opt)
			var images []string
			for _, a := range p.Actions {
				if test.images == nil {
					require.Equal(t, templates.Failed, a.State)
					require.Contains(t, a.Error, test.text)
					require.Empty(t, a.Image)
					require.Equal(t, strings.Contains(a.Error, "choose with"), len(a.Candidates) > 1)
					continue
				}
				require.Equal(t, templates.Planned, a.State, a.Error)
				require.Equal(t, test.dir+"/disk.img", a.Source)
				require.Contains(t, a.Reason, test.text)
				images = append(images, a.Image)
			}
			require.Equal(t, test.images, images)
		})
	}
}

func TestNewPlanComputed(t *testing.T) {
	fsys := fstest.MapFS{"windows2016/disk.img": {Data: raw(1)}}
	entries := scan(t, fsys)
	opt := kubevirtimg.PlanOptions{SHA1: map[string]string{sha1Of(raw(1)): "win01.img"}}
	p, err := kubevirtimg.NewPlan(entries, opt)
	require.NoError(t, err)
	require.Equal(t, templates.Failed, p.Actions[0].State, "nobody knows its SHA-1")
	require.NoError(t, kubevirtimg.Identify(t.Context(), fsys, entries, nil))
	p, err = kubevirtimg.NewPlan(entries, opt)
	require.NoError(t, err)
	require.Equal(t, "win01.img", p.Actions[0].Image)
}

func TestNewPlanRefusesOptions(t *testing.T) {
	for name, test := range map[string]struct {
		opt  kubevirtimg.PlanOptions
		want string
	}{
		"name":      {kubevirtimg.PlanOptions{Names: []kubevirtimg.Name{{Dir: "a", Image: "../b"}}}, `name "a=../b"`},
		"directory": {kubevirtimg.PlanOptions{Names: []kubevirtimg.Name{{Dir: "../a", Image: "b"}}}, `name "../a=b"`},
		"SHA-1":     {kubevirtimg.PlanOptions{SHA1: map[string]string{"abc": "b"}}, `SHA-1 "abc" of "b"`},
		"image":     {kubevirtimg.PlanOptions{SHA1: map[string]string{sha1Of(nil): "b/c"}}, `of "b/c"`},
		"script":    {kubevirtimg.PlanOptions{Script: []kubevirtimg.ScriptName{{Dir: "a", Image: "b.sha1", Line: 3}}}, "line 3 of the script"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := kubevirtimg.NewPlan(nil, test.opt)
			require.Nil(t, p)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestNewPlanOthers(t *testing.T) {
	fsys := cacheOf("rhel8")
	fsys["empty/disk.img"] = &fstest.MapFile{}
	fsys["a-file"] = &fstest.MapFile{}
	fsys["broken/disk.img"] = &fstest.MapFile{Data: qcow2(true)}
	p := plan(t, fsys, kubevirtimg.PlanOptions{Names: []kubevirtimg.Name{{Dir: "missing", Image: "m.img"}}})
	r := p.Report()
	require.Equal(t, map[string]templates.State{
		"a-file ": templates.Skipped, "broken ": templates.Failed, "empty ": templates.Skipped, "missing ": templates.Failed,
		"rhel8/disk.img rhel8.qcow2": templates.Planned,
	}, states(r))
	require.True(t, r.Failed())
	for _, it := range r.Items {
		require.NotEqual(t, it.State == templates.Failed, it.Error == "", it.Source)
		if it.State == templates.Skipped {
			require.NotEmpty(t, it.Reason)
		}
	}
	require.Contains(t, r.Items[3].Error, "there is no such directory")
	require.Equal(t, "kubevirt/rhel8.qcow2", r.Items[4].Destination)
	require.Equal(t, "rhel8.qcow2", p.NormalizeReport().Items[4].Destination)

	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(text), `{"source":"rhel8/disk.img","template":"rhel8","handle":"rhel8.qcow2",`+
		`"destination":"kubevirt/rhel8.qcow2","state":"planned","sizes":{"apparent":4096}}`)
}

func TestNewPlanConflicts(t *testing.T) {
	of := func(cache string, fsys fstest.MapFS) []kubevirtimg.Entry {
		entries := scan(t, fsys)
		for i := range entries {
			entries[i].Cache = cache
		}
		return entries
	}
	newer := cacheOf("rhel8")
	newer["rhel8/disk.img"].ModTime = day.Add(time.Hour)
	newer["rhel8/disk.img"].Data = raw(5)
	newer["rhel8/disk.img.sha1"].Data = []byte(sha1Of(raw(5)))
	same := append(of("/node1", cacheOf("rhel8", "rhel7")), of("/node2", cacheOf("rhel8"))...)
	aged := append(of("/node1", cacheOf("rhel8", "rhel7")), of("/node2", newer)...)

	t.Run("two caches", func(t *testing.T) {
		p, err := kubevirtimg.NewPlan(aged, kubevirtimg.PlanOptions{})
		var conflict *templates.ConflictError
		require.ErrorAs(t, err, &conflict)
		require.Equal(t, p.Conflicts, conflict.Conflicts)
		require.Len(t, p.Conflicts, 1)
		c := p.Conflicts[0]
		require.Equal(t, "rhel8.qcow2", c.Name)
		require.Contains(t, c.Reason, "prefer the newest")
		require.NotContains(t, c.Reason, "agree")
		require.Equal(t, []templates.ConflictEntry{
			{Source: "/node1/rhel8/disk.img", Template: "rhel8", Timestamp: day},
			{Source: "/node2/rhel8/disk.img", Template: "rhel8", Timestamp: day.Add(time.Hour)},
		}, c.Entries)
		require.True(t, p.Report().Failed())
		require.Equal(t, p.Conflicts, p.Report().Conflicts)
	})
	t.Run("the sidecars agree", func(t *testing.T) {
		p, err := kubevirtimg.NewPlan(same, kubevirtimg.PlanOptions{})
		require.Error(t, err)
		require.Contains(t, p.Conflicts[0].Reason, "their sidecars agree")
	})
	t.Run("the newest", func(t *testing.T) {
		p, err := kubevirtimg.NewPlan(aged, kubevirtimg.PlanOptions{PreferNewest: true})
		require.NoError(t, err)
		require.Equal(t, map[string]templates.State{
			"/node1/rhel7/disk.img rhel7.img": templates.Planned, "/node1/rhel8/disk.img rhel8.qcow2": templates.Skipped,
			"/node2/rhel8/disk.img rhel8.qcow2": templates.Planned,
		}, states(p.Report()))
		require.Contains(t, p.Report().Items[1].Reason, `"/node2/rhel8/disk.img" is newer`)
		require.Len(t, p.ForCache("/node1").Actions, 2)
		require.Len(t, p.ForCache("/node2").Actions, 1)
		require.Empty(t, p.ForCache("/node3").Actions)
	})
	t.Run("of one age", func(t *testing.T) {
		p, err := kubevirtimg.NewPlan(same, kubevirtimg.PlanOptions{PreferNewest: true})
		require.Error(t, err)
		require.Contains(t, p.Conflicts[0].Reason, "of one age")
	})
	t.Run("two directories", func(t *testing.T) {
		_, err := kubevirtimg.NewPlan(of("", cacheOf("rhel7", "rhel")), kubevirtimg.PlanOptions{
			Names: []kubevirtimg.Name{{Dir: "rhel", Image: "rhel7.img"}},
		})
		require.ErrorContains(t, err, `"rhel7.img" is wanted by "rhel/disk.img" and "rhel7/disk.img"`)
	})
}
