package orm

import (
	"bytes"
	"cmp"
	"database/sql/driver"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// criterion is a column by which rows are sorted here, and not by the server.
type criterion struct {
	field     *render.Field
	at        int // among the fields of the model
	desc      bool
	nullsLast bool
}

// sorted is the order of the query, and whether rows that a statement returns in
// any order can be brought into it: by columns of the model whose order is the same
// everywhere, and which the statement does not assign. One that the server computes may
// be computed from what is assigned.
func (q set[P]) sorted(assigned []render.Assignment) ([]criterion, bool) {
	order := make([]criterion, len(q.spec.Order))
	for i, o := range q.spec.Order {
		f, err := q.model.Own(o.By)
		if err != nil || slices.ContainsFunc(assigned, func(a render.Assignment) bool { return a.Field == f || f.ScanOnly }) {
			return nil, false
		}
		switch f.Column.Kind {
		case column.Integer, column.Timestamp, column.Date, column.Boolean, column.Float:
		default:
			return nil, false
		}
		order[i] = criterion{field: f, at: slices.Index(q.model.Fields, f), desc: o.Desc, nullsLast: o.NullsLast()}
	}
	return order, true
}

// keyOf is where a row that was read stands in an order. Whether a column is NULL is told
// by what the server has sent: a struct may have a zero for both.
func keyOf(order []criterion, row reflect.Value, values []driver.Value) ([]any, error) {
	key := make([]any, len(order))
	for i, c := range order {
		if values[c.at] == nil {
			continue
		}
		v, err := c.field.Held(row)
		if err != nil {
			return nil, explain(c.field.String(), c.field.StructField.Type, values[c.at], err)
		}
		key[i] = v
	}
	return key, nil
}

// sortBy sorts rows by their keys as the server would.
func sortBy[P any](rows []P, keys [][]any, order []criterion) []P {
	if len(order) == 0 || len(rows) < 2 {
		return rows
	}
	type placed struct {
		row P
		key []any
	}
	list := make([]placed, len(rows))
	for i, row := range rows {
		list[i] = placed{row, keys[i]}
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		for i, c := range order {
			if n := c.compare(a.key[i], b.key[i]); n != 0 {
				return n
			}
		}
		return 0
	})
	for i, p := range list {
		rows[i] = p.row
	}
	return rows
}

// compare compares two values of the column, NULL where it is told to stand (rule S57).
func (c criterion) compare(a, b any) int {
	n := compareBound(a, b)
	turned := c.desc
	if a == nil || b == nil {
		turned = c.nullsLast
	}
	if turned {
		return -n
	}
	return n
}

// compareBound compares two values of one column as they are bound: NULL first, and NaN,
// which PostgreSQL has, last.
func compareBound(a, b any) int {
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
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y)
		}
		return -1 // beside a uint64, which is larger
	case uint64:
		if y, ok := b.(uint64); ok {
			return cmp.Compare(x, y)
		}
		return 1
	case float64:
		if y, ok := b.(float64); ok {
			if math.IsNaN(x) || math.IsNaN(y) {
				return -cmp.Compare(x, y) // for which it comes first
			}
			return cmp.Compare(x, y)
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y)
		}
	case bool:
		if y, ok := b.(bool); ok && x != y {
			if y {
				return -1
			}
			return 1
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y)
		}
	}
	return strings.Compare(fmt.Sprintf("%T %v", a, a), fmt.Sprintf("%T %v", b, b))
}

// identity is a text that tells the values of some columns of a row from those of
// another.
func identity(fields []*render.Field, row reflect.Value) (id string, null bool, err error) {
	b, null, err := appendIdentity(nil, fields, row)
	return string(b), null, err
}

// appendIdentity is identity for whoever needs it for a moment alone.
func appendIdentity(id []byte, fields []*render.Field, row reflect.Value) (_ []byte, null bool, err error) {
	for _, f := range fields {
		v, err := f.Value(row)
		if err != nil {
			return nil, false, err
		}
		null = null || v == nil
		var short [32]byte
		text := short[:0]
		switch v := v.(type) {
		case int64:
			text = strconv.AppendInt(text, v, 10)
		case time.Time:
			text = strconv.AppendInt(text, v.UnixMicro(), 10)
		case string:
			text = append(text, v...)
		case []byte:
			text = v
		default:
			text = fmt.Append(text, v)
		}
		id = strconv.AppendInt(id, int64(len(text)), 10)
		id = append(append(id, ':'), text...)
	}
	return id, null, nil
}

// inOrderOf brings rows into the order in which their keys were read.
func inOrderOf[P any](q set[P], rows, keys []P) ([]P, error) {
	at := make(map[string]P, len(rows))
	for _, row := range rows {
		id, _, err := identity(q.model.PKs, reflect.ValueOf(row).Elem())
		if err != nil {
			return nil, err
		}
		at[id] = row
	}
	list := make([]P, 0, len(rows))
	for _, key := range keys {
		id, _, err := identity(q.model.PKs, reflect.ValueOf(key).Elem())
		if err != nil {
			return nil, err
		}
		if row := at[id]; !isNil(row) {
			list = append(list, row)
		}
	}
	return list, nil
}

// scanEach reads some columns of every row into a new struct.
func (q set[P]) scanEach(rows driver.Rows, fields []*render.Field, yield func(row reflect.Value)) error {
	fresh := func() reflect.Value { return reflect.New(q.model.Type).Elem() }
	return q.scanInto(rows, fields, fresh, yield)
}

// scanInto reads some columns of every row into the struct that into returns for it.
func (q set[P]) scanInto(rows driver.Rows, fields []*render.Field, into func() reflect.Value, yield func(row reflect.Value)) error {
	values, reader := make([]driver.Value, len(fields)), q.db.reader(q.model)
	for {
		if more, err := next(rows, values); !more {
			return err
		}
		row := into()
		for i, f := range fields {
			if err := reader.scanField(f, row, values[i]); err != nil {
				return err
			}
		}
		yield(row)
	}
}
