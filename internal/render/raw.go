package render

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

func (w *writer) rawText(n ast.Raw) kind {
	w.raw, w.nullable = true, true
	used := 0
	// Each operand is rendered when its placeholder is reached, so that the
	// values it binds are counted in the order of the text.
	text := w.syntax.Rebind(n.SQL, func(sb *strings.Builder, i int) {
		used = i
		if i > len(n.Args) {
			return
		}
		outside := w.buf
		w.buf = nil
		if operand, ok := n.Args[i-1].(ast.Node); ok {
			w.node(operand)
		} else {
			bound, err := BindArgument(n.Args[i-1])
			if err != nil {
				w.fail(err)
			}
			w.bind(bound)
		}
		sb.Write(w.buf)
		w.buf = outside
	})
	if used != len(n.Args) {
		w.fail(fmt.Errorf("query.Raw has %d placeholders and %d values", used, len(n.Args)))
	}
	w.byte('(')
	w.string(text)
	w.byte(')')
	return of(column.Unknown)
}
