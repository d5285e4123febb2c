package render

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

func (w *writer) rawText(n ast.Raw) kind {
	w.raw, w.nullable = true, true
	w.scope.renamed(w, n.SQL)
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

// renamed refuses text by hand that names a table which goes by another name in this
// sub-select: it would read the row of the query around it.
func (s *scope) renamed(w *writer, text string) {
	if s.outer == nil {
		return
	}
	check := func(name, alias string) {
		if alias != name && strings.Contains(strings.ToLower(text), strings.ToLower(name)) {
			w.fail(fmt.Errorf("a Raw names %s, which goes by another name in a sub-select of a query that reads it too: name its columns as operands, Raw(\"length(?)\", F(\"text\"))", name))
		}
	}
	if s.root != nil && s.alias != "" {
		check(s.root.tableName(), s.alias)
	}
	for _, j := range s.joins {
		check(strings.ReplaceAll(j.Path, ".", "__"), j.alias)
	}
}
