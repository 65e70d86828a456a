package bash

// A Program is a script that has been read. It is not changed by running it and may be run by several goroutines at once.
type Program struct {
	body  list
	tests []pattern // what conditions compare with, in the order of the script
}

// word is one shell word: its parts are expanded and joined.
type word struct {
	parts []part
	line  int
}

type partKind int

const (
	literal partKind = iota // text as it stands
	param                   // $name or ${name…}
	opaque                  // command substitution, arithmetic and whatever else only a shell can know
)

type part struct {
	kind   partKind
	lit    []byte // literal: the text
	text   string // param: the name; opaque: what it is, for messages
	quoted bool
	op     string // param: "", ":-", "-", ":=", "=", ":+", "+", ":?", "?", "%", "%%", "#", "##"
	arg    word   // param with op: the word after it
}

// plain returns the text of a word that is one unquoted literal, as reserved words and command names are.
func (w word) plain() string {
	if len(w.parts) == 1 && w.parts[0].kind == literal && !w.parts[0].quoted {
		return string(w.parts[0].lit)
	}
	return ""
}

// pattern is the right side of a comparison: a regular expression, or a glob as == and case take it.
type pattern struct {
	w    word
	glob bool
}

type list []andOr

// andOr is pipelines joined by && and ||; ops[i] stands between pipes[i] and pipes[i+1].
type andOr struct {
	pipes []pipeline
	ops   []string
}

type pipeline struct {
	negate bool
	cmds   []node
}

// node is one command of a pipeline.
type node interface{ isNode() }

type simple struct {
	line    int
	assigns []assign
	words   []word
	decl    []assign // NAME=value words behind export, local, readonly, declare and typeset
	stdout  *word    // the target of the last > or >> of standard output
}

type assign struct {
	name   string
	value  word
	add    bool // NAME+=value
	opaque bool // an array or an element of one
	line   int
}

type ifNode struct {
	line    int
	clauses []clause
	orElse  list
}

type clause struct{ cond, body list }

type caseNode struct {
	line    int
	subject word
	items   []caseItem
}

type caseItem struct {
	patterns []word
	body     list
	falls    bool // ends in ;& or ;;&, so the next item may run too
}

type loop struct {
	line  int
	name  string // of a for loop; empty otherwise
	words []word // what a for loop runs over
	open  bool   // words are not given (for x; for ((…)); select): nothing is known of them
	cond  list
	body  list
}

type group struct {
	body     list
	subshell bool
}

type function struct {
	name string
	body node
}

// test is [[ expr ]].
type test struct{ expr expr }

// arith is (( … )), of which only the end is looked for.
type arith struct{}

func (*simple) isNode()   {}
func (*ifNode) isNode()   {}
func (*caseNode) isNode() {}
func (*loop) isNode()     {}
func (*group) isNode()    {}
func (*function) isNode() {}
func (*test) isNode()     {}
func (*arith) isNode()    {}

// expr is a node of a [[ ]] expression.
type expr interface{ isExpr() }

type (
	exprNot   struct{ x expr }
	exprAndOr struct {
		op   string // "&&" or "||"
		x, y expr
	}
	exprUnary struct {
		op string
		x  word
	}
	exprBinary struct {
		op   string
		x, y word
	}
	exprWord struct{ x word }
)

func (exprNot) isExpr()    {}
func (exprAndOr) isExpr()  {}
func (exprUnary) isExpr()  {}
func (exprBinary) isExpr() {}
func (exprWord) isExpr()   {}
