package render

import (
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// readable reports whether values of kind k are read into a field as they are.
func readable(k kind, f *Field) bool {
	a, b := k.Kind, f.Column.Kind
	if k.field != nil && k.field.IndirectType == f.IndirectType {
		return true
	}
	switch {
	case k.Part && b == column.Text: // which would have the quotes of a text too
		return false
	case a == column.Unknown || b == column.Unknown || a == b && a != column.Other:
		return true
	case a.Number():
		return b.Number() || b == column.Text && a == column.Decimal
	case b == column.Text:
		return a == column.Date || a == column.TimeOfDay || a == column.UUID || a == column.Address || a == column.JSON
	case b == column.Binary:
		return a == column.Text || a == column.JSON
	case b == column.Timestamp:
		return a == column.Date
	case b == column.UUID:
		return a == column.Text || a == column.Binary
	case b == column.JSON:
		return a == column.Array
	}
	return a == column.Other && b == a
}

// Into is f as it reads what is put out, or an error if it is of another kind than f
// can hold.
func (o Output) Into(f *Field) (*Field, error) {
	if !readable(o.Type, f) {
		return nil, &query.FieldError{Model: f.Model.Name, Name: f.Name, Reason: "is " + f.Column.Kind.String() + ", and what is put out for it is " + o.Type.Kind.String()}
	}
	if o.Type.Kind == column.Unknown {
		return f, nil
	}
	into := *f
	into.Column = o.Type.Type
	into.elem = into.element()
	return &into, nil
}
