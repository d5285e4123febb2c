package orm

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// zeroStays refuses new rows that have 0 for a column which the server counts up, where it
// would store the next number in its place (rule S20) and the row would not know. The model does
// not say that the column is counted, or it would be left to the server: so the server is asked,
// once, and only if there is a zero. A table has one such column: a model that knows it is asked
// for no other.
func (q set[P]) zeroStays(ctx context.Context, rows ...reflect.Value) error {
	if !q.db.Server().CountsZero || slices.ContainsFunc(q.model.Fields, counted) {
		return nil
	}
	suspects := q.model.Fields
	asked, known := q.db.counted.Load(q.model)
	if known {
		suspects = asked.([]*render.Field)
	}
	for _, row := range rows {
		for _, f := range suspects {
			if f.Column.Kind != column.Integer || left(f, row) {
				continue
			}
			if v, err := f.Value(row); err != nil || v != int64(0) {
				continue
			}
			if !known {
				there, err := q.askCounted(ctx)
				if err != nil || !there {
					return err
				}
				return q.zeroStays(ctx, rows...)
			}
			return &query.ValueError{Field: f.String(), Type: f.StructField.Type.String(),
				Reason: "is 0, in whose place the server would store the next number of a column that it counts up: tag the field autoincrement, or say sql_mode='NO_AUTO_VALUE_ON_ZERO' where the database is opened if a zero is meant"}
		}
	}
	return nil
}

// askCounted asks the server which columns of the model's table it counts up, if there is one.
func (q set[P]) askCounted(ctx context.Context) (there bool, err error) {
	columns, err := q.db.tableColumns(ctx, q.model)
	if err != nil || len(columns) == 0 {
		return false, err
	}
	counted := []*render.Field{}
	for _, f := range q.model.Fields {
		if slices.ContainsFunc(columns, func(c tableColumn) bool { return c.counted && strings.EqualFold(c.name, f.Name) }) {
			counted = append(counted, f)
		}
	}
	q.db.counted.Store(q.model, counted)
	return true, nil
}
