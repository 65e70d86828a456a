package lagorepo_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

func ExampleCatalogue() {
	tree := exampleRepo(map[string]string{
		"el8.2-base": `{"name": "el8.2-base", "version": "v1", "arch": "x86_64", "osinfo": "rhel8.2", "timestamp": 1583020800}`,
		"el8.2-next": `{"name": "el8.2-base", "version": "v2", "arch": "x86_64", "osinfo": "rhel8.2", "timestamp": 1593561600}`,
	})
	defer os.RemoveAll(tree)
	ctx := context.Background()
	dst, err := publish.Open(ctx, tree, publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()
	if _, err := lagorepo.WriteIndex(ctx, dst, templates.RepoDir, lagorepo.IndexOptions{}); err != nil {
		log.Fatal(err)
	}
	// A link that somebody left there is not followed, nor listed.
	if err := os.Symlink("/etc/passwd", filepath.Join(tree, templates.RepoDir, "passwd.xz")); err != nil {
		log.Fatal(err)
	}

	repo, err := templates.OpenDir(filepath.Join(tree, templates.RepoDir))
	if err != nil {
		log.Fatal(err)
	}
	defer repo.Close()
	list, err := lagorepo.Catalogue(ctx, repo)
	if list == nil && err != nil {
		log.Fatal(err)
	}
	if err != nil {
		fmt.Println("not everything could be read:", err)
	}
	for _, p := range list {
		fmt.Println(p.Name, p.Version, p.Latest, p.Osinfo, p.Arch, p.VirtualSize, p.Time.Format(time.DateOnly), p.File)
	}
	// Output:
	// el8.2-base v2 true rhel8.2 x86_64 1048576 2020-07-01 el8.2-next.xz
	// el8.2-base v1 false rhel8.2 x86_64 1048576 2020-03-01 el8.2-base.xz
}

func ExampleCatalogue_error() {
	tree := exampleRepo(map[string]string{"el8": `{"name": "el8", "version": "v1", "arch": "x86_64"`})
	defer os.RemoveAll(tree)
	repo := filepath.Join(tree, templates.RepoDir)
	if err := os.WriteFile(filepath.Join(repo, templates.RepoMetadataName), []byte("404 not found"), 0o644); err != nil {
		log.Fatal(err)
	}
	list, err := lagorepo.Catalogue(context.Background(), os.DirFS(repo))
	fmt.Println(err)
	for _, p := range list {
		fmt.Println(p.Name, p.Version)
		fmt.Println(p.Notes)
	}
	// Output:
	// repo.metadata: line 1: must be JSON: invalid character 'n' after top-level value; names and versions are those of each template's metadata
	// el8 latest
	// el8.metadata: line 1: must be JSON: unexpected end of JSON input.
}
