package render

import (
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// SQLite keeps a time as a text of fixed width: its parts are cut out of it. Its
// functions count in milliseconds: they see the day only.
const (
	sqliteDay      = "substr(@1, 1, 10)"
	sqliteThursday = sqliteDay + ", '-3 days', 'weekday 4'" // the next, or the day itself: that of the same week
)

// calendarForms are the parts of times (rule S54).
var calendarForms = [...]form{
	ast.Year:    {mysql: "YEAR(@1)", postgres: extracted("YEAR"), sqlite: "CAST(substr(@1, 1, 4) AS INTEGER)"},
	ast.Month:   {mysql: "MONTH(@1)", postgres: extracted("MONTH"), sqlite: "CAST(substr(@1, 6, 2) AS INTEGER)"},
	ast.Day:     {mysql: "DAYOFMONTH(@1)", postgres: extracted("DAY"), sqlite: "CAST(substr(@1, 9, 2) AS INTEGER)"},
	ast.Hour:    {mysql: "HOUR(@1)", postgres: extracted("HOUR"), sqlite: "CAST(substr(@1, 12, 2) AS INTEGER)"},
	ast.Minute:  {mysql: "MINUTE(@1)", postgres: extracted("MINUTE"), sqlite: "CAST(substr(@1, 15, 2) AS INTEGER)"},
	ast.Second:  {mysql: "SECOND(@1)", postgres: "CAST(FLOOR(EXTRACT(SECOND FROM @1)) AS bigint)", sqlite: "CAST(substr(@1, 18, 2) AS INTEGER)"},
	ast.Weekday: {mysql: "(DAYOFWEEK(@1) - 1)", postgres: extracted("DOW"), sqlite: "CAST(strftime('%w', " + sqliteDay + ") AS INTEGER)"},
	ast.YearDay: {mysql: "DAYOFYEAR(@1)", postgres: extracted("DOY"), sqlite: "CAST(strftime('%j', " + sqliteDay + ") AS INTEGER)"},
	ast.ISOWeek: {mysql: "WEEK(@1, 3)", postgres: extracted("WEEK"), sqlite: "((strftime('%j', " + sqliteThursday + ") + 6) / 7)"},
	ast.ISOYear: {mysql: "(YEARWEEK(@1, 3) DIV 100)", postgres: extracted("ISOYEAR"), sqlite: "CAST(strftime('%Y', " + sqliteThursday + ") AS INTEGER)"},
}

func extracted(field string) string { return "CAST(EXTRACT(" + field + " FROM @1) AS bigint)" }

func (w *writer) calendar(n ast.Calendar) kind {
	k, p := w.timeOf(n.Of, "query."+n.Part.String())
	if k.Kind == column.Date && n.Part.OfDay() && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is date has no query." + n.Part.String()})
	}
	w.fill(calendarForms[n.Part].of(w), w.inUTC(k, p))
	return wholeNumber
}

// microseconds are those from @1 to @2. PostgreSQL's numbers of seconds have 53 bits before 14,
// which are enough for whole minutes, and for the rest of one.
var microseconds = form{
	mysql: "TIMESTAMPDIFF(MICROSECOND, @1, @2)",
	postgres: "(CAST(EXTRACT(EPOCH FROM date_trunc('minute', @2) - date_trunc('minute', @1)) AS bigint) * 1000000" +
		" + CAST(EXTRACT(MICROSECONDS FROM @2) AS bigint) - CAST(EXTRACT(MICROSECONDS FROM @1) AS bigint))",
	sqlite: "((strftime('%s', substr(@2, 1, 19)) - strftime('%s', substr(@1, 1, 19))) * 1000000" +
		" + CAST(substr(@2, 21, 6) AS INTEGER) - CAST(substr(@1, 21, 6) AS INTEGER))",
}

func (w *writer) elapsed(n ast.Elapsed) kind {
	parts := make([]part, 0, 2)
	for _, of := range []ast.Node{n.From, n.To} {
		k, p := w.timeOf(of, "query.Elapsed")
		if k.Kind == column.Date && w.err == nil {
			w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is a date has no hours, as query.Elapsed takes them: query.Cast[time.Time] is its beginning"})
		}
		parts = append(parts, w.inUTC(k, p))
	}
	w.fill(microseconds.of(w), parts...)
	return wholeNumber
}

// timeOf writes an argument that has to be a time, or a day.
func (w *writer) timeOf(n ast.Node, function string) (kind, part) {
	k, p := w.part(func() kind {
		constant, ok := n.(ast.Value)
		if !ok {
			return w.node(n)
		}
		var k kind
		if constant.V != nil {
			k = kind{Type: column.Of(w.server.Engine, base(reflect.TypeOf(constant.V)))}
		}
		if !k.isTime() {
			return k
		}
		bound := w.prepare(k, constant.V)
		w.nullable = w.nullable || bound == nil
		return w.literal(k, bound)
	})
	if !k.isTime() && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " is no time and no day, as " + function + " takes it"})
	}
	return k, p
}

func (k kind) isTime() bool { return k.Kind == column.Timestamp || k.Kind == column.Date }

// inUTC is a time as it is written in UTC, whatever the zone of the session is.
func (w *writer) inUTC(k kind, p part) part {
	if !w.casts || k.Kind != column.Timestamp || !k.Zoned {
		return p
	}
	return part{sql: "(" + p.sql + " AT TIME ZONE 'UTC')", args: p.args}
}
