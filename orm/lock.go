package orm

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// SelectForUpdate locks the rows that the query reads, to the end of the block:
// FOR UPDATE, unless options ask for a weaker lock. Outside a block the query
// then is atomic.ErrNotInBlock when it is sent. The options are these, one
// of each line at most, and Of:
//
//	SkipLocked, NoWait, Wait(d)    at a row that somebody else has locked: leave it out, fail, wait for d
//	NoKey, Share, KeyShare         a weaker lock than FOR UPDATE
//	Of("self", "project")          only the rows of these tables
//
// Options that contradict each other are an error matching [ErrLockOptions]
// (rule L1), and so are locks in a query with Distinct, on aggregates, or on a
// related row that may be missing (rule L6): PostgreSQL refuses these, so they are
// refused everywhere. What the server cannot do is dialect.ErrUnsupported (rule L3).
//
// A second SelectForUpdate replaces the first, with all its options and clauses
// (rule L5).
//
// What is locked stays so to the end of the outermost block; PostgreSQL also
// frees it when the nested block that locked it is rolled back. A row that was
// waited for is returned as it is then. Its place in the order, and the related
// rows that are returned with it or are part of the condition, may be older on
// PostgreSQL: where it matters, lock by the row's own columns and read what it
// refers to in a second query. docs/contract.md lists such traps.
//
// On SQLite the block begins IMMEDIATE and holds the only write lock of the
// database, which is stronger than a lock on rows.
func (q QuerySet[T]) SelectForUpdate(opts ...LockOption) QuerySet[T] {
	return QuerySet[T]{q.set.forUpdate(opts...)}
}

func (q set[P]) forUpdate(opts ...LockOption) set[P] {
	q.spec.Locks = nil
	return q.lock(opts)
}

// AlsoLock adds a lock clause for other tables of the query (rule L5). Every
// clause then needs an Of, and no table may be in two:
//
//	.Related("project").SelectForUpdate(orm.SkipLocked, orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("project"))
func (q QuerySet[T]) AlsoLock(opts ...LockOption) QuerySet[T] {
	if len(q.set.spec.Locks) == 0 {
		q.set.keep(fmt.Errorf("%w: AlsoLock without SelectForUpdate", ErrLockOptions))
		return q
	}
	return QuerySet[T]{q.set.lock(opts)}
}

func (q set[P]) lock(opts []LockOption) set[P] {
	l, err := newLock(opts)
	if err != nil {
		q.keep(err)
		return q
	}
	q.spec.Locks = appended(q.spec.Locks, []*ast.Lock{l})
	if err := render.CheckLocks(q.spec.Locks); err != nil {
		q.keep(err)
	}
	return q
}

// keep notes the first error.
func (q *set[P]) keep(err error) {
	if q.err == nil {
		q.err = err
	}
}

// Lock locks a row that was loaded before, by its primary key, and refreshes
// all of its columns: what it holds afterwards cannot change until the block
// ends. It returns [ErrNotFound] if the row is gone, or marked as deleted; WithDeleted,
// SelectForUpdate and Find lock one that is. Options are those of
// SelectForUpdate; with [SkipLocked] a row that somebody else has locked is
// ErrNotFound too.
//
// On MariaDB from 11.6, a row that was loaded in the same block under REPEATABLE
// READ, its default, and has been changed since by somebody else is
// dialect.ErrSerializationFailure, which [atomic.Retry] cures; elsewhere the row
// is refreshed (rule S8).
func Lock[T any](ctx context.Context, db *DB, row *T, opts ...LockOption) error {
	q := Objects[T](db).set
	return q.failed(ctx, "Lock", q.lockRow(ctx, row, opts))
}

func (q set[P]) lockRow(ctx context.Context, row P, opts []LockOption) error {
	if q.err != nil {
		return q.err
	}
	if isNil(row) {
		return errNilRow
	}
	v := reflect.ValueOf(row).Elem()
	key, err := q.byKey(v)
	if err != nil {
		return err
	}
	q.spec.Where = key
	st, reader, err := q.forUpdate(opts...).render()
	if err != nil {
		return err
	}
	found := false
	err = q.db.executor.Query(ctx, st, func(rows driver.Rows) error {
		return reader.each(rows, func(fresh reflect.Value) bool {
			found = true
			for _, f := range q.model.Fields {
				f.Field.Value(v).Set(f.Field.Value(fresh.Elem()))
			}
			return true
		})
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return err
}

// byKey is the condition for a row's primary key.
func (q set[P]) byKey(row reflect.Value) ([]ast.Node, error) {
	if len(q.model.PKs) == 0 {
		return nil, errNoKey
	}
	conds := make([]ast.Node, len(q.model.PKs), len(q.model.PKs)+1) // and a version
	for i, f := range q.model.PKs {
		v, err := ownValue(f, row)
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, errKeyUnset
		}
		conds[i] = ast.Comparison{Left: ast.Column{Path: f.Name}, Right: v}
	}
	return conds, nil
}

// ownValue is what a row has for a column, as a condition takes it; nil for NULL. It is the
// field's own value: what is bound for a day or for a type with a Value method is a text, say,
// and beside their columns a text of somebody else's is refused (rule S10).
func ownValue(f *render.Field, row reflect.Value) (any, error) {
	bound, err := f.Value(row)
	if err != nil || bound == nil {
		return nil, err
	}
	switch f.StructField.Type.Kind() { // where the two are the same, it is not made twice
	case reflect.Int64:
		if _, same := bound.(int64); same && f.Column.Kind == column.Integer {
			return bound, nil
		}
	case reflect.String:
		if _, same := bound.(string); same && f.Column.Kind == column.Text {
			return bound, nil
		}
	}
	return f.Field.Value(row).Interface(), nil
}
