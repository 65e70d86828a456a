package lagorepo

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// recovery is one run of [Plan.Recover].
type recovery struct {
	src  fs.FS
	dst  *publish.Dir
	tree *templates.Dir // the same tree, for reading
	opt  RecoverOptions
}

// recover carries one action out.
func (r *recovery) recover(ctx context.Context, a *Action, it *templates.Item) (err error) {
	if err := a.check(); err != nil {
		return err
	}
	files := templates.FilesOf(a.Handle)
	it.Destination = repoFile(files.Disk)
	there, err := r.published(files)
	if err != nil {
		return err
	}
	src, err := r.openSource(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	md := there.merged(a.Metadata)
	if there.disk {
		return r.compare(ctx, src, files, there, md, it)
	}
	return r.pack(ctx, src, files, there, md, it)
}

// pack publishes all three files.
func (r *recovery) pack(ctx context.Context, src *source, files templates.Files, there *published, md *Metadata, it *templates.Item) (err error) {
	a := src.action
	set := r.dst.NewSet(a.Handle)
	defer func() { err = errors.Join(err, set.Discard()) }()
	// Without an image beside them they speak of nothing.
	set.Replace(there.hash != nil || there.metadataText != nil)
	disk, err := set.Create(repoFile(files.Disk), 0)
	if err != nil {
		return err
	}
	sizes, digests, err := src.publish(ctx, disk, md.ContentAlgorithms(), md.PackedAlgorithms())
	if err != nil {
		return err
	}
	if err := a.insist(digests.Content); err != nil {
		return err
	}
	sum, err := hex.DecodeString(digests.Packed[hashutil.SHA512])
	if err != nil {
		return err
	}
	if err := disk.SetSum(crypto.SHA512, sum); err != nil {
		return err
	}
	md.Update(a.facts(sizes, digests))
	// The age of the template, not of its recovery, is what orders versions
	// in a repository that goes by modification times.
	if ts, ok := md.Timestamp(); ok {
		disk.SetModTime(timeOf(ts))
	}
	if err := writeStaged(set, repoFile(files.Hash), hashFile(digests.Content)); err != nil {
		return err
	}
	if err := writeStaged(set, repoFile(files.Metadata), md.Marshal()); err != nil {
		return err
	}
	if err := set.Commit(ctx); err != nil {
		return err
	}
	it.State, it.Sizes, it.Digests = templates.PackedState, &sizes, &digests
	a.explain(it, digests.Content)
	it.AddReason(there.replaced(files))
	return nil
}

// compare finds out whether what is published already is what would be, and
// mends sidecars beside a right image.
func (r *recovery) compare(ctx context.Context, src *source, files templates.Files, there *published, md *Metadata, it *templates.Item) error {
	a := src.action
	var digests templates.ItemDigests
	var err error
	if digests.Content, err = src.digest(ctx, md.ContentAlgorithms()); err != nil {
		return err
	}
	if err := a.insist(digests.Content); err != nil {
		return err
	}
	var size int64
	if digests.Packed, size, err = r.samePacked(ctx, files, there, md, digests.Content); err != nil {
		return err
	}
	sizes := src.sizes
	sizes.Packed = size
	it.Sizes, it.Digests = &sizes, &digests
	md.Update(a.facts(sizes, digests))
	wrote, err := r.mend(ctx, a.Handle, files, there, hashFile(digests.Content), md.Marshal())
	if err != nil {
		return err
	}
	if wrote == nil {
		it.State = templates.Unchanged
		it.AddReason("is published already, with the same content")
		return nil
	}
	it.State = templates.Written
	a.explain(it, digests.Content)
	it.AddReason(fmt.Sprintf("%s was published already and is right; %s brought up to date", repoFile(files.Disk), strings.Join(wrote, " and ")))
	return nil
}

// mend writes the sidecars that are not what they should be and names them.
func (r *recovery) mend(ctx context.Context, handle string, files templates.Files, there *published, hash, metadata []byte) (wrote []string, err error) {
	set := r.dst.NewSet(handle)
	defer func() { err = errors.Join(err, set.Discard()) }()
	set.Replace(true)
	for _, f := range []struct {
		name      string
		have, now []byte
	}{
		{files.Hash, there.hash, hash},
		{files.Metadata, there.metadataText, metadata},
	} {
		if f.have != nil && bytes.Equal(f.have, f.now) {
			continue
		}
		if err := writeStaged(set, repoFile(f.name), f.now); err != nil {
			return nil, err
		}
		wrote = append(wrote, repoFile(f.name))
	}
	if wrote == nil {
		return nil, nil
	}
	return wrote, set.Commit(ctx)
}

func writeStaged(set *publish.Set, name string, data []byte) error {
	f, err := set.Create(name, int64(len(data)))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}

func hashFile(content hashutil.Digests) []byte {
	return hashutil.FormatSidecar(hashutil.LagoHash, hashutil.SHA1, content[hashutil.SHA1], "")
}

func (a *Action) facts(sizes templates.Sizes, digests templates.ItemDigests) Facts {
	return Facts{
		Template: a.Template, Version: a.Version, ModTime: a.ModTime,
		Sizes: sizes, Content: digests.Content, Packed: digests.Packed,
	}
}

// insist makes sure that what was proven by its digest when it was scanned
// still has it.
func (a *Action) insist(content hashutil.Digests) error {
	if got := content[hashutil.SHA1]; a.Proven && got != a.StoredHash {
		return fmt.Errorf("%s: matched .hash (%s) when it was scanned, has the SHA-1 %s now; scan again",
			templates.Quote(a.Source), a.StoredHash, got)
	}
	return nil
}

// explain says how the disk compares with what the store knew of it.
func (a *Action) explain(it *templates.Item, content hashutil.Digests) {
	switch {
	case a.StoredHash == "":
		it.AddReason("a .hash was made for it")
	case a.StoredHash == content[hashutil.SHA1]:
		it.AddReason("verified: its SHA-1 is that of the store's .hash")
	default:
		it.AddReason("the store's .hash (" + a.StoredHash + ") is that of the download before lago made it raw, a new one was made")
	}
	if a.Metadata == nil {
		it.AddReason(fmt.Sprintf("its metadata was made without %s, %s, %s and %s, which lago reads: add them to %s",
			KeyDistro, KeyArch, KeyRootPartition, KeyRootPassword, repoFile(templates.FilesOf(a.Handle).Metadata)))
	}
}
