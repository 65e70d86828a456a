// Package webserve serves a template server's tree over HTTP, as an
// [http.Handler]: the directories repo/, bundles/, yum/ and kubevirt/, each a
// zone with its own list of addresses that may read it (package acl).
//
//	h, err := webserve.New("/var/www/html", webserve.Options{Policy: policy, Catalogue: lagorepo.Catalogue})
//	...
//	mux.Handle("/templates/", http.StripPrefix("/templates", h))
//
// # What is served
//
// GET and HEAD, with the same status and header. A path is decoded once and has
// one spelling: runs of "/" count as one and are served as they come, since the
// clients of kubevirt/ ask for "//" and follow no redirect; whatever else would
// need repair, as "..", an escaped slash, a backslash or a trailing dot, is 400.
// The first element is the zone, byte for byte; the top holds nothing else. A
// client that may not read the zone gets the same answer whatever is there, 403
// or, if the policy says so, the 404 of a zone that does not exist, and no
// listing names what its reader may not have.
//
// Regular files and directories are served, nothing else: no symbolic link is
// followed, not even one that stays within the zone, and no other file system
// that is mounted within a zone is entered. (The zone itself may be a mount
// point.) Names with a dot in front and those that end with .lock or .tmp are
// never served. A hard link cannot be told from the file it shares; package audit
// finds those that reach from zone to zone.
//
// # Files
//
// Everything that is said of a file comes from the descriptor that its bytes are
// read from, so a file that is replaced by a rename while it is downloaded is
// the old or the new one, never a mixture. Each has a length and a tag, byte
// ranges, a type out of a fixed table, and no content encoding. The tag is weak
// in the first two seconds after a change, which keeps a file that is still
// being written from being resumed. More than 200 ranges, 20 that overlap or 20
// that run backwards are answered with the whole file, as are ranges that are
// malformed. HEAD with a Range is answered as GET is, as nginx and httpd do.
//
// Files of repo/ carry the SHA-512 of virt-builder's index as Repr-Digest (RFC
// 9530) if they have not been touched since the index was written.
//
// The body goes out by sendfile if the connection can: a ResponseWriter between
// the server and the handler should implement [io.ReaderFrom].
//
// # Caches
//
// What a zone that is not for everyone holds must not be stored: private,
// no-store. Everything else may be kept and is asked for again with its tag, but
// for images whose handle holds their version, which are immutable. Errors say
// nothing of validators or lifetimes.
package webserve
