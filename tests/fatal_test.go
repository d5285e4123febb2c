package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// duel is a deadlock that is about to happen: a rival holds the last row and
// waits for row 1, which the block holds. The next statement of the block that
// touches the last row makes it the victim, on each server:
//   - MySQL and MariaDB roll back the one that has changed less. The rival has
//     written many rows.
//   - PostgreSQL rolls back whoever looks for a deadlock while there is one. The
//     rival looks for none.
//
// SQLite has one writer at a time, and so no deadlock.
type duel struct {
	db    *database
	rival *rival
	done  func() error
}

const lastRow = 200

// arm makes the rows, of 1 KB each so that a server sends some of them before
// it has looked at all.
func armDuel(db *database) *duel {
	db.t.Helper()
	db.arrange("CREATE TABLE duel (id BIGINT PRIMARY KEY, v BIGINT NOT NULL, pad VARCHAR(1000) NOT NULL)")
	var values []string
	for id := range lastRow {
		values = append(values, fmt.Sprintf("(%d, 0, '%s')", id+1, strings.Repeat("x", 1000)))
	}
	db.arrange("INSERT INTO duel (id, v, pad) VALUES "+strings.Join(values, ", "),
		"CREATE TABLE heavy (id BIGINT PRIMARY KEY)")
	r := db.rival()
	if db.Engine == testdb.Postgres {
		r.exec("SET deadlock_timeout = '1h'")
	}
	for id := range 300 {
		values = append(values[:min(id, len(values))], fmt.Sprintf("(%d)", id))
	}
	r.exec("INSERT INTO heavy (id) VALUES "+strings.Join(values, ", "),
		fmt.Sprintf("UPDATE duel SET v = 1 WHERE id = %d", lastRow))
	return &duel{db: db, rival: r}
}

// wait is called by a block that has updated row 1.
func (d *duel) wait() {
	d.done = d.rival.start("UPDATE duel SET v = 1 WHERE id = 1")
	d.db.blocked(1)
}

// finish lets the rival, who has won, go on.
func (d *duel) finish() {
	d.db.t.Helper()
	require.NoError(d.db.t, d.done())
	d.rival.exec("COMMIT")
}

// deadlock has the block of ctx lose the duel.
func (d *duel) deadlock(ctx context.Context) error {
	if err := d.db.exec(ctx, "UPDATE duel SET v = 2 WHERE id = 1"); err != nil {
		return err
	}
	d.wait()
	err := d.db.exec(ctx, "UPDATE duel SET v = 2 WHERE id = ?", lastRow)
	d.finish()
	return err
}

func TestB08_ADeadlockMarksEveryBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		d := armDuel(db)
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			nested := atomic.Do(ctx, db, func(ctx context.Context) error {
				err := d.deadlock(ctx)
				require.ErrorIs(t, err, dialect.ErrDeadlock)
				return nil // swallowed
			})
			require.ErrorIs(t, nested, atomic.ErrRollbackRequired)
			require.ErrorIs(t, nested, dialect.ErrDeadlock)
			assert.True(t, atomic.NeedsRollback(ctx, db))
			require.ErrorIs(t, db.insert(ctx, 2), atomic.ErrRollbackRequired)
			again := atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 3) })
			require.ErrorIs(t, again, atomic.ErrRollbackRequired)
			return nil // and again
		})
		db.idle()
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, dialect.ErrDeadlock)
		assert.Empty(t, db.kept(), "nothing was committed by itself")
		assert.NotContains(t, strings.Join(db.wires.take(), "\n"), "ROLLBACK TO", "there is nothing to roll back to")
	}, testdb.Servers()...)
}

// The answer of a locking read can be rows first and the deadlock after them.
func TestB08_ADeadlockInTheMiddleOfRows(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for name, read := range map[string]func(*sql.Rows) error{
			"read to the end": func(rows *sql.Rows) error {
				n := 0
				for rows.Next() {
					n++
				}
				assert.Positive(t, n, "rows before the error")
				return errors.Join(rows.Err(), rows.Close())
			},
			"closed early": func(rows *sql.Rows) error {
				assert.True(t, rows.Next())
				return rows.Close()
			},
			"left open": func(*sql.Rows) error { return nil },
		} {
			db.arrange("DROP TABLE IF EXISTS duel", "DROP TABLE IF EXISTS heavy")
			d := armDuel(db)
			var readErr error
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				_ = atomic.Do(ctx, db, func(ctx context.Context) error {
					require.NoError(t, db.exec(ctx, "UPDATE duel SET v = 2 WHERE id = 1"))
					d.wait()
					rows, err := db.executor.SQL().QueryContext(ctx, "SELECT id, v, pad FROM duel ORDER BY id FOR UPDATE")
					require.NoError(t, err, name)
					defer d.finish()
					readErr = read(rows)
					return nil
				})
				_ = db.insert(ctx, 2)
				return nil
			})
			db.idle()
			if name == "read to the end" {
				require.ErrorIs(t, readErr, dialect.ErrDeadlock)
			}
			require.ErrorIs(t, err, atomic.ErrRollbackRequired, name)
			assert.Empty(t, db.kept(), name)
		}
	}, testdb.Servers()...)
}

// A serialization failure of PostgreSQL, and of MariaDB since it looks for one
// by default (innodb_snapshot_isolation, 11.6): an older one goes on with the row
// as it is. MySQL's REPEATABLE READ has none, and SQLite has one writer at a time.
func TestB08_ASerializationFailureMarksEveryBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		looks := db.Engine == testdb.Postgres || db.executor.Database().Server.Version.AtLeast(11, 6, 2)
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		var nested, further error
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := db.count(ctx) // the snapshot
			require.NoError(t, err)
			db.arrange("UPDATE t SET v = 2 WHERE id = 1")
			nested = atomic.Do(ctx, db, func(ctx context.Context) error {
				return db.exec(ctx, "UPDATE t SET v = v + 10 WHERE id = 1")
			})
			further = db.insert(ctx, 2)
			return nil
		}, atomic.Isolation(sql.LevelRepeatableRead))
		db.idle()
		if !looks {
			require.NoError(t, errors.Join(nested, further, err))
			assert.Equal(t, []int{1, 2}, db.kept())
			assert.Equal(t, 12, db.value(1))
			return
		}
		require.ErrorIs(t, nested, dialect.ErrSerializationFailure)
		require.ErrorIs(t, further, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, dialect.ErrSerializationFailure)
		assert.Equal(t, []int{1}, db.kept())
		assert.Equal(t, 2, db.value(1))
	}, testdb.Postgres, testdb.MariaDB)
}

// A lock that is not obtained fails the statement and so its block. Where the
// server rolls the whole transaction back (innodb_rollback_on_timeout) it fails
// every block.
func TestB08_ALockWaitTimeout(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r := db.rival()
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		var further error
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 2)
			nested := atomic.Do(ctx, db, func(ctx context.Context) error {
				return db.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1")
			}, atomic.LockTimeout(10*time.Millisecond))
			require.ErrorIs(t, nested, dialect.ErrLockNotAvailable)
			further = db.insert(ctx, 3)
			return nil
		})
		db.idle()
		r.exec("COMMIT")
		if db.executor.Database().Server.RollbackOnTimeout {
			require.ErrorIs(t, further, atomic.ErrRollbackRequired)
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			assert.Equal(t, []int{1}, db.kept())
		} else {
			require.NoError(t, further)
			require.NoError(t, err)
			assert.Equal(t, []int{1, 2, 3}, db.kept())
		}
		assert.Equal(t, 2, db.value(1))
	}, testdb.Servers()...)
}

// SQLite waits for its one lock when a transaction begins. When it is not
// obtained nothing has begun, so the outer block can try again.
func TestB08_ALockWaitTimeoutAtBegin(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		r := db.rival()
		r.exec("INSERT INTO t (id, v) VALUES (1, 1)")
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			nested := atomic.Do(ctx, db, func(ctx context.Context) error {
				return db.insert(ctx, 2)
			}, atomic.LockTimeout(10*time.Millisecond))
			require.ErrorIs(t, nested, dialect.ErrLockNotAvailable)
			r.exec("COMMIT")
			return db.insert(ctx, 3)
		}))
		assert.Equal(t, []int{1, 3}, db.kept())
	}, testdb.SQLite)
}

// What a procedure does cannot be seen before it is called. When it has ended
// the transaction, what it committed is committed, but nothing that follows is.
// On PostgreSQL a procedure cannot end the transaction of its caller, and SQLite
// has none; a savepoint is out of reach there as well, because every statement
// that names one is refused (B15).
func TestB08_ASavepointThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		db.arrange("CREATE PROCEDURE betray() BEGIN INSERT INTO t VALUES (99, 99); COMMIT; END",
			"CREATE PROCEDURE renew() BEGIN INSERT INTO t VALUES (98, 98); COMMIT; START TRANSACTION; INSERT INTO t VALUES (97, 97); END",
			"CREATE PROCEDURE revoke_all() ROLLBACK")
		for _, call := range []string{"CALL betray()", "CALL renew()", "CALL revoke_all()"} {
			for _, last := range []bool{false, true} {
				db.arrange("DELETE FROM t")
				var further error
				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					db.mustInsert(ctx, 1)
					nested := atomic.Do(ctx, db, func(ctx context.Context) error {
						return db.exec(ctx, call)
					})
					if last {
						return nil
					}
					_ = nested
					further = db.insert(ctx, 3)
					return nil
				})
				db.idle()
				require.Error(t, err, "%s, last: %v", call, last)
				require.NotErrorIs(t, err, atomic.ErrCommitUnknown, call)
				if !last {
					require.Error(t, further, call)
				}
				assert.NotContains(t, db.kept(), 3, call)
				assert.NotContains(t, db.kept(), 97, call)
			}
		}
		// What ends nothing is no failure.
		db.arrange("DELETE FROM t", "CREATE PROCEDURE honest() INSERT INTO t VALUES (96, 96)")
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.exec(ctx, "CALL honest()") }))
			return db.insert(ctx, 1)
		}))
		assert.Equal(t, []int{1, 96}, db.kept())
	}, testdb.MySQL, testdb.MariaDB)
}

// The same through a statement that was prepared with SQL.
func TestB08_APreparedCommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			if err := db.exec(ctx, "PREPARE c FROM 'COMMIT'"); err != nil {
				return err
			}
			_ = db.exec(ctx, "EXECUTE c")
			_ = db.insert(ctx, 2)
			return nil
		})
		db.idle()
		require.Error(t, err)
		assert.NotContains(t, db.kept(), 2)
	}, testdb.MySQL, testdb.MariaDB)
}

func TestB08_ALostConnectionMarksEveryBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			nested := atomic.Do(ctx, db, func(ctx context.Context) error {
				db.kill(db.id(ctx))
				return db.insert(ctx, 2)
			})
			require.ErrorIs(t, nested, dialect.ErrConnectionLost)
			require.ErrorIs(t, db.insert(ctx, 3), atomic.ErrRollbackRequired)
			return nil
		})
		db.idle()
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, dialect.ErrConnectionLost)
		assert.Empty(t, db.kept())
	}, testdb.Servers()...)
}
