package tests

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestB12_CommitSentAndNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		id := 0
		db.eachLoss(setup{}, func(l loss, far *database) {
			id++
			var d diary
			attempts := 0
			err := atomic.Do(t.Context(), far, func(ctx context.Context) error {
				attempts++
				d.both(ctx, t, far, "hook")
				return far.insert(ctx, id)
			}, atomic.RetryPolicy{Max: 3, Connection: true})
			require.ErrorIs(t, err, atomic.ErrCommitUnknown, l.name)
			assert.Equal(t, 1, attempts, "never retried: %s", l.name)
			assert.Empty(t, d.take(), "neither kind of hook: %s", l.name)
			far.settled()
			assert.Equal(t, l.done, db.has(id), l.name)
		})
	})
}

// has reports whether the row is committed.
func (db *database) has(id int) bool {
	for _, kept := range db.kept() {
		if kept == id {
			return true
		}
	}
	return false
}

func TestB12_ResolveCommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		id := 0
		db.eachLoss(setup{}, func(l loss, far *database) {
			id++
			var d diary
			err := atomic.Do(t.Context(), far, func(ctx context.Context) error {
				d.both(ctx, t, far, "hook")
				return far.insert(ctx, id)
			}, atomic.ResolveCommit())
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown, l.name)
			if l.done {
				require.NoError(t, err, l.name)
				assert.Equal(t, []string{"+hook"}, d.take(), l.name)
			} else {
				require.ErrorIs(t, err, dialect.ErrConnectionLost, l.name)
				assert.Equal(t, []string{"-hook"}, d.take(), l.name)
			}
			far.settled()
			assert.Equal(t, l.done, db.has(id), l.name)
		})
		// What is known to be rolled back can be tried again.
		db.eachLoss(setup{}, func(l loss, far *database) {
			id++
			attempts := 0
			require.NoError(t, atomic.Do(t.Context(), far, func(ctx context.Context) error {
				attempts++
				return far.insert(ctx, id)
			}, atomic.ResolveCommit(), atomic.Retry(1)), l.name)
			assert.Equal(t, map[bool]int{true: 1, false: 2}[l.done], attempts, l.name)
			assert.True(t, db.has(id), l.name)
		})
	})
}

// An answer to COMMIT that does not say what became of it, as a node of a cluster
// gives that is cut off from the others, is no answer.
func TestB12_AnAnswerThatLeavesItOpen(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		insert := func(id int) func(context.Context) error {
			return func(ctx context.Context) error { return db.insert(ctx, id) }
		}
		db.wires.loseCommit(unclear)
		attempts := 0
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			attempts++
			return db.insert(ctx, 1)
		}, atomic.Retry(3), atomic.RetryPolicy{Connection: true, Max: 3})
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		assert.Equal(t, 1, attempts)
		db.wires.loseCommit(unclear)
		require.NoError(t, atomic.Do(t.Context(), db, insert(2), atomic.ResolveCommit()))
		db.settled()
		assert.Equal(t, []int{1, 2}, db.kept())
	})
}

// The option costs a block nothing but what it says when nothing is lost.
func TestB12_ResolveCommitWithNothingToResolve(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		ctx := t.Context()
		require.NoError(t, atomic.Do(ctx, db, func(context.Context) error { return nil }, atomic.ResolveCommit()))
		assert.Empty(t, db.wires.take())
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 1) }, atomic.ResolveCommit()))
		reads := func(ctx context.Context) error { _, err := db.count(ctx); return err }
		require.NoError(t, atomic.Do(ctx, db, reads, atomic.ResolveCommit()))
		require.NoError(t, atomic.Do(ctx, db, reads, atomic.ResolveCommit(), atomic.ReadOnly()))
		require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 2)
			return errAsked
		}, atomic.ResolveCommit()), errAsked)
		assert.Equal(t, []int{1}, db.kept())
	})
}

// A COMMIT can still arrive when its client has long gone and has asked what
// became of it. Whatever the answer was then must stay true.
func TestB12_ResolveCommitAndACommitThatArrivesLate(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		far, p := db.distant(setup{})
		var stranded *proxy.Trap
		var id int64
		far.wires.on("COMMIT", func(w backend.Wire) {
			id = w.ID()
			stranded = p.Next(proxy.Strand)
		})
		err := atomic.Do(t.Context(), far, func(ctx context.Context) error { return far.insert(ctx, 1) }, atomic.ResolveCommit())
		stranded.Release()
		db.gone(id)
		switch {
		case err == nil:
			assert.Equal(t, []int{1}, db.kept())
		case assert.NotErrorIs(t, err, atomic.ErrCommitUnknown):
			assert.Empty(t, db.kept())
		}
	}, testdb.Servers()...)
}

// Others have every connection of the pool, and wait for the block whose COMMIT
// was lost.
func TestB12_ResolveCommitWhileThePoolIsEmpty(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		far, p := db.distant(setup{pool: 1})
		resolved, other := make(chan struct{}), make(chan error, 1)
		far.wires.on("COMMIT", func(backend.Wire) {
			p.Next(proxy.CutReply)
			go func() {
				other <- atomic.Do(t.Context(), far, func(ctx context.Context) error {
					if err := far.insert(ctx, 2); err != nil {
						return err
					}
					<-resolved
					return nil
				})
			}()
			eventually(t, "the other one waits for a connection", func() bool { return far.pool().Stats().WaitCount > 0 })
		})
		err := atomic.Do(t.Context(), far, func(ctx context.Context) error { return far.insert(ctx, 1) }, atomic.ResolveCommit())
		close(resolved)
		require.NoError(t, err)
		require.NoError(t, soon(t, "the other block", other))
		assert.Equal(t, []int{1, 2}, db.kept())
	}, testdb.Servers()...)
}

// The server may be away for a while when it is asked, or for too long.
func TestB12_ResolveCommitWhileTheServerIsAway(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		back, p := db.distant(setup{})
		back.wires.on("COMMIT", func(backend.Wire) {
			lost := p.Next(proxy.CutReply)
			p.Refuse(true)
			go func() {
				<-lost.Hit()
				eventually(t, "it is asked in vain", func() bool { return p.Refused() > 1 })
				p.Refuse(false)
			}()
		})
		require.NoError(t, atomic.Do(t.Context(), back, func(ctx context.Context) error { return back.insert(ctx, 1) }, atomic.ResolveCommit()))
		assert.Equal(t, []int{1}, db.kept())

		away, q := db.distant(setup{Settings: block.Settings{CommitTimeout: 10 * time.Second}})
		away.wires.on("COMMIT", func(backend.Wire) {
			q.Next(proxy.CutReply)
			q.Refuse(true)
		})
		err := atomic.Do(t.Context(), away, func(ctx context.Context) error { return away.insert(ctx, 2) }, atomic.ResolveCommit())
		require.ErrorIs(t, err, atomic.ErrCommitUnknown)
		eventually(t, "the COMMIT is done", func() bool { return db.has(2) })
		assert.Equal(t, []int{1, 2}, db.kept())
	}, testdb.Servers()...)
}

// Without its table the block cannot be committed in a way that could be
// resolved, and says so. PostgreSQL needs none, and SQLite makes it.
func TestB12_ResolveCommitWithoutItsTable(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) }, atomic.ResolveCommit())
		require.ErrorContains(t, err, "holdfast_commits")
		require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
		db.idle()
		assert.Empty(t, db.kept())
	}, testdb.MySQL, testdb.MariaDB)
}

// The connection ends before COMMIT is sent: by the server, or on the network.
// COMMIT may then still be written and get no answer, so the outcome may be
// called unknown, but never a success.
func TestB12_TheConnectionEndsBeforeCommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.resolvable()
		for what, end := range map[string]func(ctx context.Context, far *database, p *proxy.Proxy){
			"by the server":  func(ctx context.Context, far *database, _ *proxy.Proxy) { far.kill(far.id(ctx)) },
			"on the network": func(_ context.Context, _ *database, p *proxy.Proxy) { p.Cut() },
		} {
			far, p := db.distant(setup{})
			run := func(opts ...atomic.Option) error {
				return atomic.Do(t.Context(), far, func(ctx context.Context) error {
					far.mustInsert(ctx, 1)
					if atomic.Attempt(ctx, far) == 1 {
						end(ctx, far, p)
					}
					return nil
				}, opts...)
			}
			err := run()
			require.Error(t, err, what)
			require.ErrorIs(t, err, dialect.ErrConnectionLost, what)
			far.settled()
			assert.Empty(t, db.kept(), what)

			err = run(atomic.ResolveCommit())
			require.ErrorIs(t, err, dialect.ErrConnectionLost, what)
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown, what)
			assert.Empty(t, db.kept(), what)

			require.NoError(t, run(atomic.ResolveCommit(), atomic.RetryPolicy{Max: 1, Connection: true}), what)
			assert.Equal(t, []int{1}, db.kept(), what)
			require.NoError(t, far.exec(t.Context(), "DELETE FROM t"))
		}
	}, testdb.Servers()...)
}

// An error that only COMMIT brings: a constraint that is looked at then. MySQL
// and MariaDB have none.
func TestB25_ADeferredConstraint(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("CREATE TABLE child (id BIGINT PRIMARY KEY, parent BIGINT NOT NULL REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)")
		for _, opts := range [][]atomic.Option{nil, {atomic.ResolveCommit()}, {atomic.Retry(3)}} {
			var d diary
			attempts := 0
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				attempts++
				d.both(ctx, t, db, "hook")
				db.mustInsert(ctx, 1)
				return db.exec(ctx, "INSERT INTO child (id, parent) VALUES (1, 2)")
			}, opts...)
			require.ErrorIs(t, err, dialect.ErrForeignKeyViolation)
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
			assert.Equal(t, 1, attempts)
			assert.Equal(t, []string{"-hook"}, d.take())
			db.idle()
			db.settled()
			assert.Empty(t, db.kept())
		}
	}, testdb.Postgres, testdb.SQLite)
}

// And a serialization failure, which PostgreSQL can find at COMMIT.
func TestB25_ASerializationFailureAtCommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		skew := func(ctx context.Context, id int) error {
			n, err := db.count(ctx)
			require.NoError(t, err)
			return db.exec(ctx, "INSERT INTO t (id, v) VALUES (?, ?)", id, n)
		}
		serializable := atomic.Isolation(sql.LevelSerializable)
		for attempts, opts := range map[int][]atomic.Option{1: {serializable}, 2: {serializable, atomic.Retry(1)}} {
			require.NoError(t, db.exec(t.Context(), "DELETE FROM t"))
			var d diary
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				d.both(ctx, t, db, "hook")
				require.NoError(t, skew(ctx, 1))
				if atomic.Attempt(ctx, db) > 1 {
					return nil
				}
				return atomic.Do(ctx, db, func(ctx context.Context) error { return skew(ctx, 2) },
					serializable, atomic.Propagation(atomic.Independent))
			}, opts...)
			db.idle()
			assert.NotContains(t, db.wires.take(), "ROLLBACK", "the transaction has ended with COMMIT")
			if attempts == 1 {
				require.ErrorIs(t, err, dialect.ErrSerializationFailure)
				assert.Equal(t, []string{"-hook"}, d.take())
				assert.Equal(t, []int{2}, db.kept())
			} else {
				require.NoError(t, err)
				assert.Equal(t, []string{"-hook", "+hook"}, d.take())
				assert.Equal(t, []int{1, 2}, db.kept())
			}
		}
	}, testdb.Postgres)
}
