package ast

import "reflect"

// Select is a SELECT. Every read is one: rows, a count and EXISTS differ in what
// they put out. As a [Node] it stands for the one value of its one row.
type Select struct {
	From     Source // nil: the model that is asked for
	Joins    []Join
	Related  []string // paths of relations whose columns are read too, with whole rows
	Outputs  []Output // none: whole rows, or all that From puts out
	Computed []Output // what stands in place of columns of these names
	Where    []Node
	Group    []string // columns, or names of outputs
	Having   []Node
	Order    []Order
	Limit    *int64
	Offset   int64
	Distinct bool
	Locks    []*Lock
	// Deleted is which rows of the model are read, DeletedOf the paths of relations
	// whose deleted rows are read too.
	Deleted   Deleted
	DeletedOf []string

	// Backward: Order is the reverse of the one in which the rows are meant to be read.
	Backward bool
	// Replica: the statement may be answered by a replica.
	Replica bool

	// Database is whose tables these are: all parts of a statement have the same.
	Database any
	// Err is what was wrong when the query was built.
	Err error
}

// Source is what a [Select] reads: a [Table], another *Select, a [*Compound] or a
// [*CTE].
type Source interface{ source() }

// Table is the table of a model, a struct type.
type Table struct{ Model reflect.Type }

// Compound is the rows of several SELECTs that have as many outputs.
type Compound struct {
	Op SetOp
	Of []*Select
}

// SetOp is how a [Compound] puts rows together.
type SetOp uint8

// The ways to put rows together.
const (
	Union SetOp = iota
	UnionAll
	Intersect
	Except
)

func (o SetOp) String() string {
	return [...]string{"UNION", "UNION ALL", "INTERSECT", "EXCEPT"}[o]
}

// CTE is a SELECT with a name, written once however often it is read. Two are the
// same if they are at the same address.
type CTE struct {
	Name string
	Of   *Select
	// Step goes on from the rows that were found before, which it reads from the
	// CTE itself; nil if the CTE is not recursive.
	Step func(self *CTE) *Select
}

// Join is another SELECT whose rows are put beside those of the source. Its columns
// are found under its name.
type Join struct {
	Name string
	Of   *Select
	On   []Node
	Left bool // rows that find none stay
}

// Output is an expression that a SELECT puts out under a name. A column without
// one has its own.
type Output struct {
	Of   Node
	Name string
}

// One is the number 1, where any value does.
type One struct{}

// Outer is a column of the SELECT, or of the changed row, around this one.
type Outer struct{ Of Node }

// Exists holds where Of has a row.
type Exists struct{ Of *Select }

// Among holds where Left equals one of the values that Of puts out or, negated,
// none of them.
type Among struct {
	Left   Node
	Of     *Select
	Negate bool
}

func (*Select) node() {}
func (Output) node()  {}
func (One) node()     {}
func (Outer) node()   {}
func (Exists) node()  {}
func (Among) node()   {}

func (Table) source()     {}
func (*Select) source()   {}
func (*Compound) source() {}
func (*CTE) source()      {}
