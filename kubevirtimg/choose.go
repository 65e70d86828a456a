package kubevirtimg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// ambiguousError says that nothing decides between several names for one directory.
type ambiguousError struct {
	dir        string
	candidates []Candidate
}

// Error lists the candidates and says how to choose one.
func (e *ambiguousError) Error() string {
	var list []string
	for _, c := range e.candidates {
		list = append(list, c.String())
	}
	return fmt.Sprintf("%s: KubeVirt asked for more than one image with this directory: %s; choose with --name %s",
		templates.Quote(e.dir), strings.Join(list, ", "), Name{Dir: e.dir, Image: e.candidates[0].Image})
}

func unknownName(dir string) error {
	return fmt.Errorf("%s: KubeVirt's scripts are not known to use this directory, so its image has no name; "+
		"give it with --name DIR=IMAGE, or the script that downloads it with --names-from SCRIPT", templates.Quote(dir))
}

// chosen is one name for an entry's image and what speaks for it.
type chosen struct{ image, why string }

// chooser decides under which names an image goes to the server.
type chooser struct {
	names  map[string][]string // by directory
	sha1   map[string]string
	script map[string][]Candidate
}

func newChooser(opt PlanOptions) (*chooser, error) {
	c := &chooser{names: make(map[string][]string), sha1: make(map[string]string), script: make(map[string][]Candidate)}
	for _, n := range opt.Names {
		if err := n.Check(); err != nil {
			return nil, fmt.Errorf("name %s: %w", templates.Quote(n.String()), err)
		}
		if !slices.Contains(c.names[n.Dir], n.Image) {
			c.names[n.Dir] = append(c.names[n.Dir], n.Image)
		}
	}
	for sum, image := range opt.SHA1 {
		entry, err := hashutil.ParseSidecar([]byte(sum), hashutil.SHA1)
		if err == nil {
			err = templates.CheckFileName(image)
		}
		if err != nil {
			return nil, fmt.Errorf("SHA-1 %s of %s: %w", templates.Quote(sum), templates.Quote(image), err)
		}
		c.sha1[entry.Hex] = image
	}
	for _, n := range opt.Script {
		if err := n.Name().Check(); err != nil {
			return nil, fmt.Errorf("line %d of the script: %w", n.Line, err)
		}
		if !slices.ContainsFunc(c.script[n.Dir], func(s Candidate) bool { return s.Image == n.Image }) {
			c.script[n.Dir] = append(c.script[n.Dir], Candidate{Image: n.Image, By: n.by()})
		}
	}
	return c, nil
}

// by says where the script asks for the image.
func (n ScriptName) by() string {
	by := fmt.Sprintf("line %d of the script", n.Line)
	if len(n.Targets) > 0 {
		by += " for TARGET=" + strings.Join(n.Targets, ", ")
	}
	return by
}

// choose gives the names for an entry; where there are several to choose from the error is an [*ambiguousError].
func (c *chooser) choose(e *Entry) ([]chosen, error) {
	if images := c.names[e.Dir]; images != nil {
		var out []chosen
		for _, image := range images {
			out = append(out, chosen{image: image})
		}
		return out, nil
	}
	for _, sum := range []string{e.SHA1, e.Computed} {
		if image := c.sha1[sum]; sum != "" && image != "" {
			return []chosen{{image, "named by its SHA-1, which is known as that of " + templates.Quote(image)}}, nil
		}
	}
	if candidates := c.script[e.Dir]; candidates != nil {
		if len(candidates) > 1 {
			return nil, &ambiguousError{e.Dir, candidates}
		}
		return []chosen{{candidates[0].Image, "named by " + candidates[0].By}}, nil
	}
	return chooseKnown(e.Dir)
}

func chooseKnown(dir string) ([]chosen, error) {
	current := slices.DeleteFunc(Known(dir), func(c Candidate) bool { return c.Superseded })
	switch len(current) {
	case 0:
		return nil, unknownName(dir)
	case 1:
		why := ""
		for _, c := range known[dir] {
			if c.Superseded {
				why = fmt.Sprintf("was also asked for as %s; if it is that one, say so with --name", c)
			}
		}
		return []chosen{{current[0].Image, why}}, nil
	}
	return nil, &ambiguousError{dir, current}
}
