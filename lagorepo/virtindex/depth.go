package virtindex

import "strings"

const tooDeep = "the index grows too large here: clients stop with \"memory exhausted\""

// depth reports the first place at which the clients' parser runs out of stack.
// See clientDepth.
func (c *checker) depth(x *Index) {
	for i := range x.Entries {
		e := &x.Entries[i]
		free := clientDepth - sectionDepth*i
		c.entry, c.line = e, e.Line
		if count(e.Comment, "") > free || free < 0 {
			c.report(Error, "", "%s", tooDeep)
			return
		}
		for j, f := range e.Fields {
			if j+1+strings.Count(f.Value, "\n") > free {
				c.line = f.Line
				c.report(Error, f.Name(), "%s", tooDeep)
				return
			}
		}
	}
}

// emptyRun reports a run of empty lines at which the clients' parser runs out of
// stack: Format would write a single one.
func (p *parser) emptyRun() {
	if n := count(p.pending, ""); n > 1 && n > clientDepth-sectionDepth*len(p.idx.Entries) {
		p.complain(p.emptyAt, "", "too many empty lines here: clients stop with \"memory exhausted\"")
	}
}

func count(lines []string, line string) int {
	n := 0
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}
