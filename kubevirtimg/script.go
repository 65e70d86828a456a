package kubevirtimg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/kubevirtimg/internal/bash"
)

// ScriptName is a name found in a script.
type ScriptName struct {
	Dir   string `json:"dir"`
	Image string `json:"image"`
	// URL is what the script downloads; what it does not say itself stands there as in the script, ${NAME}.
	URL string `json:"url"`
	// Targets are the values of TARGET for which the script asks for this image; nil where it does so for any.
	Targets []string `json:"targets,omitempty"`
	// ByTarget is set where the script names no directory, but asks for the image where TARGET is Dir.
	ByTarget bool `json:"by_target,omitempty"`
	// Line is where the URL is written.
	Line int `json:"line"`
}

// Name is the directory with its image.
func (n ScriptName) Name() Name { return Name{Dir: n.Dir, Image: n.Image} }

// Unread is something in a script that looks like a download of an image and gives no name.
type Unread struct {
	Line   int    `json:"line"`
	Text   string `json:"text"`   // the command, shortened
	Reason string `json:"reason"` // why it gives no name
}

func (u Unread) String() string { return fmt.Sprintf("line %d: %q: %s", u.Line, u.Text, u.Reason) }

// ScriptNames is what a script says.
type ScriptNames struct {
	Names  []ScriptName `json:"names"`            // by line, then directory and image
	Unread []Unread     `json:"unread,omitempty"` // by line
}

// maxTargets bounds how often a script is read: once for each value that its conditions tell apart.
const maxTargets = 64

// NamesFromScript reads which image KubeVirt keeps in which directory out of one of its own scripts, automation/test.sh of
// kubevirt/kubevirt or kubevirt/common-templates in any of their versions. The forms that are understood, as they occur there:
//
//	readonly TEMPLATES_SERVER="https://SERVER/kubevirt/"
//	export RHEL_NFS_DIR=${RHEL_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/rhel7}
//	if [[ $TARGET =~ rhel8.* ]]; then rhel_image_url="${TEMPLATES_SERVER}/rhel8.qcow2"; fi
//	rhel_image="$RHEL_NFS_DIR/disk.img"
//	safe_download "$RHEL_LOCK_PATH" "$rhel_image_url" "$rhel_image" || exit 1
//	curl "$url" --output "$dir/disk.img"
//	curl http://SERVER/kubevirt/win01.img > $WINDOWS_NFS_DIR/disk.img
//	gsutil cp "$url" "$dir/disk.img"
//
// A URL is tied to a directory by the download; without one, by a pair of variables X_image_url and X_image. Where neither names
// a directory, it is the TARGET under which the image is asked for: rhel8, above.
//
// The script is never run, nor is a shell or any other program; see the package it is read with for what is understood. What
// follows from the text is evaluated for every value of TARGET that the script's conditions tell apart. What does not (command
// substitution, a variable of the environment without a default, conditions on other things that lead to different values) is
// unknown, and a download that depends on it is reported in Unread.
//
// The error is for a text that is no such script, as one that ends within an if, and for one larger or more involved than any
// script that people write (1 MiB, 10,000 lines). It names the line.
func NamesFromScript(data []byte) (*ScriptNames, error) {
	prog, err := bash.Parse(data)
	if err != nil {
		return nil, scriptError(err)
	}
	s := session{prog: prog, budget: bash.MaxSteps}
	targets := slices.DeleteFunc(prog.Witnesses(maxTargets), func(t string) bool { return !plainTarget(t) })
	found := newCollector()
	for _, target := range targets {
		if err := s.read(found, map[string]string{targetVariable: target}, target); err != nil {
			return nil, err
		}
	}
	// Where TARGET is not known, every branch is taken: what only a condition on something else leads to is found here.
	if err := s.read(found, nil, ""); err != nil {
		return nil, err
	}
	always := newCollector()
	if err := s.read(always, map[string]string{targetVariable: noTarget}, ""); err != nil {
		return nil, err
	}
	return found.result(always), nil
}

// session reads one script several times, within one budget.
type session struct {
	prog   *bash.Program
	budget int
}

func (s *session) read(c *collector, vars map[string]string, target string) error {
	r := newReader(c, target)
	used, err := s.prog.Run(vars, r, s.budget)
	if err != nil {
		return scriptError(err)
	}
	r.finish()
	s.budget -= used
	return nil
}

func scriptError(err error) error { return fmt.Errorf("the script cannot be read: %w", err) }

const (
	// targetVariable is the variable by which KubeVirt's scripts are told what to test.
	targetVariable = "TARGET"
	// noTarget is no value that a script asks for: what it gets with that, it gets with any.
	noTarget = "~"
)

// plainTarget reports whether a text that satisfies a condition could be a target.
func plainTarget(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "-.") != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
	})
}
