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
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// quick are n retries without long waits.
func quick(n int) atomic.RetryPolicy {
	return atomic.RetryPolicy{Max: n, Base: time.Millisecond, Cap: time.Millisecond}
}

// What the block saw the server say decides, whatever fn makes of it. SQLite has
// neither deadlocks nor serialization failures.
func TestB17_ADeadlockIsRetried(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for what, hide := range map[string]func(error) error{
			"returned":             func(err error) error { return err },
			"hidden in a text":     func(err error) error { return fmt.Errorf("transfer failed: %s", err) },
			"replaced":             func(error) error { return errAsked },
			"swallowed":            func(error) error { return nil },
			"in a nested block":    nil,
			"and a rollback asked": func(error) error { return atomic.Rollback },
		} {
			db.arrange("DELETE FROM t", "DROP TABLE IF EXISTS duel", "DROP TABLE IF EXISTS heavy")
			duel := armDuel(db)
			var d diary
			var attempts []int
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				attempts = append(attempts, atomic.Attempt(ctx, db))
				d.both(ctx, t, db, fmt.Sprint(len(attempts)))
				db.mustInsert(ctx, len(attempts))
				if len(attempts) > 1 {
					return nil
				}
				if hide == nil {
					_ = atomic.Do(ctx, db, duel.deadlock)
					return nil
				}
				return hide(duel.deadlock(ctx))
			}, quick(3))
			db.idle()
			if what == "and a rollback asked" {
				require.NoError(t, err, what)
				assert.Equal(t, []int{1}, attempts, what)
				assert.Equal(t, []string{"-1"}, d.take(), what)
				continue
			}
			require.NoError(t, err, what)
			assert.Equal(t, []int{1, 2}, attempts, what)
			assert.Equal(t, []string{"-1", "+2"}, d.take(), what)
			assert.Equal(t, []int{2}, db.kept(), what)
		}
	}, testdb.Servers()...)
}

// A table that is rebuilt or emptied behind the snapshot of a block: what a new one
// begins with can read it.
func TestB17_ATableThatIsRebuilt(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("CREATE TABLE rebuilt (id INTEGER PRIMARY KEY)")
		read := func(ctx context.Context) error { return db.exec(ctx, "SELECT * FROM rebuilt") }
		nested := func(ctx context.Context) error {
			err := atomic.Do(ctx, db, read)
			if err != nil {
				require.ErrorIs(t, db.insert(ctx, 9), atomic.ErrRollbackRequired, "the block cannot read it any more")
			}
			return nil
		}
		for _, rebuild := range []string{"ALTER TABLE rebuilt FORCE", "TRUNCATE TABLE rebuilt"} {
			for what, fn := range map[string]func(context.Context) error{"": read, " in a nested block": nested} {
				db.arrange("DELETE FROM t", "INSERT INTO rebuilt VALUES (1)")
				attempts := 0
				err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
					attempts++
					_, err := db.count(ctx) // the snapshot
					require.NoError(t, err)
					db.mustInsert(ctx, attempts)
					if attempts == 1 {
						db.arrange(rebuild)
					}
					return fn(ctx)
				}, quick(3), atomic.Isolation(sql.LevelRepeatableRead))
				db.idle()
				require.NoError(t, err, rebuild+what)
				assert.Equal(t, 2, attempts, rebuild+what)
				assert.Equal(t, []int{2}, db.kept(), rebuild+what)
				db.arrange("TRUNCATE TABLE rebuilt")
			}
		}
	}, testdb.MySQL, testdb.MariaDB)
}

// conflicting makes the next inserts into t end as a serialization failure or a
// deadlock would: on the server's word alone.
func (db *database) conflicting() {
	db.t.Helper()
	if db.Engine == testdb.Postgres {
		db.arrange(`CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$`,
			"CREATE TRIGGER conflict BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION conflict()")
		return
	}
	db.arrange("CREATE TRIGGER conflict BEFORE INSERT ON t FOR EACH ROW SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213")
}

func TestB17_TheLastAttempt(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.conflicting()
		var d diary
		attempts := 0
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			attempts++
			d.both(ctx, t, db, fmt.Sprint(attempts))
			if err := db.insert(ctx, 1); err != nil {
				return fmt.Errorf("hidden: %s (%w)", err, errAsked)
			}
			return nil
		}, quick(2), atomic.Name("stubborn"))
		db.idle()
		require.ErrorIs(t, err, atomic.ErrRetriesExhausted)
		require.ErrorIs(t, err, errAsked, "the last error")
		assert.True(t, errors.Is(err, dialect.ErrDeadlock) || errors.Is(err, dialect.ErrSerializationFailure), "and its cause")
		assert.ErrorContains(t, err, "3 attempts")
		assert.ErrorContains(t, err, "stubborn")
		assert.Equal(t, 3, attempts)
		assert.Equal(t, []string{"-1", "-2", "-3"}, d.take())
		assert.Empty(t, db.kept())
	}, testdb.Servers()...)
}

func TestB17_TheWaitRespectsCtx(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.conflicting()
		ctx, cancel := context.WithCancelCause(t.Context())
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, atomic.OnRollback(ctx, db, func(context.Context) error {
				time.AfterFunc(20*time.Millisecond, func() { cancel(errCancelled) })
				return nil
			}))
			return db.insert(ctx, 1)
		}, atomic.RetryPolicy{Max: 3, Base: time.Hour, Cap: time.Hour})
		require.ErrorIs(t, err, errCancelled)
		assert.True(t, errors.Is(err, dialect.ErrDeadlock) || errors.Is(err, dialect.ErrSerializationFailure), "what it waited for")
	}, testdb.Servers()...)
}

// What is no conflict is not retried.
func TestB17_OtherErrorsAreNot(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for what, fn := range map[string]func(ctx context.Context) error{
			"an error of fn's":   func(context.Context) error { return errAsked },
			"a refusal":          db.refused,
			"ctx's end":          func(context.Context) error { return context.DeadlineExceeded },
			"a made-up deadlock": func(context.Context) error { return dialect.ErrDeadlock },
		} {
			attempts := 0
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				attempts++
				return fn(ctx)
			}, quick(3))
			require.Error(t, err, what)
			require.NotErrorIs(t, err, atomic.ErrRetriesExhausted, what)
			assert.Equal(t, 1, attempts, what)
		}
	})
}

// A lock that is not obtained is retried only if asked for (1205, 55P03,
// SQLITE_BUSY), and so is a connection that is lost before COMMIT.
func TestB17_OnlyIfAsked(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		for _, asked := range []bool{false, true} {
			r := db.rival()
			r.exec("UPDATE t SET v = 2 WHERE id = 1")
			policy := quick(1)
			policy.Locks = asked
			attempts := 0
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				attempts++
				if attempts == 2 {
					r.exec("ROLLBACK")
				}
				return db.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1")
			}, policy, atomic.LockTimeout(10*time.Millisecond))
			if asked {
				require.NoError(t, err)
				assert.Equal(t, 2, attempts)
			} else {
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
				require.NotErrorIs(t, err, atomic.ErrRetriesExhausted)
				assert.Equal(t, 1, attempts)
				r.exec("ROLLBACK")
			}
		}
		if db.Engine == testdb.SQLite {
			return // it has no connection to lose
		}
		for _, asked := range []bool{false, true} {
			policy := quick(1)
			policy.Connection = asked
			attempts := 0
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				attempts++
				if err := db.insert(ctx, 10+attempts); err != nil {
					return err
				}
				if attempts == 1 {
					db.kill(db.id(ctx))
				}
				return db.insert(ctx, 20+attempts)
			}, policy)
			if asked {
				require.NoError(t, err)
				assert.Equal(t, []int{1, 12, 22}, db.kept())
			} else {
				require.ErrorIs(t, err, dialect.ErrConnectionLost)
				assert.Equal(t, 1, attempts)
				assert.Equal(t, []int{1}, db.kept())
			}
		}
	})
}

// A panic is not retried either, and Attempt counts only where Retry does.
func TestB17_Attempt(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		assert.Zero(t, atomic.Attempt(ctx, db))
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			assert.Equal(t, 1, atomic.Attempt(ctx, db))
			return nil
		}))
		attempts := 0
		assert.Panics(t, func() {
			_ = atomic.Do(ctx, db, func(context.Context) error { attempts++; panic("once") }, quick(3))
		})
		assert.Equal(t, 1, attempts)
	})
}
