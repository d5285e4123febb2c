package render

import (
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

var (
	wholeQuotient = form{mysql: "(@1 DIV @2)", postgres: "(@1 / @2)", sqlite: "(@1 / @2)"}
	longQuotient  = form{mysql: "(@1 DIV @2)", postgres: "div(@1, @2)", sqlite: "(@1 / @2)"} // of sums
	quotient      = same("(@1 / @2)")
	remainder     = same("(@1 % @2)")
)

// division writes Div and Mod (rule S50). Nothing is divided by zero: some
// engines make NULL of that, some an error, and MySQL one or the other by its
// sql_mode.
func (w *writer) division(n ast.Arithmetic) kind {
	if n.Op == ast.Mod { // a number that became too large is a whole one again
		defer w.unchecked()()
	}
	k, left := w.part(func() kind { return w.signedNode(n.Left) })
	r, right := w.part(func() kind { return w.divisor(n.Op, k, n.Right) })
	if w.err != nil {
		return kind{}
	}
	for _, operand := range []kind{k, r} {
		if operand.Kind == column.Unknown {
			w.fail(&query.ValueError{Type: "query.Expr", Reason: "of unknown type cannot be divided: whole numbers are divided otherwise than others; say what it is with Cast"})
			return kind{}
		}
	}
	switch {
	case n.Op == ast.Mod && (k.Kind == column.Float || r.Kind == column.Float):
		w.fail(&query.ValueError{Type: "query.Expr", Reason: "that is a floating-point number has no remainder: calculate with whole or decimal numbers"})
		return kind{}
	case n.Op == ast.Mod:
		w.fill(remainder.of(w), left, right)
		return calculated(ast.Sub, k, r)
	case k.Kind == column.Integer && r.Kind == column.Integer:
		w.fill(wholeQuotient.of(w), left, right)
		return wholeNumber
	case k.isWhole() && r.isWhole():
		w.fill(longQuotient.of(w), left, right)
		return sumOfWhole
	}
	w.fill(quotient.of(w), w.floating(k, left), w.floating(r, right))
	return floatingNumber
}

// divisor writes what is divided by. What may be zero becomes NULL then. A Go
// floating-point number is one here, also where its value is whole: by what kind of
// division 7 is divided must not hang on whether a variable is 2.5 or 2.
func (w *writer) divisor(op ast.ArithmeticOp, k kind, right any) kind {
	if constant, ok := right.(ast.Value); ok {
		right = constant.V
	}
	if n, isNode := right.(ast.Node); isNode {
		w.string("NULLIF(")
		r := w.signedNode(n)
		w.string(", 0)")
		w.nullable = true
		return r
	}
	bound := w.prepare(k, right)
	if w.err != nil {
		return kind{}
	}
	if n, ok := read(bound); !ok || n == "0" || n == "-0" {
		w.fail(&query.ValueError{Field: k.name(), Type: typeName(right), Reason: "cannot be divided by"})
		return kind{}
	}
	if f, isFloat := bound.(float64); isFloat && op == ast.Div && k.Kind != column.Float {
		return w.fraction(f)
	}
	return w.factor(k, bound)
}

// isWhole reports whether k has no places behind the point.
func (k kind) isWhole() bool {
	return k.Kind == column.Integer || k.Kind == column.Decimal && k.Precision > 0 && k.Scale == 0
}

// exactlyWhole reports whether k is a whole number, or a sum of such, of which most servers
// make a decimal one. Beside a float64 all of them are floating-point numbers.
func (k kind) exactlyWhole() bool { return k.Kind == column.Integer || k.Type == sumOfWhole.Type }

// floating is p as a floating-point number.
func (w *writer) floating(k kind, p part) part {
	if k.Kind == column.Float {
		return p
	}
	_, p = w.part(func() kind {
		start := len(w.buf)
		w.put(p)
		if w.shortFloats { // MySQL's; and not 0e0 +, which makes 0 of -0
			w.insert(start, wider)
			w.byte(')')
		} else {
			w.floatFrom(start)
		}
		return k
	})
	return p
}

// unchecked has numbers looked at where they are calculated, for those that have
// become too large, and not in the whole of which they are a part.
func (w *writer) unchecked() (restore func()) {
	was := w.checked
	w.checked = false
	return func() { w.checked = was }
}

func (w *writer) abs(n ast.Abs) kind {
	k, p := w.part(func() kind { return w.operandNode(n.Of) })
	w.fill("ABS(@1)", p)
	return kind{Type: k.Type}
}

// mostPlaces is how many decimal places a number is rounded to, mostDigits how many digits
// a floating-point number has that is told to have places.
const (
	mostPlaces = 15
	mostDigits = 255
)

const truncated = "CASE WHEN ABS(@1) >= 4503599627370496 THEN @1 WHEN ABS(@1 * @2 - TRUNC(@1 * @2)) >= 0.5 " +
	"THEN (TRUNC(@1 * @2) + SIGN(@1)) / @2 ELSE TRUNC(@1 * @2) / @2 END"

// roundFloat spells math.Round, with @2 for the power of ten. The servers' own
// functions round halves to even (MySQL, PostgreSQL), or add 0.5 (SQLite), which
// is too much for the number below it. What is not less than 2^52 is whole.
var (
	roundFloat = form{
		mysql: "CASE WHEN ABS(@1) >= 4503599627370496 THEN @1 WHEN ABS(@1 * @2 - TRUNCATE(@1 * @2, 0)) >= 0.5e0 " +
			"THEN (TRUNCATE(@1 * @2, 0) + SIGN(@1)) / @2 ELSE TRUNCATE(@1 * @2, 0) / @2 END",
		postgres: truncated,
		sqlite:   truncated,
	}
	roundDecimal = same("ROUND(@1, @2)")
)

// round writes Round (rule S51).
func (w *writer) round(n ast.Round) kind {
	if n.Places < 0 || n.Places > mostPlaces {
		w.fail(&query.ValueError{Type: "int", Reason: "is no number of decimal places: they are 0 to " + strconv.Itoa(mostPlaces)})
		return kind{}
	}
	k, p := w.part(func() kind { return w.operandNode(n.Of) })
	switch {
	case k.Kind == column.Decimal && (k.Precision == 0 || k.Scale > n.Places):
		w.fill(roundDecimal.of(w), p, part{sql: strconv.Itoa(n.Places)})
		return kind{Type: column.Type{Kind: column.Decimal, Precision: 65, Scale: n.Places}}
	case k.Kind == column.Float:
		w.byte('(')
		w.fill(roundFloat.of(w), p, part{sql: w.powerOfTen(n.Places)})
		w.byte(')')
		rounded := floatingNumber
		rounded.Precision, rounded.Scale = mostDigits, n.Places
		return rounded
	case k.Kind == column.Unknown && w.err == nil:
		w.fail(&query.ValueError{Type: "query.Expr", Reason: "of unknown type cannot be rounded: say what it is with Cast"})
	default:
		w.put(p)
	}
	return kind{Type: k.Type}
}

// powerOfTen is a floating-point number as the engine writes it.
func (w *writer) powerOfTen(n int) string {
	s := "1e" + strconv.Itoa(n)
	if w.casts {
		return "CAST(" + s + " AS double precision)"
	}
	return s
}
