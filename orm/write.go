package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// Save writes the columns of a row that was read or created before, by its
// primary key: all of them except those tagged skipupdate and the time of creation, or only the named
// ones; those tagged scanonly are neither written nor read again. With models.Timestamps, updated_at becomes the present; with
// models.Versioned the row is written only if nobody else has changed it since
// it was read.
//
// It returns [ErrNotFound] if the row is not in the database, [ErrStale] if
// the version has moved on, and a *[NotKeptError] if a trigger has kept the row from being
// written. Each marks the block (rule B6), so that a program
// which forgets the error does not commit the rest of its work: to go on, save in
// a nested block. Retry does not repeat a block for it.
func (q QuerySet[T]) Save(ctx context.Context, row *T, fields ...string) error {
	return q.set.failed(ctx, "Save", q.set.save(ctx, row, fields))
}

func (q set[P]) save(ctx context.Context, row P, names []string) error {
	if err := q.fresh(); err != nil {
		return err
	}
	if isNil(row) {
		return errNilRow
	}
	r := q.db.reader(q.model)
	fields, err := r.saved(names)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(row).Elem()
	where, err := q.byKey(v)
	if err != nil {
		return err
	}
	set := make([]render.Assignment, 0, len(fields)+2)
	at := time.Time{}
	if r.updated != nil {
		at = now()
		set = append(set, render.Assignment{Field: r.updated, Value: r.updated.ClockTime(at)})
	}
	if r.version != nil {
		set = append(set, render.Assignment{Field: r.version, Value: *any(row).(versioned).VersionField() + 1})
		where = append(where, atVersion(r.version, row))
	}
	for _, f := range fields {
		if f == r.updated || f == r.version {
			continue
		}
		value, err := f.Value(v)
		if err != nil {
			return err
		}
		set = append(set, render.Assignment{Field: f, Value: value, Bound: true})
	}
	update := render.Update{Model: q.model, Set: set, Where: where, Deleted: q.spec.Deleted}
	text, err := update.Render()
	if err != nil {
		return err
	}
	st := q.db.built(text)
	res, err := q.db.executor.Exec(ctx, st)
	if err != nil {
		return err
	}
	matched, err := res.RowsAffected()
	if err == nil && matched == 0 { // not by Judge: a function that holds all this is an allocation for each Save
		err = q.missed(ctx, row, q.spec.Deleted, set)
	}
	if err != nil {
		return q.db.executor.Failed(ctx, st, err)
	}
	r.changed(row, at)
	return nil
}

// saved is the columns that Save writes.
func (r *reader) saved(names []string) ([]*render.Field, error) {
	if len(names) == 0 {
		return r.own, nil
	}
	fields := make([]*render.Field, 0, len(names))
	for _, name := range names {
		f, err := r.model.Field(name)
		if err != nil {
			return nil, err
		}
		if f.ScanOnly {
			return nil, f.NotWritten()
		}
		if f.IsPK {
			return nil, &query.FieldError{Model: r.model.Name, Name: name, Reason: "is the primary key, by which the row is found"}
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// Update changes all rows of the query, without Filter those of the whole table,
// in one statement and returns how many
// matched, on every engine also those that had the values already (rule S7):
//
//	n, err := orm.Objects[Audio](db).Filter(query.F("project_id").Eq(7)).
//		Update(ctx, query.Set("speed", query.F("speed").Mul(2)))
//
// With models.Timestamps it sets updated_at too, with models.Versioned it counts
// the version up, unless they are assigned. A query with Limit, Offset, Distinct,
// GroupBy, Having, Join, Annotate, Prefetch or SelectForUpdate cannot be updated.
func (q QuerySet[T]) Update(ctx context.Context, set ...query.Assignment) (int64, error) {
	n, err := q.set.update(ctx, set)
	return n, q.set.failed(ctx, "Update", err)
}

func (q set[P]) update(ctx context.Context, set []query.Assignment) (int64, error) {
	if err := q.changeable(); err != nil {
		return 0, err
	}
	assignments, err := q.assignments("Update", set)
	if err != nil {
		return 0, err
	}
	text, err := q.updating(assignments).Render()
	return q.matched(ctx, text, err)
}

// updating is an UPDATE of the rows of the query.
func (q set[P]) updating(set []render.Assignment) *render.Update {
	return &render.Update{Model: q.model, Set: set, Where: q.spec.Where, Deleted: q.spec.Deleted, DeletedOf: q.spec.DeletedOf, Database: q.db}
}

// assignments is what an update of several rows sets: what the caller has asked
// for, and what the library looks after.
func (q set[P]) assignments(operation string, set []query.Assignment) ([]render.Assignment, error) {
	if len(set) == 0 {
		return nil, errors.New(operation + " without an assignment")
	}
	list := make([]render.Assignment, 0, len(set)+2)
	for _, a := range set {
		assignment, err := q.model.Assignment(a.Node())
		if err != nil {
			return nil, err
		}
		list = append(list, assignment)
	}
	return lookedAfter(q.db.reader(q.model), list, now()), nil
}

// lookedAfter adds to what is set what the library looks after: the time of the change,
// and the version.
func lookedAfter(r *reader, list []render.Assignment, at time.Time) []render.Assignment {
	assigned := map[*render.Field]bool{}
	for _, a := range list {
		assigned[a.Field] = true
	}
	if f := r.updated; f != nil && !assigned[f] {
		list = append(list, render.Assignment{Field: f, Value: f.ClockTime(at)})
	}
	if f := r.version; f != nil && !assigned[f] {
		list = append(list, render.Assignment{Field: f, Value: query.F(f.Name).Add(1).Node()})
	}
	return list
}

// matched sends a statement that was rendered, and returns how many rows matched.
func (q set[P]) matched(ctx context.Context, text render.Text, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	var n int64
	st := q.db.built(text)
	st.Judge = func(res driver.Result) (err error) {
		n, err = res.RowsAffected()
		return err
	}
	_, err = q.db.executor.Exec(ctx, st)
	return n, err
}

// Delete deletes all rows of the query, without Filter those of the whole table,
// in one statement and returns how many there were. Rows that refer to them are
// the database's business (ON DELETE). Rows of a model with a column tagged
// soft_delete are marked as deleted instead (rule S61): see [QuerySet.ForceDelete]. A query
// that cannot be updated cannot be deleted.
func (q QuerySet[T]) Delete(ctx context.Context) (int64, error) {
	n, err := q.set.delete(ctx)
	return n, q.set.failed(ctx, "Delete", err)
}

func (q set[P]) delete(ctx context.Context) (int64, error) {
	if err := q.changeable(); err != nil {
		return 0, err
	}
	if q.model.Deleted != nil {
		return q.markDeleted(ctx)
	}
	return q.forceDelete(ctx)
}

// changeable refuses what an UPDATE or a DELETE would have to ignore.
func (q set[P]) changeable() error {
	switch s := q.spec; {
	case q.err != nil:
		return q.err
	case q.replica:
		return errOnReplica
	case s.Limit != nil || s.Offset != 0:
		return errors.New("a query with Limit or Offset cannot be changed in one statement: use UpdateReturning or DeleteReturning, or filter by the keys of the rows")
	case len(s.Locks) > 0:
		return fmt.Errorf("%w: UPDATE and DELETE lock the rows that they change: leave SelectForUpdate out", ErrLockOptions)
	}
	return q.ofItsRows()
}

// reshaped reports whether the query puts out other rows than those of its table that
// its conditions choose.
func (q set[P]) reshaped() bool {
	s := q.spec
	return s.Distinct || len(s.Group) > 0 || len(s.Having) > 0 || len(s.Joins) > 0
}

// ofItsRows refuses to change what a query makes of its rows: a statement that writes
// goes by the conditions alone, and would change rows that the rest leaves out.
func (q set[P]) ofItsRows() error {
	switch {
	case q.reshaped():
		return errors.New("a query with Distinct, GroupBy, Having or Join cannot be changed: filter by a sub-select")
	case len(q.prefetch) > 0:
		return errors.New("a query with Prefetch cannot be changed: Prefetch is about rows that are read")
	case len(q.spec.Computed) > 0:
		return errors.New("a query with Annotate cannot be changed: filter by the expression itself")
	}
	return nil
}
