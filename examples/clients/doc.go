// Package clients holds no code but its tests: they hand what tplkit writes to
// the programs that it is written for, and believe those and not tplkit.
//
//   - virt-index-validate and virt-builder read the index, over file:// and
//     http://, and build a guest out of a recovered template;
//   - xz tests every packed file and tells its block headers, nbdkit serves it,
//     qemu-img compares what comes out with what went in;
//   - lago's own steps, from repo.metadata to the raw disk in the store, are
//     replayed against a plain static server;
//   - "tplkit serve" has curl, wget, rclone, lftp, virt-builder, qemu-img, lago's
//     steps and KubeVirt's request served, resumed, mirrored and refused;
//   - a repository is built from image-specs with virt-builder and its like, and
//     both clients use it;
//   - the command is killed in the middle of its work, again and again, while
//     others read what it publishes.
//
// A test whose program is missing is skipped and names the Debian package, or
// fails if TPLKIT_REQUIRE_CLIENTS=1 is set. TPLKIT_KILLS sets how often the
// command is killed.
package clients
