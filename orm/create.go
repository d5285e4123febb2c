package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
)

// Create inserts row and fills in what the server gave it: an auto-increment
// key, the columns tagged scanonly, and those with a default where row has NULL, or
// the zero of a field tagged nullzero (rule S23). The mixins of
// package models get their times, versions and keys. Times are stored in UTC
// and to the microsecond; what is finer is cut off in the database, not in row.
//
// Where Create itself fails, row has no key that the server gave. (A row that is written and
// cannot be read back is a *[ScanError]: outside any block it is there, and Written says so.) The
// rollback of a block takes the row back, but not what Create wrote into the struct. On
// SQLite, which takes the counter back too, row's key then becomes that of
// somebody else's row. So a block that is repeated makes its rows inside
// fn, and a row whose block was rolled back is not saved.
//
// MySQL cannot return columns, so a model with defaults takes a second
// statement there, in one block with the first.
//
// A row that a trigger leaves out without an error is a *[NotKeptError].
//
// On MySQL and MariaDB one of several that create a row whose key has just become
// free may be the victim of a deadlock (dialect.ErrDeadlock): where that matters,
// call it in a block with atomic.Retry.
func (q QuerySet[T]) Create(ctx context.Context, row *T) error {
	return q.set.failed(ctx, "Create", q.set.create(ctx, row))
}

func (q set[P]) create(ctx context.Context, row P) error {
	if err := q.fresh(); err != nil {
		return err
	}
	if isNil(row) {
		return errNilRow
	}
	if err := q.db.reader(q.model).begin(row); err != nil {
		return err
	}
	v := reflect.ValueOf(row).Elem()
	given, left := columns(q.model, v)
	if err := q.readable(left); err != nil {
		return err
	}
	if err := q.zeroStays(ctx, v); err != nil {
		return err
	}
	insert := &render.Insert{Model: q.model, Fields: given, Rows: []reflect.Value{v}}
	if len(left) == 0 {
		return q.exec(ctx, insert, nil)
	}
	if q.db.models.Returns() {
		insert.Returning = left
		text, err := insert.Render()
		if err == nil {
			err = q.insertReturning(ctx, text, insert)
		}
		return forgetUnless(q.db.hasWritten(ctx, err), left, insert.Rows)
	}
	var key *render.Field
	others := left[:0:0]
	for _, f := range left {
		if counted(f) {
			key = f
		} else {
			others = append(others, f)
		}
	}
	if len(others) == 0 {
		return q.db.hasWritten(ctx, q.insertCounted(ctx, insert, key))
	}
	err := q.db.ownBlock(ctx, func(ctx context.Context) error {
		if err := q.insertCounted(ctx, insert, key); err != nil {
			return err
		}
		return q.reload(ctx, v, others)
	})
	return forgetUnless(err, left, insert.Rows)
}

// forgetUnless takes back what the server gave to rows that it has not kept after all:
// created once more they would have keys that may be those of others by then. Where nobody
// knows, or they are there and could not be read, the keys tell what to look for.
func forgetUnless(err error, left []*render.Field, rows []reflect.Value) error {
	if err == nil || errors.Is(err, atomic.ErrCommitUnknown) || errors.Is(err, atomic.ErrOutcomeUnknown) || isWritten(err) {
		return err
	}
	for _, f := range left {
		if f.ScanOnly {
			continue // it is not written, whatever it holds
		}
		for _, row := range rows {
			f.Field.Value(row).SetZero()
		}
	}
	return err
}

// insertCounted sends an INSERT of one row, and takes its key from the answer if the
// server counts one.
func (q set[P]) insertCounted(ctx context.Context, insert *render.Insert, key *render.Field) error {
	if key == nil {
		return q.exec(ctx, insert, nil)
	}
	return q.exec(ctx, insert, func(res driver.Result) error {
		id, err := res.LastInsertId()
		if err != nil {
			return err
		}
		return setKey(key, insert.Rows[0], id)
	})
}

// fresh refuses to insert by way of a QuerySet that looks like a selection.
func (q set[P]) fresh() error {
	s := q.spec
	if q.err == nil && q.replica {
		return errOnReplica
	}
	if q.err == nil && len(s.Locks) > 0 {
		return fmt.Errorf("%w: a row that is written is locked: leave SelectForUpdate out", ErrLockOptions)
	}
	if q.err == nil && (len(s.Where) > 0 || s.Limit != nil || s.Offset != 0 || s.Deleted == ast.OnlyDeleted || q.reshaped()) {
		return errors.New("rows are written one by one with Objects, not with a query that selects some")
	}
	return q.err
}

// columns tells the columns that a row gives a value to from those that are
// left to the server.
func columns(m *render.Model, row reflect.Value) (given, leave []*render.Field) {
	fields := make([]*render.Field, len(m.Fields)) // of one allocation: leave stands behind given
	n, end := 0, len(fields)
	for _, f := range m.Fields {
		if left(f, row) {
			end--
			fields[end] = f
		} else {
			fields[n] = f
			n++
		}
	}
	given, leave = fields[:n:n], fields[n:]
	slices.Reverse(leave)
	return given, leave
}

// left reports whether a row leaves the column to the server.
func left(f *render.Field, row reflect.Value) bool { return f.LeftToServer(row) }

// counted reports whether the server counts the column up.
func counted(f *render.Field) bool { return f.Counted() }

// readable refuses a row whose columns MySQL, which returns none, could not find
// again: a model without a key. The others refuse it as well. A key that the server makes
// by a default is another matter: PostgreSQL's gen_random_uuid() is in many tables, so that
// it is refused where it cannot be read alone.
func (q set[P]) readable(left []*render.Field) error {
	for _, f := range left {
		switch {
		case counted(f):
		case len(q.model.PKs) == 0:
			return fmt.Errorf("%w, by which the row could be read again: give %s a value, or the model a key", errNoKey, f)
		case f.IsPK && !q.db.models.Returns():
			return &dialect.UnsupportedError{Server: q.db.Server(), Feature: f.String() + ", a key that the server makes by its default,",
				Hint: "it does not tell what it has made: give the row a key, such as that of models.UUID"}
		}
	}
	return nil
}

func setKey(f *render.Field, row reflect.Value, id int64) error {
	dst := f.Field.Value(row)
	if dst.CanInt() && !dst.OverflowInt(id) {
		dst.SetInt(id)
		return nil
	}
	return explain(f.String(), dst.Type(), id, scannerOf(dst.Type(), f.Scan)(dst, id))
}

// exec sends an INSERT that returns nothing.
func (q set[P]) exec(ctx context.Context, insert *render.Insert, then func(driver.Result) error) error {
	text, err := insert.Render()
	if err != nil {
		return err
	}
	return q.execText(ctx, text, q.keptAll(ctx, len(insert.Rows), then))
}

func (q set[P]) execText(ctx context.Context, text render.Text, then func(driver.Result) error) error {
	st := q.db.built(text)
	st.Judge = then
	_, err := q.db.executor.Exec(ctx, st)
	return err
}

// insertReturning sends an INSERT and puts the columns that it returns into the rows.
func (q set[P]) insertReturning(ctx context.Context, text render.Text, insert *render.Insert) error {
	kept, err := q.sendReturning(ctx, text, insert)
	if err == nil && kept < len(insert.Rows) {
		err = q.db.executor.Failed(ctx, q.db.built(text), q.db.notKept(ctx, len(insert.Rows), kept))
	}
	return err
}

// reload reads columns that the server has filled in.
func (q set[P]) reload(ctx context.Context, row reflect.Value, fields []*render.Field) error {
	key, err := q.byKey(row)
	if err != nil {
		return err
	}
	text, err := q.model.Columns(fields, key)
	if err != nil {
		return err
	}
	return q.db.executor.Query(ctx, q.db.built(text), func(rows driver.Rows) error {
		n, err := q.scanColumns(rows, fields, []reflect.Value{row})
		if err == nil && n == 0 {
			err = errors.New("the row that was just written is not there by its key: has a trigger given it another?")
		}
		return err
	})
}

// scanColumns reads as many rows as there are in into, and returns how many came. If they
// are fewer nobody knows which of into they are: what was read is taken out of the structs again.
func (q set[P]) scanColumns(rows driver.Rows, fields []*render.Field, into []reflect.Value) (n int, unread error) {
	values, reader := make([]driver.Value, len(fields)), q.db.reader(q.model)
	for _, row := range into {
		if more, err := next(rows, values); err != nil {
			return n, err
		} else if !more {
			break
		}
		n++
		for i, f := range fields {
			if unread != nil {
				break // the others are counted
			}
			unread = reader.scanField(f, row, values[i])
		}
	}
	if n < len(into) {
		for _, row := range into[:n] {
			for _, f := range fields {
				f.Field.Value(row).SetZero()
			}
		}
	}
	return n, unread
}
