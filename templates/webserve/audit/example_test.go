package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/audit"
)

// exampleTree is a tree with one thing to say about it.
func exampleTree() string {
	root, err := os.MkdirTemp("", "tree-")
	if err != nil {
		panic(err)
	}
	for _, zone := range []string{"repo", "bundles", "yum", "kubevirt"} {
		if err := os.Mkdir(filepath.Join(root, zone), 0o755); err != nil {
			panic(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, "yum"), 0o775|os.ModeSetgid); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(root, "repo", "el8.xz.hash"), nil, 0o644); err != nil {
		panic(err)
	}
	return root
}

func ExampleCheck() {
	root := exampleTree()
	defer os.RemoveAll(root)

	report, err := audit.Check(context.Background(), root, acl.Default(), audit.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range report.Findings {
		fmt.Println(f)
	}
	fmt.Println("in order:", report.OK())
	// Output:
	// fault: "repo/el8.xz.hash": lago asks for this name before it asks for "el8.hash": remove it, or rename it to that
	// in order: false
}

func ExampleFixPermissions() {
	root := exampleTree()
	defer os.RemoveAll(root)
	if err := os.Chmod(filepath.Join(root, "yum"), 0o755); err != nil {
		fmt.Println(err)
		return
	}

	report, err := audit.FixPermissions(context.Background(), root, audit.Options{DryRun: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range report.Changes {
		fmt.Println(c.Path, "is not as it should be; changed:", c.Done)
	}
	// Output:
	// yum is not as it should be; changed: false
}

func ExampleLookupAccount() {
	account, err := audit.LookupAccount("1000000:1000001")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(account)
	_, err = audit.LookupAccount("no such user")
	fmt.Println(err != nil)
	// Output:
	// 1000000:1000001
	// true
}
