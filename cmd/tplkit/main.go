// Command tplkit brings template servers for virtual machines back to life: it
// recovers a lost tree from the caches on the CI nodes, packs disk images the
// way lago, virt-builder and KubeVirt's CI read them, writes their indexes and
// verifies what is served.
//
//	tplkit recover /var/lib/lago/store --tree /srv/templates --base-url http://templates.example/repo/
//	tplkit verify-hashes /srv/templates
//
// Each command is a thin layer over one call of the library; see the packages
// of module github.com/tplkit/tplkit to do the same from Go.
package main

import (
	"context"
	"os"
)

func main() {
	ctx, stop := withSignals(context.Background())
	limitMemory(os.LookupEnv)
	code := Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
