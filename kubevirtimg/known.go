package kubevirtimg

import (
	"fmt"
	"slices"

	"github.com/tplkit/tplkit/templates"
)

// Candidate is a name that a directory's image may have on the server.
type Candidate struct {
	Image string
	By    string // who asked for it, and when
	// Superseded marks a name that the same script later gave up for another one of the same directory. The scripts download
	// again whenever the server's .sha1 differs, so what a cache holds is the later image; the name makes nothing ambiguous.
	Superseded bool
}

func (c Candidate) String() string { return fmt.Sprintf("%s (%s)", templates.Quote(c.Image), c.By) }

const (
	byCommon     = "common-templates from 2019-12"
	byCommon2019 = "common-templates in 2019, whichever was fetched last"
)

// known is what automation/test.sh of kubevirt/kubevirt and kubevirt/common-templates asked for over the years.
var known = map[string][]Candidate{
	"rhel6":       {{Image: "rhel6.qcow2", By: byCommon}},
	"rhel7":       {{Image: "rhel7.img", By: "kubevirt, and " + byCommon}},
	"rhel8":       {{Image: "rhel8.qcow2", By: byCommon}},
	"windows10":   {{Image: "win_10.qcow2", By: byCommon}},
	"windows2012": {{Image: "win_12.qcow2", By: byCommon}},
	"windows2016": {
		{Image: "win_16.img", By: byCommon},
		{Image: "win01.img", By: "kubevirt, from 2018 to the end"},
	},
	"windows2019": {
		{Image: "win_19_2.qcow2", By: "common-templates"},
		{Image: "win_19.img", By: "common-templates, for two months before", Superseded: true},
	},
	"windows2012_syspreped": {{Image: "windows2012_syspreped.img", By: "kubevirt from 2021"}},
	"rhel": {
		{Image: "rhel6.qcow2", By: byCommon2019},
		{Image: "rhel7.img", By: byCommon2019},
		{Image: "rhel8.qcow2", By: byCommon2019},
	},
}

// Known returns the names that KubeVirt's scripts have asked for with this directory, nil for a directory they never used.
func Known(dir string) []Candidate { return slices.Clone(known[dir]) }

// KnownDirs returns the directories that [Known] has names for, sorted.
func KnownDirs() []string {
	dirs := make([]string, 0, len(known))
	for dir := range known {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return dirs
}
