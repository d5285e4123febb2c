package tests

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// settings is everything that a session can be set to, as a statement with this
// ctx finds it.
func (db *database) settings(ctx context.Context) map[string]string {
	db.t.Helper()
	all := map[string]string{}
	read := func(query string, name string) {
		rows, err := db.executor.SQL().QueryContext(ctx, query)
		require.NoError(db.t, err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var value sql.NullString
			if name != "" {
				require.NoError(db.t, rows.Scan(&value))
				all[name] = value.String
				continue
			}
			var key string
			require.NoError(db.t, rows.Scan(&key, &value))
			all[key] = value.String
		}
		require.NoError(db.t, rows.Err())
	}
	switch db.Engine {
	case testdb.SQLite:
		for pragma := range strings.FieldsSeq(`automatic_index busy_timeout cache_size cell_size_check defer_foreign_keys
			foreign_keys ignore_check_constraints journal_mode locking_mode query_only read_uncommitted recursive_triggers
			reverse_unordered_selects synchronous temp_store trusted_schema`) {
			read("PRAGMA "+pragma, pragma)
		}
	case testdb.Postgres:
		read("SELECT name, setting FROM pg_settings", "")
	default:
		read("SHOW SESSION VARIABLES", "")
		for name := range all {
			if changing.MatchString(name) {
				delete(all, name)
			}
		}
	}
	return all
}

// changing are variables that are no settings.
var changing = regexp.MustCompile(`^(timestamp|rand_seed|last_insert_id|identity|insert_id|warning_count|error_count|last_gtid|gtid|` +
	`pseudo_|innodb_buffer_pool_load|innodb_flush|statement_id|in_transaction|last_query_cost|ssl_session)`)

// After a block, however it has ended, the next statement finds the session as it
// was: what the application has set for its connections included.
func TestB23_TheSessionIsAsItWas(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		one := db.again(setup{pool: 1, dsn: db.withSettings()})
		was := one.settings(t.Context())
		require.NotEmpty(t, was)

		every := []atomic.Option{
			atomic.Isolation(sql.LevelSerializable), atomic.Timeout(time.Minute), atomic.IdleTimeout(time.Minute),
			atomic.LockTimeout(3 * time.Second), atomic.Name("settings"),
		}
		nestedWait := func(ctx context.Context, fn func(context.Context) error) error {
			return atomic.Do(ctx, one, fn, atomic.LockTimeout(5*time.Second))
		}
		ends := map[string]func(ctx context.Context) error{
			"a commit":     func(ctx context.Context) error { return one.exec(ctx, "UPDATE t SET v = 2") },
			"a rollback":   func(ctx context.Context) error { _ = one.exec(ctx, "UPDATE t SET v = 2"); return errAsked },
			"a refusal":    one.refused,
			"only reading": func(ctx context.Context) error { _, err := one.count(ctx); return err },
			"a nested commit": func(ctx context.Context) error {
				return nestedWait(ctx, func(ctx context.Context) error { return one.exec(ctx, "UPDATE t SET v = 2") })
			},
			"a nested rollback": func(ctx context.Context) error {
				_ = nestedWait(ctx, one.refused)
				return nil
			},
			"a nested rollback and more": func(ctx context.Context) error {
				_ = nestedWait(ctx, func(ctx context.Context) error { _ = one.exec(ctx, "UPDATE t SET v = 2"); return errAsked })
				return one.exec(ctx, "UPDATE t SET v = 3")
			},
			"a limit in a limit": func(ctx context.Context) error {
				_ = one.exec(ctx, "UPDATE t SET v = 2")
				return nestedWait(ctx, func(ctx context.Context) error {
					_ = one.exec(ctx, "UPDATE t SET v = 3")
					return atomic.Do(ctx, one, func(ctx context.Context) error { return one.exec(ctx, "UPDATE t SET v = 4") },
						atomic.LockTimeout(6*time.Second))
				})
			},
		}
		for what, fn := range ends {
			for how, opts := range map[string][]atomic.Option{
				"": nil, " with every option": every, " in a read-only block": append([]atomic.Option{atomic.ReadOnly()}, every...),
			} {
				_ = atomic.Do(t.Context(), one, fn, opts...)
				assert.Equal(t, was, one.settings(t.Context()), what+how)
			}
		}
		_ = atomic.Do(t.Context(), one, func(ctx context.Context) error {
			_ = one.insert(ctx, 2) // in time or not
			eventually(t, "the block runs into its limit", func() bool { return ctx.Err() != nil })
			return nil
		}, atomic.Timeout(moment), atomic.Isolation(sql.LevelSerializable), atomic.LockTimeout(3*time.Second))
		assert.Equal(t, was, one.settings(t.Context()), "a limit")
	})
}

// A limit on waiting is over with its block also if it was reached before the block
// had begun: the next one on the connection waits as long as it would have.
func TestB23_AWaitThatWasTooLongIsNobodyElses(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("INSERT INTO t (id, v) VALUES (1, 1)")
		two := db.again(setup{pool: 2})
		waits := func(ctx context.Context) error { return two.exec(ctx, "UPDATE t SET v = 3 WHERE id = 1") }
		nested := func(ctx context.Context) error { return atomic.Do(ctx, two, waits) }
		require.NoError(t, atomic.Do(t.Context(), two, func(holder context.Context) error {
			if err := two.exec(holder, "UPDATE t SET v = 2 WHERE id = 1"); err != nil {
				return err
			}
			for name, fn := range map[string]func(context.Context) error{"alone": waits, "nested": nested} {
				err := atomic.Do(t.Context(), two, fn, atomic.LockTimeout(time.Millisecond))
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable, name)
				err = atomic.Do(t.Context(), two, fn, atomic.Timeout(moment))
				require.ErrorIs(t, err, atomic.ErrTimeout, name)
				require.NotErrorIs(t, err, dialect.ErrLockNotAvailable, name)
			}
			return nil
		}))
		require.Equal(t, 2, db.value(1))
	})
}

// withSettings is a DSN with settings of the application's own.
func (db *database) withSettings() string {
	switch db.Engine {
	case testdb.SQLite:
		return db.DSN
	case testdb.Postgres:
		return db.DSN + "&lock_timeout=11s&statement_timeout=59s&idle_in_transaction_session_timeout=58s&application_name=shop" +
			"&default_transaction_isolation=repeatable%20read"
	case testdb.MySQL:
		return db.DSN + "?innodb_lock_wait_timeout=11&lock_wait_timeout=12&max_execution_time=59000&wait_timeout=580&transaction_isolation='READ-COMMITTED'"
	default:
		return db.DSN + "?innodb_lock_wait_timeout=11&lock_wait_timeout=12&max_statement_time=59&idle_transaction_timeout=58&tx_isolation='READ-COMMITTED'"
	}
}

// In a session, settings belong to the application, and a block leaves them.
func TestB23_TheSettingsOfASession(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		sess, ctx, err := atomic.OpenSession(t.Context(), db)
		require.NoError(t, err)
		set := "SET SESSION innodb_lock_wait_timeout = 7"
		if db.Engine == testdb.Postgres {
			set = "SET lock_timeout = '7s'"
		}
		require.NoError(t, db.exec(ctx, set))
		was := db.settings(ctx)
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error { return db.insert(ctx, 1) },
			atomic.LockTimeout(3*time.Second), atomic.Isolation(sql.LevelSerializable)))
		assert.Equal(t, was, db.settings(ctx))
		require.NoError(t, sess.Close())
		assert.NotEqual(t, was, db.settings(t.Context()), "the session is over")
	}, testdb.Servers()...)
}

// A statement of the caller's that changes the session takes its connection out
// of the pool, in a block and outside.
func TestB13_AChangedSessionIsNotPooled(t *testing.T) {
	changes := map[testdb.Engine][]string{
		testdb.SQLite:  {"CREATE TEMP TABLE own (id INTEGER)", "PRAGMA cache_size = -4321"},
		testdb.MySQL:   {"SET @own = 1", "SET SESSION sql_mode = ''", "CREATE TEMPORARY TABLE own (id INTEGER)", "SELECT GET_LOCK('own', 0)", "SET SESSION TRANSACTION READ ONLY"},
		testdb.MariaDB: {"SET @own = 1", "SET SESSION sql_mode = ''", "CREATE TEMPORARY TABLE own (id INTEGER)", "SELECT GET_LOCK('own', 0)", "SET SESSION TRANSACTION READ ONLY"},
		testdb.Postgres: {"SET application_name = 'own'", "CREATE TEMP TABLE own (id INTEGER)", "LISTEN own",
			"SELECT pg_advisory_lock(1)", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SELECT set_config('application_name', 'own', false)"},
	}
	locks := map[testdb.Engine][]string{
		testdb.MySQL:   {"FLUSH TABLES t WITH READ LOCK", "FLUSH TABLES t FOR EXPORT"},
		testdb.MariaDB: {"FLUSH TABLES t WITH READ LOCK", "FLUSH TABLES t FOR EXPORT", "BACKUP LOCK t"},
	}
	each(t, func(t *testing.T, db *database) {
		one := db.again(setup{pool: 1})
		for _, change := range changes[db.Engine] {
			require.NoError(t, one.exec(t.Context(), "SELECT 1"))
			before := one.pool().Stats().MaxLifetimeClosed // never, so that nothing else closes one
			require.NoError(t, atomic.Do(t.Context(), one, func(ctx context.Context) error { return one.exec(ctx, change) }), change)
			assert.Zero(t, one.pool().Stats().OpenConnections, "in a block: %s", change)
			require.NoError(t, one.exec(t.Context(), change), change)
			assert.Zero(t, one.pool().Stats().OpenConnections, "outside: %s", change)
			assert.Equal(t, before, one.pool().Stats().MaxLifetimeClosed)
		}
		for _, lock := range locks[db.Engine] { // refused in a block
			require.NoError(t, one.exec(t.Context(), lock), lock)
			assert.Zero(t, one.pool().Stats().OpenConnections, "outside: %s", lock)
			session, inside := one.session(t.Context())
			require.NoError(t, one.exec(inside, lock), lock)
			require.NoError(t, session.Close())
			assert.Zero(t, one.pool().Stats().OpenConnections, "in a session: %s", lock)
		}
		require.NoError(t, one.exec(t.Context(), "SELECT 1"))
		assert.Equal(t, 1, one.pool().Stats().OpenConnections, "what changes nothing")
	})
}

// A function that reads rows may panic. Nothing is left behind, and the
// connection with half a result on it is not used again.
func TestB13_APanicWhileRowsAreRead(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.failingRows()
		ctx := t.Context()
		read := func(ctx context.Context) error {
			return db.executor.Query(ctx, block.Statement{SQL: "SELECT id, v FROM t"}, func(driver.Rows) error { panic("reading") })
		}
		assert.PanicsWithValue(t, "reading", func() { _ = read(ctx) })
		db.idle()
		assert.PanicsWithValue(t, "reading", func() { _ = atomic.Do(ctx, db, read) })
		db.idle()
		assert.PanicsWithValue(t, "reading", func() {
			_ = atomic.Do(ctx, db, func(ctx context.Context) error { return atomic.Do(ctx, db, read) })
		})
		db.idle()
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			db.mustInsert(ctx, 9000)
			func() {
				defer func() { _ = recover() }()
				_ = atomic.Do(ctx, db, read)
			}()
			return db.insert(ctx, 9001)
		}), "the outer block recovers from it")
		_, err := db.count(ctx)
		require.NoError(t, err)
	})
}

// The engine's own errors reach the caller as they are.
func TestB13_TheDriversErrorIsReachable(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		err := db.refused(t.Context())
		var e *dialect.Error
		require.ErrorAs(t, err, &e)
		require.Error(t, e.Err)
		assert.NotEmpty(t, e.Code)
	})
}
