package render

import (
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// globs writes a pattern for SQLite, whose left-hand side is written, from start
// on. GLOB, like LIKE, reads text and pattern up to a NUL: what begins like the
// text is found nevertheless, and the rest is looked for by functions that see
// all of it.
func (w *writer) globs(n ast.Match, start, args int) {
	if w.err != nil {
		return
	}
	left, bound := string(w.buf[start:]), slices.Clone(w.args[args:])
	p := n.Pattern
	is := func(shape ...bool) bool { // true: any run of characters
		return slices.EqualFunc(p, shape, func(part ast.Part, run bool) bool {
			return part.Wildcard == ast.AnyRun && run || part.Wildcard == ast.None && !run
		})
	}
	whole := func(i int) { // the bytes of a literal
		w.string("CAST(")
		w.bind(p[i].Literal)
		w.string(" AS BLOB)")
	}
	nul := slices.ContainsFunc(p, func(part ast.Part) bool { return strings.IndexByte(part.Literal, 0) >= 0 })
	switch {
	case len(p) == 0 || is(false):
		w.string(" = ")
		w.bind(literal(p))
		w.string(" COLLATE BINARY")
	case is(true, false, true):
		w.insert(start, "instr(")
		w.string(", ")
		if n.Fold {
			w.string("LOWER(")
		}
		w.bind(p[1].Literal)
		if n.Fold {
			w.byte(')')
		}
		w.string(") > 0")
	case is(false, true) && nul:
		w.insert(start, "substr(CAST(")
		w.string(" AS BLOB), 1, length(")
		whole(0)
		w.string(")) IS ") // of no bytes at all a part is NULL
		whole(0)
	case is(true, false) && p[1].Literal != "":
		w.insert(start, "substr(CAST(")
		w.string(" AS BLOB), -length(")
		whole(1)
		w.string(")) IS ") // of no bytes at all a part is NULL
		whole(1)
	case nul:
		w.fail(&query.ValueError{Type: "string", Reason: "holds a NUL, at which SQLite's patterns end"})
	case is(true) || is(false, true) || is(true, false):
		w.string(" GLOB ")
		w.bind(glob(p))
	default:
		w.insert(start, "CASE WHEN instr(")
		w.string(", char(0)) > 0 THEN " + failure("a text holds a NUL, at which SQLite stops to compare it with a pattern") + " ELSE " + left)
		w.args = append(w.args, bound...)
		w.string(" GLOB ")
		w.bind(glob(p))
		w.string(" END")
	}
}

// literal is the text that a pattern without wildcards stands for.
func literal(p ast.Pattern) string {
	if len(p) == 0 {
		return ""
	}
	return p[0].Literal
}
