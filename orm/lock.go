package orm

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/query"
)

// LockOption says how SelectForUpdate locks.
type LockOption = query.LockOption

// The options of SelectForUpdate without an argument. What a server cannot do
// is refused before anything is sent, with dialect.ErrUnsupported (rule L3).
const (
	// SkipLocked leaves out the rows that somebody else has locked: each of
	// several workers gets rows of its own. MySQL 8.0.1, MariaDB 10.6,
	// PostgreSQL. MySQL and MariaDB lock all rows that they read on the way:
	// without an index that serves the condition and the OrderBy, the first
	// worker locks every row that matches, and the next one finds none. On SQLite nobody else can hold a lock: a block waits for its
	// turn when it begins, for the busy timeout at most, so claim in one block
	// and do long work after it. Where the workers update
	// the rows that they take, PostgreSQL now and then waits all the same, for a
	// newer version of a row that has just been taken by somebody else; it waits
	// for nobody where they delete them.
	SkipLocked = query.SkipLocked
	// NoWait fails with dialect.ErrLockNotAvailable at the first row that
	// somebody else has locked.
	NoWait = query.NoWait
	// NoKey locks FOR NO KEY UPDATE: other tables' rows may still come to refer
	// to the locked ones. PostgreSQL only.
	NoKey = query.NoKey
	// Share locks FOR SHARE: others may read and share the lock, but not
	// change the rows.
	Share = query.Share
	// KeyShare locks FOR KEY SHARE: others may change the rows, but neither
	// delete them nor change their keys. PostgreSQL only.
	KeyShare = query.KeyShare
)

// Wait waits at most d for each lock, and then fails with
// dialect.ErrLockNotAvailable. d is rounded up to a millisecond on PostgreSQL
// and SQLite, to a second on MySQL and MariaDB; MySQL, and MariaDB before 10.6,
// look only once a second whether it has run out. The session's setting is as it
// was afterwards. Wait(0) is NoWait. The limit holds for the statement as a
// whole; on PostgreSQL it bounds the wait for locks on tables too, on SQLite
// that for the one writer's lock at the beginning of the block.
//
// Like NoWait it is also an option of atomic.AdvisoryLock.
func Wait(d time.Duration) query.Limit { return query.Wait(d) }

// Of locks only rows of the named tables: "self" for the model's own, and
// relations that the query joins ("project"). MySQL, PostgreSQL; accepted on
// SQLite.
func Of(names ...string) LockOption { return query.Of(names...) }

// SelectForUpdate locks the rows that the query reads, to the end of the block:
// FOR UPDATE, unless options ask for a weaker lock. Outside a block the query
// then is atomic.ErrNotInBlock when it is sent. Options that contradict each
// other are an error matching [ErrLockOptions] (rule L1), and so are locks in a
// query with Distinct, on aggregates, or on a related row that may be missing
// (rule L6): PostgreSQL refuses these, so they are refused everywhere.
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
	q.spec.Locks = nil
	return q.lock(opts)
}

// AlsoLock adds a lock clause for other tables of the query (rule L5). Every
// clause then needs an Of, and no table may be in two:
//
//	.Related("project").SelectForUpdate(orm.SkipLocked, orm.Of("self")).AlsoLock(orm.NoWait, orm.Of("project"))
func (q QuerySet[T]) AlsoLock(opts ...LockOption) QuerySet[T] {
	if len(q.spec.Locks) == 0 {
		q.keep(fmt.Errorf("%w: AlsoLock without SelectForUpdate", ErrLockOptions))
		return q
	}
	return q.lock(opts)
}

func (q QuerySet[T]) lock(opts []LockOption) QuerySet[T] {
	l, err := query.NewLock(opts...)
	if err != nil {
		q.keep(err)
		return q
	}
	q.spec.Locks = appended(q.spec.Locks, []*query.Lock{l})
	if err := query.CheckLocks(q.spec.Locks); err != nil {
		q.keep(err)
	}
	return q
}

// keep notes the first error.
func (q *QuerySet[T]) keep(err error) {
	if q.err == nil {
		q.err = err
	}
}

// Lock locks a row that was loaded before, by its primary key, and refreshes
// all of its columns: what it holds afterwards cannot change until the block
// ends. It returns [ErrNotFound] if the row is gone. Options are those of
// SelectForUpdate; with [SkipLocked] a row that somebody else has locked is
// ErrNotFound too.
//
// On MariaDB from 11.6, a row that was loaded in the same block under REPEATABLE
// READ, its default, and has been changed since by somebody else is
// dialect.ErrSerializationFailure, which [atomic.Retry] cures; elsewhere the row
// is refreshed (rule S8).
func Lock[T any](ctx context.Context, db *DB, row *T, opts ...LockOption) error {
	q := Objects[T](db)
	if q.err != nil {
		return q.failed("Lock", q.err)
	}
	if row == nil {
		return q.failed("Lock", errNilRow)
	}
	v := reflect.ValueOf(row).Elem()
	key, err := q.byKey(v)
	if err != nil {
		return q.failed("Lock", err)
	}
	q = q.Filter(key...).SelectForUpdate(opts...)
	st, reader, err := q.render()
	if err != nil {
		return q.failed("Lock", err)
	}
	found := false
	err = db.executor.Query(ctx, st, func(rows driver.Rows) error {
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
	return q.failed("Lock", err)
}

// byKey is the condition for a row's primary key.
func (q QuerySet[T]) byKey(row reflect.Value) ([]query.Cond, error) {
	if len(q.model.PKs) == 0 {
		return nil, errNoKey
	}
	conds := make([]query.Cond, len(q.model.PKs))
	for i, f := range q.model.PKs {
		v, err := f.Value(row)
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, errKeyUnset
		}
		conds[i] = query.F(f.Name).Eq(v)
	}
	return conds, nil
}
