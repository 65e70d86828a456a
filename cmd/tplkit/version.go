package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

func (versionCmd) Help() string {
	return `Examples:

    tplkit version
    tplkit version --json`
}

// buildVersion is the document of "tplkit version".
type buildVersion struct {
	Version  string `json:"version"` // of the module; "(devel)" for a build of a checkout
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"` // of the revision
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Run prints the version the program was built from.
func (versionCmd) Run(s *session) error {
	v := versionOf(debug.ReadBuildInfo())
	if s.JSON {
		return s.document(v)
	}
	line := "tplkit " + v.Version
	if v.Revision != "" {
		line += " " + v.Revision
	}
	if v.Modified {
		line += " (modified)"
	}
	_, err := fmt.Fprintf(s.stdout, "%s %s %s\n", line, v.Go, v.Platform)
	return err
}

func versionOf(info *debug.BuildInfo, ok bool) buildVersion {
	v := buildVersion{
		Version:  "(unknown)",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
