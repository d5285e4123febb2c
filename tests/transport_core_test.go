package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The core of the suite, for whatever may lie between the library and the
// server: TLS, or a pooler. Blocks do the same there in as many round trips.

// transport is a way to a database: what Open is given to go through addr.
type transport struct {
	testdb.Database
	addr   string // of the server, or of what stands in front of it
	source func(dsn string) dialect.Source
}

// core runs all of it. check looks at the connection.
func (tr transport) core(t *testing.T, check func(db *counted)) {
	t.Helper()
	p := proxy.New(t, tr.addr)
	db := &counted{open(t, tr.Database, setup{dsn: tr.Via(p.Addr()), source: tr.source, pool: 1}), p}
	db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
	for id := range 10 {
		db.mustInsert(t.Context(), id+1)
	}
	check(db)
	t.Run("round trips", func(t *testing.T) { db.in(t).coreBlocks() })
	t.Run("refused in a nested block", func(t *testing.T) { db.in(t).coreRefusals() })
	t.Run("a lock that is held", func(t *testing.T) { db.in(t).coreHeldLock() })
	t.Run("a deadlock is retried", func(t *testing.T) { db.in(t).coreRetry() })
	t.Run("ctx is cancelled", func(t *testing.T) { db.in(t).coreCancelled() })
	t.Run("the connection is killed", func(t *testing.T) { db.in(t).coreKilled() })
	t.Run("SelectForUpdate", tr.coreSelectForUpdate)
}

// in is the database in a subtest.
func (db *counted) in(t *testing.T) *counted {
	inner := *db.database
	inner.t = t
	return &counted{&inner, db.proxy}
}

// sum is what all updates of t have come to, as another program sees it.
func (db *counted) sum() int { db.t.Helper(); return db.look("SELECT sum(v) FROM t") }

// costs runs a block, twice, and requires that the second takes so many round
// trips and keeps so many updates.
func (db *counted) costs(name string, turns, kept int, fn func(context.Context) error, opts ...atomic.Option) {
	db.t.Helper()
	var before int
	took := db.turns(func() {
		before = db.sum()
		require.NoError(db.t, db.inside(db.t.Context(), fn, opts...), name)
	})
	assert.Equal(db.t, turns, took, name)
	assert.Equal(db.t, kept, db.sum()-before, name)
	db.idle()
}

func (db *counted) coreBlocks() {
	one := func(ctx context.Context) error { return db.update(ctx, 1) }
	db.costs("empty", 0, 0, nothing)
	db.costs("one UPDATE", 2, 1, one)
	db.costs("SELECT FOR UPDATE, UPDATE", 3, 1, func(ctx context.Context) error { return errors.Join(db.lock(ctx, 1), one(ctx)) })
	db.costs("ten levels", 11, 10, func(ctx context.Context) error { return db.nest(ctx, 10) })
	db.costs("three siblings", 4, 3, func(ctx context.Context) error {
		return errors.Join(db.nest(ctx, 1), db.nest(ctx, 1), db.nest(ctx, 1))
	})
	db.costs("a nested block that only reads", 4, 2, func(ctx context.Context) error {
		return errors.Join(one(ctx), db.inside(ctx, db.read), one(ctx))
	})
	db.costs("a nested block that fails", 4, 2, func(ctx context.Context) error {
		failed := db.inside(ctx, func(ctx context.Context) error { return errors.Join(db.nest(ctx, 1), errAsked) })
		return errors.Join(is(errAsked, failed), db.nest(ctx, 2))
	})
	db.costs("a savepoint set by hand", 4, 2, func(ctx context.Context) error {
		err := one(ctx)
		point, pointErr := atomic.Savepoint(ctx, db)
		if err := errors.Join(err, pointErr); err != nil {
			return err
		}
		return errors.Join(db.update(ctx, 2), point.Rollback(ctx), db.update(ctx, 3), point.Release(ctx))
	})
	db.costs("rolled back", 2, 0, func(ctx context.Context) error { return errors.Join(one(ctx), atomic.Rollback) })
	db.costs("serializable and read-only", 2, 0, db.read, atomic.Isolation(sql.LevelSerializable), atomic.ReadOnly())
	db.costs("every setting", 2, 1, one, atomic.Isolation(sql.LevelReadCommitted), atomic.LockTimeout(3*time.Second),
		atomic.Timeout(time.Minute), atomic.IdleTimeout(time.Minute), atomic.Name("counted"))
	assert.Equal(db.t, 1, db.turns(func() { require.NoError(db.t, one(db.t.Context())) }), "outside any block")
}

// A statement that is refused as the first, second and third of a nested block
// at depth 3 undoes that block; swallowed, it undoes everything.
func (db *counted) coreRefusals() {
	for name, refused := range map[string]func(context.Context) error{
		"syntax error":  func(ctx context.Context) error { return db.exec(ctx, "UPDATE t SET v v v") },
		"duplicate key": func(ctx context.Context) error { return db.insert(ctx, 1) },
		"not null":      db.refused,
	} {
		for ahead := range 3 {
			name := fmt.Sprintf("%s, after %d", name, ahead)
			failing := func(ctx context.Context) error {
				for id := range ahead {
					require.NoError(db.t, db.update(ctx, 4+id), name)
				}
				err := refused(ctx)
				require.Error(db.t, err, name)
				require.ErrorIs(db.t, db.update(ctx, 9), atomic.ErrRollbackRequired, name)
				return err
			}
			db.costs(name, ahead+6, 4, func(ctx context.Context) error {
				err := db.update(ctx, 1)
				nested := db.inside(ctx, func(ctx context.Context) error {
					err := db.update(ctx, 2)
					require.Error(db.t, db.inside(ctx, failing), name)
					return errors.Join(err, db.update(ctx, 3))
				})
				return errors.Join(err, nested, db.update(ctx, 1))
			})
			before := db.sum()
			err := db.inside(db.t.Context(), func(ctx context.Context) error {
				err := db.update(ctx, 1)
				_ = failing(ctx)
				return err
			})
			require.ErrorIs(db.t, err, atomic.ErrRollbackRequired, name)
			assert.Equal(db.t, before, db.sum(), name)
			db.settled()
		}
	}
}

func (db *counted) coreHeldLock() {
	r := db.rival()
	r.exec("UPDATE t SET v = v + 100 WHERE id = 5")
	now := func(ctx context.Context) error {
		_, err := db.number(ctx, "SELECT v FROM t WHERE id = 5 FOR UPDATE NOWAIT")
		return err
	}
	wait := func(ctx context.Context) error { return db.lock(ctx, 5) }
	db.costs("a lock that another has", 4, 2, func(ctx context.Context) error {
		return errors.Join(db.update(ctx, 1), is(dialect.ErrLockNotAvailable, db.inside(ctx, now)), db.update(ctx, 2))
	})
	waiting := func(ctx context.Context) error {
		return errors.Join(db.update(ctx, 1),
			is(dialect.ErrLockNotAvailable, db.inside(ctx, wait, atomic.LockTimeout(moment))), db.update(ctx, 2))
	}
	if db.executor.Database().Server.RollbackOnTimeout {
		require.ErrorIs(db.t, db.inside(db.t.Context(), waiting), atomic.ErrRollbackRequired)
	} else {
		db.costs("a lock that another has for too long", 4, 2, waiting)
	}
	r.exec("ROLLBACK")
	db.costs("a lock that is free", 3, 1, func(ctx context.Context) error { return errors.Join(now(ctx), db.update(ctx, 5)) })
}

func (db *counted) coreRetry() {
	duel := armDuel(db.database)
	attempts := 0
	require.NoError(db.t, atomic.Do(db.t.Context(), db, func(ctx context.Context) error {
		attempts++
		if attempts == 1 {
			_ = db.inside(ctx, duel.deadlock) // swallowed
			return nil
		}
		return db.exec(ctx, "UPDATE duel SET v = 3 WHERE id = 1")
	}, quick(2)))
	db.settled()
	assert.Equal(db.t, 2, attempts)
	assert.Equal(db.t, 3, db.look("SELECT v FROM duel WHERE id = 1"))
}

// A ctx that ends while its statement waits.
func (db *counted) coreCancelled() {
	before := db.sum()
	r := db.rival()
	r.exec("UPDATE t SET v = v + 100 WHERE id = 5")
	ctx, cancel := context.WithCancelCause(db.t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- db.inside(ctx, func(ctx context.Context) error {
			return errors.Join(db.update(ctx, 1), db.inside(ctx, func(ctx context.Context) error { return db.update(ctx, 5) }))
		})
	}()
	db.blocked(1)
	cancel(errCancelled)
	require.ErrorIs(db.t, soon(db.t, "Do's end", ended), errCancelled)
	r.exec("ROLLBACK")
	db.settled()
	assert.Equal(db.t, before, db.sum())
}

func (db *counted) coreKilled() {
	before := db.sum()
	err := db.inside(db.t.Context(), func(ctx context.Context) error {
		require.NoError(db.t, db.update(ctx, 1))
		nested := db.inside(ctx, func(ctx context.Context) error {
			db.kill(db.id(ctx))
			return is(dialect.ErrConnectionLost, db.update(ctx, 2))
		})
		require.ErrorIs(db.t, nested, dialect.ErrConnectionLost)
		require.ErrorIs(db.t, db.update(ctx, 3), atomic.ErrRollbackRequired)
		return nil // swallowed
	})
	require.ErrorIs(db.t, err, dialect.ErrConnectionLost)
	db.settled()
	assert.Equal(db.t, before, db.sum())
	require.NoError(db.t, db.inside(db.t.Context(), func(ctx context.Context) error { return db.update(ctx, 1) }))
	assert.Equal(db.t, before+1, db.sum())
}

func (tr transport) coreSelectForUpdate(t *testing.T) {
	ctx := t.Context()
	db, err := orm.Open(ctx, tr.source(tr.Via(proxy.New(t, tr.addr).Addr())))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	s := &studio{Database: tr.Database, DB: db, t: t}
	require.NoError(t, orm.CreateTables(ctx, db, (*Owner)(nil), (*Project)(nil), (*Audio)(nil)))
	require.NoError(t, orm.Objects[Project](db).Create(ctx, &Project{Name: "Radio"}))
	for i := range 4 {
		require.NoError(t, orm.Objects[Audio](db).Create(ctx, &Audio{ProjectID: 1, Index: i + 1}))
	}

	r := s.rival(holdAudio(1))
	ids, err := lockedBy(ctx, s, s.audio().SelectForUpdate(orm.SkipLocked))
	require.NoError(t, err)
	assert.Equal(t, []int64{2, 3, 4}, ids)
	for _, option := range []orm.LockOption{orm.NoWait, orm.Wait(moment)} {
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := lockedBy(ctx, s, s.row(1).SelectForUpdate(option))
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			if s.Server().RollbackOnTimeout && option != orm.NoWait {
				return nil // and Do says that it cannot commit
			}
			ids, err := lockedBy(ctx, s, s.row(2).SelectForUpdate(option))
			assert.Equal(t, []int64{2}, ids)
			assert.True(t, s.isLocked("audio", 2))
			return err
		})
		if s.Server().RollbackOnTimeout && option != orm.NoWait {
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		} else {
			require.NoError(t, err)
		}
		assert.False(t, s.isLocked("audio", 2))
	}
	r.end()
	require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
		row, err := s.row(1).SelectForUpdate().Get(ctx)
		if err != nil {
			return err
		}
		row.Text = "claimed"
		return orm.Objects[Audio](db).Save(ctx, row)
	}))
	row, err := s.row(1).Get(ctx)
	require.NoError(t, err)
	assert.Equal(t, "claimed", row.Text)
}
