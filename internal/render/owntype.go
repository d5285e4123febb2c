package render

import (
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// What follows is about texts in types of the application's own on PostgreSQL, such as an
// enumeration. The server takes them for no texts: it has no LIKE for them and no functions of
// texts, does not put them together with texts, and keeps no text in such a column that it has
// computed. A domain over text is one to it, and a CAST changes nothing there.

// ownType reports whether k is text in a type that the server has of the application.
func (w *writer) ownType(k kind) bool { return w.casts && k.Foreign && k.Kind == column.Text }

// apartFrom reports whether the server takes k for a text in a type of its own, and other for
// one of another type. Two such types are compared by nobody, and stay what they are.
func (w *writer) apartFrom(k, other kind) bool {
	return w.ownType(k) && other.Kind == column.Text && !other.Foreign
}

// asText makes a text of kind k, written since at, one for the server too.
func (w *writer) asText(k kind, at int) kind {
	if !w.ownType(k) {
		return k
	}
	w.insert(at, "CAST(")
	w.string(" AS text)")
	return kind{Type: column.Type{Kind: column.Text}, field: k.field}
}

// asOne is k, the kind of values that stand for each other, as a plain text where not all of them
// are of one type: a value that is bound may be a word that an enumeration has not.
func (w *writer) asOne(k kind, values []any) kind {
	if !w.casts || k.Kind != column.Text {
		return k
	}
	own, others := "", false
	for _, v := range values {
		if v == nil {
			continue
		}
		n, isNode := v.(ast.Node)
		if constant, isValue := n.(ast.Value); !isNode || isValue {
			others = others || !isValue || constant.V != nil
			continue
		}
		switch r := w.tried(n); {
		case !w.ownType(r):
			others = others || r.Kind == column.Text
		case own == "":
			own = r.Name
		default:
			others = others || own != r.Name
		}
	}
	if own != "" && others {
		return kind{Type: column.Type{Kind: column.Text}, field: k.field}
	}
	return k
}

// keptAs is the type to which a computed text of kind r is brought for a column of kind k; ""
// if the server keeps it as it is. What Raw yields is the caller's own.
func (w *writer) keptAs(k, r kind) string {
	fits := k.Kind == column.Text || k.Kind == column.Unknown
	if !w.casts || !k.Foreign || !fits || r.Kind != column.Text || r.Foreign && r.Name == k.Name {
		return ""
	}
	return k.Name
}

func ofAnotherType(w *writer, k, r kind) bool { return w.keptAs(k, r) != "" }

// ofOwnType writes a computed text for a column of a type of the application's own.
func (w *writer) ofOwnType(k, r kind, n ast.Node) {
	w.string("CAST(")
	at := len(w.buf)
	w.asText(w.node(n), at)
	w.string(" AS " + w.keptAs(k, r) + ")")
}

// notBound are the nodes of list that are no values: what is bound beside a column in COALESCE
// has the column's own type.
func notBound(list []ast.Node) []any {
	nodes := make([]any, 0, len(list))
	for _, n := range list {
		if _, constant := n.(ast.Value); !constant {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// amongTexts is n with plain texts on both sides, if there is a text in a type of the
// application's own on one of them: k beside what the sub-select puts out.
func (w *writer) amongTexts(n ast.Among, k kind, outputs []Output) (again ast.Among, apart bool) {
	text := reflect.TypeFor[string]()
	switch {
	case w.err != nil || len(outputs) != 1:
		return n, false
	case w.apartFrom(k, outputs[0].Type):
		n.Left = ast.Cast{Of: n.Left, To: text}
		return n, true
	case !w.apartFrom(outputs[0].Type, k):
		return n, false
	}
	if s := *n.Of; len(s.Outputs) == 1 && len(s.Group) == 0 {
		s.Outputs = []ast.Output{{Name: s.Outputs[0].Name, Of: ast.Cast{Of: s.Outputs[0].Of, To: text}}}
		n.Of = &s
		return n, true
	}
	name := outputs[0].Name
	n.Of = &ast.Select{From: n.Of, Outputs: []ast.Output{{Name: name, Of: ast.Cast{Of: ast.Column{Path: name}, To: text}}}}
	return n, true
}

// plainTexts is list, whose SELECTs put out all, with plain texts where one of them, or of
// those that they follow, puts out such beside one in a type of the application's own; nil if
// none does.
func (w *writer) plainTexts(list []*ast.Select, all [][]Output, follow ...[]Output) []*ast.Select {
	var plain []*ast.Select
	for i, outputs := range all {
		if !w.casts {
			return nil
		}
		var wide []ast.Output
		found := false
		for n, o := range outputs {
			out := ast.Output{Name: o.Name, Of: ast.Column{Path: o.Name}}
			for _, others := range append(follow, all...) {
				if n < len(others) && w.apartFrom(o.Type, others[n].Type) {
					out.Of = ast.Cast{Of: out.Of, To: reflect.TypeFor[string]()}
					found = true
					break
				}
			}
			wide = append(wide, out)
		}
		if !found {
			continue
		}
		if plain == nil {
			plain = slices.Clone(list)
		}
		plain[i] = &ast.Select{From: list[i], Outputs: wide}
	}
	return plain
}
