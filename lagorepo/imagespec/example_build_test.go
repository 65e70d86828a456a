package imagespec_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// What tplkit build does. It needs the tools of libguestfs.
func ExamplePlan_Build() {
	ctx := context.Background()
	specs, err := imagespec.Load(ctx, []string{"image-specs"})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := imagespec.NewPlan(specs, imagespec.PlanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	dst, err := publish.Open(ctx, "image-repo", publish.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer dst.Close()
	report, err := plan.Build(ctx, dst, imagespec.BuildOptions{RepoName: "myrepo", BaseURL: "http://myrepo", KeepGoing: true})
	var missing *imagespec.MissingToolError
	if errors.As(err, &missing) {
		log.Fatalf("%s is not installed", missing.Tool)
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, it := range report.Items {
		if it.State == templates.Failed {
			fmt.Println(it.Source, it.Error) // with the end of what the tool printed
		} else {
			fmt.Println(it.Source, it.State, it.Reason)
		}
	}
}

// sandbox runs the tools of a build somewhere else.
type sandbox struct{ imagespec.Exec }

func (s sandbox) Run(ctx context.Context, c imagespec.Command) error {
	inner := c
	inner.Tool = imagespec.Tool{Name: c.Tool.Name, Path: "/usr/bin/nice", Version: c.Tool.Version}
	inner.Args = append([]string{"-n", "19", c.Tool.Path}, c.Args...)
	return s.Exec.Run(ctx, inner)
}

// A program puts its own Runner between the build and the tools.
func ExampleRunner() {
	var plan imagespec.Plan
	report, err := plan.DryRun(context.Background(), "image-repo", imagespec.BuildOptions{Runner: sandbox{}})
	fmt.Println(len(report.Items), err)
	// Output: 0 <nil>
}
