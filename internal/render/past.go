package render

import (
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// past writes the condition that a row stands behind a position, in a form that
// an index on the order serves: PostgreSQL and SQLite look up the place of a row
// of values, where all criteria have one direction and none is NULL; MySQL and MariaDB
// find ranges in the comparisons of single columns alone. Elsewhere the first column
// bounds the range, and the rest is looked at row by row.
func (w *writer) past(n ast.Past) kind {
	if w.rowValues && len(n.Criteria) > 1 && w.oneDirection(n.Criteria) {
		w.rowOfValues(n.Criteria)
		return condition
	}
	cond := w.beyond(n.Criteria)
	if len(n.Criteria) > 1 {
		if bound := w.bounds(n.Criteria[0]); bound != nil {
			cond = ast.And{Of: []ast.Node{bound, cond}}
		}
	}
	return w.node(cond)
}

func (w *writer) oneDirection(list []ast.Criterion) bool {
	for _, c := range list {
		f, err := w.scope.find(c.By)
		if err != nil || f.computed != nil || f.nullable || c.Value == nil || c.Desc != list[0].Desc {
			return false
		}
		switch f.kind.Kind {
		case column.Integer, column.Timestamp, column.Date, column.UUID:
		case column.Text:
			if f.kind.Fixed {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (w *writer) rowOfValues(list []ast.Criterion) {
	kinds := make([]kind, len(list))
	w.byte('(')
	for i, c := range list {
		if i > 0 {
			w.string(", ")
		}
		kinds[i] = w.node(c.By)
	}
	w.byte(')')
	if list[0].Desc {
		w.string(ops[ast.Lt])
	} else {
		w.string(ops[ast.Gt])
	}
	w.byte('(')
	for i, c := range list {
		if i > 0 {
			w.string(", ")
		}
		w.bound(kinds[i], w.prepare(kinds[i], c.Value))
	}
	w.byte(')')
}

// beyond is behind by the first criterion, or beside by it and behind by the others.
func (w *writer) beyond(list []ast.Criterion) ast.Node {
	c := list[0]
	behind := w.behind(c, ast.Gt, ast.Lt)
	if len(list) == 1 {
		if behind == nil {
			return ast.Or{} // nothing is
		}
		return behind
	}
	beside := ast.And{Of: []ast.Node{ast.Comparison{Left: c.By, Op: ast.Eq, Right: c.Value}, w.beyond(list[1:])}}
	if behind == nil {
		return beside
	}
	return ast.Or{Of: []ast.Node{behind, beside}}
}

// bounds is what all rows behind the position, or beside it by c, have in c; nil if
// that is nothing.
func (w *writer) bounds(c ast.Criterion) ast.Node {
	if c.Value == nil && c.NullsLast {
		return ast.Comparison{Left: c.By, Op: ast.Eq}
	}
	if c.Value == nil {
		return nil
	}
	return w.behind(c, ast.Ge, ast.Le)
}

func (w *writer) behind(c ast.Criterion, up, down ast.Op) ast.Node {
	switch {
	case c.Value == nil && c.NullsLast:
		return nil
	case c.Value == nil:
		return ast.Comparison{Left: c.By, Op: ast.Ne}
	}
	value := ast.Comparison{Left: c.By, Op: up, Right: c.Value}
	if c.Desc {
		value.Op = down
	}
	if !c.NullsLast {
		return value
	}
	if f, err := w.scope.find(c.By); err == nil && f.computed == nil && !f.nullable {
		return value
	}
	return ast.Or{Of: []ast.Node{value, ast.Comparison{Left: c.By, Op: ast.Eq}}}
}
