// Package xzhttp reads a file from a web server at any offset, so that a remote .xz file can be unpacked by several
// connections at once, or read in part, without being downloaded:
//
//	src, err := xzhttp.Open(ctx, "https://example.org/disk.img.xz", xzhttp.Options{})
//	...
//	disk, err := xzpack.Open(src, src.Size(), xzpack.OpenOptions{LazyHeaders: true})
//
// A block is one request then, and opening the file takes two or three, whatever its size.
//
// All requests are GET with a Range header (RFC 9110, section 14). A server that does not know that gives
// [ErrNoRanges]; what it has can still be read as a stream, with [xzpack.NewReader]. A file that is replaced on the server
// while it is read is noticed.
package xzhttp
