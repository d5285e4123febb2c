package tests

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// After a failure that was swallowed nothing is sent but one ROLLBACK (B6).
func TestRoundTrips_AfterAFailureOneRollback(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *counted) {
		later := db.proxy.On("later than the failure", proxy.Watch)
		db.wires.take()
		turns := db.turns(func() {
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				require.NoError(t, db.update(ctx, 1))
				db.mustRefuse(ctx)
				db.wires.take()
				_ = db.exec(ctx, "UPDATE t SET v = 0 /* later than the failure */")
				_ = db.update(ctx, 2)
				_ = db.nest(ctx, 2)
				_ = db.read(ctx)
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			assert.Equal(t, []string{"ROLLBACK"}, db.wires.take())
		})
		assert.Equal(t, 3, turns, "an UPDATE, a refused INSERT, ROLLBACK")
		assert.Zero(t, later.Hits())
	})
}

// A statement of a nested block that the server refuses costs what any other costs.
func TestRoundTrips_ARefusedNestedStatement(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *counted) {
		assert.Equal(t, 4, db.turns(func() {
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				require.NoError(t, db.update(ctx, 1))
				require.Error(t, db.inside(ctx, db.refused))
				return db.update(ctx, 3)
			}))
		}), "an UPDATE, a refused INSERT, an UPDATE, COMMIT")
	})
}

// A retry costs what a block costs, and nothing more.
func TestRoundTrips_ARetry(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *counted) {
		duel := armDuel(db.database)
		change := func(ctx context.Context, id int) error { return db.exec(ctx, "UPDATE duel SET v = 2 WHERE id = ?", id) }
		require.Equal(t, 2, db.turns(func() {
			require.NoError(t, db.inside(t.Context(), func(ctx context.Context) error { return change(ctx, 7) }))
		}))

		traffic := db.proxy.During(func() {
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				if err := change(ctx, 1); err != nil {
					return err
				}
				if atomic.Attempt(ctx, db) > 1 {
					return change(ctx, lastRow)
				}
				duel.wait()
				defer duel.finish()
				return change(ctx, lastRow) // the deadlock
			}, atomic.Retry(1)))
		})
		assert.Equal(t, 2*(2+1), traffic.Turns, "two attempts, each of two statements and its end")
		assert.Zero(t, traffic.Conns)
		assert.Equal(t, 2, db.look("SELECT v FROM duel WHERE id = 1"))
	})
}

// A connection that has not been used for a while is used without being asked
// first whether it is still there. pgx's stdlib asks after a second, which is
// why this test has to let more than that pass: no clock of the pool's can be
// turned forward from outside.
func TestRoundTrips_NoIdlePing(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *counted) {
		update := func() { require.NoError(t, db.nest(t.Context(), 1)) }
		require.Equal(t, 2, db.turns(update))
		<-time.After(1200 * time.Millisecond)
		assert.Equal(t, 2, db.proxy.During(update).Turns)
	})
}

// With multiStatements=false in the DSN the control statements of MySQL and
// MariaDB travel alone, but for those that are never needed.
func TestRoundTrips_SwitchedOff(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		p := proxy.New(t, at.Addr)
		db := &counted{open(t, at, setup{dsn: at.Via(p.Addr()) + separator(at.Via(p.Addr())) + "multiStatements=false", pool: 1}), p}
		db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
		assert.Zero(t, db.turns(func() { require.NoError(t, db.inside(t.Context(), nothing)) }))
		assert.Equal(t, 3, db.turns(func() { require.NoError(t, db.nest(t.Context(), 1)) }), "BEGIN, UPDATE, COMMIT")
		assert.Equal(t, 7, db.turns(func() { require.NoError(t, db.nest(t.Context(), 3)) }), "and two SAVEPOINT")
	}, testdb.MySQL, testdb.MariaDB)
}

func separator(dsn string) string {
	if strings.Contains(dsn, "?") {
		return "&"
	}
	return "?"
}
