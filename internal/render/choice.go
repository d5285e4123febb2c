package render

import (
	"reflect"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// function writes what [writer.node] does not know itself.
func (w *writer) function(n ast.Node) (k kind, known bool) {
	switch n := n.(type) {
	case ast.Case:
		return w.caseOf(n), true
	case ast.Extreme:
		return w.extreme(n), true
	case ast.Abs:
		return w.abs(n), true
	case ast.Round:
		return w.round(n), true
	}
	defer w.unchecked()()
	switch n := n.(type) {
	case ast.JSONPath:
		return w.jsonPath(n), true
	case ast.JSONRead:
		return w.jsonRead(n), true
	case ast.JSONChanged:
		return w.jsonChanged(n), true
	case ast.Concat:
		return w.concat(n), true
	case ast.Length:
		return w.length(n), true
	case ast.Substr:
		return w.substr(n), true
	case ast.Trim:
		return w.trim(n), true
	case ast.Replace:
		return w.replace(n), true
	case ast.Cast:
		return w.cast(n), true
	case ast.Calendar:
		return w.calendar(n), true
	case ast.Truncated:
		return w.truncated(n), true
	case ast.Shifted:
		return w.shifted(n), true
	case ast.Elapsed:
		return w.elapsed(n), true
	}
	return kind{}, false
}

// caseOf writes CASE. All its values are of one kind.
func (w *writer) caseOf(n ast.Case) kind {
	defer w.unchecked()()
	if len(n.Branches) == 0 {
		w.fail(errNoBranch)
		return kind{}
	}
	values := make([]any, 0, len(n.Branches)+1)
	for _, b := range n.Branches {
		values = append(values, b.Then)
	}
	values = append(values, n.Else)
	k := w.asOne(w.common(values), values)
	if w.err == nil && (k.Kind == column.JSON || k.Kind == column.Array) {
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " cannot be a value of Case"})
	}
	at := len(w.buf)
	w.string("(CASE")
	var result kind
	mixed := false
	for _, b := range n.Branches {
		w.string(" WHEN ")
		outer := w.nullable
		w.cond(b.If)
		w.nullable = outer // what is unknown does not hold
		w.string(" THEN ")
		result = w.alternative(result, k, b.Then, &mixed)
	}
	w.string(" ELSE ")
	result = w.alternative(result, k, n.Else, &mixed)
	w.string(" END)")
	w.mixed(at, result, mixed)
	return result
}

// mixed makes floating-point numbers of what was written since at, where SQLite keeps each
// alternative what it is: 1 divided by 2 would be 0.
func (w *writer) mixed(at int, result kind, mixed bool) {
	if mixed && result.Kind == column.Float && w.overflows {
		w.floatFrom(at)
	}
}

// alternative writes one of the values among which the server chooses, which
// are of kind k; result is what the others are, and mixed that one is no floating-point number.
func (w *writer) alternative(result, k kind, v any, mixed *bool) kind {
	r := w.typed(k, v)
	*mixed = *mixed || r.Kind.Number() && r.Kind != column.Float
	w.spelledAlike(k, r)
	return result.united(r)
}

// common is the kind of values and nodes that stand for each other: that of the
// first column or calculation among them, or else of the values.
func (w *writer) common(values []any) kind {
	var k kind
	for _, v := range values {
		n, isNode := v.(ast.Node)
		if _, constant := n.(ast.Value); isNode && !constant {
			if k = w.tried(n); k.Kind != column.Unknown || w.err != nil {
				return k
			}
		}
	}
	constants := make([]any, 0, len(values))
	for _, v := range values {
		if constant, ok := v.(ast.Value); ok {
			v = constant.V
		}
		if _, isNode := v.(ast.Node); !isNode {
			constants = append(constants, v)
		}
	}
	return w.commonOf(constants)
}

// typed writes a value, or a node, that has to be of kind k where nothing around
// it says so.
func (w *writer) typed(k kind, v any) kind {
	if constant, ok := v.(ast.Value); ok {
		v = constant.V
	}
	if n, isNode := v.(ast.Node); isNode {
		at := len(w.buf)
		r := w.node(n)
		if w.err == nil && !k.beside(r) {
			w.fail(k.mismatch(r))
		}
		if w.apartFrom(r, k) {
			r = w.asText(r, at)
		}
		return kind{Type: w.doubled(r, at).Type}
	}
	bound := w.prepare(k, v)
	if bound == nil {
		w.nullable = true
		w.string("NULL")
		return kind{}
	}
	result := w.literal(k, bound)
	w.byItself(k)
	return result
}

// literal writes a bound value that says itself what it is.
func (w *writer) literal(k kind, bound any) kind {
	result := kind{Type: k.Type}
	if k.Kind.Number() {
		f, isFloat := bound.(float64)
		if isFloat && (k.Kind != column.Decimal || k.isWhole()) {
			return w.fraction(f)
		}
		if n, ok := read(bound); ok && (k.Kind == column.Decimal || isText(bound)) {
			return w.decimalLiteral(k, n)
		}
		result = kindOf(bound)
	}
	as := ""
	switch {
	case w.casts:
		as = postgresType(result, bound)
	case isMySQL(w.server.Engine) && k.Kind == column.Timestamp:
		as = "DATETIME(6)"
	case isMySQL(w.server.Engine) && k.Kind == column.Date:
		as = "DATE"
	case isMySQL(w.server.Engine) && k.Kind == column.TimeOfDay:
		as = "TIME(" + strconv.Itoa(secondsOf(bound)) + ")" // as fine as it is: more digits would be read with it
	case k.Kind == column.JSON && w.json == casts:
		as = "JSON" // with a text among them, what is chosen is text, which equals no document
	}
	if as == "" {
		w.bind(bound)
		return result
	}
	w.string("CAST(")
	w.bind(bound)
	w.string(" AS " + as + ")")
	return result
}

func (w *writer) decimalLiteral(k kind, n numeral) kind {
	switch {
	case w.textDecimals:
		return w.decimalText(k, n)
	case w.casts:
		_, scale := n.digits()
		w.string("CAST(")
		w.bind(string(n))
		w.string(" AS numeric)")
		return kind{Type: column.Type{Kind: column.Decimal, Precision: 65, Scale: scale}}
	}
	return w.decimalValue(k, n)
}

func isText(bound any) bool {
	_, ok := bound.(string)
	return ok
}

// postgresType is what PostgreSQL calls values of kind k; "" where only the column
// knows.
func postgresType(k kind, bound any) string {
	switch k.Kind {
	case column.Integer:
		if _, large := bound.(uint64); large {
			return "numeric"
		}
		return "bigint"
	case column.Float:
		return "double precision"
	case column.Decimal:
		return "numeric"
	case column.Text:
		return "text"
	case column.Binary:
		return "bytea"
	case column.Boolean:
		return "boolean"
	case column.Date:
		return "date"
	case column.TimeOfDay:
		return "time"
	case column.Timestamp:
		if k.Zoned {
			return "timestamptz"
		}
		return "timestamp"
	case column.UUID:
		return "uuid"
	}
	return ""
}

// united is the kind of a value that comes from one of two nodes, with all that
// both may hold.
func (k kind) united(other kind) kind {
	if k.Kind == column.Decimal && other.Kind == k.Kind && k.Precision > 0 && other.Precision > 0 {
		return k.roomFor(other)
	}
	if k.Kind.Number() && other.Kind.Number() {
		return calculated(ast.Sub, k, other)
	}
	r := k.merged(other)
	if k.Kind == other.Kind && k.Charset != other.Charset {
		r.Charset = ""
	}
	return r
}

// extreme writes Greatest and Least (rule S52): NULL if one of the values is.
func (w *writer) extreme(n ast.Extreme) kind {
	defer w.unchecked()()
	k := w.asOne(w.common(n.Of), n.Of)
	if fits := k.Kind.Number() || k.Kind.Time() || k.Kind == column.Text || k.Kind == column.Unknown; !fits && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " has no order that all engines share"})
	}
	if w.textDecimals && k.Kind == column.Decimal && w.err == nil {
		w.fail(w.noDecimals("the greatest or the least of decimal numbers"))
	}
	var result kind
	parts, nullable := make([]part, len(n.Of)), make([]part, 0, len(n.Of))
	kinds := make([]kind, len(n.Of))
	outer := w.nullable
	for i, v := range n.Of {
		w.nullable = false
		kinds[i], parts[i] = w.part(func() kind { return w.typed(k, v) })
		if v == nil && w.err == nil {
			w.fail(&query.ValueError{Type: "nil", Reason: "is neither the greatest nor the least of anything"})
		}
		if result = result.united(kinds[i]); w.nullable {
			nullable = append(nullable, parts[i])
		}
		outer = outer || w.nullable
	}
	w.nullable = outer
	if result.Kind == column.Float {
		for i := range parts {
			parts[i] = w.floating(kinds[i], parts[i])
		}
	}
	ignores := w.casts && len(nullable) > 0 // PostgreSQL passes over NULL
	if ignores {
		w.string("(CASE WHEN ")
		for i, p := range nullable {
			if i > 0 {
				w.string(" OR ")
			}
			w.put(p)
			w.string(" IS NULL")
		}
		w.string(" THEN NULL ELSE ")
	}
	name := map[bool]form{
		true:  {mysql: "GREATEST(", postgres: "GREATEST(", sqlite: "max("},
		false: {mysql: "LEAST(", postgres: "LEAST(", sqlite: "min("},
	}[n.Greatest]
	w.string(name.of(w))
	for i, p := range parts {
		if i > 0 {
			w.string(", ")
		}
		w.put(p)
	}
	w.byte(')')
	if ignores {
		w.string(" END)")
	}
	return result
}

func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	return reflect.TypeOf(v).String()
}
