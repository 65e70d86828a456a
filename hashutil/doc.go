// Package hashutil computes digests of disk images, reads and writes the
// sidecar files that carry them, and verifies a tree of images against its
// sidecars.
//
// # Digests
//
// [Sum] and [Hasher] compute any number of digests in one read. The algorithms
// are md5 (release bundles only), sha1 (lago and KubeVirt CI compare nothing
// else), sha256 and sha512.
//
// # Sidecars
//
// [ParseSidecar] reads a file that holds one digest, [ParseSums] one that holds
// the digests of a whole directory (SHA256SUMS, Fedora's CHECKSUM). Both take
// every form that the usual tools write; [FormatSidecar] and [FormatSums] write
// one canonical form per [Kind]. [ImageFor], [SidecarFor] and [HashFor] are the
// naming rules between an image and its sidecars.
//
// # Verification
//
// [Verify] walks an [io/fs.FS], finds out which sidecar speaks of which file,
// reads each file once and gives a [VerifyReport], from which
// [VerifyReport.Repairs] tells what would have to be written to put the
// sidecars right. The package decodes no image format itself: what is inside an
// .xz file is fed to it by the caller's [ContentFunc].
//
// A sha1 proves that a file is the one its publisher hashed only against
// accidents, not against an attacker, and so does any digest that travels
// beside the file it speaks of. Signatures around a sums file are stepped over,
// not checked.
package hashutil
