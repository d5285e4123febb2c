package render

import (
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// conversion is from one kind to another.
type conversion struct{ from, to column.Kind }

// Casts that every engine does alike. MySQL's own cast of a time to a day rounds.
var (
	cutToWhole = form{
		mysql:    "(CASE WHEN @1 > -9223372036854775809 AND @1 < 9223372036854775808 THEN CAST(TRUNCATE(@1, 0) AS SIGNED) END)",
		postgres: "(CASE WHEN @1 > -9223372036854775809 AND @1 < 9223372036854775808 THEN CAST(TRUNC(@1) AS bigint) END)",
		sqlite:   "(CASE WHEN @1 >= -9223372036854775808.0 AND @1 < 9223372036854775808.0 THEN CAST(@1 AS INTEGER) END)",
	}
	floatToWhole = form{
		mysql:    "(CASE WHEN @1 >= -9223372036854775808e0 AND @1 < 9223372036854775808e0 THEN CAST(TRUNCATE(@1, 0) AS SIGNED) END)",
		postgres: "(CASE WHEN @1 >= -9223372036854775808 AND @1 < 9223372036854775808 THEN CAST(TRUNC(@1) AS bigint) END)",
		sqlite:   cutToWhole.sqlite,
	}
	digits = form{mysql: "CAST(@1 AS CHAR)", postgres: "CAST(@1 AS text)", sqlite: "CAST(@1 AS TEXT)"}

	conversions = map[conversion]form{
		{column.Integer, column.Integer}: same("@1"), {column.Float, column.Float}: same("@1"), {column.Text, column.Text}: same("@1"),
		{column.Boolean, column.Boolean}: same("@1"), {column.Date, column.Date}: same("@1"), {column.Timestamp, column.Timestamp}: same("@1"),

		{column.Float, column.Integer}:   floatToWhole,
		{column.Decimal, column.Integer}: cutToWhole,
		{column.Boolean, column.Integer}: {mysql: "@1", postgres: "CAST(CAST(@1 AS integer) AS bigint)", sqlite: "@1"},
		{column.Integer, column.Text}:    digits,
		{column.Decimal, column.Text}:    digits,
		{column.Date, column.Text}:       {mysql: "DATE_FORMAT(@1, '%Y-%m-%d')", postgres: "to_char(@1, 'YYYY-MM-DD')", sqlite: "CAST(@1 AS TEXT)"}, // a column of days itself is read as a time
		{column.Date, column.Timestamp}:  {mysql: "CAST(@1 AS DATETIME(6))", postgres: "(CAST(@1 AS timestamp) AT TIME ZONE 'UTC')", sqlite: "(@1 || ' 00:00:00.000000+00:00')"},
		{column.Timestamp, column.Date}:  {mysql: "CAST(DATE_FORMAT(@1, '%Y-%m-%d') AS DATE)", postgres: "CAST(@1 AS date)", sqlite: "substr(@1, 1, 10)"},

		{column.Unknown, column.Integer}:   {mysql: "CAST(@1 AS SIGNED)", postgres: "CAST(@1 AS bigint)", sqlite: "CAST(@1 AS INTEGER)"},
		{column.Unknown, column.Text}:      digits,
		{column.Unknown, column.Boolean}:   {mysql: "(@1)", postgres: "CAST(@1 AS boolean)", sqlite: "(@1)"},
		{column.Unknown, column.Date}:      {mysql: "CAST(@1 AS DATE)", postgres: "CAST(@1 AS date)", sqlite: "(@1)"},
		{column.Unknown, column.Timestamp}: {mysql: "CAST(@1 AS DATETIME(6))", postgres: "CAST(@1 AS timestamptz)", sqlite: "(@1)"},
	}
)

// cast writes Cast (rule S55).
func (w *writer) cast(n ast.Cast) kind {
	to, fits := w.castTo(n.To)
	defer w.besideTexts(to)()
	from := w.tried(n.Of)
	if w.err != nil {
		return kind{}
	}
	f, known := conversions[conversion{from.Kind, to.Kind}]
	toFloat := to.Kind == column.Float && (from.Kind.Number() || from.Kind == column.Unknown)
	switch {
	case !fits || !known && !toFloat:
		w.fail(&query.ValueError{Field: from.name(), Type: "query.Expr", Reason: "that is " + from.Kind.String() + " cannot be cast to " + n.To.String()})
		return kind{}
	case from.Kind == column.Decimal && to.Kind == column.Text && from.Precision == 0:
		w.fail(&query.ValueError{Field: from.name(), Type: "query.Expr", Reason: "has decimal places of which the number is not known: round it before it is cast to a text"})
		return kind{}
	}
	decimalText := w.textDecimals && from.Kind == column.Decimal && to.Kind == column.Text
	k, p := w.part(func() kind {
		if from.Kind.Number() && !decimalText {
			return w.operandNode(n.Of)
		}
		at := len(w.buf)
		return w.asText(w.node(n.Of), at)
	})
	switch {
	case w.err != nil:
		return kind{}
	case toFloat && k.Kind == column.Unknown && w.casts, toFloat && k.Kind == column.Unknown && w.textDecimals:
		w.string("CAST(")
		w.put(p)
		w.string(map[bool]string{true: " AS double precision)", false: " AS REAL)"}[w.casts])
		return to
	case toFloat:
		w.put(w.floating(k, p))
		return to
	case k.Kind == column.Timestamp && to.Kind == column.Date:
		p = w.inUTC(k, p)
	case to.Kind == column.Integer && (k.Kind == column.Float || k.Kind == column.Decimal):
		w.nullable = true // where it has more than 64 bits
	}
	w.fill(f.of(w), p)
	if k.Kind != to.Kind {
		w.byItself(to)
		return to
	}
	return kind{Type: k.Type}
}

// castTo is the kind that a Go type names; false if there is no cast to it.
func (w *writer) castTo(t reflect.Type) (kind, bool) {
	to := kind{Type: column.Of(w.server.Engine, t)}
	switch to.Kind {
	case column.Integer:
		return wholeNumber, t == reflect.TypeFor[int64]() || t == reflect.TypeFor[int]()
	case column.Float:
		return floatingNumber, t == reflect.TypeFor[float64]()
	case column.Text:
		return someText, t == reflect.TypeFor[string]()
	case column.Boolean:
		return to, t == reflect.TypeFor[bool]()
	case column.Timestamp:
		return instant, true
	}
	return to, to.Kind == column.Date
}
