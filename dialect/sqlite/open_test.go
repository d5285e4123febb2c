package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

func TestOpen(t *testing.T) {
	path := file(t)
	db := open(t, Open(path, BusyTimeout(123*time.Millisecond), Pragma("cache_size", "-100")))
	assert.Equal(t, "SQLite", db.Server.Product)
	assert.True(t, db.Server.Version.AtLeast(3, 35, 0))
	assert.False(t, db.Borrowed)
	for range 2 { // every connection is set up alike
		u := connect(t, db)
		for pragma, want := range map[string]any{
			"journal_mode": "wal", "foreign_keys": int64(1), "busy_timeout": int64(123),
			"synchronous": int64(2), "cache_size": int64(-100), "trusted_schema": int64(0),
		} {
			assert.Equal(t, want, u.one("PRAGMA "+pragma), pragma)
		}
		_, err := u.exec(`SELECT "no such column"`)
		assert.Error(t, err, "a name is never taken for a text")
	}
	_, err := os.Stat(path)
	assert.NoError(t, err)
}

func TestOpenStrangePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41&mode=memory.db")
	u := connect(t, open(t, Open(path)))
	u.must("CREATE TABLE t (a)")
	_, err := os.Stat(path)
	assert.NoError(t, err)
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, []byte("this is no database, but it is long enough to be one, with a header of 100 bytes and more than that"), 0o600))
	for _, tt := range []struct {
		source  dialect.Source
		setting string
		problem string
	}{
		{Open(""), "path", "empty"},
		{Open("file:x.db?mode=ro"), "path", "URI"},
		{Open("postgresql://u:hunter2@localhost/x"), "path", "address of a server"},
		{Open("mysql:u:hunter2@tcp(localhost:1)/x"), "path", "address of a server"},
		{Open("mysql:u:hunter2@unix(/run/x.sock)/x"), "path", "address of a server"},
		{Open(":memory:?cache=shared"), "path", "alone"},
		{Open("a\x00b"), "path", "zero byte"},
		{Open(dir), "path", "is a directory"},
		{Open(filepath.Join(dir, "missing", "x.db")), "path", `missing" does not exist`},
		{Open(filepath.Join(text, "x.db")), "path", "is not a directory"},
		{Open(filepath.Join(dir, "x.db"), ReadOnly()), "path", "does not exist, and ReadOnly creates nothing"},
		{Open(memory, ReadOnly()), "path", "cannot be read-only"},
		{Open(text), "path", "not an SQLite database"},
		{Open(memory, Pragma("a; DROP", "1")), "pragma", "plain words"},
		{Open(memory, Pragma("busy_timeout", "1")), "pragma", "use BusyTimeout"},
		{Open(memory, Pragma("Main.Query_Only", "1")), "pragma", "use ReadOnly"},
		{Open(memory, Pragma("case_sensitive_like", "1")), "case_sensitive_like", "ignore case"},
		{Open(memory, Pragma("full_column_names", "1")), "full_column_names", "plain names"},
	} {
		_, err := tt.source.Connect(context.Background())
		var e *dialect.OpenError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, dialect.SQLite, e.Engine)
		assert.Equal(t, tt.setting, e.Setting)
		assert.Contains(t, e.Problem, tt.problem)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	assert.Equal(t, []string{text}, names, "a failed Open leaves nothing behind")
}

func TestOpenReadOnly(t *testing.T) {
	path := file(t)
	connect(t, open(t, Open(path))).must("CREATE TABLE t (a)")
	u := connect(t, open(t, Open(path, ReadOnly())))
	assert.Equal(t, int64(0), u.one("SELECT count(*) FROM t"))
	_, err := u.exec("INSERT INTO t VALUES (1)")
	assert.Equal(t, dialect.ErrReadOnly, u.kind(err))
	for _, o := range []backend.TxOptions{{}, {ReadOnly: true}} {
		require.NoError(t, u.begin(o, "SELECT 1"))
		_, err = u.exec("INSERT INTO t VALUES (1)")
		assert.Equal(t, dialect.ErrReadOnly, u.kind(err))
		u.rollback()
	}
}

func TestFrom(t *testing.T) {
	pool, err := sql.Open("sqlite", "file:"+file(t)+"?_pragma=busy_timeout(77)")
	require.NoError(t, err)
	defer func() { _ = pool.Close() }()
	db, err := backend.Connect(context.Background(), From(pool))
	require.NoError(t, err)
	assert.True(t, db.Borrowed)
	assert.Equal(t, []string{"PRAGMA busy_timeout = 77"}, db.Engine.LockWait(time.Second).Restore)
	require.NoError(t, db.Close())
	assert.NoError(t, pool.Ping(), "closing the database leaves the pool open")

	u := connect(t, db)
	u.must("CREATE TABLE t (a UNIQUE, at TIMESTAMP)")
	now := time.Now().Truncate(time.Microsecond)
	require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (?, ?)", 1, now))
	assert.False(t, u.wire.Idle())
	_, err = u.exec("INSERT OR ROLLBACK INTO t VALUES (1, NULL)")
	assert.True(t, db.Engine.Classify(err).Fatal)
	assert.True(t, u.wire.Idle())
	u.must("INSERT INTO t VALUES (?, ?)", 1, now)
	assert.Equal(t, now.UTC(), u.one("SELECT at FROM t"))
}

// S1 and S4: a pool that would change values, or could not roll back, is refused.
func TestS01_WhatAPoolsDSNMayNotSay(t *testing.T) {
	for dsn, setting := range map[string]string{
		"_texttotime=1":                                     "_texttotime",
		"_timezone=Asia/Seoul":                              "_timezone",
		"_timezone=Europe/London":                           "_timezone",
		"_timezone=Asia/Seoul&_time_format=sqlite":          "_timezone",
		"_timezone=Asia/Seoul&_time_format=datetime":        "_timezone",
		"_pragma=case_sensitive_like(1)":                    "case_sensitive_like",
		"_pragma=full_column_names(1)":                      "full_column_names",
		"_journal_mode=off":                                 "journal_mode",
		"_timezone=UTC&_time_format=datetime":               "",
		"_time_integer_format=unix_milli&_txlock=exclusive": "",
		"_pragma=count_changes(1)&_inttotime=1":             "",
		"_query_only=1":                                     "",
		"_dqs=0&_error_rc=1&_defensive=1":                   "",
	} {
		pool, err := sql.Open("sqlite", "file:"+file(t)+"?"+dsn)
		require.NoError(t, err)
		_, err = From(pool).Connect(t.Context())
		require.NoError(t, pool.Close())
		if setting == "" {
			require.NoError(t, err, dsn)
			continue
		}
		var e *dialect.OpenError
		require.ErrorAs(t, err, &e, dsn)
		assert.Equal(t, setting, e.Setting, dsn)
	}
}

// What a DSN says of times and of BEGIN changes nothing of what a block does.
func TestFromAPoolWithOtherTimes(t *testing.T) {
	pool, err := sql.Open("sqlite", "file:"+file(t)+"?_time_format=datetime&_time_integer_format=unix_milli&_txlock=exclusive&_pragma=count_changes(1)")
	require.NoError(t, err)
	u := connect(t, open(t, From(pool)))
	u.must("CREATE TABLE t (at TIMESTAMP, day DATE)")
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (?, '2026-03-01')", at))
	require.NoError(t, u.commit())
	n, err := u.must("UPDATE t SET day = day").RowsAffected()
	require.NoError(t, err)
	assert.Equal(t, int64(1), n)
	assert.Equal(t, [][]driver.Value{{at, at.Truncate(24 * time.Hour), "2026-03-01 12:00:00.123456+00:00 in t"}}, must(u.all("SELECT at, day, at || ' in t' FROM t")))
}

// B23: a pool whose connections only read goes on so after a block that is ReadOnly.
func TestB23_APoolThatOnlyReads(t *testing.T) {
	path := file(t)
	connect(t, open(t, Open(path))).must("CREATE TABLE t (a)")
	for _, dsn := range []string{"_query_only=1", "mode=ro"} {
		pool, err := sql.Open("sqlite", "file:"+path+"?"+dsn)
		require.NoError(t, err)
		db := open(t, From(pool))
		u := connect(t, db)
		o := backend.TxOptions{ReadOnly: true}
		require.NoError(t, u.begin(o, "SELECT * FROM t"))
		c, err := db.Engine.Begin(o)
		require.NoError(t, err)
		require.NoError(t, u.wire.Commit(t.Context(), c.Restore))
		_, err = u.exec("INSERT INTO t VALUES (1)")
		assert.Equal(t, dialect.ErrReadOnly, u.kind(err), dsn)
		assert.Equal(t, dialect.ErrReadOnly, u.kind(u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)")), dsn)
	}
}

func TestFromOtherDriver(t *testing.T) {
	closed, err := sql.Open("sqlite", memory)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = From(closed).Connect(context.Background())
	var e *dialect.OpenError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "pool", e.Setting)
}
