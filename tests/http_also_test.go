package tests

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// beside is another database, with the table t.
func (db *database) beside() *database {
	db.t.Helper()
	second := open(db.t, testdb.New(db.t, db.Engine), setup{})
	second.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
	return second
}

// meets has the block of ctx see a lock that it does not get, and go on.
func (db *database) meets(ctx context.Context) {
	err := atomic.Do(ctx, db, func(ctx context.Context) error { return db.exec(ctx, "UPDATE t SET v = 6 WHERE id = 100") }, atomic.LockTimeout(0))
	assert.ErrorIs(db.t, err, dialect.ErrLockNotAvailable)
}

// Nobody knows whether the other database is committed: the handler does not run again, and
// the client is told just that.
func TestW08_AnotherDatabaseThatMayBeCommitted(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (100, 1)", onceTable[db.Engine])
		second := db.beside()
		if db.Engine == testdb.MySQL || db.Engine == testdb.MariaDB {
			second.arrange("CREATE PROCEDURE commits() COMMIT")
		}
		r := db.rival()
		r.exec("UPDATE t SET v = 5 WHERE id = 100")
		again := atomichttp.Block(atomic.RetryPolicy{Max: 2, Base: time.Millisecond, Locks: true})
		quiet := atomichttp.Logger(slog.New(slog.DiscardHandler))
		attempts, ends := 0, false
		handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			attempts++
			db.meets(r.Context())
			second.mustInsert(r.Context(), attempts)
			if ends {
				_ = second.exec(r.Context(), "CALL commits()")
			}
		})
		unknown := func(s *site, headers ...string) {
			t.Helper()
			second.arrange("DELETE FROM t")
			attempts = 0
			a := s.ask("POST", "", headers...)
			typ, _ := a.problem(t)
			assert.Equal(t, atomichttp.ProblemCommitUnknown, typ)
			assert.Equal(t, http.StatusServiceUnavailable, a.status)
			assert.Empty(t, a.header.Get("Retry-After"), "who asks again may have it done twice, with a key too")
			assert.Equal(t, 1, attempts)
			assert.Equal(t, []int{1}, second.kept())
		}
		sites := map[string]*site{
			"Also":                db.serve(handler, atomichttp.Also(second), again),
			"a middleware inside": db.serve(atomichttp.Middleware(second, quiet)(handler).ServeHTTP, again),
		}
		for _, s := range sites {
			second.wires.loseCommit(after)
			unknown(s)
		}
		if db.Engine != testdb.SQLite { // where the key's own claim would meet the lock
			second.wires.loseCommit(after)
			unknown(db.serve(handler, atomichttp.Also(second), again, atomichttp.Idempotent()), "Idempotency-Key", "k")
		}
		if db.Engine == testdb.MySQL || db.Engine == testdb.MariaDB {
			ends = true
			for _, s := range sites {
				unknown(s)
			}
		}
	})
}

// A database in which nothing was done is not a part that is done.
func TestW08_AnotherDatabaseThatWasNotTouched(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (100, 1)", onceTable[db.Engine])
		second := db.beside()
		again := atomichttp.Block(atomic.RetryPolicy{Max: 2, Base: time.Millisecond, Locks: true}, atomic.LockTimeout(0))
		reads := func(ctx context.Context) error {
			return second.executor.Query(ctx, block.Statement{SQL: "SELECT id FROM t", Built: true}, readNothing)
		}
		hooks := 0
		r := db.rival()
		for what, c := range map[string]struct {
			fn   func(ctx context.Context) error
			opts []atomic.Option
			done bool // something
		}{
			"nothing":     {func(context.Context) error { return nil }, nil, false},
			"orm's reads": {reads, nil, false},
			"read only":   {func(ctx context.Context) error { _, err := second.count(ctx); return err }, []atomic.Option{atomic.ReadOnly()}, false},
			"a hook of a rollback": {func(ctx context.Context) error {
				return atomic.OnRollback(ctx, second, func(context.Context) error { hooks++; return nil })
			}, nil, false},
			"a hook": {func(ctx context.Context) error {
				return atomic.OnCommit(ctx, second, func(context.Context) error { hooks++; return nil })
			}, nil, true},
			"a row": {func(ctx context.Context) error { return second.exec(ctx, "UPDATE t SET v = 1") }, nil, true},
		} {
			for where, serve := range map[string]func(handler http.HandlerFunc, opts ...atomichttp.Option) *site{
				" of Also": func(handler http.HandlerFunc, opts ...atomichttp.Option) *site {
					return db.serve(handler, append(opts, atomichttp.Also(second, c.opts...))...)
				},
				" of a middleware inside": func(handler http.HandlerFunc, opts ...atomichttp.Option) *site {
					return db.serve(atomichttp.Middleware(second, atomichttp.Block(c.opts...))(handler).ServeHTTP, opts...)
				},
			} {
				name := what + where
				r.exec("ROLLBACK", "BEGIN")
				db.arrange("DELETE FROM t WHERE id < 100")
				hooks = 0
				db.wires.loseCommit(before)
				a := serve(func(_ http.ResponseWriter, r *http.Request) {
					db.mustInsert(r.Context(), 1)
					assert.NoError(t, c.fn(r.Context()), name)
				}).ask("POST", "")
				typ, _ := a.problem(t)
				assert.Equal(t, map[bool]string{false: atomichttp.ProblemCommitUnknown, true: atomichttp.ProblemPartlyCommitted}[c.done], typ, name)
				eventually(t, "nothing is left of it", func() bool { return db.look("SELECT count(*) FROM t WHERE id = 1") == 0 })

				r.exec("UPDATE t SET v = 5 WHERE id = 100")
				attempts := 0
				a = serve(func(_ http.ResponseWriter, r *http.Request) {
					assert.NoError(t, c.fn(r.Context()), name)
					if attempts++; attempts == 1 {
						assert.ErrorIs(t, db.exec(r.Context(), "UPDATE t SET v = 6 WHERE id = 100"), dialect.ErrLockNotAvailable)
					}
				}, again).ask("POST", "")
				if c.done {
					typ, _ = a.problem(t)
					assert.Equal(t, atomichttp.ProblemPartlyCommitted, typ, name)
					assert.Equal(t, 1, attempts, name)
				} else {
					assert.Equal(t, http.StatusOK, a.status, "%s: %s", name, a.body)
					assert.Equal(t, 2, attempts, name)
				}
				assert.Equal(t, map[string]int{"a hook": 2}[what], hooks, "%s: once for each request", name)
			}
		}
	})
}
