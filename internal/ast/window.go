package ast

import "math"

// Over is a function that looks at the rows around each row.
type Over struct {
	Of        Node // an [Aggregate] or a [Windowed]
	Partition []Node
	Order     []Order
	Frame     *Frame // nil: the server's, from the first row to those equal to the row
}

// Windowed is a function that has a meaning over a window only.
type Windowed struct {
	Func WindowFunc
	Of   Node  // nil where the function has none
	N    int64 // of Ntile, Lag and Lead
}

// WindowFunc is a function that has a meaning over a window only.
type WindowFunc uint8

// The functions over a window.
const (
	RowNumber WindowFunc = iota
	Rank
	DenseRank
	Ntile
	Lag
	Lead
	FirstValue
	LastValue
)

func (f WindowFunc) String() string {
	return [...]string{"ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE", "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE"}[f]
}

// Frame is the rows of a window that a function looks at, counted from the row.
type Frame struct {
	Unit     FrameUnit
	From, To int64 // negative: before the row
}

// FrameUnit is what a [Frame] counts.
type FrameUnit uint8

// The units of frames.
const (
	Rows FrameUnit = iota
	Range
	Groups
)

func (u FrameUnit) String() string { return [...]string{"ROWS", "RANGE", "GROUPS"}[u] }

// The ends of a window.
const (
	First = math.MinInt64
	Last  = math.MaxInt64
)

func (Over) node()     {}
func (Windowed) node() {}
