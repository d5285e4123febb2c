package tests

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

const moment = 50 * time.Millisecond

func TestB19_TimeoutCancelsAStatement(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		if db.Engine == testdb.SQLite {
			db = db.again(setup{source: func(dsn string) dialect.Source { return sqlite.Open(dsn, sqlite.BusyTimeout(time.Minute)) }})
		}
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r := db.rival()
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			return db.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1")
		}, atomic.Timeout(moment))
		require.ErrorIs(t, err, atomic.ErrTimeout)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		db.idle()
		for d, sent := moment, false; !sent; d *= 2 { // on a busy machine the limit may come first
			start := time.Now()
			err = atomic.Do(t.Context(), db, func(ctx context.Context) error {
				tx, err := db.executor.SQL().BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				defer func() { _ = tx.Rollback() }()
				sent = true
				_, err = tx.Exec("UPDATE t SET v = 3 WHERE id = 1") // without a ctx of its own
				return err
			}, atomic.Timeout(d))
			require.ErrorIs(t, err, atomic.ErrTimeout)
			require.Less(t, time.Since(start), patience, "the server's own limits come later")
			db.idle()
		}
		r.exec("COMMIT")
		db.settled()
		assert.Equal(t, 2, db.value(1))
	})
}

// The block ends at its limit even while fn is busy elsewhere: the connection
// goes back and the locks are free.
func TestB19_TimeoutWhileFnIsElsewhere(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for limit, option := range map[error]func(time.Duration) atomic.Option{
			atomic.ErrTimeout: atomic.Timeout, atomic.ErrIdleTimeout: atomic.IdleTimeout,
		} {
			for _, nested := range []bool{false, true} {
				// On a busy machine the first statement may take all the time there is.
				for d := moment; !db.elsewhere(limit, option(d), nested); d *= 2 {
					require.Less(t, d, patience)
				}
			}
		}
	})
}

// elsewhere reports whether the block came as far as to be busy elsewhere.
func (db *database) elsewhere(limit error, option atomic.Option, nested bool) (reached bool) {
	t := db.t
	var d diary
	busy := func(ctx context.Context) error {
		if err := db.insert(ctx, 1); err != nil {
			return err
		}
		reached = true
		db.settled() // while fn goes on
		_, further := db.executor.Exec(ctx, block.Statement{SQL: "DELETE FROM t"})
		require.ErrorIs(t, further, limit, "a statement after the limit")
		require.ErrorIs(t, further, atomic.ErrBlockClosed)
		require.Error(t, db.insert(ctx, 2)) // database/sql may answer for itself here
		return nil
	}
	err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
		d.both(ctx, t, db, "hook")
		if nested {
			_ = atomic.Do(ctx, db, busy)
			return nil
		}
		return busy(ctx)
	}, option)
	require.ErrorIs(t, err, limit)
	assert.Equal(t, []string{"-hook"}, d.take())
	assert.Empty(t, db.kept())
	return reached
}

// A nested block's limit is its own: the outer goes on.
func TestB19_TimeoutOfANestedBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 2)
				<-ctx.Done()
				return nil
			}, atomic.Timeout(100*moment))
			require.ErrorIs(t, err, atomic.ErrTimeout)
			return db.insert(ctx, 3)
		}))
		assert.Equal(t, []int{1, 3}, db.kept())
	})
}

// Every attempt and every wait between them counts.
func TestB19_TimeoutIncludesTheRetries(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.conflicting()
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) },
			atomic.Timeout(2*moment), atomic.RetryPolicy{Max: 1 << 20, Base: time.Millisecond, Cap: time.Millisecond})
		require.ErrorIs(t, err, atomic.ErrTimeout)
		db.idle()
	}, testdb.Servers()...)
}

// Statements keep a block from being idle.
func TestB19_IdleTimeoutStartsAgain(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			limit := time.After(125 * moment)
			for id := 1; ; id++ {
				db.mustInsert(ctx, id)
				select {
				case <-limit:
					return nil
				case <-time.After(moment):
				}
			}
		}, atomic.IdleTimeout(100*moment)))
		assert.NotEmpty(t, db.kept())
	})
}

// Waiting for a statement, or reading rows, is not being idle.
func TestB19_AStatementIsNotIdle(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		slow := "SELECT SLEEP(5.5)"
		if db.Engine == testdb.Postgres {
			slow = "SELECT pg_sleep(5.5)"
		}
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			return db.exec(ctx, slow)
		}, atomic.IdleTimeout(100*moment)))
		assert.Equal(t, []int{1}, db.kept())
	}, testdb.Servers()...)
}

func TestB19_LockTimeout(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r := db.rival()
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		for _, limit := range []time.Duration{0, moment} {
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				return db.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1")
			}, atomic.LockTimeout(limit))
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			require.NotErrorIs(t, err, atomic.ErrTimeout)
			db.idle()
		}
		r.exec("COMMIT")
		assert.Equal(t, 2, db.value(1))
	})
}

// A table that somebody alters, or waits to alter, is waited for as long as a row is.
func TestB19_LockTimeoutForATable(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		// The reader holds up the ALTER, which holds up everybody, and ends first, whatever fails.
		alters, reader := db.rival(), db.rival()
		reader.exec("SELECT * FROM t")
		done := alters.start("ALTER TABLE t ADD COLUMN further INTEGER")
		one := db.again(setup{pool: 1})
		settings := func(ctx context.Context) (all []string) {
			for _, name := range db.limitSettings() {
				if strings.Contains(name, "lock") {
					all = append(all, one.setting(ctx, name))
				}
			}
			return all
		}
		was := settings(t.Context())
		waits := func(ctx context.Context) error { return one.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1") }
		eventually(t, "the ALTER waits", func() bool {
			return errors.Is(atomic.Do(t.Context(), one, waits, atomic.LockTimeout(moment), atomic.Timeout(patience)), dialect.ErrLockNotAvailable)
		})
		var further error
		err := atomic.Do(t.Context(), one, func(ctx context.Context) error {
			require.NoError(t, one.exec(ctx, "SELECT 1"))
			nested := atomic.Do(ctx, one, waits, atomic.LockTimeout(moment))
			require.ErrorIs(t, nested, dialect.ErrLockNotAvailable)
			require.NotErrorIs(t, nested, atomic.ErrTimeout)
			if further = one.exec(ctx, "SELECT 1"); further == nil {
				assert.Equal(t, was, settings(ctx), "for the nested block alone")
			}
			return nil
		}, atomic.Timeout(patience))
		if db.executor.Database().Server.RollbackOnTimeout { // which no text of the error tells from that of a row
			require.ErrorIs(t, further, atomic.ErrRollbackRequired)
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		} else {
			require.NoError(t, errors.Join(further, err))
		}
		one.idle()
		assert.Equal(t, was, settings(t.Context()))
		reader.exec("COMMIT")
		require.NoError(t, done())
		alters.exec("COMMIT")
		require.NoError(t, atomic.Do(t.Context(), one, waits, atomic.LockTimeout(patience)))
		assert.Equal(t, 3, db.value(1))
	}, testdb.Servers()...)
}

// The server knows the limits as well, for a client that cannot keep them. Where
// its limit would end the connection it comes a second later than the block's.
// MySQL and MariaDB count in seconds; SQLite is the client.
func TestB19_TheServerKnowsTheLimits(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		settings := map[string]string{}
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			for _, name := range db.limitSettings() {
				settings[name] = db.setting(ctx, name)
			}
			return nil
		}, atomic.Timeout(70*time.Second), atomic.IdleTimeout(80*time.Second), atomic.LockTimeout(90*time.Second), atomic.Name("seen")))
		want := map[string]string{"innodb_lock_wait_timeout": "90", "lock_wait_timeout": "90", "max_execution_time": "71000", "wait_timeout": "81"}
		switch {
		case db.Engine == testdb.MariaDB:
			want = map[string]string{"innodb_lock_wait_timeout": "90", "lock_wait_timeout": "90", "max_statement_time": "71", "idle_transaction_timeout": "81"}
		case db.Engine == testdb.Postgres:
			want = map[string]string{"lock_timeout": "90s", "idle_in_transaction_session_timeout": "81s", "application_name": "seen"}
			limit := "statement_timeout"
			if db.executor.Database().Server.Version.AtLeast(17, 0, 0) {
				limit = "transaction_timeout"
			}
			want[limit] = "71s"
		}
		assert.Equal(t, want, settings)
	}, testdb.Servers()...)
}

func (db *database) limitSettings() []string {
	switch {
	case db.Engine == testdb.MySQL:
		return []string{"innodb_lock_wait_timeout", "lock_wait_timeout", "max_execution_time", "wait_timeout"}
	case db.Engine == testdb.MariaDB:
		return []string{"innodb_lock_wait_timeout", "lock_wait_timeout", "max_statement_time", "idle_transaction_timeout"}
	case db.executor.Database().Server.Version.AtLeast(17, 0, 0):
		return []string{"lock_timeout", "transaction_timeout", "idle_in_transaction_session_timeout", "application_name"}
	}
	return []string{"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "application_name"}
}

func (db *database) setting(ctx context.Context, name string) (value string) {
	db.t.Helper()
	query := "SELECT @@SESSION." + name
	if db.Engine == testdb.Postgres {
		query = "SELECT current_setting('" + name + "')"
	}
	require.NoError(db.t, db.executor.SQL().QueryRowContext(ctx, query).Scan(&value))
	return value
}

// A client that is cut off cannot roll back. Then the server ends what it has
// left open, on MySQL and MariaDB a second later.
func TestB19_TheServerEndsWhatTheClientCannot(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		far, p := db.distant(setup{})
		begun, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- atomic.Do(context.Background(), far, func(ctx context.Context) error {
				if err := far.insert(ctx, 1); err != nil {
					return err
				}
				p.SetLatency(time.Hour) // nothing gets through any more
				close(begun)
				eventually(t, "the limit", func() bool { return !atomic.In(ctx, far) })
				return nil
			}, atomic.IdleTimeout(40*moment))
		}()
		soon(t, "the transaction is open", begun)
		eventually(t, "the server has ended it", func() bool { return db.transactions() == 0 })
		p.Cut()
		require.ErrorIs(t, soon(t, "Do's end", ended), atomic.ErrIdleTimeout)
		assert.Empty(t, db.kept())
	}, testdb.Servers()...)
}
