package render

import (
	"math"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// keepsChosen looks at the Go values that may become the column's as they are, because the
// server chooses among them: those of Coalesce, of the branches of Case, of Greatest. They are
// what the column keeps, as one that is assigned by itself (rule S20). What is only compared,
// or calculated with, is another matter.
//
// limit: v is one of the values of Greatest or Least, where a number or a text beyond the
// column may be meant for a bound that is never stored. If it is the answer, the server fails.
func (f *Field) keepsChosen(v any, limit bool) error {
	var among []any
	switch n := v.(type) {
	case ast.Value:
		return f.keepsChosen(n.V, limit)
	case ast.Call:
		if n.Func == ast.Coalesce {
			for _, arg := range n.Args {
				among = append(among, arg)
			}
		}
	case ast.Case:
		for _, b := range n.Branches {
			among = append(among, b.Then)
		}
		among = append(among, n.Else)
	case ast.Extreme:
		among, limit = n.Of, true
	case ast.Arithmetic: // a time and a duration
		if f.Column.Kind.Time() {
			among = []any{n.Left}
		}
	case ast.Shifted:
		among = []any{n.Of}
	case ast.Aggregate:
		if n.Func == ast.Min || n.Func == ast.Max {
			among = []any{n.Of}
		}
	case ast.Over:
		among = []any{n.Of}
	case ast.Windowed:
		among = []any{n.Of}
	case *ast.Select:
		for _, o := range n.Outputs {
			among = append(among, o.Of)
		}
	case ast.Node:
	default:
		if k := f.Column.Kind; limit && (k == column.Integer || k == column.Decimal || k == column.Text) {
			return nil
		}
		_, err := f.assigned(v)
		return err
	}
	for _, one := range among {
		if err := f.keepsChosen(one, limit); err != nil {
			return err
		}
	}
	return nil
}

// isNumber refuses NaN where a floating-point number is calculated with, or chosen: on
// PostgreSQL it would be stored, and on SQLite it is NULL.
func (w *writer) isNumber(k kind, f float64) {
	if math.IsNaN(f) {
		w.fail(&query.ValueError{Field: k.name(), Type: "float64", Reason: notNumber})
	}
}
