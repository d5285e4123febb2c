package ast

// Value is a bound value that stands alone, where no column tells its type.
type Value struct{ V any }

// Arithmetic is Left Op Right.
type Arithmetic struct {
	Left  Node
	Op    ArithmeticOp
	Right any
}

// ArithmeticOp is an operator between numbers.
type ArithmeticOp uint8

// The operators between numbers.
const (
	Add ArithmeticOp = iota
	Sub
	Mul
	Div
	Mod
)

// Now is the time of the statement.
type Now struct{}

// Call is a function of one row's values.
type Call struct {
	Func Func
	Args []Node
}

// Func is a function of one row's values.
type Func uint8

// The functions of one row's values.
const (
	Lower Func = iota
	Upper
	Coalesce
)

// Aggregate is a function of all rows' values.
type Aggregate struct {
	Func     AggregateFunc
	Distinct bool
	Of       Node   // nil: the rows themselves, as in COUNT(*)
	Where    []Node // of the rows that are looked at; none: all
	// Separator and Order are those of StringAgg.
	Separator string
	Order     []Order
}

// AggregateFunc is a function of all rows' values.
type AggregateFunc uint8

// The functions of all rows' values.
const (
	Count AggregateFunc = iota
	Sum
	Min
	Max
	Avg
	StringAgg
)

func (Value) node()      {}
func (Arithmetic) node() {}
func (Now) node()        {}
func (Call) node()       {}
func (Aggregate) node()  {}
