package queries

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// value is what a column or an expression has in a row: an int64, a string, a
// float64, a bool, or nil for NULL.
type value any

// kind is which of these a value is.
type kind byte

// The kinds, as they stand in the signature of a result.
const (
	whole    kind = 'i'
	text     kind = 's'
	floating kind = 'f'
	truth    kind = 'b'
)

// compare orders values of one kind, NULL first.
func compare(a, b value) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	switch x := a.(type) {
	case int64:
		return cmp.Compare(x, b.(int64))
	case string:
		return strings.Compare(x, b.(string))
	case float64:
		if y := b.(float64); math.Abs(x-y) > 1e-9*max(1, math.Abs(x)) {
			return cmp.Compare(x, y)
		}
		return 0
	case bool:
		switch y := b.(bool); {
		case x == y:
			return 0
		case x:
			return 1
		}
		return -1
	}
	panic(fmt.Sprintf("a value of type %T", a))
}

// equal is "=" of SQL, which holds for no NULL.
func equal(a, b value) bool { return a != nil && b != nil && compare(a, b) == 0 }

// known is f of values of which none is NULL, and NULL otherwise.
func known(f func(list []value) value, list ...value) value {
	if slices.Contains(list, nil) {
		return nil
	}
	return f(list)
}

// spelled is values as a text, equal for equal ones and for no others.
func spelled(list []value) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		switch v := v.(type) {
		case nil:
			b.WriteString("NULL")
		case float64:
			fmt.Fprintf(&b, "%.6f", v+0) // no -0
		default:
			fmt.Fprintf(&b, "%#v", v)
		}
	}
	return b.String()
}

// criterion is one of an ordering.
type criterion struct {
	desc  bool
	nulls int // 0: before every other value, in descending order behind; -1: first, 1: last
}

func (c criterion) compare(a, b value) int {
	if c.nulls != 0 && (a == nil) != (b == nil) {
		if a == nil {
			return c.nulls
		}
		return -c.nulls
	}
	if c.desc {
		return compare(b, a)
	}
	return compare(a, b)
}

// compareBy orders by several criteria.
func compareBy(list []criterion, a, b []value) int {
	for i, c := range list {
		if n := c.compare(a[i], b[i]); n != 0 {
			return n
		}
	}
	return 0
}

// aggregated is an aggregate function over the values of some rows, of which those
// that are NULL do not count.
func aggregated(f string, list []value) value {
	list = slices.DeleteFunc(slices.Clone(list), func(v value) bool { return v == nil })
	if f == "Count" {
		return int64(len(list))
	}
	if len(list) == 0 {
		return nil
	}
	switch f {
	case "Min":
		return slices.MinFunc(list, compare)
	case "Max":
		return slices.MaxFunc(list, compare)
	}
	sum, n := 0.0, int64(0)
	for _, v := range list {
		switch v := v.(type) {
		case int64:
			n += v
		case float64:
			sum += v
		}
	}
	_, isWhole := list[0].(int64)
	switch {
	case f == "Sum" && isWhole:
		return n
	case f == "Sum":
		return sum
	case isWhole:
		sum = float64(n)
	}
	return sum / float64(len(list))
}

// distinct keeps one of several equal values.
func distinct(list []value) []value {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(list), func(v value) bool {
		s := spelled([]value{v})
		again := seen[s]
		seen[s] = true
		return again
	})
}
