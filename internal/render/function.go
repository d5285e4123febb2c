package render

import (
	"errors"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

var functions = [...]string{ast.Lower: "LOWER(", ast.Upper: "UPPER(", ast.Coalesce: "COALESCE("}

func (w *writer) call(n ast.Call) kind {
	if n.Func == ast.Coalesce {
		return w.coalesce(n)
	}
	defer w.besideTexts(someText)()
	w.string(functions[n.Func])
	result := of(column.Text)
	for i, arg := range n.Args {
		if i > 0 {
			w.string(", ")
		}
		at := len(w.buf)
		k := w.asText(w.node(arg), at)
		result.Charset = k.Charset
		if k.Kind != column.Text && k.Kind != column.Unknown && w.err == nil {
			w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " has no upper and lower case"})
		}
	}
	w.byte(')')
	return result
}

// coalesce writes the first argument that is not NULL. All of them are of one
// kind; a bound value among them is of that of the others.
func (w *writer) coalesce(n ast.Call) kind {
	if len(n.Args) == 1 { // SQLite's takes no less than two
		k := w.node(n.Args[0])
		return kind{Type: k.Type}
	}
	var k kind
	for _, arg := range n.Args {
		if _, constant := arg.(ast.Value); !constant {
			if k = w.tried(arg); k.Kind != column.Unknown {
				break
			}
		}
	}
	k = w.asOne(k, notBound(n.Args))
	at, mixed := len(w.buf), false
	w.string(functions[n.Func])
	var result kind
	unite := func(r kind) {
		mixed = mixed || r.Kind.Number() && r.Kind != column.Float
		result = result.united(r)
	}
	for i, arg := range n.Args {
		if i > 0 {
			w.string(", ")
		}
		constant, isValue := arg.(ast.Value)
		if !isValue || constant.V == nil || k.Kind == column.Unknown {
			begin := len(w.buf)
			r := w.node(arg)
			if w.err == nil && !k.beside(r) {
				w.fail(k.mismatch(r))
			}
			w.spelledAlike(k, r)
			if w.apartFrom(r, k) {
				r = w.asText(r, begin)
			}
			unite(w.doubled(r, begin))
			continue
		}
		switch bound := w.prepare(k, constant.V); {
		case bound == nil:
			w.string("NULL")
		case k.Kind == column.Decimal && w.textDecimals:
			unite(w.typed(k, arg))
		case k.Kind.Number():
			unite(w.term(k, bound))
		case k.Kind == column.JSON, k.Kind.Time(): // beside a text they would be one
			w.literal(k, bound)
		default:
			w.bound(k, bound)
		}
	}
	w.byte(')')
	result = result.united(kind{Type: k.Type})
	w.mixed(at, result, mixed)
	return result
}

// tried is the kind of a node that is written only to be looked at.
func (w *writer) tried(n ast.Node) kind {
	buf, args, raw, nullable := len(w.buf), len(w.args), w.raw, w.nullable
	k := w.node(n)
	w.buf, w.args, w.raw, w.nullable = w.buf[:buf], w.args[:args], raw, nullable
	return k
}

var errAggregate = errors.New("an aggregate function is computed over a whole set of rows: use orm.Aggregate")

var aggregates = [...]string{ast.Count: "COUNT(", ast.Sum: "SUM(", ast.Min: "MIN(", ast.Max: "MAX("}

func (w *writer) aggregate(n ast.Aggregate) kind {
	w.overRows++
	nullable := w.nullable
	sc := w.scope
	over := sc.overWindow
	sc.overWindow = false
	switch {
	case over:
	case !sc.aggregates || sc.inside > 0:
		w.fail(errAggregate)
	default:
		sc.aggregated = true
		sc.inside++
		defer func() { sc.inside-- }()
	}
	n = chosen(n)
	if !over && sc.outer != nil && n.Of != nil && w.aroundOnly(n.Of) {
		n.Of = ast.Case{Branches: []ast.Branch{{If: anyRowOf{}, Then: n.Of}}}
	}
	if n.Func == ast.StringAgg {
		return w.stringAgg(n)
	}
	name := w.avg
	if n.Func != ast.Avg {
		name = aggregates[n.Func]
	}
	begin := strings.LastIndexByte(name, '(') + 1
	w.string(name[:begin])
	if n.Distinct {
		w.string("DISTINCT ")
	}
	w.string(name[begin:])
	var k kind
	if n.Of == nil {
		if n.Distinct {
			w.fail(errEmptyCount)
		}
		w.byte('*')
	} else {
		at := len(w.buf)
		k = w.node(n.Of)
		if n.Distinct && k.Kind == column.JSON {
			w.sameness("counted by CountDistinct", k)
		}
		if w.shortFloats && k.Kind == column.Float && k.Bits == 32 {
			w.insert(at, wider)
			w.byte(')')
		}
		if (n.Func == ast.Min || n.Func == ast.Max) && w.byNumber(k) { // by an index on the column
			w.insert(at, "CONCAT(")
			w.byte(')')
		}
		if n.Func == ast.Sum && w.casts && k.Kind == column.Integer && k.Bits < 64 {
			// PostgreSQL's sum of narrow numbers is a bigint, and of a bigint a numeric, which it is taken for.
			w.insert(at, w.toWhole)
			w.string(w.toWholeEnd)
		}
		if n.Func == ast.Sum {
			k = w.doubled(k, at)
		}
	}
	if n.Func == ast.Avg {
		w.string(w.avgEnd)
	} else {
		w.byte(')')
	}
	w.nullable = nullable || n.Func != ast.Count
	return w.overAll(n.Func, k)
}

// overAll is the kind of an aggregate over values of kind k, which have to be
// such that every engine has it.
func (w *writer) overAll(f ast.AggregateFunc, k kind) kind {
	fits := true
	switch f {
	case ast.Count:
		return wholeNumber
	case ast.Sum, ast.Avg:
		fits = k.Kind.Number()
	case ast.Min, ast.Max:
		fits = k.Kind.Number() || k.Kind.Time() || k.Kind == column.Text
	}
	if !fits && k.Kind != column.Unknown && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr",
			Reason: "that is " + k.Kind.String() + " has no " + [...]string{ast.Sum: "sum", ast.Min: "least value", ast.Max: "greatest value", ast.Avg: "mean"}[f]})
	}
	if w.textDecimals && k.Kind == column.Decimal && f != ast.Avg && w.err == nil {
		w.fail(w.noDecimals("the sum, the least or the greatest of decimal numbers"))
	}
	switch {
	case f == ast.Avg:
		return floatingNumber
	case f == ast.Sum && k.Kind == column.Integer && w.textDecimals: // 64 bits, or an error
		return wholeNumber
	case f == ast.Sum && k.Kind == column.Integer:
		return sumOfWhole // of more than 64 bits, on most
	}
	return kind{Type: k.Type}
}
