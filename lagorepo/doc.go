// Package lagorepo reads what lago keeps and writes what lago reads: the store
// on a CI node, the repository on a template server, and the way from the one
// to the other. The formats are those of lago's templates.py and of the
// generators in lago-images.
//
// Recovery runs in one direction:
//
//	entries, err := lagorepo.ScanStore(ctx, store)          // what is there, and in which state
//	plan, err := lagorepo.NewPlan(entries, PlanOptions{})   // what would be done; conflicts
//	report, err := plan.Recover(ctx, store, tree, …)        // H.xz, H.hash, H.metadata
//	report, err = lagorepo.WriteIndex(ctx, tree, …)         // repo.metadata and index, last
//
// [ScanStore] changes nothing and sorts a store's files into entries: complete,
// interrupted while lago converted them, downloads that never finished, files
// that are no template's, and entries that are refused with the reason.
//
// A [Plan] is plain data. Where two entries want one published name it is a
// conflict, found here, before anything is written.
//
// [Plan.Recover] packs and hashes in one read and publishes each template's
// three files together or not at all; run again, it finds what is done and
// right and leaves it alone. [Plan.Normalize] gives the files their canonical
// names and packs nothing.
//
// [WriteIndex] makes the two indexes from the files that are there and keeps what
// was written into them by hand; [PlanIndex] is its dry run.
//
// [Catalogue] lists what a repository publishes, for people to choose from,
// whatever state its files are in.
//
// [Metadata] is the object in a .metadata file, [RepoMetadata] that in
// repo.metadata. Unknown keys survive every rewrite of either.
package lagorepo
