package render

import (
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// numeral is a decimal number as text: a sign, digits, and perhaps a point and
// more digits, none of them without need. So a number has one text only.
type numeral string

// read makes a numeral of what is bound for a number; ok is false if it is none.
func read(bound any) (n numeral, ok bool) {
	switch b := bound.(type) {
	case int64:
		return numeral(strconv.FormatInt(b, 10)), true
	case uint64:
		return numeral(strconv.FormatUint(b, 10)), true
	case float64:
		return parse(strconv.FormatFloat(b, 'f', -1, 64))
	case string:
		return parse(b)
	case []byte:
		return parse(string(b))
	}
	return "", false
}

func parse(s string) (numeral, bool) {
	if !decimal.MatchString(s) {
		return "", false
	}
	if strings.ContainsAny(s, "eE") { // at most 999 digits, by the pattern
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			return "", false
		}
		n, _ := r.FloatPrec() // a power of ten: it ends
		s = r.FloatString(n)
	}
	sign := ""
	switch s[0] {
	case '-':
		sign, s = "-", s[1:]
	case '+':
		s = s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		return numeral(sign + whole + "." + fraction), true
	}
	if whole == "0" {
		sign = ""
	}
	return numeral(sign + whole), true
}

// digits are those before and behind the point.
func (n numeral) digits() (whole, scale int) {
	head, tail, _ := strings.Cut(strings.TrimPrefix(string(n), "-"), ".")
	if head == "0" {
		return 0, len(tail)
	}
	return len(head), len(tail)
}

// fixed is n with as many decimal places, which it must not exceed.
func (n numeral) fixed(scale int) string {
	_, has := n.digits()
	if has >= scale {
		return string(n)
	}
	s := string(n)
	if has == 0 {
		s += "."
	}
	return s + strings.Repeat("0", scale-has)
}

const tooManyPlaces = "has more decimal places than the column: round it first"

// keepsDecimal: every server rounds what has more decimal places than the
// column, without an error.
func (k kind) keepsDecimal(bound any, t reflect.Type) (any, error) {
	n, ok := read(bound)
	if !ok {
		return nil, k.refuse(t, "is no decimal number")
	}
	if k.Precision > 0 {
		whole, scale := n.digits()
		switch {
		case scale > k.Scale:
			return nil, k.refuse(t, tooManyPlaces)
		case whole > k.Precision-k.Scale:
			return nil, k.refuse(t, outOfRange)
		}
	}
	return k.spelled(n), nil
}

// spelled is how a numeral stands in the column: on SQLite, where it is text,
// always with all decimal places, so that equal numbers are equal texts.
func (k kind) spelled(n numeral) string {
	if k.field != nil && k.engine() == dialect.SQLite {
		return n.fixed(k.Scale)
	}
	return string(n)
}

// spelled is the same beside what no column alone stands behind, such as a Coalesce of
// two: the texts that it yields have the decimal places of their columns too.
func (w *writer) spelled(k kind, n numeral) string {
	if w.textDecimals {
		return n.fixed(k.Scale)
	}
	return string(n)
}

// decimalValue writes a numeral that stands beside something. MySQL would take a
// text for a floating-point number.
func (w *writer) decimalValue(k kind, n numeral) kind {
	whole, scale := n.digits()
	r := kind{Type: column.Type{Kind: column.Decimal, Precision: max(1, whole+scale), Scale: scale}}
	if !w.decimals || scale > 30 || whole+scale > 65 {
		if w.decimals {
			w.fail(k.refuse(reflect.TypeFor[string](), "has more digits than the server calculates with"))
		}
		if w.casts && k.Type == sumOfWhole.Type && (scale > 0 || whole > 18) { // of narrow columns PostgreSQL's sum is an integer
			return w.decimalLiteral(k, n)
		}
		w.bind(w.spelled(k, n))
		return r
	}
	w.string("CAST(")
	w.bind(string(n))
	w.string(" AS DECIMAL(" + strconv.Itoa(max(1, whole+scale)) + ", " + strconv.Itoa(scale) + "))")
	return r
}

// exact is how many digits a floating-point number keeps of any decimal number.
const exact = 15

// inOrderOf writes what a column of decimals is ordered by on SQLite, in which
// they are texts: up to 15 digits its floating-point numbers stand in the same
// order, and no two numbers are one.
func (w *writer) inOrderOf(k kind, start int) {
	if !w.textDecimals || k.Kind != column.Decimal || w.err != nil {
		return
	}
	if k.Precision == 0 || k.Precision > exact {
		w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "an order of decimal numbers with more than 15 digits",
			Hint: "SQLite has no decimal numbers, only texts and floating-point numbers: sort them in Go, or declare the column with fewer digits"})
		return
	}
	w.insert(start, "CAST(")
	w.string(" AS REAL)")
}

// cut brings a numeral to the decimal places of the column, for a comparison by
// order: what is less than 1.005 is at most 1.00.
func (k kind) cut(op ast.Op, bound any) (ast.Op, any) {
	n, ok := read(bound)
	if _, scale := n.digits(); !ok || scale <= k.Scale || op == ast.Eq || op == ast.Ne || k.Precision == 0 {
		return op, bound
	}
	r, _ := new(big.Rat).SetString(string(n))
	unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(k.Scale)), nil))
	r.Quo(r, unit)
	whole := new(big.Int).Div(r.Num(), r.Denom())
	if op == ast.Lt || op == ast.Le {
		op = ast.Le
	} else {
		op, whole = ast.Ge, whole.Add(whole, big.NewInt(1))
	}
	r.SetInt(whole).Mul(r, unit)
	cut, _ := parse(r.FloatString(k.Scale))
	return op, string(cut)
}

// decimalColumns refuses what a comparison of two nodes does with texts.
func (w *writer) decimalColumns(op ast.Op, k, r kind) {
	if !w.textDecimals || w.err != nil || k.Kind != column.Decimal && r.Kind != column.Decimal {
		return
	}
	if same := k.field != nil && r.field != nil && k.Kind == r.Kind && k.Scale == r.Scale; !same || op != ast.Eq && op != ast.Ne {
		w.fail(w.noDecimals("a comparison of columns in which one has decimal numbers"))
	}
}

// spelledAlike refuses to choose among texts of numbers that are written in several ways, and
// among such and numbers.
func (w *writer) spelledAlike(k, r kind) {
	if !w.textDecimals || w.err != nil || !k.Kind.Number() || !r.Kind.Number() {
		return
	}
	if decimals := k.Kind == column.Decimal; decimals != (r.Kind == column.Decimal) || decimals && k.Scale != r.Scale {
		w.fail(w.noDecimals("a choice among decimal numbers of different columns"))
	}
}

// decimalText writes a numeral that is chosen among values of kind k where decimal numbers
// are texts. What has more places would be cut off where the choice is compared.
func (w *writer) decimalText(k kind, n numeral) kind {
	whole, err := strconv.ParseInt(string(n), 10, 64)
	_, scale := n.digits()
	switch {
	case k.Kind != column.Decimal && err == nil:
		w.bind(whole)
		return wholeNumber
	case k.Kind != column.Decimal, k.Precision > 0 && scale > k.Scale:
		w.fail(w.noDecimals("a choice among decimal numbers of different places"))
	}
	w.bind(w.spelled(k, n))
	if k.Precision == 0 {
		return kind{Type: k.Type}
	}
	return kind{Type: k.Type}.roomFor(decimalOf(n))
}

// roomFor is a decimal number with as many digits before the point and behind it as either
// has.
func (k kind) roomFor(other kind) kind {
	scale := max(k.Scale, other.Scale)
	whole := max(k.Precision-k.Scale, other.Precision-other.Scale)
	return kind{Type: column.Type{Kind: column.Decimal, Precision: min(whole+scale, 65), Scale: scale}}
}

func (w *writer) noDecimals(feature string) error {
	return &dialect.UnsupportedError{Server: w.server, Feature: feature,
		Hint: "SQLite has no decimal numbers, only texts and floating-point numbers: read the rows and calculate in Go, or keep whole numbers of the smallest unit"}
}

// rounded refuses what a column of decimals would round, or calculate with
// floating-point numbers.
func (w *writer) rounded(k, r kind) error {
	switch {
	case r.Kind == column.Unknown: // of Raw, which says itself what it does
	case w.textDecimals && (r.field == nil || r.Kind != column.Decimal || r.Scale != k.Scale || k.Precision > 0 && (r.Precision == 0 || r.Precision > k.Precision)):
		return w.noDecimals("calculating a decimal number")
	case r.Kind == column.Float:
		return k.refuse(reflect.TypeFor[float64](), "is a floating-point number, which each engine rounds in its own way: calculate with decimal numbers")
	case k.Precision > 0 && r.Kind == column.Decimal && (r.Scale > k.Scale || r.Precision == 0 && r.Scale == 0):
		return k.refuse(reflect.TypeFor[string](), "may have more decimal places than the column, which would round it: round it by Raw")
	}
	return nil
}

// calculated is the kind of an arithmetic result; a kind without precision is
// one of which the places are not known.
func calculated(op ast.ArithmeticOp, a, b kind) kind {
	if a.Kind != column.Decimal && b.Kind != column.Decimal || a.Kind == column.Float || b.Kind == column.Float {
		r := a.merged(b)
		if r.Kind == column.Float {
			r.Precision, r.Scale = 0, 0
		}
		return r
	}
	places := func(k kind) (int, bool) { return k.Scale, k.Kind == column.Integer || k.Precision > 0 }
	r := kind{Type: column.Type{Kind: column.Decimal}}
	x, known := places(a)
	y, also := places(b)
	if !known || !also {
		return r
	}
	r.Precision, r.Scale = 65, max(x, y)
	if op == ast.Mul {
		r.Scale = x + y
	}
	return r
}
