package browse_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/browse"
)

// snippetsOf gives what can be copied of a template.
func snippetsOf(t testing.TB, base string, p templates.Published) map[string]string {
	t.Helper()
	var one struct{ Snippets map[string]string }
	page := browse.Page{Path: "/repo/", BaseURL: base, Catalogue: func() ([]templates.Published, error) { return []templates.Published{p}, nil }}
	w := get(t, page, "/repo/?template="+queryEscape(p.Name), "Accept", "application/json")
	require.Equal(t, 200, w.Code)
	mustDecode(t, w.Body.Bytes(), &one)
	return one.Snippets
}

func TestSnippets(t *testing.T) {
	s := snippetsOf(t, "https://templates.example.org", published()[0])
	require.Equal(t, `# Save it as LagoInitFile, then:
# lago init --template-repo-path https://templates.example.org/repo/repo.metadata
domains:
  vm-0:
    memory: 2048
    nics:
      - net: net-0
    disks:
      - template_name: "el8"
        template_version: "v2"
        template_type: lago
        type: template
        name: root
        dev: vda
        format: qcow2
nets:
  net-0:
    type: nat
    dhcp:
      start: 100
      end: 254
    management: true
    dns_domain_name: lago.local
`, s["lago"])
	require.Equal(t, `virt-builder el8-v2 \
  --source https://templates.example.org/repo/index --no-check-signature \
  --arch x86_64 --format qcow2 --output el8-v2.qcow2
`, s["virt-builder"])
	require.Equal(t, `apiVersion: cdi.kubevirt.io/v1beta1
kind: DataVolume
metadata:
  name: "el8-v2"
spec:
  source:
    http:
      url: "https://templates.example.org/repo/el8-v2.xz"
      checksum: "sha512:`+strings.Repeat("ab", 64)+`" # CDI 1.65 or newer
  storage:
    resources:
      requests:
        storage: 6Gi
`, s["cdi"])
	require.Equal(t, `curl --fail --location --continue-at - --output el8-v2.xz \
  https://templates.example.org/repo/el8-v2.xz &&
echo '`+strings.Repeat("ab", 64)+`  el8-v2.xz' | sha512sum --check
`, s["curl"])
}

func TestSnippetsOfWhatIsKnownOnlyInPart(t *testing.T) {
	p := templates.Published{Name: "x", Version: "v1", Handle: "Dir/EL8.2_x", File: "Dir/EL8.2_x.xz", SHA1: strings.Repeat("0", 40), VirtualSize: 1<<30 + 1}
	s := snippetsOf(t, "http://h:8080", p)
	require.NotContains(t, s, "virt-builder")
	require.Contains(t, s["cdi"], "  name: \"dir-el8-2-x\"\n")
	require.Contains(t, s["cdi"], "storage: 1025Mi\n")
	require.NotContains(t, s["cdi"], "checksum")
	require.Contains(t, s["curl"], "http://h:8080/repo/Dir/EL8.2_x.xz &&\nxz --decompress --keep EL8.2_x.xz &&\necho '"+p.SHA1+"  EL8.2_x' | sha1sum --check\n")

	p.File, p.VirtualSize = "Dir/EL8.2_x", 0
	s = snippetsOf(t, "http://h:8080", p)
	require.Contains(t, s["curl"], "&&\necho '"+p.SHA1+"  EL8.2_x' | sha1sum --check\n", "it is not packed")
	require.Contains(t, s["cdi"], "storage: 10Gi # at least")
	p.SHA1 = ""
	require.Equal(t, "curl --fail --location --continue-at - --output EL8.2_x \\\n  http://h:8080/repo/Dir/EL8.2_x\n", snippetsOf(t, "http://h:8080", p)["curl"])
}

func TestNothingUnsafeIsOffered(t *testing.T) {
	good := templates.Published{Name: "x", Version: "v1", Handle: "x", File: "x.xz", VirtBuilder: "x", Arch: "x86_64"}
	require.Len(t, snippetsOf(t, "http://h", good), 4)
	for name, bad := range map[string]string{
		"newline": "a\nreboot\n", "escape": "a\x1b[201~reboot", "backslash": `a\c`, "no UTF-8": "a\xff", "delete": "a\x7f", "C1": "a\u009b",
		"turned": "a\u202egnp.sh", "line separator": "a\u2028b", "NUL": "a\x00",
	} {
		t.Run(name, func(t *testing.T) {
			for what, set := range map[string]func(*templates.Published){
				"name": func(p *templates.Published) { p.Name = bad }, "version": func(p *templates.Published) { p.Version = bad },
				"file": func(p *templates.Published) { p.File = bad }, "ID": func(p *templates.Published) { p.VirtBuilder = bad },
				"arch": func(p *templates.Published) { p.Arch = bad }, "handle": func(p *templates.Published) { p.Handle = bad },
			} {
				p := good
				set(&p)
				require.Empty(t, snippetsOf(t, "http://h", p), what)
			}
			require.Empty(t, snippetsOf(t, "http://h/"+bad, good), "the address that the client asked for")
		})
	}
	p := good
	p.VirtBuilder, p.File = "--help", "-x.xz"
	require.Empty(t, snippetsOf(t, "http://h", p))
	p.File = "x.xz"
	require.NotContains(t, snippetsOf(t, "http://h", p), "virt-builder")
}

// hostile are names that mean something to a shell, to YAML or to HTML, and that
// may be published nevertheless.
var hostile = []string{
	"a b", `'`, `''`, `"`, "$(reboot)", "`reboot`", "${HOME}", "a;reboot", "a&&b", "a|b", "!x", "#x", "~root", "*", "?", "[a]", "{a,b}", "a=b", "=x", "%41", "ä®", "日本",
	"<script>alert(1)<!--", "<b><img src=x onerror=alert(1)>", "&amp;", "yes", "null", "1e3", "0x10", "2026-11-22", "a: - b", "? a", ": a", "a: b", "a #b", "@x", "*x", "&x", "%x", "|", ">", "{}", "[]", "''''",
}

// The words of the command lines arrive at the programs as they are.
func TestSnippetsPassTheShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("needs sh")
	}
	for _, name := range hostile {
		p := templates.Published{Name: name, Version: name, Handle: name, File: name + ".xz", VirtBuilder: name, Arch: name, SHA512: strings.Repeat("ab", 64)}
		s := snippetsOf(t, "https://h/'$(x)'", p)
		out := runShell(t, sh, s["virt-builder"])
		require.Equal(t, []string{"virt-builder", name, "--source", "https://h/'$(x)'/repo/index", "--no-check-signature",
			"--arch", name, "--format", "qcow2", "--output", name + ".qcow2"}, out)
		out = runShell(t, sh, s["curl"])
		require.Len(t, out, 10, "%q", out)
		require.Equal(t, []string{"curl", "--fail", "--location", "--continue-at", "-", "--output", name + ".xz"}, out[:7])
		require.Regexp(t, `^https://h/'\$\(x\)'/repo/[A-Za-z0-9%._~:@+,=-]+\.xz$`, out[7])
		require.Equal(t, []string{p.SHA512 + "  " + name + ".xz", "--check"}, out[8:])

		// The comment in the LagoInitFile is one line, to be pasted without its "#".
		lines := strings.Split(s["lago"], "\n")
		out = runShell(t, sh, strings.TrimPrefix(lines[1], "# "))
		require.Equal(t, []string{"lago", "init", "--template-repo-path", "https://h/'$(x)'/repo/repo.metadata"}, out)
	}
}

// runShell runs a snippet with programs that tell their words, one a line.
func runShell(t *testing.T, sh, snippet string) []string {
	t.Helper()
	script := `lago() { printf '%s\n' lago "$@"; }
curl() { printf '%s\n' curl "$@"; }
virt_builder() { printf '%s\n' virt-builder "$@"; }
sha512sum() { IFS= read -r line; printf '%s\n' "$line" "$@"; }
PATH=/nonexistent
` + strings.Replace(snippet, "virt-builder ", "virt_builder ", 1)
	cmd := exec.Command(sh, "-euc", script)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// Every scalar that comes from elsewhere is a JSON string, which YAML reads as it
// is and as nothing else.
func TestSnippetsAreYAML(t *testing.T) {
	for _, name := range hostile {
		p := templates.Published{Name: name, Version: name, Handle: name, File: name + ".xz"}
		s := snippetsOf(t, "https://h", p)
		require.Equal(t, name, scalar(t, s["lago"], "      - template_name: "))
		require.Equal(t, name, scalar(t, s["lago"], "        template_version: "))
		require.Regexp(t, `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, scalar(t, s["cdi"], "  name: "))
		require.Regexp(t, `^https://h/repo/[A-Za-z0-9%._~:@+,=-]+\.xz$`, scalar(t, s["cdi"], "      url: "))
		require.Equal(t, strings.Count(snippetsOf(t, "https://h", published()[1])["lago"], "\n"), strings.Count(s["lago"], "\n"))
	}
}

func scalar(t *testing.T, text, key string) (value string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			require.True(t, strings.HasPrefix(rest, `"`), line)
			mustDecode(t, []byte(rest), &value)
			return value
		}
	}
	require.Failf(t, "missing", "%q in %s", key, text)
	return ""
}
