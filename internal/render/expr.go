package render

import (
	"math"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// prepare binds v for comparison or arithmetic with something of kind k.
func (w *writer) prepare(k kind, v any) any {
	if k.Part {
		bound, err := w.encoded(v)
		if err != nil {
			w.fail(err)
		}
		return bound
	}
	bound, err := k.value(v)
	if err != nil {
		w.fail(err)
	}
	return bound
}

// bound writes a value that stands beside something of kind k.
func (w *writer) bound(k kind, bound any) {
	if w.casts && k.Kind == column.Integer && k.wider(bound) {
		// The server would take it for an integer of the column's width.
		w.string("CAST(")
		w.bind(bound)
		w.string(" AS bigint)")
		return
	}
	if w.casts && k.finer(bound) {
		w.double(bound)
		return
	}
	if s, ok := bound.(string); ok && k.Kind == column.Text && strings.IndexByte(s, 0) >= 0 && endsAtNUL(w.server) {
		w.fail(&query.ValueError{Field: k.name(), Type: "string", Reason: holdsNUL})
	}
	if k.Kind == column.Decimal {
		if n, ok := read(bound); ok {
			w.decimalValue(k, n)
			return
		}
	}
	w.bind(bound)
}

// wider reports whether a whole number is out of the range of a column of integers.
func (k kind) wider(bound any) bool {
	n, isInteger := bound.(int64)
	low, high := k.Range()
	return isInteger && (n < low || n > 0 && uint64(n) > high)
}

// finer reports whether a column of floating-point numbers of 4 bytes has not this number:
// PostgreSQL would take the next one that it has for it.
func (k kind) finer(bound any) bool {
	if !narrow(k.Type) {
		return false
	}
	var f float64
	switch b := bound.(type) {
	case float64:
		f = b
	case int64: // which has a float64 of its own, by [floating]
		f = float64(b)
	case string:
		var err error
		if f, err = strconv.ParseFloat(b, 64); err != nil {
			return true
		}
	}
	return float64(float32(f)) != f
}

// double writes a number of PostgreSQL's 8 bytes.
func (w *writer) double(bound any) {
	at := len(w.buf)
	w.bind(bound)
	w.floatFrom(at)
}

// doubled makes a number of 8 bytes of one of 4, written since at, in whose width
// PostgreSQL would calculate, and to which it would bring whole numbers beside it.
func (w *writer) doubled(k kind, at int) kind {
	if w.casts && narrow(k.Type) {
		w.floatFrom(at)
		k.Bits = 64
	}
	return k
}

// value writes a bound value where nothing tells what it is for.
func (w *writer) value(n ast.Value) kind {
	k, bound := w.ofItself(n.V)
	if bound == nil {
		w.nullable = true
		w.string("NULL")
		return of(column.Unknown)
	}
	if f, isFloat := bound.(float64); isFloat {
		return w.fraction(f)
	}
	if k.Kind == column.JSON && w.casts {
		w.string("CAST(")
		w.bind(bound)
		w.string(" AS jsonb)")
		return k
	}
	k = w.literal(k, bound)
	w.byItself(k)
	return k
}

// byItself says how a text compares that no column stands behind. On MySQL and MariaDB it
// would be as the connection says, for most of which "a" is "A" and "a ".
func (w *writer) byItself(k kind) {
	if collation := Collation(w.server); collation != "" && k.Kind == column.Text && k.field == nil {
		w.string(" COLLATE " + collation)
	}
}

// Collation is that of texts that compare by their characters, which CreateTables gives
// its tables; "" where the server's own does.
func Collation(s dialect.Server) string {
	switch {
	case s.Engine == dialect.MariaDB:
		return "utf8mb4_nopad_bin"
	case s.Engine != dialect.MySQL:
		return ""
	case !s.Version.AtLeast(8, 0, 17):
		return "utf8mb4_bin" // for which blanks at the end are nothing: there is no other
	}
	return "utf8mb4_0900_bin"
}

var arithmeticOps = [...]string{ast.Add: " + ", ast.Sub: " - ", ast.Mul: " * "}

// arithmetic writes what is calculated. Whole numbers are calculated in 64 bits
// with a sign on every engine, of whatever width their columns are.
func (w *writer) arithmetic(n ast.Arithmetic) kind {
	if !w.overflows || w.checked {
		return w.calculation(n)
	}
	at, args, before := len(w.buf), len(w.args), w.overRows
	w.checked = true
	k := w.calculation(n)
	w.checked = false
	switch {
	case k.Kind != column.Integer:
	case w.overRows > before: // COUNT(*) would count the rows of the sub-select
		w.fill("(CASE typeof(@1) WHEN 'real' THEN "+failure("a whole number is out of range")+" ELSE @1 END)", w.take(at, args))
	default:
		w.insert(at, "(SELECT CASE typeof(v) WHEN 'real' THEN "+failure("a whole number is out of range")+" ELSE v END FROM (SELECT ")
		w.string(" AS v))")
	}
	return k
}

func (w *writer) calculation(n ast.Arithmetic) kind {
	if n.Op == ast.Div || n.Op == ast.Mod {
		return w.division(n)
	}
	if k, done := w.duration(n); done {
		return k
	}
	w.byte('(')
	k := w.signedNode(n.Left)
	right := n.Right
	if constant, ok := right.(ast.Value); ok {
		right = constant.V
	}
	node, isNode := right.(ast.Node)
	if !isNode {
		bound := w.prepare(k, right)
		if bound == nil && w.err == nil {
			w.fail(&query.ValueError{Type: "nil", Reason: "cannot be calculated with"})
		}
		w.string(arithmeticOps[n.Op])
		k = calculated(n.Op, k, w.factor(k, bound))
		w.byte(')')
		return k
	}
	w.string(arithmeticOps[n.Op])
	k = calculated(n.Op, k, w.signedNode(node))
	w.byte(')')
	return k
}

// factor writes a value that is calculated with. A Go floating-point number is one
// here, also where its value is whole: whether a sum can be kept in a column of whole
// numbers must not hang on whether a variable is 2.5 or 2. Nor how it is divided: a sum
// of whole numbers is a decimal on most engines, and none on SQLite.
func (w *writer) factor(k kind, bound any) kind {
	if f, isFloat := bound.(float64); isFloat && k.isWhole() {
		return w.fraction(f)
	}
	return w.term(k, bound)
}

// term writes a value that stands for one of kind k. A floating-point number that is
// whole stands for that number beside an integer.
func (w *writer) term(k kind, bound any) kind {
	f, isFloat := bound.(float64)
	w.isNumber(k, f)
	switch {
	case isFloat && k.exactlyWhole() && f == math.Trunc(f) && math.Abs(f) < 1<<53:
		w.bind(int64(f))
		return k
	case isFloat && (k.exactlyWhole() || k.isWhole() && f != math.Trunc(f)):
		return w.fraction(f)
	}
	_, isText := bound.(string)
	if n, ok := read(bound); ok && (k.Kind == column.Decimal || isText && k.Kind == column.Integer) {
		if w.textDecimals {
			w.fail(w.noDecimals("calculating with decimal numbers"))
		}
		return w.decimalValue(k, n)
	}
	if w.casts && k.finer(bound) {
		w.double(bound)
		return floatingNumber
	}
	w.bind(bound)
	return k
}

// fraction writes a floating-point number which a server would take for an integer,
// or for a decimal.
func (w *writer) fraction(f float64) kind {
	w.isNumber(floatingNumber, f)
	at := len(w.buf)
	w.bind(f)
	if w.toWhole != "" {
		w.floatFrom(at)
	}
	return floatingNumber
}

// operandNode writes what is calculated with.
func (w *writer) operandNode(n ast.Node) kind {
	defer w.besideTexts(floatingNumber)()
	at := len(w.buf)
	k := w.node(n)
	switch {
	case k.Kind == column.Unknown || w.err != nil:
		return k
	case w.textDecimals && k.Kind == column.Decimal:
		w.fail(w.noDecimals("calculating with decimal numbers"))
	case !k.Kind.Number():
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " cannot be calculated with"})
	case k.Kind == column.Integer && k.Bits < 64 && w.toWhole != "" && (w.casts || k.Unsigned):
		w.insert(at, w.toWhole)
		w.string(w.toWholeEnd)
		k.Unsigned = false
	}
	k = w.doubled(k, at)
	k.field = nil
	return k
}

// signed makes a number with a sign of an unsigned one of 64 bits on MySQL and MariaDB, or an
// error where it is too large for one: a CAST would make another number of it.
const signed = "(-(-@1))"

// signedNode writes what is added to, multiplied or divided. Of an unsigned number MySQL and
// MariaDB would make an unsigned result, and an error of one below zero.
func (w *writer) signedNode(n ast.Node) kind {
	at, args := len(w.buf), len(w.args)
	k := w.operandNode(n)
	if k.Kind == column.Integer && k.Unsigned && isMySQL(w.server.Engine) {
		w.fill(signed, w.take(at, args))
		k.Unsigned = false
	}
	return k
}

func (w *writer) timeOfStatement() kind {
	w.string(w.now)
	return instant
}
