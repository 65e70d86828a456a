package imagespec_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

func ExampleParse() {
	text := "#base=libguestfs:centos-7.5\n#name=el7.5-base\n# our mirror only\nwrite /etc/yum.conf:\\\n#proxy=none\\\nkeepcache=1\n"
	spec, err := imagespec.Parse("image-specs/el7.5-base", []byte(text))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(spec.ID)
	for _, p := range spec.Properties {
		fmt.Printf("%d: %s is %s\n", p.Line, p.Key, p.Value)
	}
	// Output:
	// el7.5-base
	// 1: base is libguestfs:centos-7.5
	// 2: name is el7.5-base
}

func ExampleParse_error() {
	_, err := imagespec.Parse("image-specs/el8", []byte("#base=el7\n#arch=x86_64\n#arch=aarch64\n"))
	var bad *imagespec.SpecError
	if errors.As(err, &bad) {
		fmt.Println(bad.Path, bad.Line)
	}
	fmt.Println(err)
	// Output:
	// image-specs/el8 3
	// image-specs/el8: line 3: property "arch": was given in line 2 already: take one of them away
}

func ExampleSpec_Check() {
	spec, err := imagespec.Parse("image-specs/el8", []byte("#base=el7\n#name=el8\n"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(spec.Check(lagorepo.IndexLago))
	// Output:
	// image-specs/el8: lacks distro (for lago): add a line #distro=VALUE, and so on
}

func ExampleSpec_Base() {
	known := func(id string) bool { return id == "el8" }
	for _, base := range []string{
		"libguestfs:centos-8.2", "el8", "layer:el8", "layer:images/el9.qcow2",
		"simple:https://cloud.example.org/f39.xz#md5=d41d8cd98f00b204e9800998ecf8427e", "simple:ftp://example.org/f39",
	} {
		spec, err := imagespec.Parse("image-specs/a", []byte("#base="+base))
		if err != nil {
			log.Fatal(err)
		}
		b, err := spec.Base(known)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(b.Kind, b.Ref, b.Remote(), b.Sum != nil)
	}
	// Output:
	// libguestfs centos-8.2 false false
	// spec el8 false false
	// spec el8 false false
	// layer images/el9.qcow2 false false
	// simple https://cloud.example.org/f39.xz true true
	// image-specs/a: line 1: base "simple:ftp://example.org/f39": only http and https are fetched; give the path of a local file as it is
}

// exampleSpecs makes a directory with specs of the bases given, by ID, and
// returns its path.
func exampleSpecs(bases map[string]string) string {
	dir, err := os.MkdirTemp("", "tplkit-example-")
	if err != nil {
		log.Fatal(err)
	}
	for id, base := range bases {
		text := fmt.Sprintf("#base=%s\n#name=%s\n#distro=el8\ninstall qemu-guest-agent\n", base, id)
		if err := os.WriteFile(filepath.Join(dir, id), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	return dir
}

func ExampleNewPlan() {
	dir := exampleSpecs(map[string]string{"el8-nfs": "layer:el8-base", "el8-iscsi-2": "el8-iscsi", "el8-iscsi": "el8-base", "el8-base": "libguestfs:centos-8.2"})
	defer os.RemoveAll(dir)
	specs, err := imagespec.Load(context.Background(), []string{dir})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := imagespec.NewPlan(specs, imagespec.PlanOptions{Format: lagorepo.IndexLago})
	if err != nil {
		log.Fatal(err)
	}
	for _, st := range plan.Steps {
		fmt.Println(st.Spec.ID, "from", st.Base, "after", st.After)
	}
	// Output:
	// el8-base from libguestfs:centos-8.2 after []
	// el8-iscsi from el8-base after [el8-base]
	// el8-iscsi-2 from el8-iscsi after [el8-iscsi el8-base]
	// el8-nfs from el8-base after [el8-base]
}

func ExampleCycleError() {
	dir := exampleSpecs(map[string]string{"el8-base": "el8-nfs", "el8-nfs": "el8-base"})
	defer os.RemoveAll(dir)
	specs, err := imagespec.Load(context.Background(), []string{dir})
	if err != nil {
		log.Fatal(err)
	}
	_, err = imagespec.NewPlan(specs, imagespec.PlanOptions{Format: lagorepo.IndexLago})
	var cycle *imagespec.CycleError
	if errors.As(err, &cycle) {
		for _, link := range cycle.Links {
			fmt.Println(link.ID)
		}
	}
	// Output:
	// el8-base
	// el8-nfs
}

func ExampleMissingBaseError() {
	spec, err := imagespec.Parse("image-specs/el8-nfs", []byte("#base=el8-base\n#name=el8-nfs\n#distro=el8\n"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = imagespec.NewPlan([]*imagespec.Spec{spec}, imagespec.PlanOptions{Format: lagorepo.IndexLago})
	var missing *imagespec.MissingBaseError
	if errors.As(err, &missing) {
		fmt.Println(missing.ID, "wants", missing.Base.Ref)
	}
	fmt.Println(err)
	// Output:
	// el8-nfs wants el8-base
	// image-specs/el8-nfs: line 1: el8-nfs stands on "el8-base", and there is no spec of that name: give that spec, too, or write layer:PATH for a file
}
