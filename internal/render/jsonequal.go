package render

import (
	"slices"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
)

// jsonEquality is how an engine finds that two JSON values are equal whatever
// the order of their names and the spaces between them (rule S12).
type jsonEquality uint8

const (
	casts      jsonEquality = iota // MySQL: a text beside JSON is a JSON string, unless it is cast
	castsJSONB                     // PostgreSQL: json itself has no equality
	byFunction                     // MariaDB keeps JSON as text
	byTree                         // so does SQLite, which has no function for it
)

// documents writes that two JSON values are equal or, for [ast.Ne], are not. The
// left one is written, from start on; null is true if the right one may be NULL.
func (w *writer) documents(op ast.Op, start, args int, right func(), null bool) {
	if w.err != nil {
		return
	}
	if err := w.server.Require(dialect.JSONEquality); err != nil {
		w.fail(err)
		return
	}
	if w.json != castsJSONB && w.json != casts && op == ast.Ne {
		w.insert(start, "NOT ")
		start += len("NOT ")
	}
	switch w.json {
	case casts:
		w.string(ops[op])
		w.string("CAST(")
		right()
		w.string(" AS JSON)")
	case castsJSONB:
		w.insert(start, "CAST(")
		w.string(" AS jsonb)")
		w.string(ops[op])
		w.string("CAST(")
		right()
		w.string(" AS jsonb)")
	case byFunction:
		w.equalTexts(start, args, right, null)
	case byTree:
		w.trees(start, args, right)
	}
}

// equalTexts leaves the comparison to a function, which is not asked for NULL:
// it would answer 1.
func (w *writer) equalTexts(start, args int, right func(), null bool) {
	left, bound := string(w.buf[start:]), slices.Clone(w.args[args:])
	w.insert(start, "(")
	w.string(" IS NOT NULL AND ")
	if null {
		right()
		w.string(" IS NOT NULL AND ")
	}
	w.string("JSON_EQUALS(" + left + ", ")
	w.args = append(w.args, bound...)
	right()
	w.string("))")
}

// trees compares by the set of what is in the values: where it stands, of which
// type it is, and what it is. Numbers that SQLite would round are compared as
// they are written. What is no JSON equals its own text.
func (w *writer) trees(start, args int, right func()) {
	left, bound := string(w.buf[start:]), slices.Clone(w.args[args:])
	w.buf, w.args = w.buf[:start], w.args[:args]
	again := func() {
		w.string(left)
		w.args = append(w.args, bound...)
	}
	tree := func(of func()) {
		w.string("SELECT fullkey, CASE type WHEN 'real' THEN 'integer' ELSE type END, " +
			"CASE WHEN type IN ('integer', 'real') AND (atom >= 9007199254740992 OR atom <= -9007199254740992) THEN json -> fullkey ELSE atom END FROM json_tree(")
		of()
		w.byte(')')
	}
	w.string("CASE WHEN ")
	again()
	w.string(" = ")
	right()
	w.string(" THEN 1 WHEN json_valid(")
	again()
	w.string(") AND json_valid(")
	right()
	w.string(") THEN NOT EXISTS (")
	tree(again)
	w.string(" EXCEPT ")
	tree(right)
	w.string(") AND NOT EXISTS (")
	tree(right)
	w.string(" EXCEPT ")
	tree(again)
	w.string(") ELSE 0 END")
}

// amongDocuments writes IN for JSON values, one comparison for each.
func (w *writer) amongDocuments(n ast.Membership) kind {
	var one ast.Or
	for _, v := range n.Values {
		one.Of = append(one.Of, ast.Comparison{Left: n.Left, Op: ast.Eq, Right: v})
	}
	for len(one.Of) > deepestOr {
		var parts []ast.Node
		for some := range slices.Chunk(one.Of, deepestOr) {
			parts = append(parts, ast.Or{Of: some})
		}
		one.Of = parts
	}
	if n.Negate {
		return w.negation(ast.Not{Of: one})
	}
	return w.junction(one.Of, opOr, never)
}

// deepestOr is how many conditions stand in one OR: for SQLite each is a level of an
// expression, and it takes 1000.
const deepestOr = 100
