package kubevirtimg_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// A cache and a tree in a temporary directory: what a node has becomes what a server had.
func Example() {
	top, err := os.MkdirTemp("", "kubevirtimg")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(top)
	cache, tree := filepath.Join(top, "kubevirt-images"), filepath.Join(top, "html")
	disk := []byte("the boot sector and all the rest of a disk")
	if err := os.MkdirAll(filepath.Join(cache, "rhel8"), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cache, "rhel8/disk.img"), disk, 0o644); err != nil {
		log.Fatal(err)
	}
	sum := fmt.Sprintf("%x\n", sha1.Sum(disk))
	if err := os.WriteFile(filepath.Join(cache, "rhel8/disk.img.sha1"), []byte(sum), 0o644); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	src, err := templates.OpenDir(cache)
	if err != nil {
		log.Fatal(err)
	}
	defer src.Close()
	entries, err := kubevirtimg.ScanCache(ctx, src)
	if err != nil {
		log.Fatal(err)
	}
	plan, err := kubevirtimg.NewPlan(entries, kubevirtimg.PlanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	dst, err := publish.Open(ctx, tree, publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()
	report, err := plan.Recover(ctx, src, dst, kubevirtimg.RecoverOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, it := range report.Items {
		fmt.Println(it.Source, it.State, it.Destination, "-", it.Reason)
	}
	text, err := os.ReadFile(filepath.Join(tree, "kubevirt/rhel8.qcow2.sha1"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// rhel8/disk.img renamed kubevirt/rhel8.qcow2 - verified by its sidecar
	// de2784494d629138c621e8410bc377ac86b77921
}

func ExampleNamesFromScript() {
	names, err := kubevirtimg.NamesFromScript([]byte(`
readonly TEMPLATES_SERVER="https://templates.example.org/kubevirt/"
export WINDOWS_NFS_DIR=${WINDOWS_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/windows2016}

if [[ $TARGET =~ windows.* ]]; then
  win_image_url="${TEMPLATES_SERVER}/win01.img"
  win_image="$WINDOWS_NFS_DIR/disk.img"
  safe_download "$WINDOWS_LOCK_PATH" "$win_image_url" "$win_image" || exit 1
fi
safe_download "$LOCK" "$(choose_one)" "/var/lib/stdci/shared/kubevirt-images/rhel/disk.img"
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range names.Names {
		fmt.Println(n.Name(), "where TARGET is", n.Targets, "on line", n.Line)
	}
	for _, u := range names.Unread {
		fmt.Println(u)
	}
	// Output:
	// windows2016=win01.img where TARGET is [windows] on line 6
	// line 10: "safe_download ${LOCK} $(…) /var/lib/stdci/shared/kubevirt-…": the URL is not known: command substitution on line 10 is left to the shell
}

func ExampleNamesFromScript_refused() {
	_, err := kubevirtimg.NamesFromScript([]byte("if [[ $TARGET =~ rhel8.* ]]; then\n  url=x\n"))
	fmt.Println(err)
	// Output: the script cannot be read: line 1: "if" has no "fi": the script ends before it
}

func ExampleParseName() {
	n, err := kubevirtimg.ParseName("windows2016=win_16.img")
	fmt.Println(n.Dir, n.Image, err)
	_, err = kubevirtimg.ParseName("windows2016=../win_16.img")
	fmt.Println(err)
	// Output:
	// windows2016 win_16.img <nil>
	// name "windows2016=../win_16.img": file name "../win_16.img": must begin with a letter or digit of ASCII
}

func ExampleKnown() {
	for _, c := range kubevirtimg.Known("windows2016") {
		fmt.Println(c)
	}
	// Output:
	// "win_16.img" (common-templates from 2019-12)
	// "win01.img" (kubevirt, from 2018 to the end)
}

func ExampleKnownDirs() {
	fmt.Println(len(kubevirtimg.KnownDirs()), kubevirtimg.KnownDirs()[0])
	// Output: 9 rhel
}

func ExampleScanCache() {
	entries, err := kubevirtimg.ScanCache(context.Background(), fstest.MapFS{
		"rhel7/disk.img":           {Data: []byte("a disk")},
		"rhel8/disk.img":           {},
		"download_rhel_image.lock": {},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		fmt.Printf("%s: %s: %s\n", e.Path(), e.State, e.Reason)
	}
	// Output:
	// download_rhel_image.lock: foreign: is a file; a cache holds one directory for each image
	// rhel7: no-sidecar: has no disk.img.sha1, so that nothing tells whether its download was finished
	// rhel8: empty: disk.img is empty, as a download leaves it that never began: nothing to recover
}

func ExampleIsCache() {
	ok, err := kubevirtimg.IsCache(fstest.MapFS{"rhel8/disk.img": {}})
	fmt.Println(ok, err)
	// Output: true <nil>
}

// An image that KubeVirt asked for under two names is decided by its SHA-1, here one from an old copy of the server.
func ExampleIdentify() {
	ctx := context.Background()
	cache := fstest.MapFS{"windows2016/disk.img": {Data: []byte("a disk")}}
	entries, err := kubevirtimg.ScanCache(ctx, cache)
	if err != nil {
		log.Fatal(err)
	}
	if err := kubevirtimg.Identify(ctx, cache, entries, nil); err != nil {
		log.Fatal(err)
	}
	plan, err := kubevirtimg.NewPlan(entries, kubevirtimg.PlanOptions{
		SHA1: map[string]string{"328791013a252c0cc07ea746ddc5e1828562cd36": "win01.img"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Actions[0].Image)
	// Output: win01.img
}

func ExampleNewPlan() {
	entries, err := kubevirtimg.ScanCache(context.Background(), fstest.MapFS{
		"rhel8/disk.img":       {Data: []byte("a disk")},
		"windows2016/disk.img": {Data: []byte("another")},
		"windows2012/disk.img": {Data: []byte("a third")},
	})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := kubevirtimg.NewPlan(entries, kubevirtimg.PlanOptions{
		Names: []kubevirtimg.Name{{Dir: "windows2012", Image: "win_12-r2.qcow2"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range plan.Actions {
		fmt.Printf("%s: %s %q\n", a.Path(), a.State, a.Image)
		for _, c := range a.Candidates {
			fmt.Println("  or", c)
		}
	}
	// Output:
	// rhel8/disk.img: planned "rhel8.qcow2"
	// windows2012/disk.img: planned "win_12-r2.qcow2"
	// windows2016: failed ""
	//   or "win_16.img" (common-templates from 2019-12)
	//   or "win01.img" (kubevirt, from 2018 to the end)
}

// Two directories that want one name are a conflict, and nothing is written.
func ExampleNewPlan_conflict() {
	entries, err := kubevirtimg.ScanCache(context.Background(), fstest.MapFS{
		"rhel7/disk.img": {Data: []byte("a disk")},
		"rhel/disk.img":  {Data: []byte("another")},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = kubevirtimg.NewPlan(entries, kubevirtimg.PlanOptions{Names: []kubevirtimg.Name{{Dir: "rhel", Image: "rhel7.img"}}})
	fmt.Println(err)
	// Output: "rhel7.img" is wanted by "rhel/disk.img" and "rhel7/disk.img": 2 entries want the name: give one another name with --name, prefer the newest, or take all but one away
}

func ExamplePlan_Normalize() {
	top, err := os.MkdirTemp("", "kubevirtimg")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(top)
	ctx := context.Background()
	cache := fstest.MapFS{"windows10/disk.img": {Data: []byte("a disk")}}
	entries, err := kubevirtimg.ScanCache(ctx, cache)
	if err != nil {
		log.Fatal(err)
	}
	plan, err := kubevirtimg.NewPlan(entries, kubevirtimg.PlanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	dst, err := publish.Open(ctx, top, publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()
	report, err := plan.Normalize(ctx, cache, dst, kubevirtimg.NormalizeOptions{Mode: templates.ModeCopy})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Items[0].State, report.Items[0].Destination)
	// Output: renamed win_10.qcow2
}
