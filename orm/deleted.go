package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// WithDeleted is about a model with a column tagged soft_delete: its rows that are
// marked as deleted are rows of the query too (rule S60). Without it they are not, for
// any method:
//
//	orm.Objects[Audio](db).WithDeleted().Find(ctx, 7)
//
// Paths of relations name whose deleted rows are read too, wherever the query goes over
// the relation (Related, conditions, orderings, query.Any and query.CountOf); "self" is
// the query's own. Prefetch has [Related.WithDeleted]. A model without such a column is
// an error.
func (q QuerySet[T]) WithDeleted(paths ...string) QuerySet[T] {
	return QuerySet[T]{q.set.withDeleted(paths...)}
}

func (q set[P]) withDeleted(paths ...string) set[P] {
	if q.err != nil {
		return q
	}
	if len(paths) == 0 {
		paths = []string{"self"}
	}
	q.spec.Deleted, q.spec.DeletedOf = deletedToo(q.spec, paths)
	for _, path := range paths {
		if err := q.model.MarksDeleted(path); err != nil {
			q.keep(fmt.Errorf("WithDeleted: %w", err))
		}
	}
	return q
}

// OnlyDeleted is the rows that are marked as deleted (rule S60), and no others:
//
//	n, err := orm.Objects[Audio](db).OnlyDeleted().Filter(query.F("deleted_at").Lt(lastYear)).ForceDelete(ctx)
func (q QuerySet[T]) OnlyDeleted() QuerySet[T] { return QuerySet[T]{q.set.onlyDeleted()} }

func (q set[P]) onlyDeleted() set[P] {
	if q.err == nil {
		if err := q.model.MarksDeleted("self"); err != nil {
			q.keep(fmt.Errorf("OnlyDeleted: %w", err))
		}
	}
	q.spec.Deleted = ast.OnlyDeleted
	return q
}

// WithDeleted reads related rows that are marked as deleted too, or those of the
// relations that paths lead to from them, as [QuerySet.WithDeleted] does.
func (r Related) WithDeleted(paths ...string) Related {
	if len(paths) == 0 {
		paths = []string{"self"}
	}
	r.spec.Deleted, r.spec.DeletedOf = deletedToo(r.spec, paths)
	return r
}

// OnlyDeleted reads those related rows that are marked as deleted.
func (r Related) OnlyDeleted() Related {
	r.spec.Deleted = ast.OnlyDeleted
	return r
}

// deletedToo is which deleted rows a query reads that reads those of paths as well.
func deletedToo(s ast.Select, paths []string) (ast.Deleted, []string) {
	of := slices.Clip(s.DeletedOf)
	for _, path := range paths {
		if path == "self" {
			s.Deleted = ast.WithDeleted
		} else {
			of = append(of, path)
		}
	}
	return s.Deleted, of
}

// ForceDelete deletes the rows of the query from the table, also where Delete would
// mark them (rule S61), and returns how many there were. They are those that All reads: the rows that
// are marked already are among them after [QuerySet.WithDeleted] or [QuerySet.OnlyDeleted].
func (q QuerySet[T]) ForceDelete(ctx context.Context) (int64, error) {
	if err := q.set.changeable(); err != nil {
		return 0, q.set.failed(ctx, "ForceDelete", err)
	}
	n, err := q.set.forceDelete(ctx)
	return n, q.set.failed(ctx, "ForceDelete", err)
}

func (q set[P]) forceDelete(ctx context.Context) (int64, error) {
	text, err := (&render.Delete{Model: q.model, Where: q.spec.Where, Deleted: q.spec.Deleted, DeletedOf: q.spec.DeletedOf, Database: q.db}).Render()
	return q.matched(ctx, text, err)
}

// ForceDeleteRow deletes a row from the table that was read or created before, whether
// it is marked as deleted or not (rule S61). Everything else is as for [QuerySet.DeleteRow]. The
// struct stays as it is.
func (q QuerySet[T]) ForceDeleteRow(ctx context.Context, row *T) error {
	err := q.set.fresh()
	if err == nil && row == nil {
		err = errNilRow
	}
	if err == nil {
		err = q.set.forceDeleteRow(ctx, row)
	}
	return q.set.failed(ctx, "ForceDeleteRow", err)
}

// Restore takes the mark off those rows of the query that are marked as deleted, and
// returns how many there were (rule S62):
//
//	n, err := orm.Objects[Audio](db).Filter(query.F("project_id").Eq(7)).Restore(ctx)
//
// It looks at deleted rows alone, with OnlyDeleted in front of it or without. It sets
// what Update sets: updated_at, and the version. A key that a row has
// taken meanwhile is dialect.ErrUniqueViolation.
func (q QuerySet[T]) Restore(ctx context.Context) (int64, error) {
	n, err := q.set.restore(ctx)
	return n, q.set.failed(ctx, "Restore", err)
}

func (q set[P]) restore(ctx context.Context) (int64, error) {
	q = q.onlyDeleted()
	if err := q.changeable(); err != nil {
		return 0, err
	}
	text, err := q.updating(marked(q.db.reader(q.model), nil, now())).Render()
	return q.matched(ctx, text, err)
}

// RestoreRow takes the mark off a row that was read or deleted before (rule S62), by its
// primary key, and with models.Versioned only in the version that the struct has.
// Afterwards the struct holds what the database has. It returns [ErrNotFound], or
// [ErrStale], if there is no such row that is marked as deleted; either marks the block,
// as it does for Save.
func (q QuerySet[T]) RestoreRow(ctx context.Context, row *T) error {
	err := q.set.fresh()
	if err == nil && row == nil {
		err = errNilRow
	}
	if err == nil {
		err = q.set.model.MarksDeleted("self")
	}
	if err == nil {
		err = q.set.markRow(ctx, row, ast.OnlyDeleted, nil)
	}
	return q.set.failed(ctx, "RestoreRow", err)
}

// marked is what an UPDATE sets that marks rows as deleted at a time, or, if that is
// nil, restores them.
func marked(r *reader, deleted *time.Time, at time.Time) []render.Assignment {
	m := r.model
	set := render.Assignment{Field: m.Deleted, Bound: true}
	if deleted != nil {
		set = render.Assignment{Field: m.Deleted, Value: m.Deleted.ClockTime(*deleted)}
	}
	return lookedAfter(r, []render.Assignment{set}, at)
}

// living is the query over its rows that are not deleted yet: who deletes them again
// would change the time.
func (q set[P]) living() (set[P], error) {
	if q.spec.Deleted == ast.OnlyDeleted {
		return q, errors.New("the rows of OnlyDeleted are deleted already: ForceDelete deletes them from the table")
	}
	q.spec.Deleted = ast.LeaveDeleted
	return q, nil
}

func (q set[P]) markDeleted(ctx context.Context) (int64, error) {
	q, err := q.living()
	if err != nil {
		return 0, err
	}
	at := now()
	text, err := q.updating(marked(q.db.reader(q.model), &at, at)).Render()
	return q.matched(ctx, text, err)
}

func (q set[P]) markReturning(ctx context.Context) ([]P, error) {
	q, err := q.living()
	if err != nil {
		return nil, err
	}
	at := now()
	return q.setReturning(ctx, marked(q.db.reader(q.model), &at, at))
}

// markRow marks one row as deleted, or restores it if deleted is nil.
func (q set[P]) markRow(ctx context.Context, row P, among ast.Deleted, deleted *time.Time) error {
	where, err := q.asRead(row)
	if err != nil {
		return err
	}
	r, at := q.db.reader(q.model), now()
	text, err := (&render.Update{Model: q.model, Set: marked(r, deleted, at), Where: where, Deleted: among}).Render()
	if err != nil {
		return err
	}
	st := q.db.built(text)
	st.Judge = q.foundOne(ctx, row, among, nil)
	if _, err := q.db.executor.Exec(ctx, st); err != nil {
		return err
	}
	var src driver.Value
	if deleted != nil {
		src = q.model.Deleted.ClockTime(*deleted)
	}
	f := q.model.Deleted
	dst := f.Field.Value(reflect.ValueOf(row).Elem())
	if err := fieldScanner(f)(dst, src); err != nil {
		return explain(f.String(), dst.Type(), src, err)
	}
	r.changed(row, at)
	return nil
}

// holder is the row of same that has the key which was violated. One look tells it from
// a row that is deleted, which another might restore between two.
func (q set[P]) holder(ctx context.Context, same set[P], violation error) (row P, err error) {
	if q.db.executor.Encloses(ctx) {
		same = same.forUpdate() // a plain read may show an older state, without the row
	}
	f := q.model.Deleted
	if f == nil || q.spec.Deleted != ast.LeaveDeleted {
		return same.one(ctx)
	}
	found, err := same.withDeleted().orderBy(query.OrderBy(f.Name)).limit(2).all(ctx) // NULL comes first
	if err != nil {
		return row, err
	}
	living := 0
	for _, there := range found {
		if v, err := f.Value(reflect.ValueOf(there).Elem()); err == nil && v == nil {
			living++
		}
	}
	switch {
	case len(found) == 0:
		return row, ErrNotFound
	case living == 0:
		return row, fmt.Errorf("%w: Restore it, or use WithDeleted: %w", ErrDeleted, violation)
	case living > 1:
		return row, ErrMultipleRows
	}
	return found[0], nil
}

// expectLiving is the rows of an upsert that are not deleted, and so must not meet one
// that is: it would stay so, and its new values be seen by nobody. Whoever names the
// column says himself what becomes of it.
func (q set[P]) expectLiving(b *batch, k *conflict) []reflect.Value {
	f := q.model.Deleted
	if f == nil || q.spec.Deleted != ast.LeaveDeleted || !slices.Contains(b.left, f) {
		return nil
	}
	if slices.ContainsFunc(k.set, func(a render.Assignment) bool { return a.Field == f }) {
		return nil
	}
	var living []reflect.Value
	for _, row := range b.Rows {
		if v, err := f.Value(row); err == nil && v == nil {
			living = append(living, row)
		}
	}
	return living
}

// noneDeleted looks at rows as they were read back.
func (q set[P]) noneDeleted(b *batch) error {
	n := 0
	for _, row := range b.living {
		if v, err := q.model.Deleted.Value(row); err != nil || v != nil {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%d of %d rows: %w: Restore it, use WithDeleted, or name its column", n, len(b.Rows), ErrDeleted)
	}
	return nil
}
