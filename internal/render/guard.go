package render

import (
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// guarded writes what the server computes for a column, so that it fails where
// the result is none that the column's field can be read back from: SQLite keeps
// anything in any column, and PostgreSQL has no unsigned integers. It is a part
// of the statement, so that it holds for tables of whatever origin (rule S11).
func (w *writer) guarded(k, r kind, n ast.Node) {
	low, high := k.bounds()
	if k.Kind == column.Boolean && w.overflows {
		low, high = 0, 1
	} else if k.Kind != column.Integer {
		w.node(n)
		return
	}
	if r.field != nil { // a column, which holds nothing else
		if from, to := r.bounds(); from >= low && to <= high && r.Kind == k.Kind {
			w.node(n)
			return
		}
	}
	between := " BETWEEN " + strconv.FormatInt(low, 10) + " AND " + strconv.FormatUint(high, 10)
	switch from, to := k.Range(); {
	case w.overflows:
		w.checked = true
		w.string("(SELECT CASE WHEN v IS NULL OR typeof(v) = 'integer' AND v" + between + " THEN v ELSE " +
			failure("the result does not fit into "+k.name()) + " END FROM (SELECT ")
		w.node(n)
		w.string(" AS v))")
		w.checked = false
	case from >= low && to <= high: // the server looks
		w.node(n)
	case w.casts:
		// The error has to depend on the value, or the server finds it by itself.
		w.string("(SELECT CASE WHEN g.v IS NULL OR g.v" + between + " THEN g.v ELSE CAST(g.v * 0 + 40000 AS smallint) END FROM (SELECT ")
		w.node(n)
		w.string(" AS v) AS g)")
	default: // a table of its own could not read the row
		w.string("CASE WHEN ")
		w.node(n)
		w.string(between + " OR ")
		w.node(n)
		w.string(" IS NULL THEN ")
		w.node(n)
		w.string(" ELSE ")
		w.node(n)
		w.string(" * 0 + 18446744073709551615 + 1 END")
	}
}

// failure is an expression that SQLite cannot compute. It has no way to raise an
// error outside of a trigger, but quotes a path of JSON that is none.
func failure(text string) string { return "json_extract('0', 'holdfast: " + text + "')" }
