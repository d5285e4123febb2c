package ast

// Quantified is a condition on the rows that a path of relations leads to, of which
// one at least goes to many rows. Where names columns of those.
type Quantified struct {
	Path  string
	Which Quantifier
	Where []Node
}

// Quantifier is of how many rows a condition is asked.
type Quantifier uint8

// The quantifiers.
const (
	Some    Quantifier = iota // of one at least
	NoneOf                    // of none
	EveryOf                   // of each, and so also where there are none
)

// OverRelated is an aggregate over the rows that a path of relations leads to, for
// which Where holds. Each of them counts once.
type OverRelated struct {
	Path  string
	Of    Aggregate
	Where []Node
}

func (Quantified) node()  {}
func (OverRelated) node() {}
