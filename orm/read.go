package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// All returns the rows. Without any it returns an empty slice.
func (q QuerySet[T]) All(ctx context.Context) ([]*T, error) {
	list, err := q.set.all(ctx)
	return list, q.set.failed(ctx, "All", err)
}

func (q set[P]) all(ctx context.Context) ([]P, error) {
	st, reader, err := q.render()
	if err != nil {
		return nil, err
	}
	list := []P{}
	err = q.db.executor.Query(ctx, st, func(rows driver.Rows) error {
		list = list[:0]
		return reader.each(rows, func(row reflect.Value) bool {
			list = append(list, row.Interface().(P))
			return true
		})
	})
	if err != nil {
		return nil, err
	}
	if q.backward {
		slices.Reverse(list)
	}
	if len(q.prefetch) > 0 && len(list) > 0 {
		rows := make([]reflect.Value, len(list))
		for i, row := range list {
			rows[i] = reflect.ValueOf(row).Elem()
		}
		if err := q.db.fetch(ctx, rows, planned(q.prefetch), q.replica); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Get returns the one row of the query. It returns [ErrNotFound] if there is
// none and [ErrMultipleRows] if there are several. With SelectForUpdate the row
// is locked.
func (q QuerySet[T]) Get(ctx context.Context) (*T, error) {
	row, err := q.set.one(ctx)
	return row, q.set.failed(ctx, "Get", err)
}

func (q set[P]) one(ctx context.Context) (row P, err error) {
	if q.spec.Limit == nil || *q.spec.Limit > 2 {
		q = q.limit(2)
	}
	list, err := q.all(ctx)
	switch {
	case err != nil:
		return row, err
	case len(list) == 0:
		return row, ErrNotFound
	case len(list) > 1:
		return row, ErrMultipleRows
	}
	return list[0], nil
}

// First returns the first row, by the primary key if the query has no ordering
// of its own, or [ErrNotFound].
func (q QuerySet[T]) First(ctx context.Context) (*T, error) {
	row, err := q.set.first(ctx)
	return row, q.set.failed(ctx, "First", err)
}

func (q set[P]) first(ctx context.Context) (row P, err error) {
	if len(q.spec.Order) == 0 && q.model != nil {
		for _, f := range q.model.PKs {
			q.spec.Order = append(q.spec.Order, query.F(f.Name).Asc().Node())
		}
	}
	if q.spec.Limit == nil || *q.spec.Limit > 1 {
		q = q.limit(1)
	}
	list, err := q.all(ctx)
	switch {
	case err != nil:
		return row, err
	case len(list) == 0:
		return row, ErrNotFound
	}
	return list[0], nil
}

// Count returns the number of rows. Limit and Offset count.
func (q QuerySet[T]) Count(ctx context.Context) (int64, error) {
	n, err := q.set.count(ctx)
	return n, q.set.failed(ctx, "Count", err)
}

func (q set[P]) count(ctx context.Context) (n int64, err error) {
	if q.err != nil {
		return 0, q.err
	}
	text, err := q.model.Count(&q.spec)
	if err != nil {
		return 0, err
	}
	err = q.scalar(ctx, text, &n)
	return n, err
}

// Exists reports whether there is any row.
func (q QuerySet[T]) Exists(ctx context.Context) (bool, error) {
	found, err := q.set.exists(ctx)
	return found, q.set.failed(ctx, "Exists", err)
}

func (q set[P]) exists(ctx context.Context) (bool, error) {
	if q.err == nil && q.replica && len(q.spec.Locks) > 0 {
		q.err = errLockOnReplica
	}
	if q.err != nil {
		return false, q.err
	}
	text, err := q.model.Exists(&q.spec)
	if err != nil {
		return false, err
	}
	found := false
	err = q.db.executor.Query(ctx, q.statement(text), func(rows driver.Rows) (err error) {
		found, err = next(rows, make([]driver.Value, len(rows.Columns())))
		return err
	})
	return found, err
}

// Aggregate computes an aggregate over the rows of q; a plain column, which has a
// value for each row, is refused:
//
//	longest, err := orm.Aggregate[*int64](ctx, q, query.Max(query.F("length")))
//
// Over no rows at all, everything but Count is NULL: a V that cannot hold it is
// a *ScanError. Use a pointer, or query.Coalesce.
func Aggregate[V, T any](ctx context.Context, q QuerySet[T], e query.Operand) (V, error) {
	var v V
	err := q.set.aggregate(ctx, e, &v)
	return v, q.set.failed(ctx, "Aggregate", err)
}

func (q set[P]) aggregate(ctx context.Context, e query.Operand, dst any) error {
	if q.err != nil {
		return q.err
	}
	var of ast.Node
	if e != nil {
		of = e.Node()
	}
	text, err := q.model.Aggregate(&q.spec, of)
	if err != nil {
		return err
	}
	return q.scalar(ctx, text, dst)
}

// scalar reads one row with one column.
func (q set[P]) scalar(ctx context.Context, text render.Text, dst any) error {
	return q.db.executor.Query(ctx, q.statement(text), func(rows driver.Rows) error {
		values := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(values); err != nil {
			return fmt.Errorf("the server returned no row: %w", err)
		}
		return assign("the result", dst, textAgain(q.db.Server().Engine, dst, values[0]))
	})
}

// Iterate yields the rows one by one, as the server sends them, for results
// that are too large for memory:
//
//	for row, err := range orm.Objects[Audio](db).Iterate(ctx) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// An error ends the loop. While the loop runs its connection is busy: inside a
// block, a statement of the same block in the loop is atomic.ErrRowsOpen (rule
// B10); a loop that is left early waits there for the rest of the rows, however long
// the server takes for them: put a Limit on the query, or let Timeout or ctx end the block. Outside a block it waits a
// tenth of a second, and then gives the statement up with its connection; while it
// runs the pool has a connection less, and on SQLite's ":memory:" a write in it
// waits for the reader, in vain. To change rows while going over
// them, read them with All in pieces.
func (q QuerySet[T]) Iterate(ctx context.Context) iter.Seq2[*T, error] {
	return q.set.iterate(ctx)
}

func (q set[P]) iterate(ctx context.Context) iter.Seq2[P, error] {
	var none P
	return func(yield func(P, error) bool) {
		if q.backward {
			q.keep(errBackward)
		}
		if len(q.prefetch) > 0 {
			q.keep(errors.New("Iterate has one row at a time, and Prefetch reads for all of them: use All, in pieces"))
		}
		st, reader, err := q.render()
		if err != nil {
			yield(none, q.failed(ctx, "Iterate", err))
			return
		}
		rows, err := q.db.executor.Stream(ctx, st)
		if err != nil {
			yield(none, q.failed(ctx, "Iterate", err))
			return
		}
		defer func() { _ = rows.Close() }() // also when the body of the loop panics
		stopped := false
		err = reader.each(rows, func(row reflect.Value) bool {
			stopped = !yield(row.Interface().(P), nil)
			return !stopped
		})
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
		if err != nil && !stopped {
			yield(none, q.failed(ctx, "Iterate", err))
		}
	}
}
