package render

import (
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// care is what is done about the results that columns of one kind would not keep as they are,
// without an error of the server's (rule S20).
type care struct {
	// lost refuses a result of kind r of which no statement can tell, or nobody wants it to.
	lost func(w *writer, k, r kind) error
	// looks is what the statement looks at, in this order, and fails for.
	looks []look
}

// look writes n so that the statement fails where the column would keep something else.
type look struct {
	needed func(w *writer, k, r kind) bool
	write  func(w *writer, k, r kind, n ast.Node)
}

// cares are those of all kinds of columns. Beside a column stands what is of its own kind, and
// beside a number any number (see [kind.beside]); nothing else is ever converted. What Raw yields
// is the caller's own.
//
// What is not listed here the servers refuse by themselves: a number that is out of the column's
// range, more bits than a BIT has, bytes and texts that are longer and do not end with blanks,
// characters that are not in the column's character set, a time outside of MySQL's TIMESTAMP.
var cares = [...]care{
	column.Unknown:   {looks: []look{{ofAnotherType, (*writer).ofOwnType}}},
	column.Integer:   {lost: fractions, looks: []look{{amongYears, (*writer).year}, {misfits, (*writer).inRange}}},
	column.Decimal:   {lost: (*writer).rounded},
	column.Float:     {lost: places, looks: []look{{misfits, (*writer).inRange}}},
	column.Text:      {lost: otherTexts, looks: []look{{ofAnotherType, (*writer).ofOwnType}, {amongMembers, (*writer).member}, {cutsOff, (*writer).uncut}, {cutsBlanks, (*writer).unshortened}}},
	column.Binary:    {looks: []look{{fillsUp, (*writer).unfilled}}},
	column.Boolean:   {looks: []look{{misfits, (*writer).inRange}}},
	column.Date:      {},
	column.TimeOfDay: {lost: finerTimes},
	column.Timestamp: {lost: finerTimes},
	column.JSON:      {},
	column.UUID:      {},
	column.Address:   {lost: otherAddresses},
	column.Array:     {},                 // see otherElements
	column.Other:     {lost: finerTimes}, // intervals
}

// computed writes what the server computes for a column.
func (w *writer) computed(k kind, n ast.Node) {
	defer w.besideTexts(k)()
	r := w.tried(n)
	if w.err != nil {
		w.err = k.naming(w.err)
		return
	}
	if !k.beside(r) {
		w.fail(k.mismatch(r))
		return
	}
	if err := k.field.keepsChosen(n, false); err != nil {
		w.fail(err)
		return
	}
	if err := w.lost(k, r); err != nil {
		w.fail(err)
		return
	}
	for _, look := range cares[k.Kind].looks {
		if look.needed(w, k, r) {
			look.write(w, k, r, n)
			return
		}
	}
	w.node(n)
}

// lost says why a result of kind r is refused; nil if it is not.
func (w *writer) lost(k, r kind) error {
	care := cares[k.Kind]
	switch {
	case r.Kind == column.Unknown:
		return nil
	case k.Kind == column.Array:
		return w.otherElements(k, r)
	case care.lost != nil:
		return care.lost(w, k, r)
	}
	return nil
}

// naming is an error of what is computed for a column, with its name if it has none.
func (k kind) naming(err error) error {
	ve, ok := err.(*query.ValueError) //nolint:errorlint // what is around one says where it is
	if !ok || ve.Field != "" {
		return err
	}
	named := *ve
	named.Field = k.name()
	return &named
}

func (k kind) refuseComputed(because string) error {
	return &query.ValueError{Field: k.name(), Type: "query.Expr", Reason: because}
}

func fractions(_ *writer, k, r kind) error {
	if r.Kind == column.Float || r.Kind == column.Decimal && !r.isWhole() { // a sum is whole
		return k.refuseComputed("that may have a fraction cannot be kept in a column of whole numbers, " +
			"for which each engine rounds in its own way: calculate with whole numbers, or round it by Raw")
	}
	return nil
}

func places(_ *writer, k, r kind) error {
	if k.Precision > 0 && r.Kind != column.Integer && (r.Precision == 0 || r.Scale > k.Scale) {
		return k.refuseComputed("that may have more decimal places than the column, which would round it: round it with query.Round")
	}
	return nil
}

// finerTimes: MySQL and PostgreSQL round, and MariaDB cuts off. PostgreSQL takes the zone from a
// time of day, or gives it one.
func finerTimes(_ *writer, k, r kind) error {
	switch {
	case k.Kind == column.TimeOfDay && k.Zoned != r.Zoned:
		return k.refuseComputed("that is a time of day with a zone cannot be kept in one without, or the other way round: read the row and save it")
	case r.Precision > k.Precision && k.Kind == column.Timestamp:
		return k.refuseComputed("that may be finer than the column, which each engine would round or cut off in its own way: use query.Truncate")
	case r.Precision > k.Precision:
		return k.refuseComputed("that may be finer than the column, which each engine would round or cut off in its own way: read the row and save it")
	}
	return nil
}

// otherAddresses: a CIDR has no host's bits, and a MACADDR8 two bytes more.
func otherAddresses(_ *writer, k, r kind) error {
	if k.Name != r.Name {
		return k.refuseComputed("that is of type " + r.Name + " may not be the same as " + k.Name + ": read the row and save it")
	}
	return nil
}

// otherElements is about each element as about a column of its type, where nobody can look.
func (w *writer) otherElements(k, r kind) error {
	of, from := k.element(w), r.element(w)
	if of.Type == from.Type || of.Kind == column.Unknown || from.Kind == column.Unknown {
		return nil
	}
	lost := !of.beside(from) || w.lost(of, from) != nil
	for _, look := range cares[of.Kind].looks {
		lost = lost || look.needed(w, of, from)
	}
	if lost {
		return k.refuseComputed("that is an array of " + from.Name + " may not be the same in one of " + of.Name + ": read the row and save it")
	}
	return nil
}

// element is the kind of an array's elements. The field stays that of the array.
func (k kind) element(w *writer) kind {
	switch {
	case k.Elem != nil:
		return kind{*k.Elem, k.field}
	case k.field == nil:
		return kind{}
	}
	return kind{column.Of(w.server.Engine, k.field.IndirectType.Elem()), k.field}
}
