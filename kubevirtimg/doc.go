// Package kubevirtimg brings the images of KubeVirt's CI back from the cache on a CI node to a template server.
//
// A cache (by default /var/lib/stdci/shared/kubevirt-images) holds a directory for each operating system, with DIR/disk.img, the
// downloaded bytes as they were, and DIR/disk.img.sha1. On the server the image is kubevirt/IMAGE with kubevirt/IMAGE.sha1.
// Both are what the scripts automation/test.sh of kubevirt/kubevirt and kubevirt/common-templates download.
//
// IMAGE cannot be computed from DIR: it is what those scripts ask for, and that changed over the years. It is taken, in this
// order, from
//
//   - the operator ([PlanOptions].Names),
//   - the SHA-1 of an image that is known by name ([PlanOptions].SHA1), as from an old listing of the server,
//   - a script of KubeVirt ([NamesFromScript]),
//   - the names that were asked for so far ([Known]).
//
// Where that leaves more than one name, the image is refused with the names to choose from. Nothing is guessed.
//
// Recovery runs in one direction:
//
//	entries, err := kubevirtimg.ScanCache(ctx, cache)         // what is there, and in which state
//	plan, err := kubevirtimg.NewPlan(entries, PlanOptions{})  // what would be done; conflicts
//	report, err := plan.Recover(ctx, cache, tree, …)          // kubevirt/IMAGE and kubevirt/IMAGE.sha1
//
// KubeVirt's scripts compare the text of IMAGE.sha1 with that of disk.img.sha1 and never hash the disk again, so a recovery
// does: an image that its own sidecar contradicts is not published.
package kubevirtimg
