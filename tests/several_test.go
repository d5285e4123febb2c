package tests

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// slow is a statement that takes a while.
func (db *database) slow() string {
	switch db.Engine {
	case testdb.SQLite:
		return "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) SELECT count(*) FROM c"
	case testdb.Postgres:
		return "SELECT pg_sleep(0.1)"
	default:
		return "SELECT SLEEP(0.1)"
	}
}

// meanwhile has act called, on a goroutine of its own, when the slow statement
// is being sent.
func (db *database) meanwhile(act func() error) <-chan error {
	done := make(chan error, 1)
	db.wires.on(db.slow(), func(backend.Wire) { go func() { done <- act() }() })
	return done
}

// A deadlock ends a read in the middle of its rows, and another goroutine of the
// block sends as soon as it may: what it sends must not be committed by itself.
func TestB08_ADeadlockInTheRowsOfAnotherGoroutine(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for range 10 {
			db.arrange("DROP TABLE IF EXISTS duel", "DROP TABLE IF EXISTS heavy")
			d := armDuel(db)
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				require.NoError(t, db.exec(ctx, "UPDATE duel SET v = 2 WHERE id = 1"))
				d.wait()
				rows, err := db.executor.SQL().QueryContext(ctx, "SELECT id, v, pad FROM duel ORDER BY id FOR UPDATE")
				require.NoError(t, err)
				defer d.finish()
				other := make(chan error)
				go func() {
					for {
						if err := db.insert(ctx, 2); !errors.Is(err, atomic.ErrRowsOpen) {
							other <- err
							return
						}
					}
				}()
				for rows.Next() {
				}
				require.ErrorIs(t, <-other, atomic.ErrRollbackRequired)
				return rows.Err()
			})
			require.ErrorIs(t, err, dialect.ErrDeadlock)
			require.Empty(t, db.kept())
		}
	}, testdb.MySQL, testdb.MariaDB)
}

// A session has one connection, and whoever comes while a statement is under way
// on it waits: a block, rows, a change of its mode.
func TestA04_ABlockWaitsForTheSessionsStatement(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		sess, ctx := db.session(t.Context())
		require.NoError(t, db.exec(ctx, "SELECT 1"))
		block := db.meanwhile(func() error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				return errors.Join(db.insert(ctx, 1), db.insert(ctx, 2))
			})
		})
		require.NoError(t, db.exec(ctx, db.slow()))
		require.NoError(t, soon(t, "the block", block))
		assert.Equal(t, []int{1, 2}, db.kept())

		statement := db.meanwhile(func() error { return db.insert(ctx, 3) })
		rows, err := db.executor.SQL().QueryContext(ctx, db.slow())
		require.NoError(t, err)
		err = soon(t, "the statement", statement)
		require.True(t, rows.Next())
		require.NoError(t, rows.Close())
		if err == nil { // it came first
			assert.Equal(t, []int{1, 2, 3}, db.kept())
		} else {
			require.ErrorIs(t, err, atomic.ErrRowsOpen)
		}
		require.NoError(t, db.insert(ctx, 4))
		require.NoError(t, sess.Close())
	})
}

func TestA05_SetAutocommitWhileAStatementIsUnderWay(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db = db.again(manual)
		sess, ctx := db.session(t.Context())
		switched := db.meanwhile(func() error { return sess.SetAutocommit(true) })
		require.NoError(t, db.exec(ctx, db.slow()))
		require.ErrorIs(t, soon(t, "the switch", switched), atomic.ErrUncommitted)
		require.NoError(t, db.insert(ctx, 1))
		require.ErrorIs(t, sess.Close(), atomic.ErrUncommitted)
		assert.Empty(t, db.kept())
	})
}

// Outside a block a text that steers a transaction would steer whoever gets the
// connection next, and on a *sql.Conn what is called next.
func TestB15_TransactionControlOutsideABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		texts := []string{"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a"}
		if db.Engine == testdb.MySQL || db.Engine == testdb.MariaDB {
			texts = append(texts, "SET autocommit = 0", "START TRANSACTION", "SET TRANSACTION READ ONLY", "LOCK TABLES t WRITE")
		}
		conn, err := db.executor.SQL().Conn(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		_, session := db.session(t.Context())
		for _, text := range texts {
			require.ErrorIs(t, db.exec(t.Context(), text), atomic.ErrTransactionControl, text)
			require.ErrorIs(t, db.exec(session, text), atomic.ErrTransactionControl, text)
			_, err := conn.ExecContext(t.Context(), text)
			require.ErrorIs(t, err, atomic.ErrTransactionControl, text)
		}
		assert.Empty(t, db.wires.take())
		require.NoError(t, db.exec(t.Context(), "CREATE TABLE u (id BIGINT NOT NULL PRIMARY KEY)"), "DDL is another thing")
	})
}

// What code that no text shows, or a statement that fails half-way, does to its
// session stays with a connection that nobody else gets.
func TestB13_ASessionThatWasChangedUnseen(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		changes := map[string]string{ // and a look that must find 0
			"DO $$ BEGIN CREATE TEMP TABLE t AS SELECT 99 AS id, 99 AS v; END $$": "SELECT count(*) FROM t",
			"DO $$ BEGIN SET statement_timeout = '77s'; END $$":                   "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'",
			"SELECT pg_advisory_lock(42)::text::int":                              "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
		}
		if db.Engine != testdb.Postgres {
			db.arrange("CREATE PROCEDURE p() CREATE TEMPORARY TABLE t AS SELECT 99 AS id, 99 AS v",
				"CREATE PROCEDURE opens() START TRANSACTION", "CREATE TABLE two (id BIGINT)", "INSERT INTO two VALUES (1), (2)")
			changes = map[string]string{
				"CALL p()": "SELECT count(*) FROM t",
				"SELECT GET_LOCK('mine', 0), (SELECT id FROM two)": "SELECT COALESCE(IS_USED_LOCK('mine') = CONNECTION_ID(), 0)",
			}
		}
		for change, look := range changes {
			for _, run := range []func() error{
				func() error { return one.exec(t.Context(), change) },
				func() error {
					return atomic.Do(t.Context(), one, func(ctx context.Context) error { return one.exec(ctx, change) })
				},
			} {
				_ = run() // some are meant to fail
				found, err := one.number(t.Context(), look)
				require.NoError(t, err, change)
				assert.Zero(t, found, change)
			}
		}
		if db.Engine != testdb.Postgres {
			require.ErrorIs(t, one.exec(t.Context(), "CALL opens()"), atomic.ErrUncommitted)
			require.NoError(t, one.insert(t.Context(), 1))
			assert.Equal(t, []int{1}, db.kept())
		}
	}, testdb.Servers()...)
}

// A ctx of somebody's own may inherit a deadline and never end.
func TestB11_ACtxWithADeadlineThatNeverEnds(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		<-ctx.Done()
		done := make(chan error, 1)
		go func() { done <- db.refused(endless{ctx}) }()
		require.Error(t, soon(t, "the answer", done))
	}, testdb.SQLite)
}

type endless struct{ context.Context }

func (endless) Done() <-chan struct{} { return nil }
func (endless) Err() error            { return nil }
