// Package browse shows a directory of the server, and the catalogue of a
// repository's templates, as a page for people and as JSON for programs.
//
// A listing is made like those of httpd's mod_autoindex: one link for every
// entry, relative and percent-encoded, directories with a slash at the end, a
// link to the parent, sorted by ?C=N|M|S;O=A|D. What wget -r, lftp's mirror and
// rclone's http backend find in those, they find here. The catalogue lies beside
// it under ?view=templates, and each template has a page with what to copy under
// ?template=NAME&version=VERSION; programs that follow links are told by
// robots=nofollow not to go through these.
//
// Pages need no script. Where scripts run, the search box filters while one
// types, and there are buttons that copy. Style and script lie in the page; the
// content security policy names their hashes and allows nothing else. Nothing
// that comes out of a name or a file reaches a page without being escaped.
package browse
