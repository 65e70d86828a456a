package hashutil_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/hashutil"
)

// packed makes a real .xz of the text.
func packed(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// content is a ContentFunc as package templates has one, with another decoder.
func content(_ context.Context, f fs.File, dst *hashutil.Hasher) (string, error) {
	var magic [6]byte
	n, _ := io.ReadFull(f, magic[:])
	whole := io.MultiReader(bytes.NewReader(magic[:n]), f)
	if string(magic[:n]) != "\xfd7zXZ\x00" {
		_, err := io.Copy(dst, whole)
		return "plain", err
	}
	r, err := xz.NewReader(whole)
	if err != nil {
		return "", fmt.Errorf("block 0 at offset 12: %w", err)
	}
	if _, err := io.Copy(dst, r); err != nil {
		return "", fmt.Errorf("block 0 at offset 12: %w", err)
	}
	return "decompressed", nil
}

// files is a tree given as text.
type files map[string]string

func (f files) fs() fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range f {
		m[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return m
}

func verify(t testing.TB, fsys fs.FS, opt hashutil.VerifyOptions) *hashutil.VerifyReport {
	t.Helper()
	if opt.Content == nil {
		opt.Content = content
	}
	report, err := hashutil.Verify(t.Context(), fsys, opt)
	require.NoError(t, err)
	return report
}

// short gives a report as lines: path, sidecar, status.
func short(r *hashutil.VerifyReport) []string {
	lines := []string{}
	for _, f := range r.Files {
		lines = append(lines, fmt.Sprintf("%s %s %s", f.Path, f.Sidecar, f.Status))
	}
	return lines
}

func TestVerifyStatuses(t *testing.T) {
	const disk = "a disk"
	xzDisk := packed(t, disk)
	right, wrong := sha1Of(disk), sha1Of("another disk")
	md5Line := digestsOf([]byte(disk))[hashutil.MD5] + "  d.tar.xz\n"
	cases := []struct {
		name   string
		files  files
		want   []string
		reason string // of the first result
	}{
		{"lago template", files{"el8.xz": xzDisk, "el8.hash": right, "el8.metadata": "{}", "repo.metadata": "{}", "index": ""}, []string{"el8.xz el8.hash ok"}, ""},
		{"lago template, not packed", files{"el8": disk, "el8.hash": right}, []string{"el8 el8.hash ok"}, ""},
		{"white space and CRLF in .hash", files{"el8.xz": xzDisk, "el8.hash": " \n" + right + "\r\n "}, []string{"el8.xz el8.hash ok"}, ""},
		{"mismatch in content", files{"el8.xz": xzDisk, "el8.hash": wrong}, []string{"el8.xz el8.hash mismatch"}, "the sha1 of its decompressed content is not the one in the sidecar"},
		{"hash of the compressed file", files{"el8.xz": xzDisk, "el8.hash": sha1Of(xzDisk)}, []string{"el8.xz el8.hash compressed"}, "lago compares with the decompressed one"},
		{"upper case in .hash", files{"el8.xz": xzDisk, "el8.hash": strings.ToUpper(right)}, []string{"el8.xz el8.hash malformed"}, "upper case: lago would refuse it, expected 40 lower-case hex digits alone; the digest itself is right"},
		{"file name in .hash", files{"el8": disk, "el8.hash": wrong + "  el8\n"}, []string{"el8 el8.hash malformed"}, "the digest is wrong too"},
		{"wrong length in .hash", files{"el8": disk, "el8.hash": hexSHA256}, []string{"el8 el8.hash malformed"}, "line 1: expected 40 hex digits (sha1), found 64 (a sha256 has as many)"},
		{"empty .hash", files{"el8": disk, "el8.hash": ""}, []string{"el8 el8.hash malformed"}, "expected 40 hex digits (sha1), found an empty file"},
		{"large .hash", files{"el8": disk, "el8.hash": strings.Repeat(" ", 1<<20)}, []string{"el8 el8.hash malformed"}, "more than 64 KiB"},
		{"H.xz.hash is what lago asks for first", files{"el8.xz": xzDisk, "el8.xz.hash": right}, []string{"el8.xz el8.xz.hash ok"}, ""},
		{"H.xz.hash of the compressed file", files{"el8.xz": xzDisk, "el8.xz.hash": sha1Of(xzDisk)}, []string{"el8.xz el8.xz.hash compressed"}, "compressed"},
		{"both H and H.xz", files{"el8.xz": xzDisk, "el8": disk, "el8.hash": right}, []string{"el8 el8.hash ok", "el8.xz el8.hash ok"}, ""},
		{"H and H.xz differ", files{"el8.xz": xzDisk, "el8": "other", "el8.hash": right}, []string{"el8 el8.hash mismatch", "el8.xz el8.hash ok"}, `lago takes the sidecar for that of "el8.xz"`},
		{"raw disk in a lago store", files{"r:el8:v1": disk, "r:el8:v1.hash": wrong, "r:el8:v1.metadata": "{}", "r:el8:v1.lock": "", "r:el8:v1.users": "", "r:el8:v1.tmp": ""},
			[]string{"r:el8:v1 r:el8:v1.hash mismatch"}, "expected in a lago store"},
		{"xz that is not named so", files{"el8": xzDisk, "el8.hash": right}, []string{"el8 el8.hash mismatch"}, "only decompresses if its name ends in .xz"},
		{"xz that is not named so, by its bytes", files{"el8": xzDisk, "el8.hash": sha1Of(xzDisk)}, []string{"el8 el8.hash ok"}, ""},
		{"xz by name only", files{"el8.xz": disk, "el8.hash": right}, []string{"el8.xz el8.hash unreadable"}, "does not begin as an xz file does"},
		{"xz cut off", files{"el8.xz": xzDisk[:len(xzDisk)/2], "el8.hash": right}, []string{"el8.xz el8.hash unreadable"}, "block 0 at offset 12"},
		{"xz cut off, sidecar malformed", files{"el8.xz": xzDisk[:len(xzDisk)-5], "el8.hash": "x"}, []string{"el8.xz el8.hash unreadable"}, "its sidecar is malformed too"},

		{"kubevirt", files{"kubevirt/a.img": disk, "kubevirt/a.img.sha1": right + "\n"}, []string{"kubevirt/a.img kubevirt/a.img.sha1 ok"}, ""},
		{"kubevirt, without a newline", files{"kubevirt/a.img": disk, "kubevirt/a.img.sha1": right}, []string{"kubevirt/a.img kubevirt/a.img.sha1 ok"}, ""},
		{"kubevirt, xz as it is", files{"kubevirt/a.xz": xzDisk, "kubevirt/a.xz.sha1": sha1Of(xzDisk)}, []string{"kubevirt/a.xz kubevirt/a.xz.sha1 ok"}, ""},
		{"kubevirt, mismatch", files{"kubevirt/a.img": disk, "kubevirt/a.img.sha1": wrong + "\n"}, []string{"kubevirt/a.img kubevirt/a.img.sha1 mismatch"}, "the sha1 of its bytes is not"},
		{"kubevirt, file name", files{"kubevirt/a.img": disk, "kubevirt/a.img.sha1": right + "  a.img\n"}, []string{"kubevirt/a.img kubevirt/a.img.sha1 malformed"}, "stands beside the digest"},
		{"kubevirt, upper case", files{"kubevirt/a.img": disk, "kubevirt/a.img.sha1": strings.ToUpper(right) + "\n"}, []string{"kubevirt/a.img kubevirt/a.img.sha1 malformed"}, "upper case"},
		{"kubevirt, CRLF", files{"srv/kubevirt/a.img": disk, "srv/kubevirt/a.img.sha1": right + "\r\n"}, []string{"srv/kubevirt/a.img srv/kubevirt/a.img.sha1 malformed"}, "CR LF"},
		{"kubevirt, sha256 in any form", files{"kubevirt/a.img": disk, "kubevirt/a.img.sha256": strings.ToUpper(digestsOf([]byte(disk))[hashutil.SHA256]) + "  a.img"}, []string{"kubevirt/a.img kubevirt/a.img.sha256 ok"}, ""},
		{"elsewhere forms are free", files{"a.img": disk, "a.img.sha1": strings.ToUpper(right) + " *a.img\r\n"}, []string{"a.img a.img.sha1 ok"}, ""},
		{"another file's name", files{"a.img": disk, "a.img.sha1": right + "  b.img\n"}, []string{"a.img a.img.sha1 malformed"}, `expected the file name "a.img" beside the digest, found "b.img"`},
		{"a path to the name", files{"a.img": disk, "a.img.sha1": right + "  ./out/a.img\n"}, []string{"a.img a.img.sha1 ok"}, ""},
		{"a blank after the name", files{"a.img": disk, "a.img.sha1": right + "  a.img \n"}, []string{"a.img a.img.sha1 ok"}, ""},
		{"a name that ends in a blank", files{"a ": disk, "a .sha1": right + "  a \n"}, []string{"a  a .sha1 ok"}, ""},
		{"standard input for a name", files{"a.img": disk, "a.img.sha1": right + "  -\n"}, []string{"a.img a.img.sha1 ok"}, ""},
		{"bundle", files{"bundles/4.2/d.tar.xz": disk, "bundles/4.2/d.tar.xz.md5": md5Line}, []string{"bundles/4.2/d.tar.xz bundles/4.2/d.tar.xz.md5 ok"}, ""},
		{"two sidecars", files{"a": disk, "a.sha1": right, "a.md5": wrong}, []string{"a a.md5 malformed", "a a.sha1 ok"}, "expected 32 hex digits (md5), found 40 (a sha1 has as many)"},
		{"comment tells another size", files{"a": disk, "a.sha1": "# a: 7 bytes\nSHA1 (a) = " + wrong}, []string{"a a.sha1 mismatch"}, "expected 7 bytes, found 6"},

		{"orphan .hash", files{"el8.hash": right, "el8.metadata": "{}"}, []string{"el8.hash el8.hash orphan"}, `there is no "el8.xz" and no "el8"`},
		{"orphan .sha1", files{"a.img.sha1": right}, []string{"a.img.sha1 a.img.sha1 orphan"}, `there is no "a.img"`},
		{"orphan beside a directory", files{"a.sha1": right, "a/b.rpm": ""}, []string{"a.sha1 a.sha1 orphan"}, `there is no "a"`},
		{"nothing at all", files{}, []string{}, ""},
		{"no images", files{
			"yum/repodata/repomd.xml": "", "yum/a.rpm": "", "repo.metadata": "", "index": "", "index.asc": "", "a.metadata": "", "a.sig": "",
			"a.lock": "", "a.users": "", "a.tmp": "", "a.provenance.json": "", ".hidden": "", ".tplkit/journal": "",
		}, []string{}, ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			report := verify(t, tc.files.fs(), hashutil.VerifyOptions{})
			require.Equal(t, tc.want, short(report))
			if len(report.Files) == 0 {
				require.True(t, report.OK())
				return
			}
			if tc.reason == "" {
				require.Empty(t, report.Files[0].Reason)
			} else {
				require.Contains(t, report.Files[0].Reason, tc.reason)
			}
			faults := 0
			for _, f := range report.Files {
				if f.Status != hashutil.StatusOK {
					require.NotEmpty(t, f.Reason)
					faults++
				}
			}
			require.Equal(t, faults == 0, report.OK())
			require.Equal(t, len(report.Files)-faults, report.Summary[hashutil.StatusOK])
		})
	}
}

// Which sidecar a missing one should be, and what repairing writes.
func TestVerifyMissingAndRepairs(t *testing.T) {
	const disk = "a disk"
	xzDisk := packed(t, disk)
	right, wrong := sha1Of(disk), sha1Of("another disk")
	md5, sha256 := digestsOf([]byte(disk))[hashutil.MD5], digestsOf([]byte(disk))[hashutil.SHA256]
	cases := []struct {
		name    string
		files   files
		opt     hashutil.VerifyOptions
		sidecar string
		was     hashutil.Status
		text    string
	}{
		{name: "packed image", files: files{"a.xz": xzDisk}, sidecar: "a.hash", was: hashutil.StatusMissing, text: right},
		{name: "in a repo directory", files: files{"repo/a": disk}, sidecar: "repo/a.hash", was: hashutil.StatusMissing, text: right},
		{name: "beside repo.metadata", files: files{"a": disk, "repo.metadata": "{}"}, sidecar: "a.hash", was: hashutil.StatusMissing, text: right},
		{name: "beside its metadata", files: files{"x/a": disk, "x/a.metadata": "{}"}, sidecar: "x/a.hash", was: hashutil.StatusMissing, text: right},
		{name: "in a lago store", files: files{"r:a:v1": disk}, sidecar: "r:a:v1.hash", was: hashutil.StatusMissing, text: right},
		{name: "kubevirt", files: files{"kubevirt/a.xz": xzDisk}, sidecar: "kubevirt/a.xz.sha1", was: hashutil.StatusMissing, text: sha1Of(xzDisk) + "\n"},
		{name: "kubevirt as the root", files: files{"a.img": disk}, opt: hashutil.VerifyOptions{KubeVirt: true}, sidecar: "a.img.sha1", was: hashutil.StatusMissing, text: right + "\n"},
		{name: "bundle", files: files{"bundles/v/a.tar.xz": disk}, sidecar: "bundles/v/a.tar.xz.md5", was: hashutil.StatusMissing, text: md5 + "  a.tar.xz\n"},
		{name: "archive elsewhere", files: files{"a.tar.xz": xzDisk}, sidecar: "a.tar.xz.sha1", was: hashutil.StatusMissing, text: sha1Of(xzDisk) + "\n"},
		{name: "plain image", files: files{"a.img": disk}, sidecar: "a.img.sha1", was: hashutil.StatusMissing, text: right + "\n"},
		{name: "plain and packed", files: files{"repo/a": disk, "repo/a.xz": xzDisk}, sidecar: "repo/a.hash", was: hashutil.StatusMissing, text: right},

		{name: "compressed", files: files{"a.xz": xzDisk, "a.hash": sha1Of(xzDisk)}, sidecar: "a.hash", was: hashutil.StatusCompressed, text: right},
		{name: "mismatch in .hash", files: files{"a.xz": xzDisk, "a.hash": wrong + "\n"}, sidecar: "a.hash", was: hashutil.StatusMismatch, text: right},
		{name: "malformed .hash", files: files{"a.xz": xzDisk, "a.hash": right + "  a.xz\n"}, sidecar: "a.hash", was: hashutil.StatusMalformed, text: right},
		{name: "wrong for both", files: files{"a.xz": xzDisk, "a": "other", "a.hash": wrong}, sidecar: "a.hash", was: hashutil.StatusMismatch, text: right},
		{name: "malformed kubevirt", files: files{"kubevirt/a": disk, "kubevirt/a.sha1": strings.ToUpper(right)}, sidecar: "kubevirt/a.sha1", was: hashutil.StatusMalformed, text: right + "\n"},
		{name: "mismatch, bare", files: files{"a": disk, "a.sha256": hexSHA256}, sidecar: "a.sha256", was: hashutil.StatusMismatch, text: sha256 + "\n"},
		{name: "mismatch, gnu", files: files{"a": disk, "a.sha1": wrong + " *a\n"}, sidecar: "a.sha1", was: hashutil.StatusMismatch, text: right + "  a\n"},
		{name: "mismatch, bsd", files: files{"a": disk, "a.sha256": "SHA256 (a) = " + hexSHA256}, sidecar: "a.sha256", was: hashutil.StatusMismatch, text: "SHA256 (a) = " + sha256 + "\n"},
		{name: "malformed, sha1", files: files{"a": disk, "a.sha1": "<html>"}, sidecar: "a.sha1", was: hashutil.StatusMalformed, text: right + "\n"},
		{name: "malformed, md5", files: files{"a": disk, "a.md5": ""}, sidecar: "a.md5", was: hashutil.StatusMalformed, text: md5 + "  a\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			report := verify(t, tc.files.fs(), tc.opt)
			require.False(t, report.OK())
			repairs := report.Repairs()
			require.Len(t, repairs, 1)
			repair := repairs[0]
			require.Equal(t, tc.sidecar, repair.Sidecar)
			require.Equal(t, tc.was, repair.Was)
			require.Equal(t, tc.text, string(repair.Content))
			require.Len(t, repair.Digest, repair.Algorithm.HexLen())

			fixed := tc.files.fs()
			fixed[repair.Sidecar] = &fstest.MapFile{Data: repair.Content}
			again := verify(t, fixed, tc.opt)
			report.Written(repairs...)
			require.Equal(t, again.Summary, report.Summary)
			require.Equal(t, short(again), short(report))
			require.Contains(t, report.Files[len(report.Files)-1].Reason, "its sidecar was written; it was "+string(tc.was))
			require.Empty(t, again.Repairs())
			if tc.files["a"] != "other" {
				require.True(t, again.OK(), "%v", again.Files)
			}
		})
	}
}

func TestVerifyResultAsJSON(t *testing.T) {
	disk := "a disk"
	tree := files{"el8.xz": packed(t, disk), "el8.hash": strings.ToUpper(sha1Of(disk)), "lone.sha1": "x"}
	report := verify(t, tree.fs(), hashutil.VerifyOptions{})
	text, err := json.Marshal(report)
	require.NoError(t, err)
	right := sha1Of(disk)
	require.JSONEq(t, `{"files": [
		{"path": "el8.xz", "sidecar": "el8.hash", "algorithm": "sha1", "want": "`+right+`", "got": "`+right+`", "status": "malformed",
		 "reason": "the hex digits are upper case: lago would refuse it, expected 40 lower-case hex digits alone; the digest itself is right", "method": "decompressed"},
		{"path": "lone.sha1", "sidecar": "lone.sha1", "algorithm": "sha1", "status": "orphan", "reason": "there is no \"lone\""}
	], "summary": {"malformed": 1, "orphan": 1}}`, string(text))

	text, err = json.Marshal(verify(t, files{}.fs(), hashutil.VerifyOptions{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"files": [], "summary": {}}`, string(text))
}
