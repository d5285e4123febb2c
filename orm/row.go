package orm

import (
	"context"
	"database/sql/driver"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// Refresh reads all columns of a row again, by its primary key. It returns
// [ErrNotFound] if the row is gone, or marked as deleted and the query is not
// [QuerySet.WithDeleted], and leaves the struct as it is then. Related
// rows are read again if the query names them (Related, Prefetch); others stay in the struct
// as they are. To keep the row as it was read, use [Lock].
func (q QuerySet[T]) Refresh(ctx context.Context, row *T) error {
	return q.set.failed(ctx, "Refresh", q.set.refresh(ctx, row))
}

func (q set[P]) refresh(ctx context.Context, row P) error {
	if err := q.fresh(); err != nil {
		return err
	}
	if isNil(row) {
		return errNilRow
	}
	v := reflect.ValueOf(row).Elem()
	key, err := q.byKey(v)
	if err != nil {
		return err
	}
	q.spec.Where, q.spec.Order = key, nil
	st, reader, err := q.render()
	if err != nil {
		return err
	}
	found := false
	var fresh reflect.Value
	err = q.db.executor.Query(ctx, st, func(rows driver.Rows) error {
		found = false
		return reader.each(rows, func(row reflect.Value) bool {
			found, fresh = true, row.Elem()
			return true
		})
	})
	switch {
	case err != nil:
		return err
	case !found:
		return ErrNotFound
	}
	lists := planned(q.prefetch)
	if err := q.db.fetch(ctx, []reflect.Value{fresh}, lists, q.replica); err != nil {
		return err
	}
	for _, f := range q.model.Fields {
		f.Field.Value(v).Set(f.Field.Value(fresh))
	}
	for _, f := range lists {
		if f.Path == "" { // others are in related rows
			fieldAt(v, f.Many.Field).Set(fieldAt(fresh, f.Many.Field))
		}
	}
	for _, j := range reader.joins {
		if j.parent < 0 {
			fieldAt(v, j.Field).Set(fieldAt(fresh, j.Field))
		}
	}
	return nil
}

// DeleteRow deletes a row that was read or created before, by its primary key,
// and with models.Versioned only if nobody else has changed it since it was read.
// It returns [ErrNotFound] if the row is not in the database, and [ErrStale] if
// the version has moved on or the versioned row is gone; either marks the block,
// as it does for Save. A row that a trigger has kept is a *[NotKeptError]. The struct stays as it is.
//
// A row whose model has a column tagged soft_delete is marked as deleted instead (rule
// S61), and then the struct holds what the database has: the time, updated_at and the
// version. One that is marked already is not in the database; [QuerySet.ForceDeleteRow]
// deletes it.
func (q QuerySet[T]) DeleteRow(ctx context.Context, row *T) error {
	return q.set.failed(ctx, "DeleteRow", q.set.deleteRow(ctx, row))
}

func (q set[P]) deleteRow(ctx context.Context, row P) error {
	if err := q.fresh(); err != nil {
		return err
	}
	if isNil(row) {
		return errNilRow
	}
	if q.model.Deleted != nil {
		at := now()
		return q.markRow(ctx, row, ast.LeaveDeleted, &at)
	}
	return q.forceDeleteRow(ctx, row)
}

func (q set[P]) forceDeleteRow(ctx context.Context, row P) error {
	where, err := q.asRead(row)
	if err != nil {
		return err
	}
	text, err := (&render.Delete{Model: q.model, Where: where, Deleted: ast.WithDeleted}).Render()
	if err != nil {
		return err
	}
	st := q.db.built(text)
	st.Judge = q.foundOne(ctx, row, ast.WithDeleted, nil)
	_, err = q.db.executor.Exec(ctx, st)
	return err
}

// asRead is the condition that a row is the one that was read, in its version.
func (q set[P]) asRead(row P) (where []ast.Node, err error) {
	where, err = q.byKey(reflect.ValueOf(row).Elem())
	if err != nil {
		return nil, err
	}
	if version := q.db.reader(q.model).version; version != nil {
		where = append(where, atVersion(version, row))
	}
	return where, nil
}

// atVersion is the condition that the row still has the version that was read.
func atVersion(f *render.Field, row any) ast.Node {
	return query.F(f.Name).Eq(*row.(versioned).VersionField()).Condition()
}
