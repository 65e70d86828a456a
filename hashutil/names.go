package hashutil

import (
	"path"
	"slices"
	"strings"
)

const (
	hashSuffix = ".hash"
	xzSuffix   = ".xz"
)

// ImageFor tells of which files a sidecar of this name can speak, the likelier
// first, and by which algorithm:
//
//	H.hash                    of the content of H.xz, or of H (sha1, lago's)
//	FILE.ALG                  of FILE's bytes as they are
//	FILE.ALGsum               the same, in either case (FILE.SHA256SUM)
//
// ok is false if the name is not a sidecar's. Directories in the name are kept.
func ImageFor(sidecar string) (images []string, alg Algorithm, ok bool) {
	ext := path.Ext(sidecar)
	stem := strings.TrimSuffix(sidecar, ext)
	if path.Base(sidecar) == ext {
		return nil, "", false // ".hash" alone is a hidden file
	}
	if ext == hashSuffix {
		return []string{stem + xzSuffix, stem}, SHA1, true
	}
	for _, a := range Algorithms() {
		if ext == "."+string(a) || strings.EqualFold(ext, "."+string(a)+"sum") {
			return []string{stem}, a, true
		}
	}
	return nil, "", false
}

// SidecarFor is the name of the sidecar that holds the digest of the image's
// bytes as they are: "disk.img" and sha1 give "disk.img.sha1".
func SidecarFor(image string, alg Algorithm) string { return image + "." + string(alg) }

// HashFor is the name of lago's sidecar for the content of an image: "el8.xz"
// and "el8" both give "el8.hash".
func HashFor(image string) string { return strings.TrimSuffix(image, xzSuffix) + hashSuffix }

// SumsFile reports whether a file of this name holds the digests of a whole
// directory, and by which algorithm; "" means that each line tells. The names
// are SHA256SUMS and its like for every algorithm, with or without the last S
// and .txt, and CHECKSUM, CHECKSUMS or anything that ends in -CHECKSUM.
func SumsFile(name string) (alg Algorithm, ok bool) {
	base := strings.TrimSuffix(strings.ToUpper(path.Base(name)), ".TXT")
	if base == "CHECKSUM" || base == "CHECKSUMS" || strings.HasSuffix(base, "-CHECKSUM") {
		return "", true
	}
	for _, a := range Algorithms() {
		sum := strings.ToUpper(string(a)) + "SUM"
		if base == sum || base == sum+"S" {
			return a, true
		}
	}
	return "", false
}

// noSidecarNames and noSidecarSuffixes are files of a template tree, a lago
// store or a yum repository that are no images, so that nobody expects a digest
// beside them.
var (
	noSidecarNames    = []string{"repo.metadata", "index"}
	noSidecarSuffixes = []string{
		".metadata", ".asc", ".sig", ".lock", ".users", ".tmp", ".provenance.json", ".rpm",
	}
)

// needsSidecar reports whether a file of this name is taken for an image.
func needsSidecar(name string) bool {
	dir, base := path.Split(name)
	if strings.HasPrefix(base, ".") || slices.Contains(noSidecarNames, base) || under(dir, "repodata") {
		return false
	}
	if slices.ContainsFunc(noSidecarSuffixes, func(s string) bool { return strings.HasSuffix(base, s) }) {
		return false
	}
	if _, _, ok := ImageFor(base); ok {
		return false
	}
	for _, s := range []string{".gpg", ".sign"} {
		base = strings.TrimSuffix(base, s) // SHA256SUMS.gpg
	}
	_, sums := SumsFile(base)
	return !sums
}

// under reports whether name stands below a directory called dir. name may
// itself be a directory, with a slash at its end.
func under(name, dir string) bool {
	return strings.HasPrefix(name, dir+"/") || strings.Contains(name, "/"+dir+"/")
}

// storeName reports whether a file is named as a disk in a lago store:
// REPO:TEMPLATE:VERSION.
func storeName(name string) bool {
	base := path.Base(name)
	first, last := strings.IndexByte(base, ':'), strings.LastIndexByte(base, ':')
	return first > 0 && first+1 < last && last+1 < len(base)
}

// place is where in the served tree a file lies, which decides what its client
// expects beside it.
type place struct{ kubevirt, bundles, repo bool }

func (p *plan) place(name string) place {
	return place{
		kubevirt: p.opt.KubeVirt || under(name, "kubevirt"),
		bundles:  under(name, "bundles"),
		repo: under(name, "repo") || storeName(name) ||
			p.tree.file(strings.TrimSuffix(name, xzSuffix)+".metadata") ||
			p.tree.file(path.Join(path.Dir(name), "repo.metadata")),
	}
}
