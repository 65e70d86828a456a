package virtindex

import (
	"slices"
	"strings"
)

// Index is one index file. The zero value is an index without entries.
//
// Comments are kept where they stand. They are held line by line, as written
// and with their '#'; in Header, Footer and [Entry.Comment] an empty string
// stands for an empty line between two comments.
type Index struct {
	// Header is the comment at the top of the file, divided from the first
	// section (and from the comment on that section) by an empty line.
	Header []string
	// Entries are the sections in the order of the file.
	Entries []Entry
	// Footer is the comment after the last section.
	Footer []string
	// Signed says that the text came out of an OpenPGP cleartext signature.
	// The signature was not verified: that is for gpg, or for the client.
	Signed bool

	// layout is what Parse saw that older clients refuse, and that is gone
	// once Format has written the index.
	layout []Problem
}

// Entry is one section: one template for one architecture.
type Entry struct {
	// ID stands in the brackets; clients call it os-version. It is what a user
	// types and, with architecture and revision, the name of the file in the
	// client's cache.
	ID string
	// Comment is the comment above the section. What stands before its last
	// empty line is divided from the section and does not go with it.
	Comment []string
	// Fields are the fields in the order of the file.
	Fields []Field
	// Trailer is the comment below the last field that still belongs to the
	// section, since no empty line divides them.
	Trailer []string
	// Line is the line of the header, counted from 1; 0 when it was not parsed.
	Line int
}

// Field is one key=value or key[sub]=value.
type Field struct {
	Key string
	// Sub is the text in brackets: a language for notes, an algorithm for
	// checksum. Empty when there are no brackets.
	Sub string
	// Value is the value, the lines of a longer one joined by '\n'.
	Value string
	// Comment is the comment between the field before and this one.
	Comment []string
	// Line is the line of the field, counted from 1; 0 when it was not parsed.
	Line int
}

// Name returns key or key[sub], as it stands before the '='.
func (f Field) Name() string {
	if f.Sub == "" {
		return f.Key
	}
	return f.Key + "[" + f.Sub + "]"
}

// Get returns the value of the first field called key[sub] (or key, when sub is
// empty) and whether there is one.
func (e *Entry) Get(key, sub string) (string, bool) {
	if i := e.index(key, sub); i >= 0 {
		return e.Fields[i].Value, true
	}
	return "", false
}

// Arch returns the field arch, or "".
func (e *Entry) Arch() string {
	v, _ := e.Get("arch", "")
	return v
}

// File returns the field file, or "".
func (e *Entry) File() string {
	v, _ := e.Get("file", "")
	return v
}

// Set gives key[sub] the value. A field that is there keeps its place, and any
// repetition of it is removed; a new one is put where virt-builder's own
// documents have it: after the last field that comes before it there.
func (e *Entry) Set(key, sub, value string) {
	i := e.index(key, sub)
	if i < 0 {
		e.Fields = slices.Insert(e.Fields, e.place(key), Field{Key: key, Sub: sub, Value: value})
		return
	}
	e.Fields[i].Value = value
	e.remove(func(j int, f Field) bool { return j > i && f.Key == key && f.Sub == sub })
}

// Delete removes every field called key[sub]. Comments on them stay where they
// were.
func (e *Entry) Delete(key, sub string) {
	e.remove(func(_ int, f Field) bool { return f.Key == key && f.Sub == sub })
}

// remove removes the fields for which drop is true, and leaves their comments to
// what stands below.
func (e *Entry) remove(drop func(i int, f Field) bool) {
	var kept []Field
	var comment []string
	for i, f := range e.Fields {
		comment = append(comment, f.Comment...)
		if !drop(i, f) {
			f.Comment, comment = comment, nil
			kept = append(kept, f)
		}
	}
	e.Fields, e.Trailer = kept, append(comment, e.Trailer...)
}

func (e *Entry) index(key, sub string) int {
	return slices.IndexFunc(e.Fields, func(f Field) bool { return f.Key == key && f.Sub == sub })
}

// place returns where a new field called key goes.
func (e *Entry) place(key string) int {
	rank := slices.Index(fieldOrder, key)
	if rank < 0 {
		return len(e.Fields)
	}
	for i := len(e.Fields); i > 0; i-- {
		if r := slices.Index(fieldOrder, e.Fields[i-1].Key); r >= 0 && r <= rank {
			return i
		}
	}
	return 0
}

// fieldOrder is the order of the examples in virt-builder(1).
var fieldOrder = []string{
	"name", "osinfo", "arch", "file", "sig", "revision", "checksum", "format",
	"size", "compressed_size", "expand", "lvexpand", "notes", "aliases", "hidden",
}

func (e *Entry) clone() Entry {
	c := *e
	c.Comment = slices.Clone(e.Comment)
	c.Trailer = slices.Clone(e.Trailer)
	c.Fields = slices.Clone(e.Fields)
	for i := range c.Fields {
		c.Fields[i].Comment = slices.Clone(c.Fields[i].Comment)
	}
	return c
}

// SectionID returns the ID under which the template called handle is listed: the
// handle with every '+' made '-', since a section may not have a '+' in it.
// Two handles can share an ID; [Update] reports that as a conflict.
func SectionID(handle string) string {
	return strings.ReplaceAll(handle, "+", "-")
}
