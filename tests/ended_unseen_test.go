package tests

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A prepared statement can be a COMMIT, and no text shows it. PostgreSQL says with
// its answer that no transaction is open any more: nothing is sent after it, and
// nobody is told that the block went well.
func TestB08_APreparedStatementThatEndsTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for end, kept := range map[string][]int{"COMMIT": {1}, "END": {1}, "ROLLBACK": nil, "ABORT": nil} {
			require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
			own := db.again(setup{pool: 1, source: func(dsn string) dialect.Source {
				config, err := pgx.ParseConfig(dsn)
				require.NoError(t, err)
				pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
					_, err := c.Prepare(ctx, "fin", end)
					return err
				}))
				t.Cleanup(func() { require.NoError(t, pool.Close()) })
				return postgres.From(pool)
			}})
			var d diary
			attempts := 0
			var id int64
			err := atomic.Do(t.Context(), own, func(ctx context.Context) error {
				attempts++
				d.both(ctx, t, own, "hook")
				own.mustInsert(ctx, 1)
				id = own.id(ctx)
				require.Error(t, atomic.Do(ctx, own, func(ctx context.Context) error {
					require.Error(t, own.exec(ctx, "EXECUTE fin"), end)
					own.wires.take()
					require.ErrorIs(t, own.insert(ctx, 2), atomic.ErrRollbackRequired, end)
					return nil
				}))
				require.ErrorIs(t, own.insert(ctx, 3), atomic.ErrRollbackRequired, end)
				assert.NotContains(t, own.wires.take(), "INSERT", end)
				return nil
			}, atomic.Retry(3))
			require.Error(t, err, end)
			require.ErrorContains(t, err, "ended by a statement in it", end)
			assert.Equal(t, 1, attempts, end)
			assert.NotContains(t, d.take(), "+hook", end)
			if kept == nil {
				assert.Empty(t, db.kept(), end)
			} else {
				assert.Equal(t, kept, db.kept(), end)
			}
			db.gone(id)
		}
	}, testdb.Postgres)
}

// An error in a result that is not the first of a call is as any other.
func TestS05_AnErrorFurtherOnInACall(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange(fmt.Sprintf("CREATE PROCEDURE p() BEGIN SELECT 1; INSERT INTO t VALUES (%d, 1), (%[1]d, 2); END", secret))
		call := func(ctx context.Context) error {
			rows, err := db.executor.SQL().QueryContext(ctx, "CALL p()")
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() || rows.NextResultSet() {
			}
			return rows.Err()
		}
		check := func(err error) {
			require.ErrorIs(t, err, dialect.ErrUniqueViolation)
			require.ErrorAs(t, err, new(*atomic.FailedError))
			require.NotContains(t, err.Error(), fmt.Sprint(secret))
		}
		check(call(t.Context()))
		check(atomic.Do(t.Context(), db, call))
		require.ErrorIs(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			check(call(ctx))
			return nil
		}), atomic.ErrRollbackRequired)
	}, testdb.MySQL, testdb.MariaDB)
}
