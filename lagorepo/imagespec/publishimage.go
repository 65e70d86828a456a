package imagespec

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// LayersDir is the directory for layers alone, below the repository's.
const LayersDir = "layers"

// layerFile is the name of the layer of an image in the repository.
func layerFile(id string) string { return LayersDir + "/" + templates.FilesOf(id).Disk }

// publish packs the image and publishes all that belongs to it.
func (j *job) publish(ctx context.Context, it *templates.Item) (err error) {
	// Packing takes all cores, and much memory on each.
	if err := j.packing.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	defer j.packing.Release(1)
	id := j.step.Spec.ID
	files := templates.FilesOf(id)
	set := j.dst.NewSet(id)
	defer func() { err = errors.Join(err, set.Discard()) }()
	// It was decided before that what is there may be replaced.
	set.Replace(true)

	rec := &record{
		ID: id, Base: j.step.Base, Layered: j.layered(), SpecSum: j.dec.specSum, BaseIs: j.base,
		Tools: versions(j.tools, j.step.Base.Kind), Version: j.opt.Version, Started: j.started,
	}
	if j.layered() {
		if rec.Layer, err = j.packLayer(ctx, set); err != nil {
			return err
		}
	} else {
		set.Remove(layerFile(id))
		set.Remove(hashutil.SidecarFor(layerFile(id), hashutil.SHA512))
	}
	rec.Keys = j.md.Keys()
	if err := j.keepAdditions(rec); err != nil {
		return err
	}
	disk, err := set.Create(files.Disk, 0)
	if err != nil {
		return err
	}
	sizes, digests, err := j.packWhole(ctx, disk)
	if err != nil {
		return err
	}
	rec.Content, rec.Packed, rec.Finished = digests.Content, digests.Packed, j.opt.Now()
	j.describe(sizes, digests, rec.Finished)
	statement, err := rec.marshal()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{files.Hash, hashutil.FormatSidecar(hashutil.LagoHash, hashutil.SHA1, digests.Content[hashutil.SHA1], "")},
		{files.Metadata, j.md.Marshal()},
		{id + RecordSuffix, statement},
	} {
		if err := create(set, f.name, f.data); err != nil {
			return err
		}
	}
	if err := set.Commit(ctx); err != nil {
		return err
	}
	j.content = digests.Content
	it.State, it.Reason, it.Destination = templates.Built, j.dec.sentence(), files.Disk
	it.Sizes, it.Digests = &sizes, &digests
	it.AddReason(strings.Join(j.notes, "; "))
	return nil
}

// packWhole writes ID.xz.
func (j *job) packWhole(ctx context.Context, disk *publish.File) (_ templates.Sizes, _ templates.ItemDigests, err error) {
	img, err := templates.OpenImageFile(j.whole)
	if err != nil {
		return templates.Sizes{}, templates.ItemDigests{}, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	if img.Info.Format != templates.QCOW2 {
		return templates.Sizes{}, templates.ItemDigests{}, fmt.Errorf("expected a qcow2 image of the tools, found %s", img.Info.Format)
	}
	packed := j.md.PackedAlgorithms()
	if !slices.Contains(packed, hashutil.SHA256) {
		packed = append(packed, hashutil.SHA256)
	}
	sizes, digests, err := templates.Pack(ctx, disk, img, templates.PackOptions{
		Level: j.opt.Level, Jobs: j.opt.Jobs, Content: j.md.ContentAlgorithms(), Packed: packed,
		Progress: func(p templates.Progress) { j.packProgress("pack", p.Done, p.Total) },
	})
	if err != nil {
		return sizes, digests, err
	}
	return sizes, digests, setSum(disk, digests.Packed)
}

// packLayer writes layers/ID.xz and its sidecar.
func (j *job) packLayer(ctx context.Context, set *publish.Set) (_ hashutil.Digests, err error) {
	src, err := os.Open(j.disk)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	st, err := src.Stat()
	if err != nil {
		return nil, err
	}
	name := layerFile(j.step.Spec.ID)
	dst, err := set.Create(name, 0)
	if err != nil {
		return nil, err
	}
	h := hashutil.NewHasher(hashutil.SHA256, hashutil.SHA512)
	_, err = xzpack.Pack(ctx, io.MultiWriter(dst, h), src, st.Size(), xzpack.PackOptions{
		Level: j.opt.Level, Jobs: j.opt.Jobs,
		Progress: func(p xzpack.Progress) { j.packProgress("pack the layer", p.Done, p.Total) },
	})
	if err != nil {
		return nil, err
	}
	sums := h.Sums()
	if err := setSum(dst, sums); err != nil {
		return nil, err
	}
	sidecar := hashutil.SidecarFor(name, hashutil.SHA512)
	return sums, create(set, sidecar, hashutil.FormatSidecar(hashutil.GNU, hashutil.SHA512, sums[hashutil.SHA512], templates.FilesOf(j.step.Spec.ID).Disk))
}

func (j *job) packProgress(step string, done, total int64) {
	j.tell(Progress{ID: j.step.Spec.ID, Step: step, Done: done, Total: total})
}

// keepAdditions takes over what somebody has added to the published metadata:
// what neither the spec nor the image said when it was built.
func (j *job) keepAdditions(rec *record) error {
	if j.dec.old == nil {
		return nil
	}
	name := templates.FilesOf(rec.ID).Metadata
	text, err := templates.ReadSmall(j.tree, name, maxRecord)
	if err != nil {
		return nil // gone, and made again
	}
	old, err := lagorepo.ParseMetadata(text)
	if err != nil {
		return nil // damaged, and made again
	}
	old.Delete(lagorepo.KeyTimestamp)
	for _, key := range j.dec.old.Keys {
		old.Delete(key)
	}
	j.md.AddMissing(old)
	return nil
}

// describe completes the metadata with what is published.
func (j *job) describe(sizes templates.Sizes, digests templates.ItemDigests, finished time.Time) {
	if _, ok := j.step.Spec.Get(lagorepo.KeyTimestamp); !ok {
		j.md.SetInt(lagorepo.KeyTimestamp, finished.Unix())
	}
	j.md.Update(lagorepo.Facts{
		Template: j.dec.target.template, Version: j.dec.target.version, ModTime: finished,
		Sizes: sizes, Content: digests.Content, Packed: digests.Packed,
	})
}

// setSum tells the tree the digest of a file, to be compared where it is read
// back.
func setSum(f *publish.File, sums hashutil.Digests) error {
	sum, err := hex.DecodeString(sums[hashutil.SHA512])
	if err != nil {
		return err
	}
	return f.SetSum(crypto.SHA512, sum)
}

func create(set *publish.Set, name string, data []byte) error {
	f, err := set.Create(name, int64(len(data)))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}
