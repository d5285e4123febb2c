package clusters

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type locked struct {
	bun.BaseModel `bun:"table:t"`

	ID int64 `bun:"id,pk"`
	V  int64 `bun:"v"`
}

// whileHeld runs fn while a block holds what lock locks.
func whileHeld(b *bed, db *orm.DB, lock func(context.Context) error, fn func(context.Context)) {
	b.t.Helper()
	require.NoError(b.t, atomic.Do(b.t.Context(), db, func(ctx context.Context) error {
		if err := lock(ctx); err != nil {
			return err
		}
		fn(ctx)
		return nil
	}))
}

func vitessRowLocks(b *bed) {
	holder, db := b.on(b.Nodes[0]), b.on(b.Nodes[0])
	b.arrange("INSERT INTO t VALUES (1, 0), (2, 0)")
	ask := func(db *orm.DB, opts ...orm.LockOption) (rows []*locked, err error) {
		err = atomic.Do(b.t.Context(), db, func(ctx context.Context) error {
			rows, err = orm.Objects[locked](db).OrderBy("id").SelectForUpdate(opts...).All(ctx)
			return err
		})
		return rows, err
	}
	lockFirst := func(ctx context.Context) error {
		_, err := orm.Objects[locked](holder).Filter(query.F("id").Eq(1)).SelectForUpdate().Get(ctx)
		return err
	}
	whileHeld(b, holder, lockFirst, func(context.Context) {
		_, err := ask(db, orm.NoWait)
		assert.ErrorIs(b.t, err, dialect.ErrLockNotAvailable)
		free, err := ask(db, orm.SkipLocked)
		assert.NoError(b.t, err)
		if assert.Len(b.t, free, 1) {
			assert.EqualValues(b.t, 2, free[0].ID)
		}
		began := time.Now()
		_, err = ask(db, orm.Wait(time.Second))
		assert.ErrorIs(b.t, err, dialect.ErrLockNotAvailable)
		assert.Less(b.t, time.Since(began), 10*time.Second)
	})
	all, err := ask(db, orm.NoWait)
	require.NoError(b.t, err)
	assert.Len(b.t, all, 2)

	// Shared locks go together, and shut out the other kind.
	whileHeld(b, holder, func(ctx context.Context) error {
		_, err := orm.Objects[locked](holder).SelectForUpdate(orm.Share).All(ctx)
		return err
	}, func(context.Context) {
		_, err := ask(db, orm.Share)
		assert.NoError(b.t, err)
		_, err = ask(db, orm.NoWait)
		assert.ErrorIs(b.t, err, dialect.ErrLockNotAvailable)
	})

	// One without a limit waits for the holder, and reads what it has written.
	var waiting <-chan error
	whileHeld(b, holder, lockFirst, func(ctx context.Context) {
		waiting = going(func() (err error) { all, err = ask(db); return err })
		assert.Eventually(b.t, func() bool {
			n, err := b.Backend.Ask(b.t.Context(), "", "SELECT COUNT(*) FROM performance_schema.data_lock_waits")
			return err == nil && n != "0"
		}, 20*time.Second, 20*time.Millisecond, "it waits")
		assert.NoError(b.t, run(holder)(ctx, "UPDATE t SET v = 7 WHERE id = 1"))
	})
	require.NoError(b.t, <-waiting)
	assert.EqualValues(b.t, 7, all[0].V)
}

// A lock of GET_LOCK belongs to a session behind vtgate that is not the transaction's.
// When it ends, somebody else gets the lock, and the block commits as if it had it still.
// So it is refused.
func vitessAdvisoryLocks(b *bed) {
	ctx := b.t.Context()
	db := b.on(b.Nodes[0])
	err := atomic.Do(ctx, db, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, db, "one") })
	require.ErrorIs(b.t, err, dialect.ErrUnsupported)
	err = orm.Migrate(ctx, db, "one", func(context.Context, *sql.DB) error { return nil })
	require.ErrorIs(b.t, err, dialect.ErrUnsupported)

	b.arrange("INSERT INTO t VALUES (1, 0)")
	pool := b.Nodes[0].Open(b.t, b.name)
	holder, err := pool.BeginTx(ctx, nil)
	require.NoError(b.t, err)
	got := 0
	_, err = holder.ExecContext(ctx, "UPDATE t SET v = 1")
	require.NoError(b.t, err)
	require.NoError(b.t, holder.QueryRowContext(ctx, "SELECT GET_LOCK('one', 0)").Scan(&got))
	require.Equal(b.t, 1, got)
	require.NoError(b.t, pool.QueryRowContext(ctx, "SELECT GET_LOCK('one', 0)").Scan(&got))
	require.Zero(b.t, got)

	session, err := b.Backend.Ask(ctx, "", `SELECT processlist_id FROM performance_schema.metadata_locks
		JOIN performance_schema.threads ON thread_id = owner_thread_id WHERE object_type = 'USER LEVEL LOCK' AND object_name = 'one' AND lock_status = 'GRANTED'`)
	require.NoError(b.t, err)
	require.NoError(b.t, b.Backend.Run(ctx, "", "KILL "+session))
	require.NoError(b.t, pool.QueryRowContext(ctx, "SELECT GET_LOCK('one', 5)").Scan(&got))
	assert.Equal(b.t, 1, got, "somebody else has it")
	assert.NoError(b.t, holder.Commit(), "and the transaction is committed")
}

func vitessDeadlock(b *bed) {
	db := b.on(b.Nodes[0])
	do := run(db)
	b.arrange("INSERT INTO t VALUES (1, 0), (2, 0)")
	for _, opts := range [][]atomic.Option{nil, {atomic.Retry(5)}} {
		first, second := make(chan struct{}), make(chan struct{})
		cross := func(one, other int, own chan struct{}, theirs <-chan struct{}) <-chan error {
			attempt := 0
			return going(func() error {
				return atomic.Do(b.t.Context(), db, func(ctx context.Context) error {
					if err := do(ctx, "UPDATE t SET v = v + 1 WHERE id = ?", one); err != nil {
						return err
					}
					if attempt++; attempt == 1 {
						close(own)
					}
					<-theirs
					return do(ctx, "UPDATE t SET v = v + 1 WHERE id = ?", other)
				}, opts...)
			})
		}
		a, z := cross(1, 2, first, second), cross(2, 1, second, first)
		errs := []error{<-a, <-z}
		b.t.Log(errs)
		if opts != nil {
			assert.NoError(b.t, errors.Join(errs...))
			assert.Equal(b.t, "1:3,2:3", b.rows())
			continue
		}
		assert.ErrorIs(b.t, errors.Join(errs...), dialect.ErrDeadlock)
		assert.True(b.t, errs[0] == nil || errs[1] == nil, "one goes through")
		assert.Equal(b.t, "1:1,2:1", b.rows())
	}
}
