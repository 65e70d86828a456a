// Package templates knows a template as a thing on disk: the format of a disk
// image (told by its content, never by its name), the names it may be
// published under, the files it consists of on a template server, and the
// server's tree of four directories.
//
// # Reading what is not trusted
//
// A cache on a CI node is written by many hands. [OpenDir] opens such a
// directory as an [io/fs.FS] that gives out regular files only, never follows a
// symbolic link and never blocks on a fifo; [OpenImage] adds what the content
// says: format and sizes. Formats that point at other files (a qcow2 with a
// backing file or an external data file) and a "raw" image that begins with the
// signature of another format are refused there, before anything reads on.
//
// # One read
//
// [Pack], [Copy] and [Digest] read an image once, however many digests are
// wanted, and never read its holes. [Content] and [Verify] are their
// counterpart for what is already published.
//
// # Reports
//
// Everything that works on many images (recovering, packing, indexing) tells
// what it did as a [Report] of [Item]s with the states scripts rely on; a plan
// that cannot be carried out because two entries want one name is a
// [ConflictError].
package templates
