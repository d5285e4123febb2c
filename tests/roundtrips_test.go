package tests

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// counted is a database whose one connection goes through a proxy that counts.
type counted struct {
	*database
	proxy *proxy.Proxy
}

// eachCounted runs a test on each server with rows 1 to 20 in t.
func eachCounted(t *testing.T, test func(t *testing.T, db *counted)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		p := proxy.New(t, at.Addr)
		db := &counted{open(t, at, setup{dsn: at.Via(p.Addr()), pool: 1}), p}
		db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
		for id := range 20 {
			db.mustInsert(t.Context(), id+1)
		}
		test(t, db)
	}, testdb.Servers()...)
}

// turns is what a block costs when its connection is open and has seen its
// statements before: the round trips of its second run.
func (db *counted) turns(run func()) int {
	db.t.Helper()
	run()
	traffic := db.proxy.During(run)
	require.Zero(db.t, traffic.Conns, "connections opened")
	return traffic.Turns
}

func (db *counted) update(ctx context.Context, id int) error {
	return db.exec(ctx, "UPDATE t SET v = v + 1 WHERE id = ?", id)
}

func (db *counted) lock(ctx context.Context, id int) error {
	_, err := db.number(ctx, "SELECT v FROM t WHERE id = ? FOR UPDATE", id)
	return err
}

func (db *counted) read(ctx context.Context) error {
	_, err := db.count(ctx)
	return err
}

// inside runs fn in a nested block.
func (db *counted) inside(ctx context.Context, fn func(context.Context) error, opts ...atomic.Option) error {
	return atomic.Do(ctx, db, fn, opts...)
}

// nothing is a block that sends nothing.
func nothing(context.Context) error { return nil }

// nest updates one row in each of so many levels.
func (db *counted) nest(ctx context.Context, depth int) error {
	if depth == 0 {
		return nil
	}
	return db.inside(ctx, func(ctx context.Context) error {
		return errors.Join(db.update(ctx, depth), db.nest(ctx, depth-1))
	})
}

// is returns nil if err is the error that was wanted.
func is(want, err error) error {
	if errors.Is(err, want) {
		return nil
	}
	return errors.Join(errors.New("not the error that was wanted"), err)
}

// Section 6 of the design: a block takes as many round trips as it has
// statements, and one more to end.
func TestRoundTrips_StatementsPlusOne(t *testing.T) {
	type block struct {
		name    string
		turns   int
		updates int64
		run     func(context.Context, *counted) error
		opts    []atomic.Option
	}
	updating := func(ctx context.Context, db *counted) error { return db.update(ctx, 1) }
	locking := func(ctx context.Context, db *counted) error {
		return errors.Join(db.lock(ctx, 1), db.update(ctx, 1))
	}
	blocks := []block{
		{"empty", 0, 0, func(context.Context, *counted) error { return nil }, nil},
		{"empty, three levels", 0, 0, func(ctx context.Context, db *counted) error {
			return db.inside(ctx, func(ctx context.Context) error { return db.inside(ctx, nothing) })
		}, nil},
		{"one UPDATE", 2, 1, updating, nil},
		{"SELECT FOR UPDATE, UPDATE", 3, 1, locking, nil},
		{"three levels, one UPDATE in each", 4, 3, func(ctx context.Context, db *counted) error {
			return errors.Join(db.update(ctx, 3), db.nest(ctx, 2))
		}, nil},
		{"ten levels, one UPDATE in each", 11, 10, func(ctx context.Context, db *counted) error {
			return errors.Join(db.update(ctx, 10), db.nest(ctx, 9))
		}, nil},
		{"three siblings, one UPDATE in each", 4, 3, func(ctx context.Context, db *counted) error {
			return errors.Join(db.nest(ctx, 1), db.nest(ctx, 1), db.nest(ctx, 1))
		}, nil},
		{"a nested block that sends nothing", 3, 2, func(ctx context.Context, db *counted) error {
			return errors.Join(db.update(ctx, 1), db.inside(ctx, nothing), db.update(ctx, 1))
		}, nil},
		{"a nested block that only reads", 4, 2, func(ctx context.Context, db *counted) error {
			return errors.Join(db.update(ctx, 1), db.inside(ctx, db.read), db.update(ctx, 1))
		}, nil},
		{"nothing but a nested block that reads", 2, 0, func(ctx context.Context, db *counted) error {
			return db.inside(ctx, db.read)
		}, nil},
		{"a nested block that joins", 3, 2, func(ctx context.Context, db *counted) error {
			return errors.Join(db.update(ctx, 1), db.inside(ctx, func(ctx context.Context) error {
				return db.update(ctx, 2)
			}, atomic.NoSavepoint()))
		}, nil},
		{"a nested block that fails, and the outer goes on", 4, 2, func(ctx context.Context, db *counted) error {
			err := errors.Join(db.update(ctx, 1), is(errAsked, db.inside(ctx, func(ctx context.Context) error {
				return errors.Join(db.update(ctx, 2), errAsked)
			})))
			return errors.Join(err, db.update(ctx, 3))
		}, nil},
		{"a nested block that fails last", 3, 1, func(ctx context.Context, db *counted) error {
			return errors.Join(db.update(ctx, 1), is(errAsked, db.inside(ctx, func(ctx context.Context) error {
				return errors.Join(db.update(ctx, 2), errAsked)
			})))
		}, nil},
		{"a savepoint set by hand and rolled back to", 4, 2, func(ctx context.Context, db *counted) error {
			err := db.update(ctx, 1)
			point, pointErr := atomic.Savepoint(ctx, db)
			if err := errors.Join(err, pointErr); err != nil {
				return err
			}
			return errors.Join(db.update(ctx, 2), point.Rollback(ctx), db.update(ctx, 3), point.Release(ctx))
		}, nil},
		{"rolled back", 2, 0, func(ctx context.Context, db *counted) error {
			return errors.Join(db.update(ctx, 1), atomic.Rollback)
		}, nil},
		{"rolled back, nothing sent", 0, 0, func(context.Context, *counted) error { return atomic.Rollback }, nil},
		// What a block wants to tell the server travels with its statements.
		{"serializable and read-only, one SELECT", 2, 0, func(ctx context.Context, db *counted) error {
			return db.read(ctx)
		}, []atomic.Option{atomic.Isolation(sql.LevelSerializable), atomic.ReadOnly()}},
		{"with an isolation level", 2, 1, updating, []atomic.Option{atomic.Isolation(sql.LevelReadCommitted)}},
		{"with LockTimeout", 3, 1, locking, []atomic.Option{atomic.LockTimeout(3 * time.Second)}},
		{"nested, with a LockTimeout of its own", 5, 2, func(ctx context.Context, db *counted) error {
			err := db.inside(ctx, func(ctx context.Context) error { return locking(ctx, db) }, atomic.LockTimeout(2*time.Second))
			return errors.Join(err, locking(ctx, db))
		}, []atomic.Option{atomic.LockTimeout(3 * time.Second)}},
		{"with Timeout, IdleTimeout and a name", 2, 1, updating,
			[]atomic.Option{atomic.Timeout(time.Minute), atomic.IdleTimeout(time.Minute), atomic.Name("counted")}},
		{"nested, with names of their own", 5, 4, func(ctx context.Context, db *counted) error {
			inner := func(ctx context.Context) error { return db.update(ctx, 1) }
			return errors.Join(inner(ctx), db.inside(ctx, inner, atomic.Name("first")), inner(ctx), db.inside(ctx, inner, atomic.Name("second")))
		}, []atomic.Option{atomic.Name("outer")}},
		{"with a retry that is not needed", 2, 1, updating, []atomic.Option{atomic.Retry(3)}},
	}
	eachCounted(t, func(t *testing.T, db *counted) {
		sum := func() int64 { return int64(db.look("SELECT sum(v) FROM t")) }
		for _, b := range blocks {
			var before int64
			turns := db.turns(func() {
				before = sum()
				require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error { return b.run(ctx, db) }, b.opts...), b.name)
			})
			assert.Equal(t, b.turns, turns, b.name)
			assert.Equal(t, b.updates, sum()-before, b.name)
		}
		assert.Equal(t, 1, db.turns(func() { require.NoError(t, db.update(t.Context(), 1)) }), "outside any block")
	})
}
