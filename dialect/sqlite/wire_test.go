package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// each runs a test on a file and on a database in memory.
func each(t *testing.T, f func(t *testing.T, db *backend.Database)) {
	t.Run("file", func(t *testing.T) { f(t, open(t, Open(file(t), BusyTimeout(100*time.Millisecond)))) })
	t.Run("memory", func(t *testing.T) { f(t, open(t, Open(memory, BusyTimeout(100*time.Millisecond)))) })
}

func TestBlock(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u := connect(t, db)
		assert.True(t, u.wire.Idle())
		assert.True(t, u.wire.Alive())
		u.must("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
		require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t (b) VALUES (?)", "x"))
		assert.True(t, u.wire.Used())
		assert.False(t, u.wire.Idle())
		res, err := u.wire.Exec(context.Background(), []string{"SAVEPOINT hf_1"}, "INSERT INTO t (b) VALUES (?), (?)", []any{"y", "z"})
		require.NoError(t, err)
		n, _ := res.RowsAffected()
		id, _ := res.LastInsertId()
		assert.Equal(t, []int64{2, 3}, []int64{n, id})
		rows, err := read(u.wire.Query(context.Background(), []string{"ROLLBACK TO SAVEPOINT hf_1", "RELEASE SAVEPOINT hf_1"}, "SELECT count(*) FROM t", nil))
		require.NoError(t, err)
		assert.Equal(t, int64(1), rows[0][0])
		require.NoError(t, u.commit())
		assert.True(t, u.wire.Idle())
		assert.Equal(t, int64(1), connect(t, db).one("SELECT count(*) FROM t"))

		require.NoError(t, u.begin(backend.TxOptions{}, "DELETE FROM t"))
		u.rollback()
		assert.Equal(t, int64(1), u.one("SELECT count(*) FROM t"))
	})
}

func TestB22_ReadOnly(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u := connect(t, db)
		u.must("CREATE TABLE t (a)")
		o := backend.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
		require.NoError(t, u.begin(o, "SELECT * FROM t"))
		_, err := u.exec("INSERT INTO t VALUES (1)")
		assert.Equal(t, dialect.ErrReadOnly, u.kind(err))
		c, err := db.Engine.Begin(o)
		require.NoError(t, err)
		require.NoError(t, u.wire.Rollback(context.Background(), c.Restore))
		u.must("INSERT INTO t VALUES (1)") // and B23: restored

		require.NoError(t, u.begin(o, "SELECT * FROM t"))
		require.NoError(t, u.wire.Commit(context.Background(), c.Restore))
		u.must("INSERT INTO t VALUES (1)")
	})
}

// What a text has changed is seen by what the session is, whatever its text says.
func TestB23_TheSessionIsLookedAt(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u := connect(t, db)
		for _, text := range []string{"CREATE TABLE t (a)", "PRAGMA foreign_keys", "PRAGMA foreign_keys = 1", "EXPLAIN SELECT 1", "DROP TABLE t"} {
			u.must(text)
			assert.False(t, u.wire.(backend.SessionTeller).SessionChanged(), text)
		}
		for _, text := range []string{
			"CREATE TEMP TABLE t (a)", "CREATE VIEW [temp].v AS SELECT 1", "EXPLAIN PRAGMA foreign_keys = 0", "PRAGMA reverse_unordered_selects = 1",
			"PRAGMA query_only = 1", "PRAGMA case_sensitive_like = 1", "PRAGMA ignore_check_constraints(1)",
		} {
			u := connect(t, db)
			u.must(text)
			assert.True(t, u.wire.(backend.SessionTeller).SessionChanged(), text)
			u.discard()
		}

		u.must("CREATE TABLE t (a)")
		require.NoError(t, u.begin(backend.TxOptions{ReadOnly: true}, "EXPLAIN PRAGMA query_only = 0"))
		u.must("INSERT INTO t VALUES (1)")
		require.ErrorIs(t, u.commit(), errWritable)
		u.rollback()
		assert.Equal(t, int64(0), u.one("SELECT count(*) FROM t"))
		assert.False(t, u.wire.(backend.SessionTeller).SessionChanged())
	})
}

func TestB22_Snapshot(t *testing.T) {
	db := open(t, Open(file(t)))
	reader, writer := connect(t, db), connect(t, db)
	writer.must("CREATE TABLE t (a)")
	require.NoError(t, reader.begin(backend.TxOptions{ReadOnly: true}, "SELECT * FROM t"))
	writer.must("INSERT INTO t VALUES (1)") // does not wait for the reader
	assert.Equal(t, int64(0), reader.one("SELECT count(*) FROM t"))
	require.NoError(t, reader.commit())
}

// B8: what SQLite rolls back by itself is noticed, whatever the error.
func TestB08_EndedTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u := connect(t, db)
		u.must("CREATE TABLE t (a INTEGER UNIQUE)")
		u.must("CREATE TRIGGER no AFTER INSERT ON t WHEN new.a = 13 BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END")

		for name, statement := range map[string]string{
			"on conflict rollback": "INSERT OR ROLLBACK INTO t VALUES (1)",
			"raise rollback":       "INSERT INTO t VALUES (13)",
		} {
			require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"), name)
			_, err := u.exec(statement)
			e := db.Engine.Classify(err)
			assert.True(t, e.Fatal, name)
			assert.True(t, u.wire.Idle(), name)
			u.rollback() // sends nothing that SQLite would refuse
			assert.Equal(t, int64(0), u.one("SELECT count(*) FROM t"), name)
		}

		require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
		_, err := u.exec("INSERT INTO t VALUES (1)")
		e := db.Engine.Classify(err)
		assert.Equal(t, dialect.ErrUniqueViolation, e.Kind)
		assert.False(t, e.Fatal)
		assert.False(t, u.wire.Idle())
		u.must("INSERT INTO t VALUES (2)") // the transaction goes on
		require.NoError(t, u.commit())
		assert.Equal(t, int64(2), u.one("SELECT count(*) FROM t"))
	})
}

const endless = "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n) "

func TestB11_Interrupt(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		t.Parallel() // it waits
		u := connect(t, db)
		u.must("CREATE TABLE t (a INTEGER)")
		run := func(query string) *dialect.Error {
			require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, err := u.wire.Exec(ctx, nil, query, nil)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			return db.Engine.Classify(err)
		}
		assert.True(t, run(endless+"INSERT INTO t SELECT i FROM n").Fatal, "SQLite rolls back when a write is interrupted")
		assert.True(t, u.wire.Idle())
		assert.Equal(t, int64(0), u.one("SELECT count(*) FROM t"))

		assert.False(t, run(endless+"SELECT max(i) FROM n").Fatal, "and not when a read is")
		assert.False(t, u.wire.Idle())
		require.NoError(t, u.commit())
		assert.Equal(t, int64(1), u.one("SELECT count(*) FROM t"))
	})
}

// S6: a ctx that ends together with its statement. Whatever is returned has to
// be true.
func TestS06_EndOfContext(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u := connect(t, db)
		u.must("CREATE TABLE t (a INTEGER)")
		said := int64(0)
		for i := range 300 {
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				for range i * 10 {
					_ = ctx.Err()
				}
				cancel()
			}()
			_, err := u.wire.Exec(ctx, nil, "INSERT INTO t VALUES (?)", []any{i})
			if err == nil {
				said++
			}
			cancel()
		}
		assert.Equal(t, said, u.one("SELECT count(*) FROM t"))
		assert.True(t, u.wire.Idle())
	})
}

func TestS06_AppliedStatement(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must("CREATE TABLE t (a INTEGER PRIMARY KEY)")
	w := u.wire.(*wire)
	ctx, cancel := context.WithCancel(context.Background())
	// The driver reports the end of ctx for a statement that has run.
	u.must("INSERT INTO t VALUES (7), (8)")
	cancel()
	st := &statement{kind: kind{dml: true, writes: true}}
	res, err := w.notExecuted(ctx, st, ctx.Err())
	require.NoError(t, err)
	n, _ := res.RowsAffected()
	id, _ := res.LastInsertId()
	assert.Equal(t, []int64{2, 8}, []int64{n, id})

	err = w.notQueried(ctx, st, ctx.Err()) // INSERT … RETURNING: its rows are lost
	e := u.db.Engine.Classify(err)
	assert.Equal(t, dialect.ErrConnectionLost, e.Kind)
	assert.ErrorIs(t, err, context.Canceled)

	u.must("SELECT 1") // commits nothing
	_, err = w.notExecuted(ctx, st, ctx.Err())
	assert.Equal(t, context.Canceled, err)
}

// S6: SQLite has called the hook of a commit that then fails (a full disk), while ctx
// ends, which is all that the driver says.
func TestS06_ACommitThatFailsBehindItsHook(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must("CREATE TABLE t (a INTEGER PRIMARY KEY)")
	u.must("INSERT INTO t VALUES (7)")
	w := u.wire.(*wire)
	ctx, cancel := context.WithCancel(context.Background())
	w.conn.(hooking).RegisterCommitHook(func() int32 {
		_ = w.commits()
		cancel()
		return 1 // SQLite rolls back, as after every other failure of a commit
	})
	_, err := u.wire.Exec(ctx, nil, "INSERT INTO t VALUES (8)", nil)
	require.Error(t, err)
	// Whether the driver has seen ctx end or not: here as if it had.
	res, err := w.notExecuted(ctx, &statement{kind: kind{dml: true, writes: true}}, ctx.Err())
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, res)
	assert.Equal(t, dialect.ErrConnectionLost, u.kind(err), "it may be an I/O error that leaves it open")
	assert.Equal(t, int64(1), u.one("SELECT count(*) FROM t"))
}

// S6: a ctx that ends while the rows of what writes are read. To close them commits it.
func TestS06_RowsOfAWriteWhoseCtxEnds(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u := connect(t, db)
		u.must("CREATE TABLE t (a INTEGER PRIMARY KEY)")
		ctx, cancel := context.WithCancel(context.Background())
		rows, err := u.wire.Query(ctx, nil, "INSERT INTO t VALUES (1), (2) RETURNING a", nil)
		require.NoError(t, err)
		row := make([]driver.Value, 1)
		require.NoError(t, rows.Next(row))
		cancel()
		err = rows.Next(row)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, rows.Close())
		require.Equal(t, int64(2), u.one("SELECT count(*) FROM t"), "it is committed all the same")
		assert.Equal(t, dialect.ErrConnectionLost, u.kind(err))
	})
}

func TestPrefixError(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must("CREATE TABLE t (a)")
	for _, prefix := range [][]string{{"ROLLBACK TO SAVEPOINT gone"}, {"BEGIN IMMEDIATE", "RELEASE SAVEPOINT gone"}} {
		_, err := u.wire.Exec(context.Background(), prefix, "INSERT INTO t VALUES (1)", nil)
		var p *backend.PrefixError
		require.ErrorAs(t, err, &p)
		assert.Equal(t, prefix[len(prefix)-1], p.Statement)
		_, err = u.wire.Query(context.Background(), prefix, "INSERT INTO t VALUES (1) RETURNING a", nil)
		require.ErrorAs(t, err, &p)
		if !u.wire.Idle() {
			u.rollback()
		}
	}
	assert.Equal(t, int64(0), u.one("SELECT count(*) FROM t"))
}

func TestNotSent(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must("CREATE TABLE t (a)")
	for name, tt := range map[string]struct {
		query string
		args  []any
		says  string
	}{
		"stacked":    {"SELECT 1; DELETE FROM t", nil, "several"},
		"zero byte":  {"SELECT 1 \x00", nil, "zero byte"},
		"too few":    {"SELECT ?, ?", []any{1}, "2 placeholders, 1 values"},
		"too many":   {"SELECT ?", []any{1, 2}, "1 placeholders, 2 values"},
		"numbered":   {"SELECT ?2, ?1", []any{1}, "2 placeholders"},
		"none":       {"SELECT '?'", []any{1}, "0 placeholders"},
		"struct":     {"SELECT ?", []any{struct{ Secret string }{"hidden"}}, "Value method"},
		"large":      {"SELECT ?", []any{uint64(1 << 63)}, "9223372036854775807"},
		"not a year": {"SELECT ?", []any{time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}, "year"},
	} {
		_, err := u.wire.Exec(context.Background(), []string{"BEGIN IMMEDIATE"}, tt.query, tt.args)
		var unsent *backend.NotSentError
		if assert.ErrorAs(t, err, &unsent, name) {
			assert.False(t, unsent.Closed, name)
			assert.Contains(t, err.Error(), tt.says, name)
			assert.Equal(t, name == "stacked", u.kind(err) == dialect.ErrUnsupported, name)
			assert.NotContains(t, err.Error(), "hidden", name)
		}
		assert.True(t, u.wire.Idle(), "%s: the prefix was not sent", name)
	}
	assert.Equal(t, int64(3), u.one("SELECT ?2", 1, 3))
	assert.Equal(t, int64(5), u.one("SELECT :a + @b", sql.Named("a", 2), sql.Named("b", 3)))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := u.wire.Exec(ctx, []string{"BEGIN IMMEDIATE"}, "SELECT 1", nil)
	var unsent *backend.NotSentError
	require.ErrorAs(t, err, &unsent)
	assert.ErrorIs(t, err, context.Canceled)

	u.discard()
	_, err = u.exec("SELECT 1")
	require.ErrorAs(t, err, &unsent)
	assert.True(t, unsent.Closed)
	assert.False(t, u.wire.Alive())
}

func TestS07_RowsAffected(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	affected := func(query string) int64 {
		n, err := u.must(query).RowsAffected()
		require.NoError(t, err)
		return n
	}
	assert.Equal(t, int64(0), affected("CREATE TABLE t (a)"))
	assert.Equal(t, int64(3), affected("INSERT INTO t VALUES (1), (2), (3)"))
	assert.Equal(t, int64(0), affected("CREATE INDEX i ON t (a)"), "not the INSERT's")
	assert.Equal(t, int64(3), affected("UPDATE t SET a = a"), "the rows that matched")
	assert.Equal(t, int64(0), affected("SELECT 1"))
	assert.Equal(t, int64(0), affected("WITH x AS (SELECT 1) SELECT replace('a', 'b', 'c') FROM x"))
	assert.Equal(t, int64(2), affected("WITH x (a) AS (SELECT 2) DELETE FROM t WHERE a >= (SELECT a FROM x)"))
	assert.Equal(t, int64(0), affected("DELETE FROM t WHERE a = 99"))
}

// B13: a transaction that a caller has begun by hand is not for others.
func TestB13_OwnBegin(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		for _, begin := range []string{"BEGIN", "begin immediate;", "SAVEPOINT mine"} {
			u := connect(t, db)
			u.must(begin)
			assert.False(t, u.wire.Idle(), begin)
			u.must("ROLLBACK")
			assert.True(t, u.wire.Idle(), begin)
			_, err := u.exec("COMMIT")
			assert.Error(t, err)
			assert.True(t, u.wire.Idle(), begin)
		}
	})
}
