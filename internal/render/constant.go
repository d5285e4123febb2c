package render

import (
	"reflect"
	"strings"

	"github.com/holdfast-go/holdfast/internal/column"
)

// ofItself is a Go value beside which no column stands: what is bound for it, and of what
// kind it is, which its Go type tells. Beside texts it is what it says.
func (w *writer) ofItself(v any) (kind, any) {
	bound, err := Bind(v)
	if err != nil {
		w.fail(err)
	}
	if bound == nil || err != nil {
		return kind{}, nil
	}
	t := base(reflect.TypeOf(v))
	if composite(t) {
		return of(column.JSON), bound
	}
	s, isText := bound.(string)
	if !isText || w.textual || t.Kind() == reflect.String && !speaks(t) {
		return kindOf(bound), bound
	}
	k := kind{Type: column.Of(w.server.Engine, t)}
	switch {
	case k.Kind == column.Decimal, column.Decimals(t):
		if n, ok := read(s); ok {
			return decimalOf(n), bound
		}
	case k.Kind.Time(), k.Kind == column.UUID:
		if own, err := k.conform(bound, t); err == nil {
			return k, own
		}
	}
	return kindOf(bound), bound
}

// kindOf is what a value for the driver is.
func kindOf(bound any) kind {
	switch bound.(type) {
	case int64, uint64:
		return wholeNumber
	case float64:
		return floatingNumber
	case bool:
		return of(column.Boolean)
	case []byte:
		return of(column.Binary)
	case string:
		return of(column.Text)
	}
	return instant
}

// decimalOf has room for as many digits as the numbers have, before the point and behind
// it.
func decimalOf(list ...numeral) kind {
	whole, scale := 0, 0
	for _, n := range list {
		before, behind := n.digits()
		whole, scale = max(whole, before), max(scale, behind)
	}
	return kind{Type: column.Type{Kind: column.Decimal, Precision: max(1, whole+scale), Scale: scale}}
}

// commonOf is the kind of values that stand for each other by themselves: that of the
// first, and of numbers a decimal number where one of them is.
func (w *writer) commonOf(values []any) kind {
	var k kind
	var numbers []numeral
	exact := false
	for _, v := range values {
		r, bound := w.ofItself(v)
		if k.Kind == column.Unknown {
			k = r
		}
		if n, ok := read(bound); ok && r.Kind.Number() {
			numbers, exact = append(numbers, n), exact || r.Kind == column.Decimal
		}
	}
	if exact && k.Kind.Number() {
		return decimalOf(numbers...)
	}
	return k
}

// besideTexts has what is written count as what it says, where its own type would tell
// more, if k is a text: a UUID may be kept in a column of texts.
func (w *writer) besideTexts(k kind) (restore func()) {
	was := w.textual
	w.textual = k.Kind == column.Text
	return func() { w.textual = was }
}

// secondsOf is how many digits of a second a time of day has that is written as a text.
func secondsOf(bound any) int {
	s, _ := bound.(string)
	_, fraction, _ := strings.Cut(s, ".")
	return min(len(fraction), 6)
}
