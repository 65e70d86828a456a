// Package xzpack packs disk images into .xz files that all readers of such files can read in parallel and at random,
// and reads any .xz file that way itself.
//
// What [Pack] writes: one stream, CRC64, LZMA2 alone, blocks of 16 MiB that each carry both of their sizes in their
// header, with the smallest dictionary that holds the block, of at most 16 MiB. Parallel decoders (xz -T0 since 5.4) need the sizes, random
// access (nbdkit's xz filter, [ReaderAt.ReadAt]) the small blocks. The same content gives the same bytes whatever the
// number of workers. Holes of a sparse file are not read, and a block of zeros is compressed once in the life of the
// process.
//
// What [Open] reads: any .xz file with LZMA2 as its only filter, of any number of streams, with padding, with the checks
// none, crc32, crc64 and sha256, and with or without sizes in its block headers. Everything that the file claims about
// itself is read and held against [Limits] before anything is decompressed. A block may be of any size, as that of an image
// that xz packed in one piece is: what is too large to be held in memory is decoded as it comes.
//
// Where there are only streams, [NewReader] reads the same files from their beginning to their end, in parallel where
// the block headers carry both sizes, and [NewWriter] writes what Pack writes.
//
// The format is that of https://tukaani.org/xz/xz-file-format.txt, version 1.2.1.
package xzpack
