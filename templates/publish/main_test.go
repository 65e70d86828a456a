//go:build unix

// Publishing needs flock(2): where there is none, Open is an error and there is nothing to test.

package publish_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tplkit/tplkit/templates/publish"
)

// A test binary that finds these in its environment is a publisher that a test wants to kill or to race:
// what to do, the tree, and an argument.
const (
	roleEnv = "TPLKIT_PUBLISH_TEST_ROLE"
	dirEnv  = "TPLKIT_PUBLISH_TEST_DIR"
	argEnv  = "TPLKIT_PUBLISH_TEST_ARG"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role, os.Getenv(dirEnv), os.Getenv(argEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(role, dir, arg string) error {
	switch role {
	case "loop": // publishes generations until it is killed
		for {
			if err := publishGeneration(dir, replacing()); err != nil {
				return err
			}
		}
	case "step": // is killed at the step of that number
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		return publishGeneration(dir, publish.WithStep(replacing(), dieAt(n)))
	case "write": // the same with one file
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		return publish.WriteFileStep(context.Background(), dir, publish.FileOptions{Force: true}, writeText("new"), dieAt(n))
	case "contend": // publishes some files beside others who do
		return contend(dir, arg, 5)
	case "once": // publishes one generation
		return publishGeneration(dir, replacing())
	case "hold": // holds the lock until it is killed
		if _, err := publish.Open(context.Background(), dir, small); err != nil {
			return err
		}
		fmt.Println("held")
		time.Sleep(time.Hour)
	}
	return fmt.Errorf("role %q: not known", role)
}

// dieAt kills the process right before the step of that number.
func dieAt(n int) func(op, name string) error {
	return func(string, string) error {
		if n--; n == 0 {
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			if err := self.Kill(); err != nil {
				return err
			}
			select {}
		}
		return nil
	}
}

func writeText(text string) func(*publish.File) error {
	return func(f *publish.File) error {
		_, err := f.Write([]byte(text))
		return err
	}
}

// generationNames are the files of a generation in the order of their publication: each names its generation
// and is of a length of its own, and the index names what goes before it.
var generationNames = []string{"repo/image", "repo/image.hash", "meta/deep/repo.metadata", "index"}

// generationText is the content of a file in a generation. It ends in a line that a cut file has not.
func generationText(name string, generation int) string {
	return fmt.Sprintf("generation %d\n%s\nend of %s\n", generation, strings.Repeat(name, 1000+37*generation%500), name)
}

// publishGeneration publishes the generation after the one that the index is of, and takes the marker of
// the one before away.
func publishGeneration(dir string, opt publish.Options) (err error) {
	d, err := publish.Open(context.Background(), dir, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	generation := 1
	if text, err := d.Root().ReadFile("index"); err == nil {
		if generation, err = generationOf("index", string(text)); err != nil {
			return err
		}
		generation++
	}
	var files []file
	for _, name := range generationNames {
		files = append(files, file{name, generationText(name, generation)})
	}
	files = append(files, file{marker(generation), ""})
	return put(context.Background(), d, files, marker(generation-1))
}

// marker is a file that exists for one generation only.
func marker(generation int) string { return fmt.Sprintf("markers/%d", generation) }

// generationOf checks that text is a whole file of some generation.
func generationOf(name, text string) (int, error) {
	var generation int
	if _, err := fmt.Sscanf(text, "generation %d\n", &generation); err != nil {
		return 0, fmt.Errorf("%s: %.40q: %w", name, text, err)
	}
	if text != generationText(name, generation) {
		return 0, fmt.Errorf("%s: half-written: %d bytes", name, len(text))
	}
	return generation, nil
}
