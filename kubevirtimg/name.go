package kubevirtimg

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tplkit/tplkit/templates"
)

// Name says which image of the server a directory of the cache holds.
type Name struct {
	Dir   string // the directory in the cache, "rhel8"
	Image string // the file on the server, "rhel8.qcow2"
}

// ParseName reads DIR=IMAGE, as in "rhel8=rhel8.qcow2". DIR may itself hold an equals sign, IMAGE cannot.
func ParseName(s string) (Name, error) {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		return Name{}, fmt.Errorf("name %s: must be DIR=IMAGE, as in rhel8=rhel8.qcow2", templates.Quote(s))
	}
	n := Name{Dir: s[:i], Image: s[i+1:]}
	if err := n.Check(); err != nil {
		return Name{}, fmt.Errorf("name %s: %w", templates.Quote(s), err)
	}
	return n, nil
}

// String is the form that [ParseName] reads.
func (n Name) String() string { return n.Dir + "=" + n.Image }

// Check says whether the name can be used: DIR has to be one element of a path that can be shown, IMAGE is checked by
// [templates.CheckFileName].
func (n Name) Check() error {
	if err := checkDir(n.Dir); err != nil {
		return err
	}
	return templates.CheckFileName(n.Image)
}

func checkDir(dir string) error {
	switch {
	case dir == "":
		return errors.New("the directory is missing")
	case len(dir) > 255:
		return fmt.Errorf("directory %s: no name has more than 255 bytes", templates.Quote(dir))
	case !utf8.ValidString(dir) || strings.ContainsFunc(dir, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("directory %s: has unprintable characters", templates.Quote(dir))
	case dir == "." || strings.ContainsRune(dir, '/') || !fs.ValidPath(dir):
		return fmt.Errorf("directory %s: must be the name of one directory in the cache", templates.Quote(dir))
	}
	return nil
}
