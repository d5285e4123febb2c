package tests

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

var errCancelled = errors.New("cancelled by the test")

// A program of statements and nested blocks is cancelled at each boundary in
// turn: before its first statement, after each, and when fn has done all but
// return. It either passes the errors of its statements on or ignores them.
func TestB11_CancelledAtEveryBoundary(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, ignores := range []bool{false, true} {
			const boundaries = 8
			for at := range boundaries + 1 {
				where := fmt.Sprintf("at boundary %d, ignoring errors: %v", at, ignores)
				ctx, cancel := context.WithCancelCause(t.Context())
				n := 0
				boundary := func() {
					if n == at {
						cancel(errCancelled)
					}
					n++
				}
				var undone, done int
				err := atomic.Do(ctx, db, func(ctx context.Context) error {
					count(ctx, t, db, atomic.OnCommit, &done)
					count(ctx, t, db, atomic.OnRollback, &undone)
					step := func(ctx context.Context, id int) error {
						err := db.insert(ctx, id)
						boundary()
						if ignores {
							return nil
						}
						return err
					}
					nested := func(fn func(ctx context.Context) error) error {
						err := atomic.Do(ctx, db, fn)
						boundary()
						if ignores {
							return nil
						}
						return err
					}
					boundary()
					return errors.Join(
						step(ctx, 1),
						nested(func(ctx context.Context) error { return step(ctx, 2) }),
						step(ctx, 3),
						nested(func(ctx context.Context) error { return errors.Join(step(ctx, 4), atomic.Rollback) }),
						step(ctx, 5))
				})
				cancel(nil)
				db.idle()
				if at == boundaries { // one that is never reached
					require.NoError(t, err, where)
					assert.Equal(t, []int{1, 2, 3, 5}, db.kept(), where)
					assert.Equal(t, [2]int{1, 0}, [2]int{done, undone}, where)
					require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
					continue
				}
				require.ErrorIs(t, err, errCancelled, where)
				assert.Empty(t, db.kept(), where)
				assert.Equal(t, [2]int{0, 1}, [2]int{done, undone}, where)
			}
		}
	})
}

// ROLLBACK does not use the ctx that has ended, so the connection survives.
func TestB11_CleanupDoesNotUseTheCtx(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		_, err := db.count(t.Context())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 1)
			cancel()
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		sent := db.wires.take()
		assert.Equal(t, "ROLLBACK", sent[len(sent)-1])
		assert.Equal(t, 1, db.pool().Stats().OpenConnections)
		assert.Equal(t, 1, db.pool().Stats().Idle)
	})
}

func TestB11_CancelledWhileAStatementWaits(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r := db.rival()
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		ctx, cancel := context.WithCancelCause(t.Context())
		if db.Engine == testdb.SQLite {
			db.wires.on("UPDATE", func(backend.Wire) { time.AfterFunc(20*time.Millisecond, func() { cancel(errCancelled) }) })
		} else {
			go func() { db.blocked(1); cancel(errCancelled) }()
		}
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			nested := atomic.Do(ctx, db, func(ctx context.Context) error {
				return db.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1")
			})
			require.ErrorIs(t, nested, errCancelled)
			return nil
		})
		require.ErrorIs(t, err, errCancelled)
		db.idle()
		r.exec("COMMIT")
		db.settled()
		assert.Equal(t, 2, db.value(1))
	})
}

// A COMMIT that runs is not cancelled: its outcome would be unknown.
func TestB11_ARunningCommitIsNotCancelled(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx, cancel := context.WithCancel(t.Context())
		db.wires.on("COMMIT", func(backend.Wire) { cancel() })
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 1) }))
		assert.Equal(t, []int{1}, db.kept())
		if db.Engine == testdb.SQLite {
			return // its COMMIT has no network to wait for
		}

		through := proxy.New(t, db.Addr)
		far := db.again(setup{dsn: db.Via(through.Addr())})
		ctx, cancel = context.WithCancel(t.Context())
		far.wires.on("COMMIT", func(backend.Wire) {
			held := through.On("COMMIT", proxy.HoldReply)
			go func() {
				<-held.Hit()
				cancel()
				held.Release()
			}()
		})
		require.NoError(t, atomic.Do(ctx, far, func(ctx context.Context) error { return far.insert(ctx, 2) }))
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

// COMMIT has a limit of its own, after which its outcome is unknown.
func TestB11_ACommitHasItsOwnLimit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		through := proxy.New(t, db.Addr)
		far := db.again(setup{dsn: db.Via(through.Addr()), Settings: block.Settings{CommitTimeout: 3 * time.Second}})
		var held *proxy.Trap
		far.wires.on("COMMIT", func(backend.Wire) { held = through.On("COMMIT", proxy.HoldReply) })
		err := atomic.Do(t.Context(), far, func(ctx context.Context) error { return far.insert(ctx, 1) })
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		far.idle()
		held.Release()
	}, testdb.Servers()...)
}

// What is left of the block's Timeout when COMMIT is sent says nothing about how long that
// may take, nor does the server's own clock, which runs out after it. Deferred triggers run
// within COMMIT.
func TestB11_ACommitLongerThanTheTimeout(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(7.3); RETURN NULL; END $$",
			"CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()")
		_, err := db.count(t.Context())
		require.NoError(t, err, "there is a connection")
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) }, atomic.Timeout(6*time.Second)))
		assert.Equal(t, []int{1}, db.kept())
	}, testdb.Postgres)
}

// A ctx that has ended before the block begins: nothing is sent, fn does not run.
func TestB11_ACtxThatHasEndedAlready(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCancelled)
		err := atomic.Do(ctx, db, func(context.Context) error { assert.Fail(t, "fn runs"); return nil })
		require.ErrorIs(t, err, errCancelled)
		assert.Empty(t, db.wires.take())
	})
}
