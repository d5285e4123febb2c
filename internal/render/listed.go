package render

import (
	"math"
	"reflect"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// What follows is about the types of MySQL and MariaDB that take one value for another, without an
// error in strict mode too: an ENUM a text that is the number of a member, a SET members in any
// order, a YEAR 27 for 2027, and DOUBLE(10,2) what has more places. On SQLite, which has none
// of them, such a column is taken at its word.

const (
	noMember    = "is none of the members that the column lists, as they are written there"
	noMemberSet = "is no list of the column's members, with commas between them, each once and in the order of the column"
	noYear      = "is no year of the column, which has 1901 to 2155, and 0"
)

func (k kind) keepsMember(s string) string {
	switch {
	case k.Name == "set" && !k.InOrder(s):
		return noMemberSet
	case k.Name != "set" && !k.Member(s):
		return noMember
	}
	return ""
}

// keepsWhole: a whole number may have too many digits for a column of 4 bytes.
func (k kind) keepsWhole(n int64) string {
	switch {
	case k.Kind == column.Float:
		return k.keepsFloat(float64(n))
	case k.IsYear() && !k.Year(n):
		return noYear
	}
	return ""
}

// keepsPlaces is what the column keeps of a number. It rounds as the server does (MySQL's and
// MariaDB's Field_real, "truncate"): the part behind the point, by itself. What a float32
// reads back is a float32.
func (k kind) keepsPlaces(f float64) (kept float64, because string) {
	unit := math.Pow10(k.Scale)
	whole := math.Floor(f)
	kept = whole + math.RoundToEven((f-whole)*unit)/unit
	short := k.Bits == 32 || k.field != nil && k.field.IndirectType.Kind() == reflect.Float32
	switch {
	case kept != f && (!short || float32(kept) != float32(f)):
		return f, tooManyPlaces
	case math.Abs(kept) > math.Pow10(k.Precision-k.Scale)-1/unit:
		return f, outOfRange
	}
	return kept, ""
}

// listedNumber is what a number is compared as that a YEAR or a DOUBLE(10,2) cannot be: MySQL and
// MariaDB take 27 for 2027 there too, and with an index on the column 10.005 for 10.01.
func (k kind) listedNumber(op ast.Op, bound any, known verdict) (ast.Op, any, verdict) {
	if known != open || k.field == nil || !isMySQL(k.engine()) {
		return op, bound, known
	}
	switch n, isWhole := bound.(int64); {
	case k.IsYear() && isWhole:
		return k.besideYear(op, n)
	case k.Kind == column.Float && k.Precision > 0:
		return k.besidePlaces(op, bound)
	}
	return op, bound, known
}

func (k kind) besideYear(op ast.Op, n int64) (ast.Op, any, verdict) {
	low, high := k.Range()
	switch {
	case k.Year(n):
		return op, n, open
	case n < low:
		return op, nil, beyond(op, -1)
	case uint64(n) > high:
		return op, nil, beyond(op, 1)
	case op == ast.Eq:
		return op, nil, holdsNot
	case op == ast.Ne:
		return op, nil, holds
	case op == ast.Lt || op == ast.Le: // what is less is 0
		return ast.Le, low, open
	}
	return ast.Ge, int64(column.FirstYear), open
}

func (k kind) besidePlaces(op ast.Op, bound any) (ast.Op, any, verdict) {
	var f float64
	switch b := bound.(type) {
	case float64:
		f = b
	case int64:
		f = float64(b)
	case string:
		var err error
		if f, err = strconv.ParseFloat(b, 64); err != nil {
			return op, bound, open
		}
	default:
		return op, bound, open
	}
	switch kept, because := k.keepsPlaces(f); {
	case because == "" && k.Bits == 64:
		return op, kept, open
	case because == "":
		return op, bound, open
	case because == outOfRange && f > 0:
		return op, nil, beyond(op, 1)
	case because == outOfRange:
		return op, nil, beyond(op, -1)
	case op == ast.Eq:
		return op, nil, holdsNot
	case op == ast.Ne:
		return op, nil, holds
	}
	return op, bound, open
}

// byNumber reports whether the server finds the least and the greatest by the numbers of members,
// which it does where there is an index on the column, and as texts where there is none.
func (w *writer) byNumber(k kind) bool {
	return isMySQL(w.server.Engine) && k.Kind == column.Text && (k.Name == "enum" || k.Name == "set")
}

// otherTexts refuses what is computed for a SET, which takes members in any order, and for
// PostgreSQL's NAME, which cuts off what it has no place for: no statement can tell.
func otherTexts(w *writer, k, r kind) error {
	switch {
	case k.Name == "set" && k.Members != "" && !k.listsAll(r):
		return k.refuseComputed("that may be no list of the column's members in its order: read the row and save it")
	case w.casts && k.Name == "name" && r.Name != k.Name:
		return k.refuseComputed("that may be longer than the column, which would cut it off: read the row and save it")
	}
	return nil
}

// listsAll reports whether texts of kind r are those of a column whose members all are k's too.
func (k kind) listsAll(r kind) bool { return r.field != nil && k.Includes(r.Type) }

// amongMembers reports whether somebody has to look whether the server knows a computed text.
func amongMembers(_ *writer, k, r kind) bool {
	return k.Members != "" && r.Kind != column.Unknown && !k.listsAll(r)
}

// amongYears is amongMembers for a computed year.
func amongYears(_ *writer, k, r kind) bool {
	return k.IsYear() && r.Kind != column.Unknown && !(r.field != nil && r.IsYear() && r.Bits == k.Bits)
}

// member writes a text that has to be a member of an ENUM, byte for byte: the server takes
// others for one, by its collation or as a number.
func (w *writer) member(k, _ kind, n ast.Node) {
	list := func() {
		w.string(" IN (")
		for i, member := range k.List() {
			if i > 0 {
				w.string(", ")
			}
			w.bind(member)
		}
		w.byte(')')
	}
	if w.overflows {
		w.string("(SELECT CASE WHEN v IS NULL OR v COLLATE BINARY")
		list()
		w.string(" THEN v ELSE " + failure("the result is no member of "+k.name()) + " END FROM (SELECT ")
		w.node(n)
		w.string(" AS v))")
		return
	}
	w.string("CASE WHEN CAST(CONVERT(")
	w.node(n)
	w.string(" USING utf8mb4) AS BINARY)")
	list()
	w.string(" OR ")
	w.node(n)
	w.string(" IS NULL THEN ")
	w.node(n)
	w.string(" ELSE REPEAT('.', 256) END") // no member is as long
}

// year writes a number that has to be one of a YEAR.
func (w *writer) year(k, _ kind, n ast.Node) {
	low, high := strconv.Itoa(column.FirstYear), strconv.Itoa(column.LastYear)
	if k.Bits == 8 {
		low, high = "1", "99"
	}
	if w.overflows {
		w.checked = true
		w.string("(SELECT CASE WHEN v IS NULL OR v BETWEEN " + low + " AND " + high + " OR v = 0 THEN v ELSE " +
			failure("the result is no year of "+k.name()) + " END FROM (SELECT ")
		w.node(n)
		w.string(" AS v))")
		w.checked = false
		return
	}
	w.string("CASE WHEN ")
	w.node(n)
	w.string(" BETWEEN " + low + " AND " + high + " OR ")
	w.node(n)
	w.string(" = 0 OR ")
	w.node(n)
	w.string(" IS NULL THEN ")
	w.node(n)
	w.string(" ELSE ")
	w.node(n)
	w.string(" * 0 + 18446744073709551615 + 1 END")
}
