package orm

import (
	"context"
	"errors"
	"reflect"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/query"
)

// GetOrCreate reads the row in which the fields named by have the values that
// they have in row, or creates row if there is none. Afterwards row is what the
// database has. The fields should be a unique key: if somebody else creates the
// row at the same moment, that is noticed by the key, and theirs is read.
//
//	project := &Project{Name: "Radio"}
//	created, err := orm.Objects[Project](db).GetOrCreate(ctx, project, "name")
//
// In a block whose snapshot is older than their row, MariaDB (from 11.6) and
// PostgreSQL under REPEATABLE READ say dialect.ErrSerializationFailure: such a
// block needs atomic.Retry.
func (q QuerySet[T]) GetOrCreate(ctx context.Context, row *T, by ...string) (created bool, err error) {
	created, err = q.getOrCreate(ctx, row, by)
	return created, q.failed(ctx, "GetOrCreate", err)
}

func (q QuerySet[T]) getOrCreate(ctx context.Context, row *T, by []string) (bool, error) {
	same, err := q.sameAs(row, by)
	if err != nil {
		return false, err
	}
	found, err := same.one(ctx)
	if err == nil {
		*row = *found
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	err = q.createApart(ctx, row)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, dialect.ErrUniqueViolation) {
		return false, err
	}
	if atomic.In(ctx, q.db) {
		same = same.SelectForUpdate() // a plain read may show an older state, without the row
	}
	found, again := same.one(ctx)
	switch {
	case errors.Is(again, ErrNotFound):
		return false, err // another key was violated
	case again != nil:
		return false, again
	}
	*row = *found
	return false, nil
}

// UpdateOrCreate writes row over the one in which the fields named by have the
// same values, or creates it if there is none. The primary key, the columns
// tagged skipupdate and the version are those of the row that is there. It is a
// block of its own (rule S9). The fields should be a unique key.
func (q QuerySet[T]) UpdateOrCreate(ctx context.Context, row *T, by ...string) (created bool, err error) {
	created, err = q.updateOrCreate(ctx, row, by)
	return created, q.failed(ctx, "UpdateOrCreate", err)
}

func (q QuerySet[T]) updateOrCreate(ctx context.Context, row *T, by []string) (bool, error) {
	same, err := q.sameAs(row, by)
	if err != nil {
		return false, err
	}
	// Looked for without a lock: MySQL would lock the gap where the row is
	// missing, and two that do so wait for each other. And before the block: a
	// plain read would give it a snapshot, which the row may then be newer than.
	_, err = same.one(ctx)
	there := err == nil
	if !there && !errors.Is(err, ErrNotFound) && !errors.Is(err, atomic.ErrNoSession) {
		return false, err
	}
	return atomic.Value(ctx, q.db, func(ctx context.Context) (created bool, err error) {
		if there {
			if err := q.overwrite(ctx, same, row); !errors.Is(err, ErrNotFound) {
				return false, err
			}
		}
		err = q.createApart(ctx, row)
		if !errors.Is(err, dialect.ErrUniqueViolation) {
			return err == nil, err
		}
		if again := q.overwrite(ctx, same, row); !errors.Is(again, ErrNotFound) {
			return false, again
		}
		return false, err // another key was violated
	})
}

// sameAs selects the rows that have the values of row in the named fields.
func (q QuerySet[T]) sameAs(row *T, by []string) (QuerySet[T], error) {
	if err := q.fresh(); err != nil {
		return q, err
	}
	if row == nil {
		return q, errNilRow
	}
	if len(by) == 0 {
		return q, errors.New("name the fields by which the row is found")
	}
	for _, name := range by {
		f, err := q.model.Field(name)
		if err != nil {
			return q, err
		}
		v := reflect.ValueOf(row).Elem()
		bound, err := f.Value(v)
		if err != nil {
			return q, err
		}
		same := query.F(f.Name).IsNull()
		if bound != nil { // the field's own value: as JSON it is compared otherwise than the text that is bound
			same = query.F(f.Name).Eq(f.Field.Value(v).Interface())
		}
		q = q.Filter(same)
	}
	return q, nil
}

// createApart creates row so that a violated key does not end the block around
// it.
func (q QuerySet[T]) createApart(ctx context.Context, row *T) error {
	if !atomic.In(ctx, q.db) {
		return q.create(ctx, row)
	}
	return atomic.Do(ctx, q.db, func(ctx context.Context) error { return q.create(ctx, row) })
}

// overwrite locks the one row of same and writes row over it.
func (q QuerySet[T]) overwrite(ctx context.Context, same QuerySet[T], row *T) error {
	there, err := same.SelectForUpdate().one(ctx)
	if err != nil {
		return err
	}
	from, to := reflect.ValueOf(there).Elem(), reflect.ValueOf(row).Elem()
	version := versionField(q.model)
	for _, f := range q.model.Fields {
		if f.IsPK || f.SkipUpdate() || f == version {
			f.Field.Value(to).Set(f.Field.Value(from))
		}
	}
	return q.save(ctx, row, nil)
}
