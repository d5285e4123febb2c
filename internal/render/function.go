package render

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/ast"
)

var functions = [...]string{ast.Lower: "LOWER(", ast.Upper: "UPPER(", ast.Coalesce: "COALESCE("}

func (w *writer) call(n ast.Call) kind {
	w.string(functions[n.Func])
	var first kind
	for i, arg := range n.Args {
		if i > 0 {
			w.string(", ")
		}
		if k := w.node(arg); i == 0 {
			first = kind{class: k.class}
		}
	}
	w.byte(')')
	return first
}

var errAggregate = errors.New("an aggregate function is computed over a whole set of rows: use orm.Aggregate")

var aggregates = [...]struct {
	open  string
	class class
}{
	ast.Count: {"COUNT(", integer}, ast.Sum: {"SUM(", anything},
	ast.Min: {"MIN(", anything}, ast.Max: {"MAX(", anything}, ast.Avg: {"", float},
}

func (w *writer) aggregate(n ast.Aggregate) kind {
	if !w.aggregates {
		w.fail(errAggregate)
	}
	w.aggregated = true
	open, end := aggregates[n.Func].open, ")"
	if n.Func == ast.Avg {
		open, end = w.avg, w.avgEnd
	}
	w.string(open)
	if n.Distinct {
		w.string("DISTINCT ")
	}
	if n.Of == nil {
		w.byte('*')
	} else {
		w.node(n.Of)
	}
	w.string(end)
	w.nullable = true
	return kind{class: aggregates[n.Func].class}
}
