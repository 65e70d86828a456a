package tplkit_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A library neither prints, logs, reads the environment nor ends the process:
// these belong to the program that embeds it.
var forbidden = map[string][]string{
	"fmt":      {"Print", "Printf", "Println"},
	"os":       {"Exit", "Stdin", "Stdout", "Stderr", "Args", "Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv"},
	"log":      nil, // nil: not even imported
	"log/slog": nil,
	"flag":     nil,
}

// outspoken finds the forbidden names in a Go file.
func outspoken(t *testing.T, path string, src any) []string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
	require.NoError(t, err)
	var found []string
	names := make(map[string]string) // the name in the file → the package
	for _, imp := range file.Imports {
		pkg, err := strconv.Unquote(imp.Path.Value)
		require.NoError(t, err)
		uses, ok := forbidden[pkg]
		if ok && uses == nil {
			found = append(found, fset.Position(imp.Pos()).String()+": imports "+pkg)
		}
		name := pkg[strings.LastIndex(pkg, "/")+1:]
		if imp.Name != nil {
			name = imp.Name.Name
		}
		names[name] = pkg
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(forbidden[names[x.Name]], n.Sel.Name) {
				found = append(found, fset.Position(n.Pos()).String()+": uses "+x.Name+"."+n.Sel.Name)
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "println" || f.Name == "print") {
				found = append(found, fset.Position(n.Pos()).String()+": uses "+f.Name)
			}
		}
		return true
	})
	return found
}

func TestLibrariesAreSilent(t *testing.T) {
	var found []string
	files := 0
	for _, p := range goList(t, "./...") {
		if f, ok := floorOf(p.ImportPath); !ok || !f.library {
			continue
		}
		for _, name := range p.GoFiles {
			files++
			found = append(found, outspoken(t, filepath.Join(p.Dir, name), nil)...)
		}
	}
	require.Greater(t, files, 30, "the guard looks at nothing")
	require.Empty(t, found)
}

func TestOutspokenCodeIsFound(t *testing.T) {
	require.Len(t, outspoken(t, "a.go", `package a
import ("fmt"; o "os"; "log")
func f() { fmt.Println("x"); o.Exit(1); _ = o.Getenv("HOME"); println(1) }`), 5)
	require.Empty(t, outspoken(t, "a.go", `package a
import ("fmt"; "os")
func f() error { _, err := os.Open("x"); return fmt.Errorf("%w", err) }`))
}

// inTree calls f for every file of the source tree.
func inTree(t *testing.T, f func(path string)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		f(path)
		return nil
	}))
}

// The module proxy refuses modules, and Windows checkouts fail, over such names.
// Names of lago's store are made at run time.
func TestFileNamesCanBeHeldAnywhere(t *testing.T) {
	n := 0
	inTree(t, func(path string) {
		n++
		require.False(t, strings.ContainsAny(filepath.ToSlash(path), "<>:\"|?*\\") || strings.HasSuffix(path, " "),
			"%q: a name that cannot be held everywhere", path)
	})
	require.Greater(t, n, 100)
}

func TestFilesAreSmall(t *testing.T) {
	inTree(t, func(path string) {
		if filepath.Ext(path) != ".go" {
			return
		}
		src, err := os.ReadFile(path)
		require.NoError(t, err)
		require.LessOrEqual(t, bytes.Count(src, []byte("\n")), 500, "%s: lines; a file is about one thing", path)
	})
}
