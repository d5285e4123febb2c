package tests

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestB09_ACtxThatOutlivesItsBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		var outer, inner context.Context
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			outer = ctx
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				inner = ctx
				return db.insert(ctx, 1)
			}))
			require.ErrorIs(t, db.insert(inner, 2), atomic.ErrBlockClosed)
			assert.False(t, atomic.NeedsRollback(ctx, db), "misuse marks nothing")
			return nil
		}))
		db.wires.take()
		for _, late := range []context.Context{outer, inner} {
			require.ErrorIs(t, db.insert(late, 3), atomic.ErrBlockClosed)
			_, err := db.count(late)
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			err = atomic.Do(late, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil })
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			_, err = db.executor.SQL().BeginTx(late, nil)
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			require.ErrorIs(t, atomic.OnCommit(late, db, func(context.Context) error { return nil }), atomic.ErrBlockClosed)
			require.ErrorIs(t, atomic.SetRollback(late, db, true), atomic.ErrBlockClosed)
			_, err = atomic.Savepoint(late, db)
			require.ErrorIs(t, err, atomic.ErrBlockClosed)
			assert.False(t, atomic.In(late, db))
		}
		assert.Empty(t, db.wires.take())
		assert.Equal(t, []int{1}, db.kept())
	})
}

func TestB10_TheOuterCtxWhileANestedBlockIsOpen(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(outer context.Context) error {
			db.mustInsert(outer, 1)
			require.NoError(t, atomic.Do(outer, db, func(inner context.Context) error {
				db.mustInsert(inner, 2)
				db.wires.take()
				require.ErrorIs(t, db.insert(outer, 3), atomic.ErrOuterContext)
				err := atomic.Do(outer, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil })
				require.ErrorIs(t, err, atomic.ErrOuterContext)
				_, err = atomic.Savepoint(outer, db)
				require.ErrorIs(t, err, atomic.ErrOuterContext)
				assert.Empty(t, db.wires.take())
				assert.False(t, atomic.NeedsRollback(inner, db), "misuse marks nothing")
				return db.insert(inner, 4)
			}))
			return db.insert(outer, 5)
		}))
		assert.Equal(t, []int{1, 2, 4, 5}, db.kept())
	})
}

func TestB10_TwoGoroutinesNestOnOneBlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			entered, leave := make(chan struct{}), make(chan struct{})
			first := make(chan error)
			go func() {
				first <- atomic.Do(ctx, db, func(ctx context.Context) error {
					close(entered)
					<-leave
					return db.insert(ctx, 1)
				})
			}()
			soon(t, "the first nested block", entered)
			err := atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil })
			require.ErrorIs(t, err, atomic.ErrOuterContext)
			close(leave)
			require.NoError(t, soon(t, "its end", first))
			return atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 2) })
		}))
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

// A statement that waits for its connection while a nested block opens does not become a
// part of that, whose rollback would undo it after it was reported as done.
func TestB10_ANestedBlockOpensBeforeTheFirstStatement(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		held, err := one.pool().Conn(t.Context())
		require.NoError(t, err)
		undone := errors.New("undone")
		var outer error
		require.NoError(t, atomic.Do(t.Context(), one, func(ctx context.Context) error {
			waits := one.pool().Stats().WaitCount
			sent := make(chan error, 1)
			go func() { sent <- one.insert(ctx, 1) }()
			eventually(t, "it waits for a connection", func() bool { return one.pool().Stats().WaitCount > waits })
			require.ErrorIs(t, atomic.Do(ctx, one, func(ctx context.Context) error {
				require.NoError(t, held.Close())
				outer = soon(t, "the statement", sent)
				require.NoError(t, one.insert(ctx, 2))
				return undone
			}), undone)
			return one.insert(ctx, 3)
		}))
		require.ErrorIs(t, outer, atomic.ErrOuterContext)
		assert.Equal(t, []int{3}, db.kept())
	})
}

// A block that ends while one nested in it is still at work elsewhere is rolled
// back, and the other cannot write any more.
func TestB10_ANestedBlockLeftBehind(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		entered, leave := make(chan struct{}), make(chan struct{})
		late := make(chan [2]error, 1)
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			go func() {
				var statement error
				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					assert.NoError(t, db.insert(ctx, 2))
					close(entered)
					<-leave
					statement = db.insert(ctx, 3)
					return nil
				})
				late <- [2]error{err, statement}
			}()
			soon(t, "the nested block", entered)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrOuterContext)
		db.idle()
		close(leave)
		errs := soon(t, "the nested block's end", late)
		require.Error(t, errs[0], "Do")
		require.ErrorIs(t, errs[1], atomic.ErrBlockClosed, "the statement")
		assert.Empty(t, db.kept())
	})
}

func TestB10_StatementsOfSeveralGoroutinesAreSerialised(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() {
					assert.NoError(t, db.insert(ctx, i))
					assert.NoError(t, db.exec(ctx, "UPDATE t SET v = v + 1 WHERE id = ?", i))
				})
			}
			all.Wait()
			return nil
		}))
		assert.Len(t, db.kept(), 30)
	})
}

func TestB10_RowsAreStillBeingRead(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1), (2, 2), (3, 3)")
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			rows, err := db.executor.SQL().QueryContext(ctx, "SELECT id FROM t ORDER BY id")
			require.NoError(t, err)
			require.True(t, rows.Next())
			require.ErrorIs(t, db.insert(ctx, 4), atomic.ErrRowsOpen)
			_, err = db.count(ctx)
			require.ErrorIs(t, err, atomic.ErrRowsOpen)
			assert.False(t, atomic.NeedsRollback(ctx, db), "misuse marks nothing")
			require.True(t, rows.Next(), "and the rows can be read on")
			require.NoError(t, rows.Close())
			require.NoError(t, rows.Err())
			return db.insert(ctx, 5)
		}))
		assert.Equal(t, []int{1, 2, 3, 5}, db.kept())

		// Rows that a block leaves open end with it.
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := db.executor.SQL().QueryContext(ctx, "SELECT id FROM t") // left open
			return err
		}))
		db.idle()
	})
}

func TestB15_TransactionControlIsRefused(t *testing.T) {
	control := []string{
		"COMMIT", "commit work", "ROLLBACK", "BEGIN", "START TRANSACTION", "RELEASE SAVEPOINT mine",
		"ROLLBACK TO SAVEPOINT mine", "/* a comment */ COMMIT", "-- a comment\nCOMMIT", "; COMMIT", "\tEND",
	}
	implicit := []string{
		"SET autocommit = 0", "SET @@session.autocommit := 1",
		"SET TRANSACTION READ ONLY", "CREATE TABLE u (id INT)", "ALTER TABLE t ADD w INT", "DROP TABLE t", "TRUNCATE TABLE t",
		"CREATE INDEX i ON t (v)", "RENAME TABLE t TO s", "LOCK TABLES t WRITE", "UNLOCK TABLES", "GRANT SELECT ON t TO x",
		"ANALYZE TABLE t", "/*!50000 COMMIT */", "XA BEGIN 'x'",
	}
	each(t, func(t *testing.T, db *database) {
		refused := control
		switch db.Engine {
		case testdb.SQLite:
			refused = slices.DeleteFunc(slices.Clone(control), func(s string) bool { return s == "START TRANSACTION" }) // unknown to it
		case testdb.MySQL, testdb.MariaDB:
			refused = append(refused[:len(refused)-1:len(refused)-1], implicit...) // END is not theirs
		case testdb.Postgres:
			refused = append(refused[:len(refused):len(refused)], "ABORT", "PREPARE TRANSACTION 'x'", "SET TRANSACTION READ ONLY", "COMMIT AND CHAIN")
		}
		for _, statement := range refused {
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				db.wires.take()
				require.ErrorIs(t, db.exec(ctx, statement), atomic.ErrTransactionControl, statement)
				_, err := db.number(ctx, statement)
				require.ErrorIs(t, err, atomic.ErrTransactionControl, statement)
				assert.Empty(t, db.wires.take(), statement)
				assert.False(t, atomic.NeedsRollback(ctx, db), statement)
				return db.exec(ctx, "DELETE FROM t")
			}), statement)
		}
	})
}

// A text of several statements cannot smuggle one in.
func TestB15_StackedStatements(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			db.wires.take()
			require.ErrorIs(t, db.exec(ctx, "UPDATE t SET v = 5; COMMIT"), atomic.ErrTransactionControl)
			if db.Engine != testdb.Postgres && db.Engine != testdb.SQLite {
				require.ErrorIs(t, db.exec(ctx, "UPDATE t SET v = 5; DELETE FROM t"), dialect.ErrUnsupported)
			}
			assert.Empty(t, db.wires.take())
			return db.insert(ctx, 2)
		}))
		assert.Equal(t, []int{1, 2}, db.kept())
		assert.Equal(t, 1, db.value(1))
	})
}

// Where DDL is a part of the transaction a script is, too: it runs as a whole or
// not at all.
func TestB15_AScript(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		const script = "CREATE TABLE u (id INTEGER); INSERT INTO t (id, v) VALUES (2, 0); INSERT INTO u VALUES (1);"
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			require.NoError(t, db.exec(ctx, script)) // with BEGIN in front of it
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		if db.Engine == testdb.Postgres {
			require.Error(t, db.exec(t.Context(), script+" INSERT INTO nowhere VALUES (1)"))
		}
		assert.Empty(t, db.kept())

		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			err := atomic.Do(ctx, db, func(ctx context.Context) error { return db.exec(ctx, script+" INSERT INTO nowhere VALUES (1)") })
			require.Error(t, err)
			return db.exec(ctx, script)
		}))
		assert.Equal(t, []int{1, 2}, db.kept())
		require.NoError(t, db.exec(t.Context(), "DROP TABLE u; DELETE FROM t"))
		assert.Empty(t, db.kept())
	}, testdb.Postgres, testdb.SQLite)
}

// DDL is a part of the transaction on PostgreSQL and SQLite.
func TestB15_TransactionalDDL(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			require.NoError(t, db.exec(ctx, "CREATE TABLE u (id INTEGER)"))
			require.NoError(t, db.exec(ctx, "ALTER TABLE t ADD w INTEGER"))
			return errAsked
		})
		require.ErrorIs(t, err, errAsked)
		require.Error(t, db.exec(t.Context(), "SELECT id FROM u"))
		require.Error(t, db.exec(t.Context(), "SELECT w FROM t"))
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			return db.exec(ctx, "CREATE TABLE u (id INTEGER)")
		}))
		require.NoError(t, db.exec(t.Context(), "INSERT INTO u VALUES (1)"))
	}, testdb.Postgres, testdb.SQLite)
}
