package ast

// Conflict is what an INSERT does with a row whose key is there already.
type Conflict struct {
	Target  []string // the columns of the key
	Nothing bool
	All     bool     // Update of every column
	Update  []string // columns that take the new row's value
	Set     []Assignment
}

// Excluded is the new row's value of a column.
type Excluded struct{ Column string }

func (Excluded) node() {}
