package orm_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
)

// borrowed is a database over a pool of the application's own.
func borrowed(t *testing.T, at testserver.Database) (db *orm.DB, pool *sql.DB) {
	t.Helper()
	var src dialect.Source
	pool = at.Admin
	switch at.Engine {
	case testserver.Postgres:
		src = postgres.From(pool)
	case testserver.SQLite:
		src = sqlite.From(pool)
	default:
		config, err := driver.ParseDSN(at.DSN)
		require.NoError(t, err)
		config.ClientFoundRows, config.ParseTime = true, true
		config.Params = map[string]string{"autocommit": "1"} // whatever the server's default
		connector, err := driver.NewConnector(config)
		require.NoError(t, err)
		pool = sql.OpenDB(connector)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		src = mysql.From(pool)
	}
	db, err := orm.Open(t.Context(), src)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, pool
}

// asToolsDo changes a table in a transaction, which a block refuses on MySQL and
// MariaDB (B15).
func asToolsDo(ctx context.Context, tools *sql.DB) error {
	tx, err := tools.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, text := range []string{"CREATE TABLE ledger (entry VARCHAR(40))", "INSERT INTO ledger VALUES ('tool')", "ALTER TABLE ledger ADD COLUMN amount INT"} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func entries(t *testing.T, at testserver.Database) (n int) {
	t.Helper()
	require.NoError(t, at.Admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM ledger").Scan(&n))
	return n
}

func TestM01_StatementsOfToolsAreTheirOwn(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db := open(t, at)
		tools := db.Migrations()
		require.NoError(t, asToolsDo(ctx, tools))
		setting := map[testserver.Engine]string{
			testserver.MySQL: "SELECT @@time_zone", testserver.MariaDB: "SELECT @@time_zone",
			testserver.Postgres: "SHOW timezone", testserver.SQLite: "PRAGMA foreign_keys",
		}[at.Engine]
		var want, got string
		require.NoError(t, db.SQL().QueryRowContext(ctx, setting).Scan(&want))
		require.NoError(t, tools.QueryRowContext(ctx, setting).Scan(&got))
		assert.Equal(t, want, got)

		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := tools.ExecContext(ctx, "INSERT INTO ledger (entry) VALUES ('no part of the block')")
			return errors.Join(err, atomic.Rollback)
		}), "a ctx of a block makes no difference")
		assert.Equal(t, 2, entries(t, at))
		require.NoError(t, tools.Close())
		_, err := db.SQL().ExecContext(ctx, "INSERT INTO ledger (entry) VALUES ('db is open')")
		require.NoError(t, err)
	})
}

// COPY needs the driver itself, and the error of who tries it otherwise says where it is.
func TestM01_ToolsReachTheDriver(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		if at.Engine != testserver.Postgres {
			return
		}
		ctx := t.Context()
		db := open(t, at)
		tools := db.Migrations()
		require.NoError(t, asToolsDo(ctx, tools))
		_, err := db.Exec(ctx, "COPY ledger FROM STDIN")
		require.ErrorContains(t, err, "db.Migrations()")
		lent, pool := borrowed(t, at)
		_, err = lent.Exec(ctx, "COPY ledger FROM STDIN")
		require.ErrorContains(t, err, "the pool that From was given")
		for _, from := range []*sql.DB{tools, pool} {
			c, err := from.Conn(ctx)
			require.NoError(t, err)
			require.NoError(t, c.Raw(func(driverConn any) error {
				_, err := driverConn.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"entry"}, pgx.CopyFromRows([][]any{{"copied"}}))
				return err
			}))
			require.NoError(t, c.Close())
		}
		assert.Equal(t, 3, entries(t, at))
		require.NoError(t, tools.Close())
	})
}

func TestM01_ConnectionsOfAPoolAreLent(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db, pool := borrowed(t, at)
		tools := db.Migrations()
		require.NoError(t, asToolsDo(ctx, tools))
		stmt, err := tools.PrepareContext(ctx, "INSERT INTO ledger (entry) VALUES ('prepared')")
		require.NoError(t, err)
		_, err = stmt.ExecContext(ctx)
		require.NoError(t, err)
		require.NoError(t, stmt.Close())
		require.NoError(t, tools.PingContext(ctx))
		require.NoError(t, tools.Close())
		require.NoError(t, orm.Migrate(ctx, db, "lent", func(ctx context.Context, tools *sql.DB) error {
			_, err := tools.ExecContext(ctx, "INSERT INTO ledger (entry) VALUES ('migrated')")
			return err
		}))
		assert.Zero(t, pool.Stats().InUse)
		assert.Equal(t, 3, entries(t, at), "the pool is open")
	})
}

// A tool that does nothing at the moment has no connection: those of the application's pool are
// there for the rest of the migration, and for everybody.
func TestM01_WhatIsLentComesBackAtOnce(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		db, pool := borrowed(t, at)
		tools := db.Migrations()
		require.NoError(t, asToolsDo(ctx, tools))
		assert.Zero(t, pool.Stats().InUse, "a transaction")
		var n int
		require.NoError(t, tools.QueryRowContext(ctx, "SELECT COUNT(*) FROM ledger").Scan(&n))
		assert.Zero(t, pool.Stats().InUse, "a query")
		stmt, err := tools.PrepareContext(ctx, "INSERT INTO ledger (entry) VALUES ('prepared')")
		require.NoError(t, err)
		for range 2 {
			_, err = stmt.ExecContext(ctx)
			require.NoError(t, err)
			assert.Zero(t, pool.Stats().InUse, "a prepared statement")
		}
		require.NoError(t, stmt.Close())
		held, err := tools.Conn(ctx) // which a tool keeps its settings and its lock on
		require.NoError(t, err)
		require.NoError(t, held.PingContext(ctx))
		assert.Equal(t, 1, pool.Stats().InUse)
		require.NoError(t, held.Close())
		assert.Zero(t, pool.Stats().InUse)

		pool.SetMaxOpenConns(2) // one has the lock; on SQLite that is a file
		if at.Engine == testserver.SQLite {
			pool.SetMaxOpenConns(1)
		}
		require.NoError(t, orm.Migrate(ctx, db, "lent", func(ctx context.Context, tools *sql.DB) error {
			if _, err := tools.ExecContext(ctx, "INSERT INTO ledger (entry) VALUES ('by a tool')"); err != nil {
				return err
			}
			_, err := db.Exec(ctx, "INSERT INTO ledger (entry) VALUES ('by the application')")
			return err
		}))
		require.NoError(t, tools.Close())
		assert.Equal(t, 5, entries(t, at))
	})
}

func TestM02_OneAtATime(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db, other := open(t, at), open(t, at)
		nothing := func(context.Context, *sql.DB) error { return nil }
		never := func(context.Context, *sql.DB) error { return errors.New("it ran beside another") }
		running, finish, waited := make(chan struct{}), make(chan struct{}), make(chan error, 2)
		var done bool
		go func() {
			waited <- orm.Migrate(ctx, db, "it", func(ctx context.Context, tools *sql.DB) error {
				close(running)
				<-finish
				err := asToolsDo(ctx, tools)
				done = err == nil
				return err
			})
		}()
		<-running
		require.ErrorIs(t, orm.Migrate(ctx, other, "it", never, orm.NoWait), dialect.ErrLockNotAvailable)
		require.ErrorIs(t, orm.Migrate(ctx, other, "it", never, orm.Wait(30*time.Millisecond)), dialect.ErrLockNotAvailable)
		short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, orm.Migrate(short, other, "it", never), context.DeadlineExceeded)
		require.NoError(t, orm.Migrate(ctx, other, "another name", nothing, orm.NoWait))
		go func() {
			waited <- orm.Migrate(ctx, other, "it", func(context.Context, *sql.DB) error {
				if !done {
					return errors.New("the first is not done")
				}
				return nil
			})
		}()
		close(finish)
		require.NoError(t, <-waited)
		require.NoError(t, <-waited)
	})
}

// However fn ends, the next one gets the lock at once.
func TestM02_TheLockIsGivenBack(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db, other := open(t, at), open(t, at)
		failed := errors.New("failed")
		free := func() {
			t.Helper()
			require.NoError(t, orm.Migrate(ctx, other, "it", func(context.Context, *sql.DB) error { return nil }, orm.NoWait))
		}
		err := orm.Migrate(ctx, db, "it", func(context.Context, *sql.DB) error { return failed })
		require.ErrorIs(t, err, failed)
		require.ErrorContains(t, err, `migration "it"`)
		free()
		require.PanicsWithValue(t, "oh", func() {
			_ = orm.Migrate(ctx, db, "it", func(context.Context, *sql.DB) error { panic("oh") })
		})
		free()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = orm.Migrate(ctx, db, "it", func(context.Context, *sql.DB) error { runtime.Goexit(); return nil })
		}()
		<-gone
		free()
		canceled, cancel := context.WithCancel(ctx)
		require.ErrorIs(t, orm.Migrate(canceled, db, "it", func(ctx context.Context, _ *sql.DB) error { cancel(); return ctx.Err() }), context.Canceled)
		free()
	})
}

// takeAway has the lock of the only migration of the database end while it runs.
func takeAway(t *testing.T, at testserver.Database) {
	t.Helper()
	kill := "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
	switch at.Engine {
	case testserver.SQLite:
		files, err := filepath.Glob(at.DSN + "-migrate-????????")
		require.NoError(t, err)
		require.Len(t, files, 1)
		require.NoError(t, os.Remove(files[0]))
		return
	case testserver.MySQL, testserver.MariaDB:
		rows, err := at.Admin.QueryContext(t.Context(), "SELECT id FROM "+at.Engine.Sessions()+" WHERE db = ? AND id <> CONNECTION_ID()", at.Name)
		require.NoError(t, err)
		var ids []int64
		for rows.Next() {
			var id int64
			require.NoError(t, rows.Scan(&id))
			ids = append(ids, id)
		}
		require.NoError(t, errors.Join(rows.Err(), rows.Close()))
		require.NotEmpty(t, ids)
		for _, id := range ids {
			_, _ = at.Admin.ExecContext(t.Context(), fmt.Sprintf("KILL %d", id)) // it may have ended by itself
		}
		return
	}
	_, err := at.Admin.ExecContext(t.Context(), kill)
	require.NoError(t, err)
}

func TestM02_TheLockIsLost(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		at.Admin.SetMaxOpenConns(1) // its own session is none of those that are killed
		db := open(t, at)
		err := orm.Migrate(t.Context(), db, "it", func(ctx context.Context, _ *sql.DB) error {
			takeAway(t, at)
			<-ctx.Done() // it hears of it while it runs
			assert.ErrorIs(t, context.Cause(ctx), orm.ErrMigrationLockLost)
			return nil
		})
		require.ErrorIs(t, err, orm.ErrMigrationLockLost)
		failed := errors.New("failed")
		err = orm.Migrate(t.Context(), db, "it", func(context.Context, *sql.DB) error { takeAway(t, at); return failed })
		require.ErrorIs(t, err, orm.ErrMigrationLockLost, "it has returned before anybody asked")
		require.ErrorIs(t, err, failed)
		require.NoError(t, orm.Migrate(t.Context(), db, "it", func(context.Context, *sql.DB) error { return nil }))
	})
}

func TestM02_NoPartOfABlock(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db := open(t, at)
		never := func(context.Context, *sql.DB) error { return errors.New("it ran") }
		ctx := t.Context()
		var ended context.Context
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			ended = ctx
			require.ErrorIs(t, orm.Migrate(ctx, db, "it", never), atomic.ErrInBlock)
			return nil
		}))
		require.ErrorIs(t, orm.Migrate(ended, db, "it", never), atomic.ErrBlockClosed)
		session, pinned, err := db.Session(ctx)
		require.NoError(t, err)
		require.NoError(t, orm.Migrate(pinned, db, "it", func(context.Context, *sql.DB) error { return nil }))
		require.NoError(t, session.SetAutocommit(false))
		require.ErrorIs(t, orm.Migrate(pinned, db, "it", never), atomic.ErrInBlock)
		require.NoError(t, session.Close())
		require.ErrorIs(t, orm.Migrate(pinned, db, "it", never), atomic.ErrSessionClosed)

		require.ErrorIs(t, orm.Migrate(ctx, db, "it", nil), atomic.ErrOption)
		require.ErrorIs(t, orm.Migrate(ctx, db, "it", never, nil), atomic.ErrOption)
		require.ErrorIs(t, orm.Migrate(ctx, db, "it", never, orm.NoWait, orm.Wait(time.Second)), atomic.ErrOption)
		if at.Engine != testserver.SQLite { // whose lock is no connection to the database
			db, pool := borrowed(t, at)
			pool.SetMaxOpenConns(1)
			require.ErrorIs(t, orm.Migrate(ctx, db, "it", never), atomic.ErrPoolExhausted)
		}
	})
}

// A database in memory, which no other process has, needs no file.
func TestM02_InMemory(t *testing.T) {
	db, err := orm.Open(t.Context(), sqlite.Open(":memory:"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	again := func(context.Context, *sql.DB) error { return nil }
	require.NoError(t, orm.Migrate(t.Context(), db, "it", func(ctx context.Context, tools *sql.DB) error {
		require.ErrorIs(t, orm.Migrate(ctx, db, "it", again, orm.NoWait), dialect.ErrLockNotAvailable)
		require.NoError(t, asToolsDo(ctx, tools))
		return nil
	}))
	require.NoError(t, orm.Migrate(t.Context(), db, "it", again))
	var n int
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM ledger").Scan(&n))
	assert.Equal(t, 1, n)
}
