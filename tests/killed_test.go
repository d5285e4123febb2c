package tests

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The server ends the connection while a statement of the block is at work. The
// first statement of a block is sent again on another connection, because
// nothing of the block was done before it; after that the block is lost.
func TestB08_KilledInAStatement(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, first := range []bool{true, false} {
			db.arrange("DELETE FROM t", "INSERT INTO t (id, v) VALUES (1, 1)")
			r := db.rival()
			r.exec("UPDATE t SET v = 2 WHERE id = 1")
			id := db.id(t.Context()) // of the one connection in the pool
			go func() {
				db.blocked(1)
				db.kill(id)
				if first { // it waits once more
					db.blocked(1)
				}
				r.exec("COMMIT")
			}()
			var further error
			var d diary
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				d.both(ctx, t, db, "hook")
				if !first {
					db.mustInsert(ctx, 2)
				}
				_ = db.exec(ctx, "UPDATE t SET v = v + 10 WHERE id = 1")
				further = db.insert(ctx, 3)
				return nil
			})
			db.settled()
			eventually(t, "the rival has committed", func() bool { return db.value(1)%10 == 2 })
			if first {
				require.NoError(t, further)
				require.NoError(t, err)
				assert.Equal(t, []int{1, 3}, db.kept())
				assert.Equal(t, 12, db.value(1))
				assert.Equal(t, []string{"+hook"}, d.take())
			} else {
				require.ErrorIs(t, further, atomic.ErrRollbackRequired)
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				require.ErrorIs(t, err, dialect.ErrConnectionLost)
				assert.Equal(t, []int{1}, db.kept())
				assert.Equal(t, 2, db.value(1))
				assert.Equal(t, []string{"-hook"}, d.take())
			}
		}
	}, testdb.Servers()...)
}

// The network ends it: before the statement arrives, and when it is done.
func TestB08_CutInAStatement(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, action := range []proxy.Action{proxy.CutRequest, proxy.CutReply} {
			for _, nested := range []bool{false, true} {
				far, p := db.distant(setup{})
				var d diary
				err := atomic.Do(t.Context(), far, func(ctx context.Context) error {
					d.both(ctx, t, far, "hook")
					far.mustInsert(ctx, 1)
					fails := func(ctx context.Context) error {
						far.wires.on("INSERT", func(backend.Wire) { p.Next(action) })
						return far.insert(ctx, 2)
					}
					if nested {
						require.ErrorIs(t, atomic.Do(ctx, far, fails), dialect.ErrConnectionLost)
					} else {
						require.ErrorIs(t, fails(ctx), dialect.ErrConnectionLost)
					}
					require.ErrorIs(t, far.insert(ctx, 3), atomic.ErrRollbackRequired)
					return nil
				})
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
				require.ErrorIs(t, err, dialect.ErrConnectionLost)
				require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
				far.settled()
				assert.Equal(t, []string{"-hook"}, d.take())
				assert.Empty(t, db.kept())
			}
		}
	}, testdb.Servers()...)
}

// The server stops a statement and keeps the connection: its block fails, and the
// block around it goes on.
func TestB06_AStatementThatIsStopped(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r := db.rival()
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 2)
			stop := fmt.Sprintf("KILL QUERY %d", db.id(ctx))
			if db.Engine == testdb.Postgres {
				stop = fmt.Sprintf("SELECT pg_cancel_backend(%d)", db.id(ctx))
			}
			go func() {
				db.blocked(1)
				db.arrange(stop)
			}()
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				_ = db.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1")
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			require.ErrorIs(t, err, dialect.ErrQueryCanceled)
			return db.insert(ctx, 3)
		}))
		r.exec("COMMIT")
		assert.Equal(t, []int{1, 2, 3}, db.kept())
		assert.Equal(t, 2, db.value(1))
	}, testdb.Servers()...)
}

// A nested block's Timeout that hits a statement at work costs the connection,
// and with it the outer blocks: nobody knows how far the server has got.
func TestB19_TimeoutOfANestedBlockInAStatement(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r := db.rival()
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			db.mustInsert(ctx, 2)
			nested := atomic.Do(ctx, db, func(ctx context.Context) error {
				return db.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1")
			}, atomic.Timeout(70*moment))
			require.ErrorIs(t, nested, atomic.ErrTimeout)
			require.ErrorIs(t, db.insert(ctx, 3), atomic.ErrRollbackRequired)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		r.exec("COMMIT")
		db.settled()
		assert.Equal(t, []int{1}, db.kept())
		assert.Equal(t, 2, db.value(1))
	}, testdb.Servers()...)
}

// The server ends the connection while COMMIT is at work: a deferred trigger of
// PostgreSQL can make it take its time.
func TestB12_KilledInCommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'",
			"CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()")
		for _, opts := range [][]atomic.Option{nil, {atomic.ResolveCommit()}} {
			db.wires.on("COMMIT", func(w backend.Wire) {
				go func() {
					eventually(t, "COMMIT is at work", func() bool {
						return db.look("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()") == 1
					})
					db.kill(w.ID())
				}()
			})
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return db.insert(ctx, 1) }, opts...)
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			if opts != nil {
				require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
			}
			db.settled()
			assert.Empty(t, db.kept())
		}
	}, testdb.Postgres)
}

// A COMMIT of a session's, and one of database/sql, are no different.
func TestB12_OtherWaysToCommit(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		id := 0
		for what, commit := range map[string]func(far *database) error{
			"a session's": func(far *database) error {
				sess, ctx := far.session(t.Context())
				far.mustInsert(ctx, id)
				err := sess.Commit(ctx)
				require.Error(t, far.insert(ctx, 1000), "its connection is gone")
				_ = sess.Close()
				return err
			},
			"of database/sql": func(far *database) error {
				tx, err := far.executor.SQL().BeginTx(t.Context(), nil)
				require.NoError(t, err)
				_, err = tx.ExecContext(t.Context(), far.wires.Rebind("INSERT INTO t (id, v) VALUES (?, 1)"), id)
				require.NoError(t, err)
				return tx.Commit()
			},
		} {
			db.eachLoss(manual, func(l loss, far *database) {
				id++
				err := commit(far)
				require.ErrorIs(t, err, atomic.ErrCommitUnknown, "%s, %s", what, l.name)
				far.settled()
				assert.Equal(t, l.done, db.has(id), "%s, %s", what, l.name)
			})
		}
	})
}

// The server shows the name of the block that sent the last statement, whatever
// became of the blocks before.
func TestB19_NamesOfNestedBlocks(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		last := "SELECT SQL_TEXT FROM performance_schema.events_statements_current JOIN performance_schema.threads USING (THREAD_ID) WHERE PROCESSLIST_ID = ?"
		own := ""
		if db.Engine == testdb.Postgres {
			last, own = "SELECT application_name FROM pg_stat_activity WHERE pid = $1", "shop"
			db = db.again(setup{dsn: db.withSettings()})
		}
		for _, outer := range []string{"", "outer"} {
			whose := func(name string) string {
				if name == "" {
					return own
				}
				return name
			}
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				shown := func(ctx context.Context) string {
					var text string
					require.NoError(t, db.Admin.QueryRowContext(t.Context(), last, db.id(ctx)).Scan(&text))
					if db.Engine == testdb.Postgres {
						return text
					}
					name, _, tagged := strings.Cut(strings.TrimPrefix(text, "/*block='"), "'*/")
					if !tagged {
						return ""
					}
					return name
				}
				in := func(ctx context.Context, want string, fail error, opts ...atomic.Option) {
					err := atomic.Do(ctx, db, func(ctx context.Context) error {
						require.Equal(t, want, shown(ctx))
						return fail
					}, opts...)
					require.ErrorIs(t, err, fail)
				}
				in(ctx, "inner", nil, atomic.Name("inner")) // with the first statement
				require.Equal(t, whose(outer), shown(ctx))
				in(ctx, whose(outer), nil)
				in(ctx, "inner", errAsked, atomic.Name("inner"))
				require.Equal(t, whose(outer), shown(ctx))
				in(ctx, "inner", errAsked, atomic.Name("inner"))
				in(ctx, "other", nil, atomic.Name("other"))
				in(ctx, "joined", nil, atomic.Name("joined"), atomic.NoSavepoint())
				require.Equal(t, whose(outer), shown(ctx))
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
					in(ctx, "inner", nil, atomic.Name("inner"))
					in(ctx, "other", errAsked, atomic.Name("other"))
					require.Equal(t, "middle", shown(ctx))
					return nil
				}, atomic.Name("middle")))
				require.Equal(t, whose(outer), shown(ctx))
				return nil
			}, atomic.Name(outer)))
		}
	}, testdb.MySQL, testdb.Postgres)
}

// What a session calls itself is what it is called again.
func TestB19_TheNameOfASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		sess, ctx := db.session(t.Context())
		shown := func(ctx context.Context) (name string) {
			require.NoError(t, db.executor.SQL().QueryRowContext(ctx, "SELECT current_setting('application_name')").Scan(&name))
			return name
		}
		require.NoError(t, db.exec(ctx, "SET application_name = 'svc'"))
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			for range 2 {
				require.Equal(t, "svc", shown(ctx))
				require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
					require.Equal(t, "inner", shown(ctx))
					return nil
				}, atomic.Name("inner")))
			}
			require.Equal(t, "svc", shown(ctx))
			return nil
		}))
		require.Equal(t, "svc", shown(ctx))
		require.NoError(t, sess.Close())
	}, testdb.Postgres)
}

// A block's name is seen on the server, and nothing in it is code.
func TestB19_NamesOnTheServer(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		r := db.rival()
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		r.exec("UPDATE t SET v = 2 WHERE id = 1")
		seen := "SELECT count(*) FROM " + db.Engine.Sessions() + " WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE '%scheduler-7%'"
		if db.Engine == testdb.Postgres {
			seen = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'scheduler-7'"
		}
		go func() {
			eventually(t, "the name is seen", func() bool { return db.look(seen) == 1 })
			r.exec("COMMIT")
		}()
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			return db.exec(ctx, "UPDATE t SET v = v + 1 WHERE id = 1")
		}, atomic.Name("scheduler-7"), atomic.Timeout(time.Minute)))

		for _, name := range []string{"*/; DELETE FROM t; /*", "'; DELETE FROM t; --", "\x00\n한국어 %s ?  $1", `\'`, "/*! DELETE */"} {
			require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
				require.NoError(t, db.exec(ctx, "UPDATE t SET v = v + ? WHERE id = ?", 1, 1))
				_, err := db.number(ctx, "SELECT v FROM t WHERE id = ? -- a comment", 1)
				return err
			}, atomic.Name(name)), name)
		}
		assert.Equal(t, 8, db.value(1))
	}, testdb.Servers()...)
}
