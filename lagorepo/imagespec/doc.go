// Package imagespec builds a repository of templates from image-specs, as
// lago-images did: one file for each image, from which virt-builder,
// virt-customize and their like make it.
//
// A spec is a file of virt-builder commands. Comments of the form #key=value in
// it are properties: what the image is made from, and what its metadata is to
// say. The name of the file is the ID of the image, and what is published is
// called after it.
//
//	#base=libguestfs:centos-7.5
//	#name=el7.5-base
//	#version=v1
//	#distro=el7
//	#osinfo=centos7.5
//	#arch=x86_64
//	#expand=/dev/sda4
//	#root-partition=/dev/sda4
//	root-password password:123456
//	install qemu-guest-agent
//	edit /boot/grub2/grub.cfg:s/timeout=5/timeout=0/
//
// The work goes in one direction:
//
//	specs, err := imagespec.Load(ctx, []string{"image-specs"})     // what there is to build
//	plan, err := imagespec.NewPlan(specs, imagespec.PlanOptions{}) // in which order; what is missing
//	report, err := plan.Build(ctx, dst, imagespec.BuildOptions{})  // ID.xz and what goes with it, the indexes last
//
// [Parse] tells properties from other comments, and from what only looks like
// one in the middle of a command. [Spec.Base] reads what an image is made from: a
// template of virt-builder's, a file, a URL, or the image of another spec.
// Specs of both generations of lago-images are read: those with a bare ID for a
// base and no version, and those with layer: and simple: and a version.
//
// [NewPlan] finds what can be known beforehand to go wrong, all of it at once: a
// property that is missing, a base that is not there, a cycle, two images of one
// name. The plan is plain data; [Plan.Report] is its dry run.
//
// [Plan.Build] builds what has changed since it was last built. Everything it
// starts goes through a [Runner], so that a caller can put its own sandbox
// around the tools; [Exec] runs them as they are installed.
//
// # Paths
//
// A relative path in a base, and in a command of a spec that reads a file of the
// host (copy-in, upload, run), is relative to the working directory of the
// process, as it was with the historical command, wherever the spec lies.
//
// # Trust
//
// A spec is a program: it runs commands in the image, and its commands can read
// any file of the host into it. Build only what you would run. Names that come
// from a directory are checked all the same, and nothing goes through a shell.
package imagespec
