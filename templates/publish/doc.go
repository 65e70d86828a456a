// Package publish makes sets of files visible together or not at all, and keeps that promise when the
// process is killed, the disk fills up or the power fails.
//
// A [Dir] is a directory tree that one process at a time publishes into. A [Set] holds the new files of
// one publication, say a disk image, its sidecars and the index that names it. They are written in
// DIR/.tplkit, on the same file system as their destination, and [Set.Commit] brings them out:
//
//  1. every file is completed, synced and, as [Options.Verify] asks, read back;
//  2. the whole set is checked against the tree: a name that exists is refused unless replacing was asked
//     for, and a symbolic link, directory or device under a name of the set always is;
//  3. a journal with names, sizes and known digests is written and synced;
//  4. the files are renamed to their names in the order of [Set.Create], with the directory synced after
//     each, so that an index that was created last is never there without what it names;
//  5. the journal is dropped.
//
// A run that is killed before step 3 leaves nothing but staged files, which the next [Open] removes. A run
// that is killed later is completed by the next Open, or taken back as a whole when a staged file is no
// longer what the journal says; [Dir.Recovered] tells. Published files are never written in place, so a
// reader that has one open reads it to its end.
//
// # What lies in DIR/.tplkit
//
// lock is held with flock(2) while the tree is open, and names the holder for people. set-NNNNNN is the
// staging of one set: .fN-R the new files, bN links to the files that are replaced and rN the files that
// are taken away, both until the set is out, and journal (or undo, while a set is taken back). Nothing
// else in there is ever touched. [Dir.Close] removes the directory when nothing is left in it.
//
// # One file alone
//
// [WriteFile] writes one file beside its final name, without a lock and without .tplkit.
//
// # Names
//
// Names given to [Set.Create] and [Set.Remove] may come from anywhere: they are checked with
// [io/fs.ValidPath], opened through [os.Root] only, and no symbolic link is followed, not even one that
// stays in the tree.
//
// # Platforms
//
// Everything holds on Linux. Elsewhere free space is not checked and nothing is preallocated, a name is
// claimed with link(2) instead of renameat2(2), and where there is no flock(2) [Open] is an error.
package publish
