package virtindex

// result puts the new index together and says what became of each entry.
func (u *updater) result(old *Index) (*Index, []Change) {
	x := &Index{Header: withoutTombs(old.Header)}
	var changes []Change
	var orphans []string // comments apart from the entry below them, which was dropped
	for _, it := range u.entries {
		changes = append(changes, it.change())
		if it.action == Dropped {
			apart, _ := detached(it.Comment)
			orphans = joined(orphans, apart)
			u.tombs.bury(&it.Entry)
			continue
		}
		if len(orphans) > 0 && it.action != Added {
			it.Comment = above(append(append(orphans, ""), it.Comment...))
			orphans = nil
		}
		x.Entries = append(x.Entries, it.Entry)
	}
	for i := range x.Entries {
		delete(u.tombs, [2]string{x.Entries[i].ID, x.Entries[i].Arch()})
	}
	x.Footer = joined(orphans, withoutTombs(old.Footer), u.tombs.lines())
	if len(x.Entries) > 0 {
		// What is apart from the first section is the header, as Parse has it.
		first := &x.Entries[0]
		apart, touching := detached(first.Comment)
		x.Header, first.Comment = joined(x.Header, apart), touching
	} else {
		x.Header, x.Footer = joined(x.Header, x.Footer), nil
	}
	for _, t := range u.skipped {
		changes = append(changes, Change{Action: Skipped, ID: SectionID(t.Handle), File: t.file(), Handle: t.Handle,
			Reason: "architecture is not known: put arch into the metadata, or add an entry with arch and file to the index by hand"})
	}
	return x, changes
}

func (it *item) change() Change {
	c := Change{Action: it.action, ID: it.ID, Arch: it.Arch(), File: it.File()}
	c.Revision, _ = it.Get("revision", "")
	if it.t != nil {
		c.Handle = it.t.Handle
	}
	if it.action == Dropped {
		c.Reason = "file " + quote(it.File()) + " is not there"
	}
	return c
}
