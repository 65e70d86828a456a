package main

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

// hintFor says what to do about an error whose own text cannot know it, because
// the remedy is a flag or lies outside the program.
func hintFor(err error, command string) string {
	var use *usageError
	var missing *imagespec.MissingToolError
	switch {
	case errors.As(err, &use):
		if command == "" {
			return `run "tplkit --help" for the commands`
		}
		return `run "tplkit ` + command + ` --help" for the flags and examples`
	case errors.As(err, &missing):
		return "these programs do the building; tplkit build -n shows the plan without them"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room in the destination and run the same command again; what is finished is not done again"
	case errors.Is(err, syscall.EROFS):
		return "the file system is mounted read-only; choose another destination"
	case errors.Is(err, fs.ErrPermission):
		return "run it as a user who may read the source and write the destination"
	}
	return ""
}
