package orm

import (
	"context"
	"errors"
	"reflect"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// GetOrCreate reads the row in which the fields listed in by have the values that
// they have in row, or creates row if there is none. Afterwards row is what the
// database has. A field that the row leaves to the server is a *query.FieldError: nobody
// knows its value yet. The fields should be a unique key: if somebody else creates the
// row at the same moment, that is noticed by the key, and theirs is read.
//
//	project := &Project{Name: "Radio"}
//	created, err := orm.Objects[Project](db).GetOrCreate(ctx, project, "name")
//
// In a block whose snapshot is older than their row, MariaDB (from 11.6) and
// PostgreSQL under REPEATABLE READ and SERIALIZABLE say
// dialect.ErrSerializationFailure: such a block needs atomic.Retry. Outside a
// block GetOrCreate runs again by itself after a deadlock, a few times.
//
// A row that is marked as deleted (the tag soft_delete) and holds the key is
// [ErrDeleted], and dialect.ErrUniqueViolation; after WithDeleted it is read like any
// other (rule S63).
func (q QuerySet[T]) GetOrCreate(ctx context.Context, row *T, by ...string) (created bool, err error) {
	created, err = q.set.getOrCreate(ctx, row, by)
	return created, q.set.failed(ctx, "GetOrCreate", err)
}

func (q set[P]) getOrCreate(ctx context.Context, row P, by []string) (bool, error) {
	same, err := q.sameAs(row, by)
	if err != nil {
		return false, err
	}
	found, err := same.one(ctx)
	if err == nil {
		put(row, found)
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
	found, again := q.holder(ctx, same, err)
	switch {
	case errors.Is(again, ErrNotFound):
		return false, q.violated(ctx, row, err)
	case again != nil:
		return false, again
	}
	put(row, found)
	return false, nil
}

// UpdateOrCreate writes row over the one in which the fields listed in by have the
// same values, or creates it if there is none. The primary key, the columns
// tagged skipupdate, the time of creation, the version, and what row leaves to the server's
// defaults are those of the row that is there. It is a block of its own (rule S9), which
// outside any other runs again after a deadlock, a few times. The fields should be
// a unique key.
//
// It locks the row that is there. In a block whose snapshot is older than that,
// it is dialect.ErrSerializationFailure where it is for GetOrCreate; as the first
// operation of a block it looks for the row before there is a snapshot.
//
// A row that is marked as deleted and holds the key is [ErrDeleted]; after WithDeleted
// it is written over, and so comes back, unless row itself is marked.
func (q QuerySet[T]) UpdateOrCreate(ctx context.Context, row *T, by ...string) (created bool, err error) {
	created, err = q.set.updateOrCreate(ctx, row, by)
	return created, q.set.failed(ctx, "UpdateOrCreate", err)
}

func (q set[P]) updateOrCreate(ctx context.Context, row P, by []string) (created bool, err error) {
	same, err := q.sameAs(row, by)
	if err != nil {
		return false, err
	}
	there, err := q.there(ctx, same)
	if err != nil {
		return false, err
	}
	before := held(row)
	err = q.db.ownBlock(ctx, func(ctx context.Context) (err error) {
		restore(before, row)
		created = false
		if there {
			found, err := same.forUpdate().one(ctx)
			if err == nil {
				err = q.overwrite(ctx, found, row)
			}
			if !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		err = q.createApart(ctx, row)
		if !errors.Is(err, dialect.ErrUniqueViolation) {
			created = err == nil
			return err
		}
		found, again := q.holder(ctx, same, err)
		switch {
		case errors.Is(again, ErrNotFound):
			return q.violated(ctx, row, err)
		case again != nil:
			return again
		}
		return q.overwrite(ctx, found, row)
	})
	return created && err == nil, err
}

// there looks for the row. Without a lock: MySQL would lock the gap where the row
// is missing, and two that do so wait for each other. And outside the block, if
// nothing has been sent in it: a plain read would give it a snapshot, which the
// row may then be newer than. To be wrong costs a statement.
func (q set[P]) there(ctx context.Context, same set[P]) (there bool, err error) {
	look := func(ctx context.Context) error {
		_, err := same.one(ctx)
		return err
	}
	if q.db.executor.Unsent(ctx) {
		err = atomic.Do(ctx, q.db, look, atomic.Propagation(atomic.Suspended))
	} else {
		err = look(ctx)
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrNotFound), errors.Is(err, atomic.ErrNoSession), errors.Is(err, atomic.ErrPoolExhausted):
		return false, nil
	}
	return false, err
}

// violated is the error for a key that was violated though no row is to be seen
// that has the values of row: that of another key, or of a row that is newer than
// the snapshot. PostgreSQL tells them apart when it is asked not to mind: it then
// says that it cannot serialize, where MySQL and MariaDB have shown the row, or
// said so, when they were asked to lock it.
func (q set[P]) violated(ctx context.Context, row P, violation error) error {
	if q.db.Server().Engine != dialect.Postgres || !q.db.executor.Encloses(ctx) {
		return violation
	}
	v := reflect.ValueOf(row).Elem()
	given, _ := columns(q.model, v)
	err := atomic.Do(ctx, q.db, func(ctx context.Context) error {
		insert, err := (&render.Insert{Model: q.model, Fields: given, Rows: []reflect.Value{v}}).Render()
		if err != nil {
			return err
		}
		st := q.db.built(insert)
		st.SQL += " ON CONFLICT DO NOTHING"
		if _, err := q.db.executor.Exec(ctx, st); err != nil {
			return err
		}
		return atomic.Rollback
	})
	if errors.Is(err, dialect.ErrSerializationFailure) {
		return err
	}
	return violation
}

// sameAs selects the rows that have the values of row in the named fields.
func (q set[P]) sameAs(row P, by []string) (set[P], error) {
	if err := q.fresh(); err != nil {
		return q, err
	}
	if isNil(row) {
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
		if left(f, v) && !counted(f) { // it would be looked for by NULL, and created with the default
			return q, &query.FieldError{Model: q.model.Name, Name: f.Name, Reason: "is left to the server by the row, which is to be found by it: give it a value"}
		}
		own, err := ownValue(f, v)
		if err != nil {
			return q, err
		}
		q = q.filter(query.F(f.Name).Eq(own))
	}
	return q, nil
}

// createApart creates row so that a violated key does not end the block around
// it.
func (q set[P]) createApart(ctx context.Context, row P) error {
	if q.db.executor.Encloses(ctx) {
		return q.db.nested(ctx, func(ctx context.Context) error { return q.create(ctx, row) })
	}
	before := held(row)
	err := q.create(ctx, row)
	if !errors.Is(err, dialect.ErrDeadlock) {
		return err
	}
	return q.db.ownBlock(ctx, func(ctx context.Context) error {
		restore(before, row)
		return q.create(ctx, row)
	})
}

// overwrite writes row over the one that is there and locked. What row would leave to
// the server's defaults stays as it is there.
func (q set[P]) overwrite(ctx context.Context, there, row P) error {
	from, to := reflect.ValueOf(there).Elem(), reflect.ValueOf(row).Elem()
	r := q.db.reader(q.model)
	for _, f := range q.model.Fields {
		if f.IsPK || r.stays(f) || f == r.version || left(f, to) {
			f.Field.Value(to).Set(f.Field.Value(from))
		}
	}
	return q.save(ctx, row, nil)
}
