//go:build unix

package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/audit"
)

func TestGoodTree(t *testing.T) {
	rep := newTree(t).check(nil, audit.Options{User: &audit.Account{UID: 12345, GIDs: []int{12345}}})
	for _, f := range rep.Findings { // what lies above the tree is the machine's
		require.True(t, filepath.IsAbs(f.Path), f)
	}
	rep = newTree(t).check(nil, audit.Options{})
	require.True(t, rep.OK())
	require.Empty(t, rep.Findings)
	require.Equal(t, 8, rep.Files)
	require.Equal(t, 7, rep.Directories)
	require.Equal(t, "0 faults, 0 warnings in 8 files and 7 directories\n", rep.String())
	text, err := json.Marshal(rep)
	require.NoError(t, err)
	require.JSONEq(t, `{"findings":[],"changes":[],"faults":0,"warnings":0,"omitted":0,"files":8,"directories":7}`, string(text))
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(tr *tree)
		want []string
		says string // in the first finding
	}{
		"no bundles": {func(tr *tree) { tr.remove("bundles") }, []string{"warning zone bundles"}, "nothing of this zone is served"},
		"zone is a link": {func(tr *tree) { tr.remove("bundles"); tr.symlink("repo", "bundles") },
			[]string{"fault zone bundles"}, "is a symbolic link, expected a directory"},
		"zone is a file":    {func(tr *tree) { tr.remove("bundles"); tr.file("bundles", "x") }, []string{"fault zone bundles"}, "a regular file"},
		"unknown directory": {func(tr *tree) { tr.mkdir("private") }, []string{"warning unknown private"}, "is a directory beside the zones"},
		"unknown files": {func(tr *tree) { tr.file("index.html", ""); tr.file(".htaccess", "") },
			[]string{"warning unknown .htaccess", "warning unknown index.html"}, "never served"},
		"zone in capitals": {func(tr *tree) { tr.mkdir("Repo") }, []string{"warning unknown Repo"}, ""},
		"link":             {func(tr *tree) { tr.symlink("el8.xz", "repo/latest.xz") }, []string{"warning link repo/latest.xz"}, `to "el8.xz", and links are never followed`},
		"link of a directory": {func(tr *tree) { tr.symlink("4.2", "bundles/ovirt/latest") },
			[]string{"warning link bundles/ovirt/latest"}, "put a copy"},
		"link out of the tree": {func(tr *tree) { tr.symlink("/etc/passwd", "repo/passwd") }, []string{"warning link repo/passwd"}, "/etc/passwd"},
		"link that climbs":     {func(tr *tree) { tr.symlink("../../../etc", "repo/etc") }, []string{"warning link repo/etc"}, ""},
		"link to another zone": {func(tr *tree) { tr.symlink("../kubevirt/win_10.qcow2", "repo/win.qcow2") },
			[]string{"fault link repo/win.qcow2"}, "would serve zone kubevirt to those who may read repo"},
		"absolute link to another zone": {func(tr *tree) { tr.symlink(tr.at("kubevirt"), "bundles/ovirt/k") },
			[]string{"fault link bundles/ovirt/k"}, "zone kubevirt"},
		"link to the root":    {func(tr *tree) { tr.symlink("..", "repo/up") }, []string{"fault link repo/up"}, "would serve the whole tree"},
		"link above the root": {func(tr *tree) { tr.symlink("/", "repo/up") }, []string{"fault link repo/up"}, "would serve the whole tree"},
		"fifo": {func(tr *tree) { require.NoError(tr.t, syscall.Mkfifo(tr.at("repo/pipe"), 0o644)) },
			[]string{"warning special repo/pipe"}, "is a fifo, which is never served"},
		"hard link in a zone": {func(tr *tree) { tr.link("repo/el8.xz", "repo/el8") },
			[]string{"warning hardlink repo/el8"}, `has 2 names, also "repo/el8.xz"`},
		"hard link to outside": {func(tr *tree) {
			tr.link("kubevirt/win_10.qcow2", "../cache.img")
		}, []string{"warning hardlink kubevirt/win_10.qcow2"}, "has 2 names, no other of them in the zones"},
		"hard link across zones": {func(tr *tree) { tr.link("kubevirt/win_10.qcow2", "repo/win.xz") },
			[]string{"fault hardlink kubevirt/win_10.qcow2"}, `lies in zones kubevirt and repo (also "repo/win.xz")`},
		"many hard links": {func(tr *tree) {
			for i := range 6 {
				tr.link("bundles/ovirt/4.2/bundle.tar.xz", fmt.Sprintf("bundles/%d", i))
			}
		}, []string{"warning hardlink bundles/0"}, `"bundles/3" and 3 more`},
		"writable file":      {func(tr *tree) { tr.mode("repo/el8.xz", 0o666) }, []string{"fault writable repo/el8.xz"}, "mode 0666: everyone on this machine"},
		"writable directory": {func(tr *tree) { tr.mode("bundles/ovirt", fs.ModeSticky|0o777) }, []string{"fault writable bundles/ovirt"}, "mode 1777"},
		"writable root":      {func(tr *tree) { tr.mode(".", 0o777) }, []string{"fault writable ."}, ""},
		"upload directory not for the group": {func(tr *tree) { tr.mode("yum/el8", 0o755) },
			[]string{"fault mode yum/el8"}, "mode 0755, expected 2775: where uploads"},
		"upload directory without setgid": {func(tr *tree) { tr.mode("yum", 0o775) }, []string{"fault mode yum"}, "chmod 2775 it"},
		"uploaded file not for the group": {func(tr *tree) { tr.mode("yum/el8/a.rpm", 0o744) },
			[]string{"warning mode yum/el8/a.rpm"}, "mode 0744, expected 0764"},
		"uploaded file with a bit more": {func(tr *tree) { tr.mode("yum/el8/a.rpm", fs.ModeSetuid|0o664) }, nil, ""},
		"shadow of a hash": {func(tr *tree) { tr.file("repo/el8.xz.hash", ""); tr.file("repo/old/a.xz.metadata", "") },
			[]string{"fault shadow repo/el8.xz.hash", "fault shadow repo/old/a.xz.metadata"}, `before it asks for "el8.hash"`},
		"no shadow elsewhere": {func(tr *tree) { tr.file("bundles/a.xz.hash", "") }, nil, ""},
		"hidden file":         {func(tr *tree) { tr.file("repo/.el8.xz", "") }, []string{"warning name repo/.el8.xz"}, "begin with a dot"},
		"unfinished file":     {func(tr *tree) { tr.file("repo/el8.xz.tmp", "") }, []string{"warning name repo/el8.xz.tmp"}, "never served"},
		"hidden directory told once": {func(tr *tree) { tr.file("repo/.old/.deep/x", ""); tr.symlink("x", "repo/.old/y") },
			[]string{"warning name repo/.old", "warning link repo/.old/y"}, ""},
		"backslash":  {func(tr *tree) { tr.file(`repo/a\b`, "") }, []string{`warning name repo/a\b`}, "no request can name it"},
		"no UTF-8":   {func(tr *tree) { tr.file("repo/a\xffb", "") }, []string{"warning name repo/a\xffb"}, "no request can name it"},
		"line break": {func(tr *tree) { tr.file("repo/a\nb", "") }, []string{"warning name repo/a\nb"}, "no request can name it"},
		"ordinary names": {func(tr *tree) {
			for _, n := range []string{"a b", "ü", "a%2fb", "a+b", "a&b;c=d", "~a"} {
				tr.file("bundles/"+n, "")
			}
		}, nil, ""},
		"staging": {func(tr *tree) { tr.file(".tplkit/lock", ""); tr.file(".tplkit/set-000001/.f0-0", "") },
			[]string{"warning staging .tplkit"}, "holds 2 names of a publisher"},
		"staging in a zone": {func(tr *tree) { tr.file("repo/.tplkit/set-000001/journal", "") }, []string{"warning staging repo/.tplkit"}, ""},
		"lock alone":        {func(tr *tree) { tr.file(".tplkit/lock", "") }, nil, ""},
		"temporary file":    {func(tr *tree) { tr.file("repo/.tplkit-tmp-17", "") }, []string{"warning staging repo/.tplkit-tmp-17"}, "is what a publisher is writing"},
		"too deep": {func(tr *tree) { tr.mkdir("bundles/" + strings.Repeat("d/", 70)) },
			[]string{"fault limit bundles/" + strings.TrimSuffix(strings.Repeat("d/", 65), "/")}, "lies 65 directories deep"},

		"index names what is not there": {func(tr *tree) {
			tr.file("repo/index", goodIndex+strings.ReplaceAll("\n"+goodIndex, "el8", "el9"))
		}, []string{"fault index repo/index"}, `line 8: section "el9" names the file "el9.xz", which is not there`},
		"index names a directory": {func(tr *tree) { tr.remove("repo/el8.xz"); tr.mkdir("repo/el8.xz"); tr.file("repo/el8", "x") },
			[]string{"fault index repo/index"}, "not there"},
		"index tells another size": {func(tr *tree) { tr.file("repo/el8.xz", "longer") }, []string{"fault index repo/index"}, "compressed_size of 4"},
		"index is none":            {func(tr *tree) { tr.file("repo/index", "[") }, []string{"fault index repo/index"}, "line 1"},
		"index with a bad entry":   {func(tr *tree) { tr.file("repo/index", "[a]\nfile=../x\nsize=1\narch=x\n") }, []string{"fault index repo/index"}, "climbs"},
		"index is a directory":     {func(tr *tree) { tr.remove("repo/index"); tr.mkdir("repo/index") }, nil, ""},
		"signed index":             {func(tr *tree) { tr.file("repo/index.asc", goodIndex+"x") }, []string{"fault index repo/index.asc"}, ""},
		"no index":                 {func(tr *tree) { tr.remove("repo/index"); tr.remove("repo/repo.metadata") }, nil, ""},
		"no repository":            {func(tr *tree) { tr.remove("repo") }, []string{"warning zone repo"}, ""},

		"metadata is no JSON":      {func(tr *tree) { tr.file("repo/repo.metadata", "{") }, []string{"fault metadata repo/repo.metadata"}, "JSON"},
		"metadata is large":        {func(tr *tree) { tr.file("repo/repo.metadata", strings.Repeat(" ", 1<<20+1)) }, []string{"fault limit repo/repo.metadata"}, "1048576"},
		"metadata without hash":    {func(tr *tree) { tr.remove("repo/el8.hash") }, []string{"fault metadata repo/repo.metadata"}, `template "el8", version "v1": "el8.hash" is not there`},
		"metadata without disk":    {func(tr *tree) { tr.remove("repo/el8.xz"); tr.remove("repo/index") }, []string{"fault metadata repo/repo.metadata"}, `"el8.xz", "el8" is not there`},
		"metadata of a plain disk": {func(tr *tree) { tr.remove("repo/el8.xz"); tr.remove("repo/index"); tr.file("repo/el8", "") }, nil, ""},
		"metadata of another machine": {func(tr *tree) {
			tr.file("repo/repo.metadata", strings.ReplaceAll(goodMetadata, `"http"`, `"file"`))
			tr.remove("repo/el8.hash")
		}, nil, ""},
		"metadata with a bad handle": {func(tr *tree) {
			tr.file("repo/repo.metadata", strings.ReplaceAll(goodMetadata, `"handle": "el8"`, `"handle": "../x"`))
		},
			[]string{"fault metadata repo/repo.metadata"}, `has the handle "../x"`},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			c.do(tr)
			rep := tr.check(nil, audit.Options{})
			require.Equal(t, c.want, short(rep), rep)
			if c.says != "" {
				require.Contains(t, rep.Findings[0].String(), c.says)
			}
			require.Equal(t, rep, tr.check(nil, audit.Options{}), "equal trees give equal reports")
			require.Equal(t, !strings.Contains(strings.Join(c.want, "\n"), "fault"), rep.OK())
		})
	}
}

func TestSocketAndDevice(t *testing.T) {
	tr := newTree(t)
	dir := tr.at("repo")
	t.Chdir(dir) // a socket's path is short
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", "socket")
	require.NoError(t, err)
	defer l.Close()
	want := []string{"warning special repo/socket"}
	if syscall.Mknod(tr.at("repo/null"), syscall.S_IFCHR|0o644, 1<<8|3) == nil {
		want = append([]string{"warning special repo/null"}, want...)
	}
	require.Equal(t, want, short(tr.check(nil, audit.Options{})))
}

func TestPolicyNamesZones(t *testing.T) {
	p, err := acl.Parse("p", strings.NewReader("zone repo\nallow all\nzone iso\nallow all\n"), nil)
	require.NoError(t, err)
	require.NotEmpty(t, p.Files)
	require.Equal(t, []string{"fault zone iso", "warning unknown bundles", "warning unknown kubevirt", "warning unknown yum"}, short(newTree(t).check(p, audit.Options{})))

	p, err = acl.Parse("p", strings.NewReader("zone bundles\nallow all\n"), nil)
	require.NoError(t, err)
	tr := newTree(t)
	tr.remove("repo/el8.xz") // nobody is served the indexes
	require.Equal(t, []string{"warning unknown kubevirt", "warning unknown repo", "warning unknown yum"}, short(tr.check(p, audit.Options{})))
}

func TestServingUser(t *testing.T) {
	tr := newTree(t)
	uid, gid := tr.owner("repo")
	other := &audit.Account{Name: "www", UID: uid + 7, GIDs: []int{gid + 7}}
	tr.mode("repo/el8.xz", 0o640)
	tr.mode("repo/el8.hash", 0o604)
	tr.mode("kubevirt", 0o751)
	inTree := func(rep *audit.Report) []string {
		var all []string
		for _, f := range short(rep) {
			if !strings.Contains(f, " /") {
				all = append(all, f)
			}
		}
		return all
	}
	rep := tr.check(nil, audit.Options{User: other})
	require.Equal(t, []string{"fault unreadable kubevirt", "fault unreadable repo/el8.xz"}, inTree(rep))
	require.Contains(t, rep.String(), fmt.Sprintf("mode 0640, and www (%d:%d) cannot read it", other.UID, gid+7))
	require.Contains(t, rep.String(), "cannot list and enter it")
	member := &audit.Account{UID: uid + 7, GIDs: []int{gid + 7, gid}}
	require.Equal(t, []string{"fault unreadable kubevirt", "fault unreadable repo/el8.hash"}[1:], inTree(tr.check(nil, audit.Options{User: member}))[0:1],
		"its group's bits count, not the others'")
	require.Empty(t, inTree(tr.check(nil, audit.Options{User: &audit.Account{UID: uid, GIDs: []int{gid}}})))
	require.Empty(t, tr.check(nil, audit.Options{User: &audit.Account{UID: 0, GIDs: []int{0}}}).Findings)

	// The way to the tree.
	tr.mode("..", 0o700)
	rep = tr.check(nil, audit.Options{User: other})
	above, err := filepath.EvalSymlinks(filepath.Dir(tr.dir))
	require.NoError(t, err)
	require.Contains(t, short(rep), "fault unreadable "+above)
	require.Contains(t, rep.String(), "cannot enter it on the way to")
}

func TestOwnerOfUploads(t *testing.T) {
	asRoot(t)
	tr := newTree(t)
	uploader := &audit.Account{Name: "uploader", UID: 1234, GIDs: []int{1235}}
	rep := tr.check(nil, audit.Options{Owner: uploader})
	require.Equal(t, []string{"fault owner yum", "fault owner yum/el8", "fault owner yum/el8/a.rpm"}, short(rep))
	require.Contains(t, rep.Findings[0].String(), "belongs to 0:0, expected uploader (1234:1235), who uploads here: chown 1234:1235 it; serve --fix-permissions does it")
	for _, name := range []string{"yum", "yum/el8"} {
		require.NoError(t, os.Chown(tr.at(name), 1234, 1235))
	}
	rep = tr.check(nil, audit.Options{})
	require.Equal(t, []string{"fault owner yum/el8/a.rpm"}, short(rep), "who owns yum/ is the uploader")
	require.Contains(t, rep.String(), "expected 1234:1235")
}

func TestLimits(t *testing.T) {
	tr := newTree(t)
	rep := tr.check(nil, audit.Options{MaxEntries: 4})
	require.Equal(t, []string{"fault limit repo"}, limitOnly(rep), rep)
	require.Equal(t, 1, rep.Faults)

	for i := range 20 {
		tr.symlink("x", fmt.Sprintf("repo/l%02d", i))
		tr.mode("repo/el8.xz", 0o666)
	}
	rep = tr.check(nil, audit.Options{MaxFindings: 3})
	require.Equal(t, []string{"fault writable repo/el8.xz", "warning link repo/l00", "warning link repo/l01", "warning link repo/l02"}, short(rep))
	require.Equal(t, 20, rep.Warnings)
	require.Equal(t, 17, rep.Omitted)
	require.Contains(t, rep.String(), "17 more findings are not listed\n1 faults, 20 warnings")

	for _, opt := range []audit.Options{{MaxEntries: -1}, {MaxFindings: -1}, {User: &audit.Account{Name: "x"}}, {Owner: &audit.Account{}}} {
		_, err := audit.Check(t.Context(), tr.dir, nil, opt)
		require.Error(t, err)
		_, err = audit.FixPermissions(t.Context(), tr.dir, opt)
		require.Error(t, err)
	}
}

func limitOnly(rep *audit.Report) []string {
	var all []string
	for _, f := range short(rep) {
		if strings.HasPrefix(f, "fault limit") {
			all = append(all, f)
		}
	}
	return all
}

func TestCancelled(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	tr := newTree(t)
	rep, err := audit.Check(ctx, tr.dir, nil, audit.Options{})
	require.ErrorIs(t, err, why)
	require.NotNil(t, rep)
	_, err = audit.FixPermissions(ctx, tr.dir, audit.Options{})
	require.ErrorIs(t, err, why)
	_, err = audit.Check(t.Context(), tr.at("missing"), nil, audit.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = audit.Check(t.Context(), tr.dir, &acl.Policy{Zones: []acl.Zone{{Name: "../etc"}}}, audit.Options{})
	require.ErrorContains(t, err, "a zone is named as")
}

// What changes while it is looked at is no error.
func TestWhileItChanges(t *testing.T) {
	tr := newTree(t)
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-end:
				return
			default:
			}
			name := filepath.Join(tr.dir, "repo", fmt.Sprint("f", i%20))
			if os.Symlink("/etc/passwd", name) != nil {
				_ = os.Remove(name)
			}
		}
	}()
	for begin := time.Now(); time.Since(begin) < 300*time.Millisecond; {
		for _, f := range tr.check(nil, audit.Options{}).Findings {
			require.Equal(t, audit.KindLink, f.Kind, f)
		}
	}
	close(end)
	<-done
}
