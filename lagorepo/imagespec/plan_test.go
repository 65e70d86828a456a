package imagespec_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
)

// specsOf makes complete specs of "ID base" pairs, each pair a line.
func specsOf(t *testing.T, pairs ...string) []*imagespec.Spec {
	t.Helper()
	var out []*imagespec.Spec
	for _, pair := range pairs {
		id, base, _ := strings.Cut(pair, " ")
		out = append(out, parse(t, "specs/"+id, fmt.Sprintf(
			"#base=%s\n#name=%s\n#distro=d\n#osinfo=o\n#arch=x86_64\n#expand=/dev/sda1\n", base, id)))
	}
	return out
}

// lines writes a plan's steps, one a line: ID, base, what it stands on.
func lines(p *imagespec.Plan) []string {
	var out []string
	for _, st := range p.Steps {
		out = append(out, strings.TrimSpace(fmt.Sprint(st.Spec.ID, " ", st.Base, " ", strings.Join(st.After, ","))))
	}
	return out
}

func TestNewPlan(t *testing.T) {
	for _, c := range []struct {
		name  string
		specs []string
		want  []string
	}{
		{"nothing", nil, nil},
		{"independent", []string{"c libguestfs:x", "a simple:http://h/x", "b layer:https://h/y"},
			[]string{"a simple:http://h/x", "b layer:https://h/y", "c libguestfs:x"}},
		{"a base comes before what stands on it", []string{"a z", "z libguestfs:x"}, []string{"z libguestfs:x", "a z z"}},
		{"layer: and bare are the same", []string{"a layer:z", "b z", "z libguestfs:x"}, []string{"z libguestfs:x", "a z z", "b z z"}},
		{"a tower", []string{"a b", "b c", "c d", "d libguestfs:x"}, []string{"d libguestfs:x", "c d d", "b c c,d", "a b b,c,d"}},
		{"a tree", []string{"a c", "b d", "c e", "d e", "e libguestfs:x", "f c"},
			[]string{"e libguestfs:x", "c e e", "a c c,e", "d e e", "b d d,e", "f c c,e"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			specs := specsOf(t, c.specs...)
			for range 5 {
				given := slices.Clone(specs)
				p, err := imagespec.NewPlan(specs, imagespec.PlanOptions{})
				require.NoError(t, err)
				require.Equal(t, c.want, lines(p))
				require.Equal(t, given, specs, "the caller's list stays as it is")
				rand.Shuffle(len(specs), func(i, j int) { specs[i], specs[j] = specs[j], specs[i] })
			}
		})
	}
}

// A forest of any form comes out with every spec once, behind all it stands on.
func TestNewPlanForest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		n := 1 + r.IntN(60)
		name := r.Perm(n)
		var pairs []string
		want := make(map[string][]string)
		for i := range n {
			id := fmt.Sprintf("s%02d", name[i])
			base := r.IntN(i + 1)
			if base == i {
				pairs = append(pairs, id+" libguestfs:x")
				want[id] = nil
				continue
			}
			on := fmt.Sprintf("s%02d", name[base])
			pairs = append(pairs, id+" "+on)
			want[id] = append([]string{on}, want[on]...)
		}
		p, err := imagespec.NewPlan(specsOf(t, pairs...), imagespec.PlanOptions{})
		require.NoError(t, err)
		require.Len(t, p.Steps, n)
		done := make(map[string]bool)
		for _, st := range p.Steps {
			require.False(t, done[st.Spec.ID])
			done[st.Spec.ID] = true
			require.Equal(t, len(want[st.Spec.ID]), len(st.After))
			for i, on := range st.After {
				require.Equal(t, want[st.Spec.ID][i], on)
				require.True(t, done[on])
			}
		}
	}
}

func TestNewPlanLong(t *testing.T) {
	const n = 1000
	pairs := []string{"s0000 libguestfs:x"}
	for i := 1; i < n; i++ {
		pairs = append(pairs, fmt.Sprintf("s%04d s%04d", i, i-1))
	}
	specs := specsOf(t, pairs...)
	slices.Reverse(specs)
	p, err := imagespec.NewPlan(specs, imagespec.PlanOptions{})
	require.NoError(t, err)
	require.Len(t, p.Steps[n-1].After, n-1)
}

func TestNewPlanCycle(t *testing.T) {
	plan := func(pairs ...string) error {
		p, err := imagespec.NewPlan(specsOf(t, pairs...), imagespec.PlanOptions{})
		require.Nil(t, p)
		return err
	}
	var cycle *imagespec.CycleError
	err := plan("c b", "b a", "a c", "d libguestfs:x", "e c")
	require.ErrorAs(t, err, &cycle)
	require.Equal(t, []imagespec.CycleLink{{ID: "a", Path: "specs/a", Line: 1}, {ID: "c", Path: "specs/c", Line: 1}, {ID: "b", Path: "specs/b", Line: 1}}, cycle.Links)
	require.EqualError(t, err, "the bases form a cycle: a stands on c (specs/a, line 1), c stands on b (specs/c, line 1), "+
		"b stands on a (specs/b, line 1), so none can be built first: give one of them another base")

	require.EqualError(t, plan("a layer:a"),
		"the bases form a cycle: a stands on itself (specs/a, line 1), so none can be built first: give one of them another base")

	// What leads into a cycle is no part of it, and each is told once.
	err = plan("a x", "x y", "y x", "b p", "p q", "q r", "r p", "0 a")
	require.Equal(t, 2, strings.Count(err.Error(), "form a cycle"))
	require.ErrorContains(t, err, "cycle: x stands on y")
	require.ErrorContains(t, err, "cycle: p stands on q")
	require.NotContains(t, err.Error(), "specs/a")
}

func TestNewPlanMissingBase(t *testing.T) {
	dir := files(t, map[string]string{"disk.img": "", "dir/": ""})
	t.Chdir(dir)
	p, err := imagespec.NewPlan(specsOf(t, "a simple:disk.img", "b layer:"+filepath.Join(dir, "disk.img")), imagespec.PlanOptions{})
	require.NoError(t, err, "relative to the working directory, as the historical command had it")
	require.Len(t, p.Steps, 2)

	for _, c := range []struct{ base, want string }{
		{"gone", `specs/a: line 1: a stands on "gone", and there is no spec of that name: give that spec, too, or write layer:PATH for a file`},
		{"disk.img", `a stands on "disk.img", and there is no spec of that name`},
		{"layer:gone", `specs/a: line 1: a stands on "gone", and there is neither a spec nor a file of that name`},
		{"simple:gone.img", `specs/a: line 1: a is made from the file "gone.img", which does not exist: give the path from the working directory`},
		{"layer:dir/gone.img", `a is made from the file "dir/gone.img", which does not exist`},
		{"simple:dir", `a is made from the file "dir", which must be a regular file, is a directory`},
		{"simple:" + os.DevNull, "which must be a regular file, is a device"},
		{"simple:disk.img/x", `a is made from the file "disk.img/x", which cannot be looked at: `},
	} {
		t.Run(c.base, func(t *testing.T) {
			p, err := imagespec.NewPlan(specsOf(t, "a "+c.base, "b a"), imagespec.PlanOptions{})
			require.Nil(t, p)
			var missing *imagespec.MissingBaseError
			require.ErrorAs(t, err, &missing)
			require.Equal(t, "a", missing.ID)
			require.Equal(t, "specs/a", missing.Path)
			require.Equal(t, 1, missing.Base.Line)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = imagespec.NewPlan(specsOf(t, "a simple:gone"), imagespec.PlanOptions{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestNewPlanTellsAllAtOnce(t *testing.T) {
	specs := append(specsOf(t, "a gone", "b docker:x", "c d", "d c", "e libguestfs:x"), parse(t, "specs/f", "#name=e\n"))
	_, err := imagespec.NewPlan(specs, imagespec.PlanOptions{Format: lagorepo.IndexLago})
	for _, want := range []string{`specs/a: line 1: a stands on "gone"`, `specs/b: line 1: base "docker:x"`, "cycle: c stands on d",
		"specs/f: lacks base (for lago), distro", `"e:latest" is wanted by "specs/e" and "specs/f"`} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "must say what", "a missing base is told once")
}

func TestNewPlanConflicts(t *testing.T) {
	named := func(id, more string) *imagespec.Spec {
		return parse(t, "specs/"+id, "#base=libguestfs:x\n#distro=d\n#osinfo=o\n#expand=/dev/sda1\n"+more)
	}
	for _, c := range []struct {
		name   string
		specs  []*imagespec.Spec
		format lagorepo.IndexFormat
		want   string // the conflict's name; "": none
	}{
		{"one ID", []*imagespec.Spec{named("a", "#name=x\n#arch=p\n"), named("a", "#name=y\n#arch=q\n")}, "", "a"},
		{"one name", []*imagespec.Spec{named("a", "#name=x\n#arch=p\n"), named("b", "#name=x\n#arch=q\n")}, "", "x:latest"},
		{"one name and version", []*imagespec.Spec{named("a", "#name=x\n#version=v1\n#arch=p\n"), named("b", "#name=x\n#version=v1\n#arch=q\n")}, "", "x:v1"},
		{"said and unsaid", []*imagespec.Spec{named("a", "#name=x\n#version=latest\n"), named("b", "#name=x\n")}, lagorepo.IndexLago, "x:latest"},
		{"two versions", []*imagespec.Spec{named("a", "#name=x\n#version=v1\n#arch=p\n"), named("b", "#name=x\n#version=v2\n#arch=q\n")}, "", ""},
		{"one name, which virt-builder only shows", []*imagespec.Spec{named("a", "#name=x\n#arch=p\n"), named("b", "#name=x\n#arch=p\n")}, lagorepo.IndexVirtBuilder, ""},
		{"one section", []*imagespec.Spec{named("a+b", "#name=x\n#arch=p\n"), named("a-b", "#name=y\n#arch=p\n")}, "", "[a-b] p"},
		{"one section of two architectures", []*imagespec.Spec{named("a+b", "#name=x\n#arch=p\n"), named("a-b", "#name=y\n#arch=q\n")}, "", ""},
		{"one section, which lago does not know", []*imagespec.Spec{named("a+b", "#name=x\n"), named("a-b", "#name=y\n")}, lagorepo.IndexLago, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := imagespec.NewPlan(c.specs, imagespec.PlanOptions{Format: c.format})
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			var conflict *templates.ConflictError
			require.ErrorAs(t, err, &conflict)
			require.Len(t, conflict.Conflicts, 1)
			got := conflict.Conflicts[0]
			require.Equal(t, c.want, got.Name)
			require.Len(t, got.Entries, 2)
			require.Equal(t, c.specs[0].Path, got.Entries[0].Source)
			require.Equal(t, c.specs[1].Path, got.Entries[1].Source)
		})
	}
}

func TestNewPlanFormat(t *testing.T) {
	_, err := imagespec.NewPlan(nil, imagespec.PlanOptions{Format: "lage"})
	require.ErrorContains(t, err, "must be all, lago or virt-builder")
}
