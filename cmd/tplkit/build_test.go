package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
)

// updates is a meter that notes what it is told.
type updates []update

type update struct {
	item        string
	done, total int64
}

func (u *updates) Update(item string, done, total int64) { *u = append(*u, update{item, done, total}) }
func (u *updates) Close()                                {}

func TestBuildProgress(t *testing.T) {
	steps := []imagespec.Progress{
		{ID: "el8", Step: "virt-builder"},
		{ID: "el8", Step: "virt-builder", Done: 1, Total: 1},
		{ID: "el8", Step: "pack", Done: 5, Total: 9},
		{Step: "index el8.xz", Done: 2, Total: 9},
	}
	var u updates
	show := (&session{}).buildProgress(&u)
	for _, p := range steps {
		show(p)
	}
	require.Equal(t, updates{{"el8: virt-builder", 0, 1}, {"el8: virt-builder", 1, 1}, {"el8: pack", 5, 9}, {"index el8.xz", 2, 9}}, u)

	var errs bytes.Buffer
	show = (&session{stderr: &errs}).buildProgress(&lines{w: &errs, every: time.Hour, now: time.Now})
	for _, p := range steps {
		show(p)
	}
	require.Equal(t, "\"el8\": virt-builder\n", errs.String())
}

// What a tool has printed is shown line by line, below what went wrong.
func TestReportOfAFailedTool(t *testing.T) {
	rep := &templates.Report{}
	rep.Add(templates.Item{Source: "el8", State: templates.Failed, Error: "virt-builder x: exit status 1\n\tone\n\ttw\x1bo\nand more"})
	var out bytes.Buffer
	require.NoError(t, printReport(&out, rep, false))
	require.Equal(t, "failed  \"el8\"  virt-builder x: exit status 1; and more\n              one\n              tw\ufffdo\n1 failed\n", out.String())
}
