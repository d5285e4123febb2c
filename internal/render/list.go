package render

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// longList is how many values are bound one by one. A longer list travels as one
// value where the protocol counts them: an array on PostgreSQL, JSON on SQLite.
const longList = 1000

// long writes the values of a list as one, if it is long, and reports whether it
// has.
func (w *writer) long(k kind, n ast.Membership) (null, done bool) {
	if len(n.Values) <= longList || w.err != nil || !w.numbered && !w.overflows {
		return false, false
	}
	list := make([]any, 0, len(n.Values))
	for _, v := range n.Values {
		if constant, ok := v.(ast.Value); ok {
			v = constant.V
		}
		if _, isNode := v.(ast.Node); isNode {
			return false, false
		}
		bound := w.prepare(k, v)
		if bound == nil {
			null = true
			continue
		}
		_, exact, known := k.number(ast.Eq, bound)
		if known != open {
			continue // the column cannot be equal to it
		}
		if number, ok := read(exact); ok && k.Kind == column.Decimal {
			exact = w.spelled(k, number) // a text on SQLite, which only this one equals
		}
		list = append(list, exact)
	}
	if w.err != nil || len(list) <= longList {
		return false, false
	}
	if w.overflows {
		w.jsonList(n.Negate, list)
		return null, true
	}
	array, inner, as := arrayOf(k, list)
	if array == nil {
		return false, false
	}
	if n.Negate {
		w.string(" <> ALL(")
	} else {
		w.string(" = ANY(")
	}
	if inner != as {
		w.string("CAST(")
	}
	w.string("CAST(")
	w.bind(array)
	w.string(" AS " + inner + "[])")
	if inner != as {
		w.string(" AS " + as + "[])")
	}
	w.byte(')')
	return null, true
}

// listOperand writes what the server computes, such as a column, in a list.
func (w *writer) listOperand(k kind, n ast.Node) {
	at := len(w.buf)
	r := w.node(n)
	if w.err == nil && !k.beside(r) {
		w.fail(k.mismatch(r))
	}
	w.decimalColumns(ast.Eq, k, r)
	if k.Kind == column.Float && r.Kind == column.Integer {
		w.floatFrom(at)
	}
}

// apart parts what stands in a list from what is compared by itself: floating-point
// numbers beside a whole one, which becomes such a number for them alone, and texts beside
// one in a type of the application's own.
func (w *writer) apart(k kind, list []any) (listed, others []any) {
	if k.Kind != column.Integer && (k.Kind != column.Text || !w.casts) {
		return list, nil
	}
	byItself := func(n ast.Node) bool {
		r := w.tried(n)
		if k.Kind == column.Text {
			return w.apartFrom(r, k) || w.apartFrom(k, r)
		}
		return r.Kind == column.Float
	}
	for i, v := range list {
		n, isNode := v.(ast.Node)
		if _, constant := n.(ast.Value); !isNode || constant || !byItself(n) {
			if others != nil {
				listed = append(listed, v)
			}
			continue
		}
		if others == nil {
			listed = slices.Clone(list[:i])
		}
		others = append(others, v)
	}
	if others == nil {
		return list, nil
	}
	return listed, others
}

func (w *writer) amongOthers(n ast.Membership, listed, others []any) kind {
	op := ast.Eq
	if n.Negate {
		op = ast.Ne
	}
	var all []ast.Node
	if len(listed) > 0 {
		all = append(all, ast.Membership{Left: n.Left, Values: listed, Negate: n.Negate})
	}
	for _, other := range others {
		all = append(all, ast.Comparison{Left: n.Left, Op: op, Right: other})
	}
	if n.Negate {
		return w.junction(all, opAnd, always)
	}
	return w.junction(all, opOr, never)
}

// arrayOf makes an array for PostgreSQL's driver, the type as which it is sent,
// and that of its elements.
func arrayOf(k kind, list []any) (array any, sent, as string) {
	if k.Foreign {
		return nil, "", ""
	}
	switch k.Kind {
	case column.Integer:
		return typed[int64](list), "bigint", "bigint"
	case column.Boolean:
		return typed[bool](list), "boolean", "boolean"
	case column.Binary:
		return typed[[]byte](list), "bytea", "bytea"
	case column.Timestamp:
		if k.Zoned {
			return typed[time.Time](list), "timestamptz", "timestamptz"
		}
		return typed[time.Time](list), "timestamp", "timestamp"
	case column.Float:
		return texts(list), "text", "double precision"
	case column.Decimal:
		return texts(list), "text", "numeric"
	case column.UUID:
		return texts(list), "text", "uuid"
	case column.Address:
		return texts(list), "text", k.Name
	case column.Text:
		switch {
		case k.Fixed:
			return texts(list), "text", "bpchar"
		case k.Name == "citext":
			return texts(list), "text", "citext"
		}
		return texts(list), "text", "text"
	}
	return nil, "", ""
}

// typed is list with its elements' type, nil if there is one of another.
func typed[T any](list []any) any {
	array := make([]T, len(list))
	for i, v := range list {
		var ok bool
		if array[i], ok = v.(T); !ok {
			return nil
		}
	}
	return array
}

// texts is list with numbers as they are written, nil if there is anything else.
func texts(list []any) any {
	array := make([]string, len(list))
	for i, v := range list {
		switch v := v.(type) {
		case string:
			array[i] = v
		case int64:
			array[i] = strconv.FormatInt(v, 10)
		case uint64:
			array[i] = strconv.FormatUint(v, 10)
		case float64:
			array[i] = strconv.FormatFloat(v, 'g', -1, 64)
		default:
			return nil
		}
	}
	return array
}

// jsonList writes a list for SQLite as JSON. What JSON would change is bound by
// itself.
func (w *writer) jsonList(negate bool, list []any) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	var others []any
	for _, v := range list {
		switch s := v.(type) {
		case int64, bool:
		case time.Time:
			v = s.Format("2006-01-02 15:04:05.000000+00:00") // as the driver binds it
		case string:
			if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
				others = append(others, v)
				continue
			}
		default:
			others = append(others, v)
			continue
		}
		if text.Len() == 0 {
			text.WriteByte('[')
		} else {
			text.WriteByte(',')
		}
		if err := encoder.Encode(v); err != nil {
			w.fail(err)
			return
		}
	}
	if text.Len() == 0 {
		text.WriteByte('[')
	}
	text.WriteByte(']')
	if negate {
		w.string(" NOT")
	}
	w.string(" IN (SELECT value FROM json_each(")
	w.bind(text.String())
	w.byte(')')
	for i, v := range others {
		if i == 0 {
			w.string(" UNION ALL VALUES (")
		} else {
			w.string(", (")
		}
		w.bind(v)
		w.byte(')')
	}
	w.byte(')')
}
