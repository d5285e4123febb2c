package query

import (
	"fmt"
	"slices"
	"strings"
)

// Raw is SQL written by hand, for what this package has no words for. Each ? is
// bound to the next of args, on every engine; ?? stands for one ?. An [Operand]
// among args is rendered in its place, so that names stay checked:
//
//	query.Raw("char_length(?) > ?", query.F("text"), 80)
//
// Raw is a condition and an expression alike. It is put in parentheses. A table
// goes by its own name, a joined one by its path with __ for the dots. The text
// must never hold anything that a user has written.
func Raw(sql string, args ...any) RawExpr { return RawExpr{Expr{rawText{sql, slices.Clone(args)}}} }

// RawExpr is what [Raw] returns.
type RawExpr struct{ Expr }

func (e RawExpr) condition() node { return e.node }

type rawText struct {
	sql  string
	args []any
}

func (n rawText) write(w *writer) kind {
	w.raw, w.nullable = true, true
	used := 0
	// Each operand is rendered when its placeholder is reached, so that the
	// values it binds are counted in the order of the text.
	text := w.syntax.Rebind(n.sql, func(sb *strings.Builder, i int) {
		used = i
		if i > len(n.args) {
			return
		}
		outside := w.buf
		w.buf = nil
		if o, ok := n.args[i-1].(Operand); ok {
			w.writeNode(o.operand())
		} else {
			bound, err := BindArgument(n.args[i-1])
			if err != nil {
				w.fail(err)
			}
			w.bind(bound)
		}
		sb.Write(w.buf)
		w.buf = outside
	})
	if used != len(n.args) {
		w.fail(fmt.Errorf("Raw has %d placeholders and %d values", used, len(n.args)))
	}
	w.byte('(')
	w.string(text)
	w.byte(')')
	return kind{}
}
