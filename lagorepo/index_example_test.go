package lagorepo_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// exampleRepo makes a tree with the templates, each with a disk of 1 MiB and the
// metadata given, and returns its path.
func exampleRepo(metadata map[string]string) string {
	tree, err := os.MkdirTemp("", "tplkit-example-")
	if err != nil {
		log.Fatal(err)
	}
	disk := bytes.Repeat([]byte("disk"), 1<<18)
	sum := sha1.Sum(disk)
	var packed bytes.Buffer
	if _, err := xzpack.Pack(context.Background(), &packed, bytes.NewReader(disk), int64(len(disk)), xzpack.PackOptions{}); err != nil {
		log.Fatal(err)
	}
	repo := filepath.Join(tree, templates.RepoDir)
	if err := os.Mkdir(repo, 0o755); err != nil {
		log.Fatal(err)
	}
	for handle, md := range metadata {
		f := templates.FilesOf(handle)
		for name, content := range map[string][]byte{
			f.Disk: packed.Bytes(), f.Hash: []byte(hex.EncodeToString(sum[:])), f.Metadata: []byte(md),
		} {
			if err := os.WriteFile(filepath.Join(repo, name), content, 0o644); err != nil {
				log.Fatal(err)
			}
		}
	}
	return tree
}

func ExampleWriteIndex() {
	tree := exampleRepo(map[string]string{
		"el8.2-base": `{"name": "el8.2-base", "version": "v1", "arch": "x86_64", "timestamp": 1583020800}`,
		"scratch":    `{"name": "scratch", "version": "v1", "timestamp": 1583020801}`,
	})
	defer os.RemoveAll(tree)
	ctx := context.Background()
	dst, err := publish.Open(ctx, tree, publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()
	report, err := lagorepo.WriteIndex(ctx, dst, templates.RepoDir, lagorepo.IndexOptions{
		RepoName: "phx_repo", BaseURL: "http://templates.example.org/repo",
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, it := range report.Items {
		fmt.Println(it.State, it.Destination)
		fmt.Println("   ", it.Reason)
	}
	// Output:
	// skipped repo/index
	//     is left out of virt-builder's index: its architecture is not known: put arch into the metadata, or add an entry with arch and file to the index by hand
	// written repo/repo.metadata
	//     it lists 2 versions of 2 templates as repository phx_repo at http://templates.example.org/repo
	// written repo/index
	//     it lists 1 template for virt-builder, 1 of them new
}

func ExampleWriteIndex_conflict() {
	tree := exampleRepo(map[string]string{
		"el8-a": `{"name": "el8", "version": "v1"}`,
		"el8-b": `{"name": "el8", "version": "v1"}`,
	})
	defer os.RemoveAll(tree)
	ctx := context.Background()
	dst, err := publish.Open(ctx, tree, publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()
	_, err = lagorepo.WriteIndex(ctx, dst, templates.RepoDir, lagorepo.IndexOptions{})
	var conflict *templates.ConflictError
	if errors.As(err, &conflict) {
		fmt.Println(err)
	}
	// Output:
	// "el8:v1" is wanted by "repo/el8-a.xz" and "repo/el8-b.xz": both metadata say this name and version: correct one of them
}

func ExamplePlanIndex() {
	tree := exampleRepo(map[string]string{"el8": `{"version": "v1", "arch": "x86_64", "timestamp": 1583020800}`})
	defer os.RemoveAll(tree)
	dir, err := templates.OpenDir(tree)
	if err != nil {
		log.Fatal(err)
	}
	defer dir.Close()
	plan, err := lagorepo.PlanIndex(context.Background(), dir, templates.RepoDir, lagorepo.IndexOptions{Format: lagorepo.IndexLago})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range plan.Files {
		fmt.Println(f.Name, f.Summary)
		fmt.Print(string(f.Content))
	}
	// Output:
	// repo.metadata lists 1 version of 1 template as repository test at http://127.0.0.1:8181
	// {
	//     "name": "test",
	//     "sources": {
	//         "test": {
	//             "type": "http",
	//             "args": {
	//                 "baseurl": "http://127.0.0.1:8181"
	//             }
	//         }
	//     },
	//     "templates": {
	//         "el8": {
	//             "versions": {
	//                 "v1": {
	//                     "source": "test",
	//                     "handle": "el8",
	//                     "timestamp": 1583020800
	//                 }
	//             }
	//         }
	//     }
	// }
}

func ExampleIndexPlan_Write() {
	tree := exampleRepo(map[string]string{"el8": `{"version": "v1", "arch": "x86_64"}`})
	defer os.RemoveAll(tree)
	ctx := context.Background()
	dir, err := templates.OpenDir(tree)
	if err != nil {
		log.Fatal(err)
	}
	defer dir.Close()
	dst, err := publish.Open(ctx, tree, publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()
	for range 2 {
		plan, err := lagorepo.PlanIndex(ctx, dir, templates.RepoDir, lagorepo.IndexOptions{})
		if err != nil {
			log.Fatal(err)
		}
		report, err := plan.Write(ctx, dst)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Summary)
	}
	// Output:
	// map[written:2]
	// map[unchanged:2]
}

func ExampleParseRepoMetadata() {
	m, err := lagorepo.ParseRepoMetadata([]byte(`{
		"name": "phx_repo",
		"sources": {"phx_repo": {"type": "http", "args": {"baseurl": "http://templates.example.org/repo"}}},
		"templates": {"el8.2-base": {"versions": {"v1": {"source": "phx_repo", "handle": "el8.2-base", "timestamp": 1583020800}}}}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	v := m.Templates["el8.2-base"].Versions["v1"]
	seconds, err := v.Timestamp.Int64()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Sources[v.Source].BaseURL+"/"+v.Handle+".xz", time.Unix(seconds, 0).UTC().Format(time.DateOnly))
	// Output: http://templates.example.org/repo/el8.2-base.xz 2020-03-01
}

func ExampleParseRepoMetadata_error() {
	_, err := lagorepo.ParseRepoMetadata([]byte(`{"name": "r", "name": "s"}`))
	var jerr *lagorepo.JSONError
	if errors.As(err, &jerr) {
		fmt.Println(jerr)
	}
	// Output: line 1: the key "name" must occur once in its object, occurs again
}

func ExampleRepoMetadata_Marshal() {
	m := lagorepo.RepoMetadata{
		Name:    "phx_repo",
		Sources: map[string]lagorepo.RepoSource{"disk": {Root: "/srv/templates"}},
	}
	text, err := m.Marshal()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// {
	//     "name": "phx_repo",
	//     "sources": {
	//         "disk": {
	//             "type": "file",
	//             "args": {
	//                 "root": "/srv/templates"
	//             }
	//         }
	//     },
	//     "templates": {}
	// }
}

func ExampleCheckBaseURL() {
	fmt.Println(lagorepo.CheckBaseURL("templates.example.org/repo"))
	// Output: base URL "templates.example.org/repo": must begin with http:// or https://
}

func ExampleParseIndexFormat() {
	f, err := lagorepo.ParseIndexFormat("")
	fmt.Println(f, err)
	// Output: all <nil>
}

func ExampleParseVersions() {
	_, err := lagorepo.ParseVersions("newest")
	fmt.Println(err)
	// Output: versions "newest": must be metadata or latest
}
