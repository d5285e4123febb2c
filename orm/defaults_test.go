package orm_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
)

// inForce is what holds in a block, as an error of it says: of a statement that is
// refused and leaves it as it was.
func inForce(ctx context.Context, t *testing.T, in interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
},
) string {
	t.Helper()
	_, err := in.ExecContext(ctx, "COMMIT")
	var refused *atomic.BlockError
	require.ErrorAs(t, err, &refused)
	require.ErrorIs(t, err, atomic.ErrTransactionControl)
	return refused.Block.Options
}

// Defaults are those of outermost blocks, whoever opens them; nested ones live in
// theirs, and what a block says itself goes before them.
func TestB18_Defaults(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db := open(t, at, orm.WithIsolation(sql.LevelReadCommitted), orm.WithBlock(
			atomic.Isolation(sql.LevelSerializable), atomic.Retry(3), atomic.Timeout(time.Minute), atomic.IdleTimeout(30*time.Second),
			atomic.LockTimeout(2*time.Second), atomic.ExplainLocks()))
		require.NoError(t, orm.CreateTables(ctx, db, (*Project)(nil), (*Owner)(nil)))
		const all = "Isolation(Serializable), Retry(3), Timeout(1m0s), IdleTimeout(30s), LockTimeout(2s), ExplainLocks"
		want := func(ctx context.Context, options string) {
			t.Helper()
			assert.Equal(t, options, inForce(ctx, t, db.SQL()))
		}

		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			want(ctx, all)
			if at.Engine != testserver.SQLite {
				level := "SHOW transaction_isolation"
				if at.Engine != testserver.Postgres {
					level = "SELECT LOWER(REPLACE(trx_isolation_level, ' ', '-')) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = CONNECTION_ID()"
				}
				require.NoError(t, orm.Objects[Owner](db).Create(ctx, &Owner{Name: "o"}))
				var got string
				require.NoError(t, db.SQL().QueryRowContext(ctx, level).Scan(&got))
				assert.Equal(t, "serializable", got)
			}
			// A default is no option that a nested block could not honour.
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				want(ctx, "Isolation(Serializable), Retry(3), Timeout(1s), IdleTimeout(30s), LockTimeout(0s), ExplainLocks")
				return nil
			}, atomic.Timeout(time.Second), atomic.LockTimeout(0))
		}))
		require.NoError(t, atomic.Do(ctx, db, func(outer context.Context) error {
			want(outer, "Isolation(Repeatable Read), Retry(1), Timeout(1h0m0s), IdleTimeout(30s), LockTimeout(2s), ExplainLocks")
			return atomic.Do(outer, db, func(ctx context.Context) error { want(ctx, all); return nil }, atomic.Propagation(atomic.Independent))
		}, atomic.Isolation(sql.LevelRepeatableRead), atomic.Retry(1), atomic.Timeout(time.Hour)))
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			want(ctx, "Retry(1)")
			return nil
		}, atomic.NoDefaults(), atomic.Retry(1)))
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			want(ctx, "Isolation(Serializable), ReadOnly, Retry(3), Timeout(1m0s), IdleTimeout(30s), LockTimeout(2s), ExplainLocks")
			return nil
		}, atomic.ReadOnly()))
		for _, mode := range []atomic.PropagationMode{atomic.Never, atomic.Suspended} {
			require.NoError(t, atomic.Do(ctx, db, func(context.Context) error { return nil }, atomic.Propagation(mode)))
		}

		// database/sql, and sessions.
		tx, err := db.SQL().BeginTx(ctx, nil)
		require.NoError(t, err)
		assert.Equal(t, "Isolation(Serializable), IdleTimeout(30s), LockTimeout(2s), ExplainLocks", inForce(ctx, t, tx))
		require.NoError(t, tx.Rollback())
		session, pinned, err := db.Session(ctx)
		require.NoError(t, err)
		require.NoError(t, atomic.Do(pinned, db, func(ctx context.Context) error { want(ctx, all); return nil }))
		require.NoError(t, session.SetAutocommit(false))
		want(pinned, "Isolation(Serializable), LockTimeout(2s), ExplainLocks")
		require.NoError(t, atomic.Do(pinned, db, func(ctx context.Context) error {
			want(ctx, "Isolation(Serializable), LockTimeout(2s), ExplainLocks")
			return nil
		}))
		require.NoError(t, session.Close())

		// A block of the library's own has its own Retry and the other defaults.
		require.NoError(t, orm.Objects[Project](db).BulkCreate(ctx, []*Project{{Name: "a"}, {Name: "b"}}))
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			return orm.Objects[Project](db).BulkCreate(ctx, []*Project{{Name: "c"}})
		}))
	})
}

// A block that takes too long by a default ends as one that said so itself.
func TestB18_ADefaultTimeoutEndsABlock(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db := open(t, at, orm.WithBlock(atomic.Timeout(50*time.Millisecond)))
		wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		require.ErrorIs(t, atomic.Do(t.Context(), db, wait), atomic.ErrTimeout)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := atomic.Do(ctx, db, wait, atomic.NoDefaults())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.NotErrorIs(t, err, atomic.ErrTimeout)
	})
}

// What is no default is refused when the database is opened, by its name.
func TestB18_DefaultsAreRefusedAtOpen(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		level := sql.LevelLinearizable
		if at.Engine == testserver.SQLite { // whose one kind of transaction satisfies every level there is
			level = sql.LevelLinearizable + 1
		}
		for name, option := range map[string]atomic.Option{
			"Name": atomic.Name("n"), "Propagation": atomic.Propagation(atomic.Join), "Durable": atomic.Durable(),
			"NoSavepoint": atomic.NoSavepoint(), "ReadOnly": atomic.ReadOnly(), "Deferrable": atomic.Deferrable(),
			"NoDefaults": atomic.NoDefaults(), "Timeout": atomic.Timeout(0), "LockTimeout": atomic.LockTimeout(-1),
			"RetryPolicy": atomic.RetryPolicy{Max: -1}, "nil": nil, "transaction": atomic.Isolation(level),
		} {
			_, err := orm.Open(t.Context(), source(at), orm.WithBlock(option))
			var refused *dialect.OpenError
			require.ErrorAs(t, err, &refused, name)
			assert.Equal(t, "WithBlock", refused.Setting)
			if name != "transaction" {
				assert.Contains(t, refused.Problem, name)
			} else {
				assert.ErrorIs(t, err, dialect.ErrUnsupported)
			}
		}
	})
}
