// Package frontend carries an access policy over to other web servers, and from
// them.
//
// [Export] writes a [acl.Policy] as configuration for Apache httpd 2.4, nginx or
// Caddy, for those who let one of these serve the tree. What is written is never
// laxer than tplkit itself: it serves the policy's zones and nothing beside them,
// to GET and HEAD alone, follows no symbolic link, serves no hidden file, repairs
// no path beyond joining slashes, and packs nothing on the way.
//
// [Import] reads the access rules of a configuration for httpd, as old as 2.2, or
// nginx. It knows a small part of their languages, names the first line that it
// does not know, and never skips one that could bear on who may read what.
package frontend
