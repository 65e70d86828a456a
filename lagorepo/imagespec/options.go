package imagespec

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates/xzpack"
)

const (
	defaultStepTimeout   = 2 * time.Hour
	defaultSpacePerImage = 6 << 30
)

// BuildOptions say how a [Plan] is built. The zero value builds what has
// changed with the tools that are installed.
type BuildOptions struct {
	Runner   Runner               // what runs the tools; nil: [Exec]
	Format   lagorepo.IndexFormat // "": both indexes
	RepoName string               // "": the one in repo.metadata, else [lagorepo.DefaultRepoName]
	BaseURL  string               // "": the one in repo.metadata, else [lagorepo.DefaultBaseURL]

	// Jobs is how many images are built at a time, and how many cores pack
	// one; 0 means all cores. Fewer are built at a time where the file system
	// has no room for so many.
	Jobs int

	Force          bool // build what is unchanged, too, and replace images that were not built from a spec
	KeepGoing      bool // build what does not stand on what failed; without it nothing new is begun
	KeepTemp       bool // leave the staging directory, with the log of each image
	Layered        bool // publish the layer of an image on another spec's, too, as layers/ID.xz
	CreateRepoOnly bool // build nothing, write the indexes only

	StepTimeout   time.Duration // for one run of one tool; 0: 2 hours
	SpacePerImage int64         // bytes that have to be free for each image that is being built; 0: 6 GiB
	Level         xzpack.Level  // zero: the best
	Client        *http.Client  // for bases with a URL; nil: [http.DefaultClient]

	Progress func(Progress) // may be nil; called from one goroutine at a time

	Version string           // of the program, for the record; "": unknown
	Now     func() time.Time // nil: time.Now
}

// Progress is one step of work on one image.
type Progress struct {
	ID   string // the spec's; "" for the indexes
	Step string // the name of a tool, or "fetch", "unpack", "pack", "pack the layer"

	// Done and Total count bytes; Total is 0 where it is not known. A tool does
	// not tell how far it is: both are 0 when it begins and 1 when it has ended.
	Done, Total int64
}

func (o BuildOptions) withDefaults() (BuildOptions, error) {
	format, err := lagorepo.ParseIndexFormat(string(o.Format))
	errs := []error{err}
	o.Format = format
	if o.RepoName != "" {
		errs = append(errs, lagorepo.CheckRepoName(o.RepoName))
	}
	if o.BaseURL != "" {
		errs = append(errs, lagorepo.CheckBaseURL(o.BaseURL))
	}
	if o.Jobs < 0 {
		errs = append(errs, fmt.Errorf("jobs: must be 0 (all cores) or more, is %d", o.Jobs))
	}
	if o.StepTimeout < 0 {
		errs = append(errs, fmt.Errorf("time limit of a step: must be 0 (%v) or more, is %v", defaultStepTimeout, o.StepTimeout))
	}
	if o.SpacePerImage < 0 {
		errs = append(errs, fmt.Errorf("space for an image: must be 0 (%s) or more, is %d", gib(defaultSpacePerImage), o.SpacePerImage))
	}
	if o.StepTimeout == 0 {
		o.StepTimeout = defaultStepTimeout
	}
	if o.SpacePerImage == 0 {
		o.SpacePerImage = defaultSpacePerImage
	}
	if o.Runner == nil {
		o.Runner = Exec{}
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, errors.Join(errs...)
}
