package browse

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// Kinds of snippets, as keys of the JSON form.
const (
	kindLago  = "lago"
	kindVirt  = "virt-builder"
	kindCDI   = "cdi"
	kindFetch = "curl"
)

// kinds tells each kind's letter in a row of the catalogue, and its titles. The
// script knows the letters.
var kinds = []struct{ kind, letter, button, title string }{
	{kindLago, "l", "lago", "lago: a LagoInitFile"},
	{kindVirt, "v", "virt-builder", "virt-builder: build a guest from it"},
	{kindCDI, "k", "CDI", "KubeVirt: a DataVolume for CDI"},
	{kindFetch, "c", "curl", "curl: fetch and check it"},
}

// snippet is something to copy.
type snippet struct{ kind, text string }

// snippets are what can be done with a template.
func (v *view) snippets(p *templates.Published) []snippet {
	s := v.snippeter(p)
	var out []snippet
	for _, k := range kinds {
		if s.has(k.kind) {
			out = append(out, snippet{k.kind, s.make(k.kind)})
		}
	}
	return out
}

// letters tells the script which snippets a template has.
func (v *view) letters(p *templates.Published) string {
	s := v.snippeter(p)
	letters := ""
	for _, k := range kinds {
		if s.has(k.kind) {
			letters += k.letter
		}
	}
	return letters
}

// snippeter is ready to make the snippets of a template, or none of them where
// its image is not there or a name is not safe to paste.
func (v *view) snippeter(p *templates.Published) *snippeter {
	s := &snippeter{p: p, repo: v.repo, file: path.Base(p.File)}
	if p.File == "" || s.file[0] == '-' {
		return s
	}
	for _, text := range []string{s.repo, p.Name, p.Version, p.Handle, p.File, p.Arch, p.VirtBuilder} {
		if unsafe(text) {
			return s
		}
	}
	s.url = s.repo + string(appendPath(nil, p.File))
	return s
}

// snippeter makes the snippets of one template.
type snippeter struct {
	p               *templates.Published
	repo, url, file string // url is "" where nothing can be offered
}

func (s *snippeter) has(kind string) bool {
	if s.url == "" {
		return false
	}
	switch kind {
	case kindLago:
		return s.p.Version != ""
	case kindVirt:
		return s.p.VirtBuilder != "" && s.p.VirtBuilder[0] != '-'
	}
	return true
}

func (s *snippeter) make(kind string) string {
	switch kind {
	case kindLago:
		return s.lago()
	case kindVirt:
		return s.virtBuilder()
	case kindCDI:
		return s.dataVolume()
	}
	return s.curl()
}

// lago is a LagoInitFile with one guest, as in lago's documents. It says the
// version, so that the same file always gives the same guest.
func (s *snippeter) lago() string {
	return fmt.Sprintf(`# Save it as LagoInitFile, then:
# lago init --template-repo-path %s
domains:
  vm-0:
    memory: 2048
    nics:
      - net: net-0
    disks:
      - template_name: %s
        template_version: %s
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
`, shell(s.repo+templates.RepoMetadataName), yaml(s.p.Name), yaml(s.p.Version))
}

func (s *snippeter) virtBuilder() string {
	var b strings.Builder
	fmt.Fprintf(&b, "virt-builder %s \\\n  --source %s --no-check-signature \\\n  ", shell(s.p.VirtBuilder), shell(s.repo+templates.IndexName))
	if s.p.Arch != "" {
		fmt.Fprintf(&b, "--arch %s ", shell(s.p.Arch))
	}
	fmt.Fprintf(&b, "--format qcow2 --output %s\n", shell(strings.TrimSuffix(s.file, ".xz")+".qcow2"))
	return b.String()
}

// dataVolume is a manifest for the Containerized Data Importer. Its checksum is
// of the bytes as they are served; CDI knows it since v1.65.0.
func (s *snippeter) dataVolume() string {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: cdi.kubevirt.io/v1beta1
kind: DataVolume
metadata:
  name: %s
spec:
  source:
    http:
      url: %s
`, yaml(dnsLabel(s.p.Handle)), yaml(s.url))
	if s.p.SHA512 != "" {
		fmt.Fprintf(&b, "      checksum: %s # CDI 1.65 or newer\n", yaml("sha512:"+s.p.SHA512))
	}
	b.WriteString("  storage:\n    resources:\n      requests:\n        storage: ")
	if s.p.VirtualSize > 0 {
		b.WriteString(quantity(s.p.VirtualSize) + "\n")
	} else {
		b.WriteString("10Gi # at least the size of the disk, which nothing here tells\n")
	}
	return b.String()
}

func (s *snippeter) curl() string {
	var b strings.Builder
	fmt.Fprintf(&b, "curl --fail --location --continue-at - --output %s \\\n  %s", shell(s.file), shell(s.url))
	content, packed := strings.CutSuffix(s.file, ".xz")
	switch {
	case s.p.SHA512 != "":
		fmt.Fprintf(&b, " &&\necho %s | sha512sum --check", shell(s.p.SHA512+"  "+s.file))
	case s.p.SHA1 != "" && packed:
		fmt.Fprintf(&b, " &&\nxz --decompress --keep %s &&\necho %s | sha1sum --check", shell(s.file), shell(s.p.SHA1+"  "+content))
	case s.p.SHA1 != "":
		fmt.Fprintf(&b, " &&\necho %s | sha1sum --check", shell(s.p.SHA1+"  "+s.file))
	}
	return b.String() + "\n"
}

// dnsLabel makes a name for an object in Kubernetes: a DNS label of at most 63
// characters.
func dnsLabel(handle string) string {
	label := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, handle)
	label = strings.Trim(label, "-")
	label = strings.TrimRight(label[:min(len(label), 63)], "-")
	if label == "" {
		return "template"
	}
	return label
}

// quantity writes a size for Kubernetes, rounded up to a whole MiB.
func quantity(n int64) string {
	const mib, gib = 1 << 20, 1 << 30
	if n%gib == 0 {
		return strconv.FormatInt(n/gib, 10) + "Gi"
	}
	return strconv.FormatInt((n-1)/mib+1, 10) + "Mi"
}
