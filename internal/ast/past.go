package ast

// Past holds for the rows that stand behind a position in an order.
type Past struct{ Criteria []Criterion }

// Criterion is one criterion of an order, and where the position is in it. Value is
// nil for NULL.
type Criterion struct {
	By        Node
	Desc      bool
	NullsLast bool // NULL stands behind all other values
	Value     any
}

func (Past) node() {}
