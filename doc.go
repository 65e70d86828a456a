// Package tplkit is the map of a module for the server that hands virtual
// machine templates to CI: recovering such a server from the caches on the
// nodes, packing disk images so that every client unpacks them in parallel, and
// keeping names, digests and indexes as the clients want them. It has no code of
// its own; open the package that does what you need.
//
// # Which package for what
//
//   - [github.com/tplkit/tplkit/hashutil]: digests, several in one read; the
//     sidecar files that carry them (NAME.sha1, NAME.hash, SHA256SUMS, CHECKSUM);
//     verifying a directory against them.
//   - [github.com/tplkit/tplkit/templates/xzpack]: .xz for disk images. Packs
//     and unpacks on all cores, keeps holes, and reads at any offset of a packed
//     image without unpacking it.
//   - [github.com/tplkit/tplkit/templates/publish]: sets of files that become
//     visible together or not at all, whatever kills the writer.
//   - [github.com/tplkit/tplkit/templates]: a template on disk. Tells image
//     formats by content, makes safe names, opens directories nobody vouches for,
//     packs or copies an image with every digest in one read.
//   - [github.com/tplkit/tplkit/lagorepo]: the store that lago leaves on a node,
//     its .metadata, the repository's repo.metadata; recovery of a repository.
//   - [github.com/tplkit/tplkit/lagorepo/virtindex]: the index of virt-builder.
//     Parses, checks what the clients choke on, writes, keeps revisions.
//   - [github.com/tplkit/tplkit/lagorepo/imagespec]: image-specs. Reads them, puts
//     them in order, and builds a repository of them with libguestfs's tools.
//   - [github.com/tplkit/tplkit/templates/webserve]: the tree over HTTP, as a
//     handler. Beside it [github.com/tplkit/tplkit/templates/webserve/acl], who may
//     read what; [github.com/tplkit/tplkit/templates/webserve/acl/frontend], the
//     same for httpd, nginx and Caddy;
//     [github.com/tplkit/tplkit/templates/webserve/daemon], the handler as a
//     server; [github.com/tplkit/tplkit/templates/webserve/audit], looking over a
//     tree before it is served.
//   - [github.com/tplkit/tplkit/templates/transfer]: what reading from web servers
//     has in common: which failures pass, and when to give up.
//   - [github.com/tplkit/tplkit/kubevirtimg]: the image cache of KubeVirt CI, the
//     names KubeVirt's scripts ask for, and recovery.
//
// The command, cmd/tplkit, only wraps these. examples/quickstart shows them at
// work, examples/embed shows how a CI tool calls them.
//
// # How work flows
//
// Always in one direction: scan, plan, carry out, index. A scan reads and changes
// nothing. A plan is plain data, to be printed or compared. Carrying it out
// stages each template's files and publishes them together; what is there
// already and right is skipped and said so. Indexes come last, from the files
// that are there. docs/ARCHITECTURE.md tells why.
//
// # What stays compatible
//
// These belong to other programs or to scripts, and do not change:
//
//   - what is written for clients: NAME.xz, NAME.hash, NAME.metadata and
//     repo.metadata as lago reads them; index as virt-builder (from 1.48) reads
//     it; NAME and NAME.sha1 as KubeVirt's scripts compare them; .xz as xz,
//     nbdkit and virt-builder read it;
//   - everything such files were written as in the past is still read;
//   - the command's names, flags, exit status and JSON; the states and statuses
//     in them ([github.com/tplkit/tplkit/templates.State],
//     [github.com/tplkit/tplkit/hashutil.Status]).
//
// The Go API may still change before version 1; CHANGELOG.md says when it does.
// The exact bytes of a packed image are the same for the same input, level and
// version of tplkit, whatever the number of workers, but not across versions.
package tplkit
