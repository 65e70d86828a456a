package tplkit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/tplkit/tplkit"

// floor is a package of the house with everything below its directory that is
// not a floor of its own. An import only ever goes to a lower level, or stays
// within the package.
type floor struct {
	dir     string
	level   int
	library bool
	modules []string // other modules it may use beside those of the floors it stands on
}

var floors = []floor{
	{dir: "templates/internal", level: 0, library: true, modules: []string{"golang.org/x/sys"}},
	{dir: "hashutil", level: 1, library: true, modules: []string{"golang.org/x/sync"}},
	{dir: "templates/transfer", level: 0, library: true},
	{dir: "templates/xzpack", level: 1, library: true, modules: []string{"golang.org/x/sync", "golang.org/x/sys", "github.com/ulikunitz/xz"}},
	{dir: "templates/publish", level: 1, library: true, modules: []string{"golang.org/x/sys", "github.com/google/renameio/v2"}},
	{dir: "templates", level: 2, library: true, modules: []string{"golang.org/x/sync", "golang.org/x/sys"}},
	// The index of virt-builder stands alone: level 0 means that it imports
	// nothing of the module.
	{dir: "lagorepo/virtindex", level: 0, library: true},
	{dir: "lagorepo", level: 3, library: true, modules: []string{"golang.org/x/sync"}},
	{dir: "kubevirtimg", level: 3, library: true, modules: []string{"golang.org/x/sync"}},
	// Who may read what is decided without knowing how it is served.
	{dir: "templates/webserve/acl", level: 1, library: true},
	{dir: "templates/webserve", level: 3, library: true, modules: []string{"golang.org/x/sys", "golang.org/x/text"}},
	// What runs programs and asks servers stands on the packages that do neither.
	{dir: "lagorepo/imagespec", level: 4, library: true, modules: []string{"golang.org/x/sync", "golang.org/x/sys"}},
	{dir: "cmd/tplkit", level: 5, modules: []string{
		"golang.org/x/sync", "golang.org/x/sys", "github.com/alecthomas/kong", "github.com/vbauerster/mpb/v8",
		// what the progress bars stand on
		"github.com/VividCortex/ewma", "github.com/acarl005/stripansi", "github.com/mattn/go-runewidth", "github.com/rivo/uniseg",
		"github.com/clipperhouse/uax29/v2", "github.com/clipperhouse/stringish",
	}},
	// What the command and the benchmarks measure with stands alone, too.
	{dir: "cmd/tplkit/measure", level: 0, library: true},
	{dir: "examples", level: 5, modules: []string{"golang.org/x/sys"}},
	{dir: ".", level: 6, library: true},
}

// testModules are what tests may use beside what their package may. A second
// decoder for .xz keeps the tests independent of what they test.
var testModules = []string{
	"github.com/stretchr/testify", "github.com/rogpeppe/go-internal", "github.com/ulikunitz/xz", "golang.org/x/sys", "golang.org/x/sync",
}

// goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath, Dir                    string
	Standard                           bool
	Module                             *struct{ Path string }
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func goList(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-pgo=off", "-json=ImportPath,Dir,Standard,Module,GoFiles,Imports,TestImports,XTestImports,Deps"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var pkgs []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// floorOf finds the floor of a package of the module: the one with the longest
// directory that holds it.
func floorOf(importPath string) (floor, bool) {
	if importPath == module {
		return floors[len(floors)-1], true
	}
	dir, ok := strings.CutPrefix(importPath, module+"/")
	var best floor
	for _, f := range floors {
		if ok && (dir == f.dir || strings.HasPrefix(dir, f.dir+"/")) && len(f.dir) > len(best.dir) {
			best = f
		}
	}
	return best, best.dir != ""
}

func inModule(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// faults are the breaches of the floors. moduleOf tells the module of each
// package that is neither ours nor of the standard library.
func faults(pkgs []goPackage, moduleOf map[string]string) []string {
	var found []string
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, p := range pkgs {
		from, ok := floorOf(p.ImportPath)
		if !ok {
			say("%s: has no floor in depcheck_test.go", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if !inModule(imp) {
				continue
			}
			to, ok := floorOf(imp)
			if ok && to.dir != from.dir && to.level >= from.level {
				say("%s: imports %s, which is not below it", p.ImportPath, imp)
			}
			if from.level == 0 && to.dir != from.dir {
				say("%s: imports %s, but must stand alone", p.ImportPath, imp)
			}
		}
		// What it stands on brings its own modules along.
		allowed := slices.Clone(from.modules)
		for _, dep := range p.Deps {
			if to, ok := floorOf(dep); ok {
				allowed = append(allowed, to.modules...)
			}
		}
		for _, dep := range p.Deps {
			if m := moduleOf[dep]; m != "" && !slices.Contains(allowed, m) {
				say("%s: depends on %s of %s", p.ImportPath, dep, m)
			}
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			if m := moduleOf[imp]; m != "" && !slices.Contains(allowed, m) && !slices.Contains(testModules, m) {
				say("%s: a test imports %s of %s", p.ImportPath, imp, m)
			}
		}
	}
	return found
}

func TestImportsGoDown(t *testing.T) {
	moduleOf := make(map[string]string)
	for _, p := range goList(t, "-deps", "-test", "./...") {
		if !p.Standard && p.Module != nil && p.Module.Path != module {
			moduleOf[p.ImportPath] = p.Module.Path
		}
	}
	pkgs := goList(t, "./...")
	seen := make(map[string]bool)
	for _, p := range pkgs {
		f, _ := floorOf(p.ImportPath)
		seen[f.dir] = true
	}
	for _, f := range floors {
		require.True(t, seen[f.dir], "no package found on the floor %q: the guard looks at nothing", f.dir)
	}
	require.NotEmpty(t, moduleOf)
	require.Empty(t, faults(pkgs, moduleOf))
}

func TestFaultsAreFound(t *testing.T) {
	moduleOf := map[string]string{"github.com/alecthomas/kong": "github.com/alecthomas/kong", "example.com/x/y": "example.com/x"}
	for name, c := range map[string]struct {
		pkg  goPackage
		want string
	}{
		"upwards":         {goPackage{ImportPath: module + "/hashutil", Imports: []string{module + "/templates"}}, "not below"},
		"sideways":        {goPackage{ImportPath: module + "/kubevirtimg", Imports: []string{module + "/lagorepo"}}, "not below"},
		"on one floor":    {goPackage{ImportPath: module + "/templates/xzpack", Imports: []string{module + "/hashutil"}}, "not below"},
		"from internal":   {goPackage{ImportPath: module + "/templates/xzpack/internal/x", Imports: []string{module + "/templates"}}, "not below"},
		"index not alone": {goPackage{ImportPath: module + "/lagorepo/virtindex", Imports: []string{module + "/hashutil"}}, "not below"},
		"no floor":        {goPackage{ImportPath: module + "/util"}, "no floor"},
		"a CLI library":   {goPackage{ImportPath: module + "/lagorepo", Deps: []string{"github.com/alecthomas/kong"}}, "depends on"},
		"a test's":        {goPackage{ImportPath: module + "/lagorepo", XTestImports: []string{"example.com/x/y"}}, "a test imports"},
	} {
		t.Run(name, func(t *testing.T) {
			found := faults([]goPackage{c.pkg}, moduleOf)
			require.NotEmpty(t, found)
			require.Contains(t, found[0], c.want)
		})
	}
	require.Empty(t, faults([]goPackage{
		{ImportPath: module + "/lagorepo", Imports: []string{module + "/lagorepo/virtindex", module + "/templates", module + "/hashutil"}},
		{ImportPath: module + "/cmd/tplkit", Imports: []string{module + "/lagorepo"}, Deps: []string{"github.com/alecthomas/kong"}},
	}, moduleOf))
}
