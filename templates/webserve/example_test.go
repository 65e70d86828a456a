package webserve_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// exampleTree makes a tree with one file in repo/ and one in kubevirt/.
func exampleTree() string {
	root, err := os.MkdirTemp("", "tree")
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range map[string]string{"repo/el8.2-base.hash": "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "kubevirt/rhel8.qcow2": "QFI"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	return root
}

func get(url string) {
	res, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", res.Status, body)
}

// Without a policy, repo/, bundles/ and yum/ are for everyone and kubevirt/ is
// for nobody.
func Example() {
	root := exampleTree()
	defer os.RemoveAll(root)
	h, err := webserve.New(root, webserve.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	s := httptest.NewServer(h)
	defer s.Close()

	get(s.URL + "/repo/el8.2-base.hash")
	get(s.URL + "/kubevirt//rhel8.qcow2")
	// Output:
	// 200 OK: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
	// 403 Forbidden: 403 Forbidden
}

// The tree can be a part of another server, below a path of its own.
func ExampleNew_mux() {
	root := exampleTree()
	defer os.RemoveAll(root)
	h, err := webserve.New(root, webserve.Options{
		Policy: acl.Default(netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")),
		Observe: func(e *webserve.Event) {
			fmt.Printf("%s %q from zone %s: %d, %d bytes\n", e.Request.Method, e.Request.URL.Path, e.Zone, e.Status, e.Bytes)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()

	mux := http.NewServeMux()
	mux.Handle("/templates/", http.StripPrefix("/templates", h))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "another page") })
	s := httptest.NewServer(mux)
	get(s.URL + "/templates/kubevirt/rhel8.qcow2")
	get(s.URL + "/about")
	s.Close()
	// Unordered output:
	// GET "/kubevirt/rhel8.qcow2" from zone kubevirt: 200, 3 bytes
	// 200 OK: QFI
	// 200 OK: another page
}

// A policy that is not valid changes nothing.
func ExampleHandler_SetPolicy() {
	root := exampleTree()
	defer os.RemoveAll(root)
	h, err := webserve.New(root, webserve.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	fmt.Println(h.SetPolicy(&acl.Policy{Denied: 418}))
	fmt.Println(h.Policy().Denied, h.SetPolicy(&acl.Policy{Denied: 404}), h.Policy().Denied)
	// Output:
	// policy: denied 418: must be 403 or 404
	// 403 <nil> 404
}

// A server of one's own says a word to the handler about its connections, which
// makes small files cheaper.
func ExampleConnContext() {
	root := exampleTree()
	defer os.RemoveAll(root)
	h, err := webserve.New(root, webserve.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnContext = webserve.ConnContext // of http.Server
	s.Start()
	defer s.Close()
	get(s.URL + "/repo/el8.2-base.hash")
	// Output: 200 OK: 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
}
