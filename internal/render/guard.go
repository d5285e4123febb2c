package render

import (
	"reflect"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// inRange writes what the server computes for a column, so that it fails where
// the result is none that the column's field can be read back from: SQLite keeps
// anything in any column, and PostgreSQL has no unsigned integers. It is a part
// of the statement, so that it holds for tables of whatever origin (rule S11).
func (w *writer) inRange(k, r kind, n ast.Node) {
	holds, _ := w.fits(k, r)
	checked := w.checked
	w.checked = w.overflows
	_, p := w.part(func() kind { return w.node(n) })
	w.checked = checked
	if k.exactly(r) {
		p = w.floating(r, p)
	}
	switch {
	case w.overflows:
		w.fill("(SELECT CASE WHEN v IS NULL OR "+holds+" THEN v ELSE "+failure("the result does not fit into "+k.name())+" END FROM (SELECT @2 AS v))", part{sql: "v"}, p)
	case w.casts:
		// The error has to depend on the value, or the server finds it by itself.
		w.fill("(SELECT CASE WHEN @1 IS NULL OR "+holds+" THEN @1 ELSE CAST(@1 * 0 + 40000 AS smallint) END FROM (SELECT @2 AS v) AS g)", part{sql: "g.v"}, p)
	case k.Kind == column.Float: // a table of its own could not read the row
		w.fill("CASE WHEN "+holds+" OR @1 IS NULL THEN @1 ELSE @1 * 0 + 1.7976931348623157e308 * 10 END", p)
	default:
		w.fill("CASE WHEN "+holds+" OR @1 IS NULL THEN @1 ELSE @1 * 0 + 18446744073709551615 + 1 END", p)
	}
}

func misfits(w *writer, k, r kind) bool {
	_, needed := w.fits(k, r)
	return needed
}

// fits is what a result of kind r, which is @1, has to be for a column of kind k, and whether
// anybody has to look: the server does where its column is as narrow as the field.
func (w *writer) fits(k, r kind) (holds string, needed bool) {
	condition := func(least, greatest, typed string) string {
		between := "@1 BETWEEN " + least + " AND " + greatest
		if w.overflows {
			between = "typeof(@1) " + typed + " AND " + between
		}
		return between
	}
	switch k.Kind {
	case column.Integer:
		low, high := k.bounds()
		if r.field != nil && r.Kind == k.Kind { // a column, which holds nothing else
			if from, to := r.bounds(); from >= low && to <= high {
				return "", false
			}
		}
		from, to := k.Range()
		return condition(strconv.FormatInt(low, 10), strconv.FormatUint(high, 10), "= 'integer'"), w.overflows || from < low || to > high
	case column.Float:
		return w.fitsFloat(k, r, condition)
	case column.Boolean:
		return condition("0", "1", "= 'integer'"), w.overflows && r.Kind != k.Kind
	}
	return "", false
}

// fitsFloat: a floating-point number keeps whole numbers up to a power of two, and of any other
// its 4 bytes keep less than 8. In a float32 it is read back as the nearest one, as in Go.
func (w *writer) fitsFloat(k, r kind, condition func(least, greatest, typed string) string) (holds string, needed bool) {
	short := k.field.IndirectType.Kind() == reflect.Float32
	if r.isWhole() {
		most := uint64(1) << 53
		if k.Bits == 32 {
			most = 1 << 24
		}
		if r.field != nil && r.Kind == column.Integer {
			if from, to := r.bounds(); from >= -int64(most) && to <= most {
				return "", false
			}
		}
		limit := strconv.FormatUint(most, 10)
		return condition("-"+limit, limit, "IN ('real', 'integer')"), true
	}
	exactly := k.exactly(r)
	if r.field != nil && r.Kind == k.Kind && !exactly && (!short || r.field.IndirectType.Kind() == reflect.Float32) {
		return "", false
	}
	limit := "1.7976931348623157e308"
	if short || exactly {
		limit = "3.4028234663852886e38"
	}
	holds = condition("-"+limit, limit, "IN ('real', 'integer')")
	if exactly { // what is left of its digits after the first 24 is nothing (Veltkamp's splitting)
		holds += " AND @1 * 536870913 - (@1 * 536870913 - @1) = @1 AND (@1 = 0 OR ABS(@1) >= 1.1754943508222875e-38)"
	}
	return holds, w.overflows || short || exactly
}

// exactly reports whether a number of kind r may have more digits than a column of 4 bytes keeps
// behind a field that has them all.
func (k kind) exactly(r kind) bool {
	return k.Kind == column.Float && k.Bits == 32 && k.Precision == 0 && k.field.IndirectType.Kind() != reflect.Float32 &&
		r.Kind != column.Unknown && !r.isWhole() && !(r.field != nil && r.Kind == column.Float && r.Bits == 32)
}

// cutsOff reports whether a column of kind k may keep less of a text of kind r than there is, or,
// as SQLite does, more than its field may hold. What Raw yields is the caller's own.
func cutsOff(_ *writer, k, r kind) bool {
	if k.Length == 0 || r.Kind == column.Unknown {
		return false
	}
	held := r.field != nil && r.Kind == k.Kind && r.Length > 0 && r.Length <= k.Length && (r.Fixed || !k.Fixed)
	return !held
}

// cutsBlanks is the same for texts of MySQL's and MariaDB's that have no length of their own, of
// which MariaDB cuts off the blanks that are too many. Of 16 megabytes nobody asks.
func cutsBlanks(w *writer, k, r kind) bool {
	most, limited := mysqlBytes(k.Name)
	if !limited || most > 1<<16 || !isMySQL(w.server.Engine) || r.Kind == column.Unknown {
		return false
	}
	others, known := mysqlBytes(r.Name)
	held := r.field != nil && (known && others <= most || r.Length > 0 && 4*r.Length <= most)
	return !held
}

func (w *writer) unshortened(k, _ kind, n ast.Node) {
	most, _ := mysqlBytes(k.Name)
	_, p := w.part(func() kind { return w.node(n) })
	w.fill("CASE WHEN LENGTH(@1) > "+strconv.Itoa(most)+" AND @1 LIKE '% ' THEN CONCAT(@1, REPEAT('.', "+strconv.Itoa(most+1)+")) ELSE @1 END", p)
}

// fillsUp reports whether MySQL and MariaDB may fill bytes up with zeros.
func fillsUp(w *writer, k, r kind) bool {
	same := r.field != nil && r.Fixed && r.Length == k.Length
	return k.Fixed && isMySQL(w.server.Engine) && r.Kind != column.Unknown && !same
}

// unfilled writes bytes that the column has to keep as they are; those that are too few become too many.
func (w *writer) unfilled(k, _ kind, n ast.Node) {
	_, p := w.part(func() kind { return w.node(n) })
	w.fill("CASE WHEN LENGTH(@1) < "+strconv.Itoa(k.Length)+" THEN CONCAT(@1, REPEAT('.', "+strconv.Itoa(k.Length+1)+")) ELSE @1 END", p)
}

// uncut writes a text that the column has to keep as it is (rule S20). Blanks at its end are cut off without
// an error; what fails is a text that is too long for the column and ends otherwise.
func (w *writer) uncut(k, _ kind, n ast.Node) {
	most, longer := strconv.Itoa(k.Length), " || repeat('.', "+strconv.Itoa(k.Length+1)+")"
	blank := func(v string) string {
		if k.Fixed {
			return " OR " + v + " LIKE '% '"
		}
		return ""
	}
	switch {
	case w.overflows:
		w.string("(SELECT CASE WHEN length(v) > " + most + blank("v") + " THEN " + failure("the result does not fit into "+k.name()) + " ELSE v END FROM (SELECT ")
		w.node(n)
		w.string(" AS v))")
	case w.casts:
		w.string("(SELECT CASE WHEN char_length(g.v) > " + most + blank("g.v") + " THEN g.v" + longer + " ELSE g.v END FROM (SELECT CAST(")
		w.node(n)
		w.string(" AS text) AS v) AS g)")
	default:
		w.string("CASE WHEN CHAR_LENGTH(")
		w.node(n)
		w.string(") > " + most)
		if k.Fixed {
			w.string(" OR ")
			w.node(n)
			w.string(" LIKE '% '")
		}
		w.string(" THEN CONCAT(")
		w.node(n)
		w.string(", REPEAT('.', " + strconv.Itoa(k.Length+1) + ")) ELSE ")
		w.node(n)
		w.string(" END")
	}
}

// failure is an expression that SQLite cannot compute. It has no way to raise an
// error outside of a trigger, but quotes a path of JSON that is none.
func failure(text string) string { return "json_extract('0', 'holdfast: " + text + "')" }
