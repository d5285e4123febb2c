package tests

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestB01_NilMeansCommitted(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 2) }))
			assert.Empty(t, db.kept(), "a nested block is committed with its outer one")
			return nil
		}))
		db.idle()
		assert.Equal(t, []int{1, 2}, db.kept())

		n, err := atomic.Value(ctx, db, func(ctx context.Context) (int64, error) {
			db.mustInsert(ctx, 3)
			return db.count(ctx)
		})
		require.NoError(t, err)
		assert.EqualValues(t, 3, n)

		add := atomic.Wrap(db, func(ctx context.Context) error { return db.insert(ctx, 4) })
		require.NoError(t, add(ctx))
		assert.Equal(t, []int{1, 2, 3, 4}, db.kept())
	})
}

// PostgreSQL answers COMMIT in an aborted transaction with ROLLBACK and no
// error. The other engines have no such answer.
func TestB01_CommitAnsweredWithRollback(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		db.wires.on("COMMIT", func(w backend.Wire) {
			_, err := w.Exec(ctx, nil, "SELECT 1/0", nil) // behind the block's back
			assert.Error(t, err)
		})
		err := atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 1) })
		require.ErrorIs(t, err, backend.ErrCommitRefused)
		require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
		assert.Empty(t, db.kept())
	}, testdb.Postgres)
}

// refusal is an error type of the application's.
type refusal struct{ code int }

func (r *refusal) Error() string { return fmt.Sprintf("refused: %d", r.code) }

func TestB02_AnErrorRollsBackAndComesBack(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		cause := errors.New("cause")
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			return fmt.Errorf("%w and %w", cause, &refusal{7})
		})
		db.idle()
		require.ErrorIs(t, err, cause)
		var r *refusal
		require.ErrorAs(t, err, &r)
		assert.Equal(t, 7, r.code)
		assert.Empty(t, db.kept())

		// Also when a statement of the block had failed before and fn makes up
		// an error of its own.
		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			_ = db.refused(ctx)
			return cause
		})
		require.ErrorIs(t, err, cause)
		require.ErrorIs(t, err, dialect.ErrNotNullViolation)

		n, err := atomic.Value(ctx, db, func(context.Context) (int, error) { return 42, cause })
		require.ErrorIs(t, err, cause)
		assert.Zero(t, n)
	})
}

func TestB03_APanicRollsBackAndGoesOn(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		value := &refusal{1}
		undone := 0
		func() {
			defer func() { assert.Same(t, value, recover()) }()
			_ = atomic.Do(ctx, db, func(ctx context.Context) error {
				db.mustInsert(ctx, 1)
				count(ctx, t, db, atomic.OnRollback, &undone)
				panic(value)
			})
		}()
		db.idle()
		assert.Empty(t, db.kept())
		assert.Equal(t, 1, undone, "the hook of OnRollback")

		// A nested block whose panic the outer one recovers from.
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 2)
			func() {
				defer func() { assert.Same(t, value, recover()) }()
				_ = atomic.Do(ctx, db, func(ctx context.Context) error {
					db.mustInsert(ctx, 3)
					panic(value)
				})
			}()
			return db.insert(ctx, 4)
		}))
		db.idle()
		assert.Equal(t, []int{2, 4}, db.kept())
	})
}

// runtime.Goexit is what t.FailNow calls.
func TestB03_GoexitRollsBack(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for name, fn := range map[string]func(ctx context.Context) error{
			"outermost": func(ctx context.Context) error { runtime.Goexit(); return nil },
			"nested": func(ctx context.Context) error {
				return atomic.Do(ctx, db, func(ctx context.Context) error {
					assert.NoError(t, db.insert(ctx, 2))
					runtime.Goexit()
					return nil
				})
			},
			"joined": func(ctx context.Context) error {
				return atomic.Do(ctx, db, func(context.Context) error { runtime.Goexit(); return nil }, atomic.NoSavepoint())
			},
			"while rows are open": func(ctx context.Context) error {
				_, err := db.executor.SQL().QueryContext(ctx, "SELECT id FROM t") // left open
				assert.NoError(t, err)
				runtime.Goexit()
				return nil
			},
		} {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = atomic.Do(context.Background(), db, func(ctx context.Context) error {
					assert.NoError(t, db.insert(ctx, 1))
					return fn(ctx)
				})
			}()
			soon(t, name, done)
			db.idle()
			assert.Empty(t, db.kept(), name)
		}
	})
}

func TestB06_NothingIsSwallowed(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		var further error
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			first := db.refused(ctx)
			require.ErrorIs(t, first, dialect.ErrNotNullViolation)
			require.NotErrorIs(t, first, atomic.ErrRollbackRequired)
			assert.True(t, atomic.NeedsRollback(ctx, db))
			db.wires.take()
			further = db.insert(ctx, 2)
			_, queryErr := db.count(ctx)
			require.ErrorIs(t, queryErr, atomic.ErrRollbackRequired)
			nested := atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil })
			require.ErrorIs(t, nested, atomic.ErrRollbackRequired)
			assert.Empty(t, db.wires.take(), "sent after the failure")
			return nil
		}, atomic.Name("swallow"))
		db.idle()
		assert.Equal(t, []string{"ROLLBACK"}, db.wires.take())
		assert.Empty(t, db.kept())

		for what, err := range map[string]error{"the further statement": further, "Do": err} {
			require.ErrorIs(t, err, atomic.ErrRollbackRequired, what)
			require.ErrorIs(t, err, dialect.ErrNotNullViolation, what)
			var failed *atomic.FailedError
			require.ErrorAs(t, err, &failed, what)
			assert.Contains(t, failed.Statement, "INSERT INTO t (id, v) VALUES (", what)
			assert.Contains(t, err.Error(), "INSERT INTO t (id, v) VALUES (", what)
			assert.Contains(t, err.Error(), `block "swallow" (depth 1, failure_test.go:`, what)
			assert.NotContains(t, err.Error(), fmt.Sprint(secret), what)
		}
	})
}

// An error can come when part of a result has been read.
func TestB06_AnErrorInTheMiddleOfRows(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx := t.Context()
		failing := db.failingRows()
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 5000)
			rows, err := db.executor.SQL().QueryContext(ctx, failing)
			require.NoError(t, err)
			n := 0
			for rows.Next() {
				n++
			}
			assert.Positive(t, n, "rows before the error")
			require.Error(t, rows.Err())
			require.NoError(t, rows.Close())
			require.ErrorIs(t, db.insert(ctx, 5001), atomic.ErrRollbackRequired)
			return nil
		})
		db.idle()
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		assert.NotContains(t, db.kept(), 5000)
	})
}

// failingRows is a query whose last row is an error.
func (db *database) failingRows() string {
	for i := range 10 {
		values := ""
		for j := range 100 {
			values += fmt.Sprintf(",(%d,%d)", i*100+j+1, i*100+j+1)
		}
		db.arrange("INSERT INTO t (id, v) VALUES " + values[1:])
	}
	if db.Engine == testdb.SQLite {
		db.arrange("INSERT INTO t (id, v) VALUES (2000, -9223372036854775807 - 1)")
		return "SELECT id, abs(v) FROM t ORDER BY id" // integer overflow
	}
	db.arrange("INSERT INTO t (id, v) VALUES (2000, -1), (2001, -1)")
	return "SELECT id, (SELECT v FROM t s WHERE s.v = t.v) FROM t ORDER BY id" // more than one row
}

// What cannot be bound marks the block too: the program wanted it done.
func TestB06_AValueThatCannotBeBound(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			_ = db.exec(ctx, "INSERT INTO t (id, v) VALUES (?, ?)", 2, make(chan int))
			return nil
		})
		db.idle()
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		assert.Empty(t, db.kept())
	})
}

// Finding nothing is an answer, and so is matching no row.
func TestB06_NoRowIsNoFailure(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := db.number(ctx, "SELECT v FROM t WHERE id = 1")
			require.Error(t, err)
			require.NoError(t, db.exec(ctx, "UPDATE t SET v = 1 WHERE id = 1"))
			return db.insert(ctx, 1)
		}))
		assert.Equal(t, []int{1}, db.kept())
	})
}
