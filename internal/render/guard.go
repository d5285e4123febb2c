package render

import (
	"reflect"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
)

// guarded writes what the server computes for a column, so that it fails where
// the result is none that the column's field can be read back from: SQLite keeps
// anything in any column, and PostgreSQL has no unsigned integers. It is a part
// of the statement, so that it holds for tables of whatever origin (rule S11).
func (w *writer) guarded(k, r kind, n ast.Node) {
	between, needed := w.fits(k, r)
	as := w.keptAs(k, r)
	switch {
	case as != "":
		w.ofOwnType(as, n)
	case k.amongMembers(r):
		w.member(k, n)
	case k.amongYears(r):
		w.year(k, n)
	case k.cutsOff(r):
		w.uncut(k, n)
	case !needed:
		w.node(n)
	case w.overflows:
		w.checked = true
		w.string("(SELECT CASE WHEN v IS NULL OR " + between("v") + " THEN v ELSE " + failure("the result does not fit into "+k.name()) + " END FROM (SELECT ")
		w.node(n)
		w.string(" AS v))")
		w.checked = false
	case w.casts:
		// The error has to depend on the value, or the server finds it by itself.
		w.string("(SELECT CASE WHEN g.v IS NULL OR " + between("g.v") + " THEN g.v ELSE CAST(g.v * 0 + 40000 AS smallint) END FROM (SELECT ")
		w.node(n)
		w.string(" AS v) AS g)")
	default: // a table of its own could not read the row
		w.string("CASE WHEN ")
		w.node(n)
		w.string(between("") + " OR ")
		w.node(n)
		w.string(" IS NULL THEN ")
		w.node(n)
		w.string(" ELSE ")
		w.node(n)
		if k.Kind == column.Float {
			w.string(" * 0 + 1.7976931348623157e308 * 10 END")
		} else {
			w.string(" * 0 + 18446744073709551615 + 1 END")
		}
	}
}

// fits is what a result of kind r has to be for a column of kind k, and whether
// anybody has to look: the server does where its column is as narrow as the field.
func (w *writer) fits(k, r kind) (between func(v string) string, needed bool) {
	condition := func(least, greatest, typed string) func(string) string {
		return func(v string) string {
			between := v + " BETWEEN " + least + " AND " + greatest
			if w.overflows {
				between = "typeof(" + v + ") " + typed + " AND " + between
			}
			return between
		}
	}
	switch k.Kind {
	case column.Integer:
		low, high := k.bounds()
		if r.field != nil && r.Kind == k.Kind { // a column, which holds nothing else
			if from, to := r.bounds(); from >= low && to <= high {
				return nil, false
			}
		}
		from, to := k.Range()
		return condition(strconv.FormatInt(low, 10), strconv.FormatUint(high, 10), "= 'integer'"), w.overflows || from < low || to > high
	case column.Float:
		short := k.field.IndirectType.Kind() == reflect.Float32
		if r.field != nil && r.Kind == k.Kind && (!short || r.field.IndirectType.Kind() == reflect.Float32) {
			return nil, false
		}
		limit := "1.7976931348623157e308"
		if short {
			limit = "3.4028234663852886e38"
		}
		return condition("-"+limit, limit, "IN ('real', 'integer')"), w.overflows || short
	case column.Boolean:
		return condition("0", "1", "= 'integer'"), w.overflows && r.Kind != k.Kind
	}
	return nil, false
}

// cutsOff reports whether a column of kind k may keep less of a text of kind r than there is, or,
// as SQLite does, more than its field may hold. What Raw yields is the caller's own.
func (k kind) cutsOff(r kind) bool {
	if k.Kind != column.Text || k.Length == 0 || r.Kind == column.Unknown {
		return false
	}
	held := r.field != nil && r.Kind == k.Kind && r.Length > 0 && r.Length <= k.Length && (r.Fixed || !k.Fixed)
	return !held
}

// uncut writes a text that the column has to keep as it is (rule S20). Blanks at its end are cut off without
// an error; what fails is a text that is too long for the column and ends otherwise.
func (w *writer) uncut(k kind, n ast.Node) {
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
