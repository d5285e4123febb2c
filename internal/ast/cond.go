package ast

// Comparison holds where Left Op Right does. Right is nil for NULL.
type Comparison struct {
	Left  Node
	Op    Op
	Right any
}

// Op is an operator that compares.
type Op uint8

// The operators that compare.
const (
	Eq Op = iota
	Ne
	Lt
	Le
	Gt
	Ge
)

// Membership holds where Left equals one of Values or, negated, none of them.
// nil among Values is NULL.
type Membership struct {
	Left   Node
	Values []any
	Negate bool
}

// And holds where all of its conditions do.
type And struct{ Of []Node }

// Or holds where one of its conditions does.
type Or struct{ Of []Node }

// Not holds where Of does not, also where that is unknown.
type Not struct{ Of Node }

// Match holds where Left is a text that Pattern describes.
type Match struct {
	Left    Node
	Pattern Pattern
	Fold    bool // upper and lower case are the same
}

// Pattern is a sequence of texts and wildcards.
type Pattern []Part

// Part is one part of a [Pattern].
type Part struct {
	Wildcard Wildcard
	Literal  string // of no Wildcard
}

// Wildcard is what a part of a pattern stands for.
type Wildcard uint8

// The wildcards.
const (
	None   Wildcard = iota // the text itself
	AnyRun                 // any characters, or none
	AnyOne                 // one character
)

// Literal is the part that stands for s itself.
func Literal(s string) Part { return Part{Literal: s} }

func (Comparison) node() {}
func (Membership) node() {}
func (And) node()        {}
func (Or) node()         {}
func (Not) node()        {}
func (Match) node()      {}
