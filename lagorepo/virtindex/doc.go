// Package virtindex reads, checks, writes and regenerates the index of a
// virt-builder repository: the INI-like text that `virt-builder --source`
// downloads, that `virt-index-validate` checks and that
// `virt-builder-repository` makes.
//
// The format, as the clients read it line by line (guestfs-tools,
// builder/index-scan.l, index-parse.y and index_parser.ml; virt-builder(1),
// "Creating and signing the index file"):
//
//	# comment                      '#' in the first column
//	[ID]                           a section: ID of A-Z a-z 0-9 . _ -
//	key=value                      key of A-Z a-z 0-9 _ . and no blank around '='
//	key[sub]=value                 sub of A-Z a-z 0-9 _ . ,
//	 more of the value             one leading blank or tab is dropped, '\n' joins
//	                               an empty line stands between two sections
//
// All of it is UTF-8 with LF at the end of every line, the last one included,
// and may stand inside an OpenPGP cleartext signature.
//
// One wrong entry makes a client refuse the whole index, and the clients do not
// refuse the same things: virt-index-validate looks at the syntax alone, and an
// empty line missing between two sections is an error up to virt-builder 1.54
// only. So [Parse] accepts what any client accepts, [Index.Check] reports what
// any client refuses or silently ignores, and [Index.Format] writes only what
// all of them read.
//
// [Update] regenerates an index: it takes the old index and what is known of
// the images now, and returns the new index. What was written by hand survives.
//
// The package imports nothing but the standard library.
package virtindex
