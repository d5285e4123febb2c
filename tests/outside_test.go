package tests

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func readNothing(rows driver.Rows) error {
	row := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(row); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

const needle = "the value by which a trap finds the statement"

// senders are the ways in which a statement outside any block can be sent: each
// inserts the needle into note.
func senders(db *database) map[string]func(ctx context.Context) error {
	insert := db.wires.Rebind("INSERT INTO note (text) VALUES (?)")
	drain := func(rows *sql.Rows, err error) error {
		if err != nil {
			return err
		}
		for rows.Next() { // to their end
		}
		_ = rows.Close()
		return rows.Err()
	}
	ways := map[string]func(ctx context.Context) error{
		"Exec of the executor": func(ctx context.Context) error {
			_, err := db.executor.Exec(ctx, block.Statement{SQL: insert, Args: []any{needle}})
			return err
		},
		"Exec of *sql.DB": func(ctx context.Context) error {
			_, err := db.executor.SQL().ExecContext(ctx, insert, needle)
			return err
		},
		"Exec of *sql.Conn": func(ctx context.Context) error {
			conn, err := db.executor.SQL().Conn(ctx)
			require.NoError(db.t, err)
			_, err = conn.ExecContext(ctx, insert, needle)
			_ = conn.Close()
			return err
		},
		"a prepared statement": func(ctx context.Context) error {
			st, err := db.executor.SQL().PrepareContext(ctx, insert)
			require.NoError(db.t, err)
			_, err = st.ExecContext(ctx, needle)
			_ = st.Close()
			return err
		},
		"a session": func(ctx context.Context) error {
			sess, ctx, err := atomic.OpenSession(ctx, db)
			require.NoError(db.t, err)
			_, err = db.executor.SQL().ExecContext(ctx, insert, needle)
			_ = sess.Close()
			return err
		},
		"a suspended block": func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				return atomic.Do(ctx, db, func(ctx context.Context) error {
					_, err := db.executor.SQL().ExecContext(ctx, insert, needle)
					return err
				}, atomic.Propagation(atomic.Suspended))
			})
		},
		"a hook": func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				return atomic.OnCommit(ctx, db, func(ctx context.Context) error {
					_, err := db.executor.SQL().ExecContext(ctx, insert, needle)
					return err
				})
			})
		},
	}
	if db.Engine != testdb.MySQL { // which has no RETURNING
		returning := insert + " RETURNING id"
		ways["Query of the executor"] = func(ctx context.Context) error {
			return db.executor.Query(ctx, block.Statement{SQL: returning, Args: []any{needle}}, readNothing)
		}
		ways["Query of the executor, built"] = func(ctx context.Context) error {
			return db.executor.Query(ctx, block.Statement{SQL: returning, Args: []any{needle}, Built: true}, readNothing)
		}
		ways["Query of *sql.DB"] = func(ctx context.Context) error {
			return drain(db.executor.SQL().QueryContext(ctx, returning, needle))
		}
		ways["QueryRow of *sql.DB"] = func(ctx context.Context) error {
			var id int
			return db.executor.SQL().QueryRowContext(ctx, returning, needle).Scan(&id)
		}
	}
	return ways
}

func (db *database) notes() int { return db.look("SELECT count(*) FROM note") }

func (db *database) makeNotes() {
	auto := "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
	if db.Engine != testdb.Postgres {
		auto = "BIGINT AUTO_INCREMENT PRIMARY KEY"
	}
	db.arrange("CREATE TABLE note (id " + auto + ", text VARCHAR(200) NOT NULL)")
}

// The reply to an INSERT is lost: the row is there once, and the caller is told
// that nobody knows. SQLite has no reply that could be lost.
func TestS06_TheReplyIsLost(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.makeNotes()
		for how, opened := range db.openings() {
			for way := range senders(db) {
				direct := strings.HasSuffix(way, "of *sql.DB") // the others take the same way to the engine
				if direct || how == asUsual {
					far, p := db.distant(setup{source: opened})
					db.loseReplies(far, p, way+", "+how, senders(far)[way], direct)
				}
			}
		}
	}, testdb.Servers()...)
}

func (db *database) loseReplies(far *database, p *proxy.Proxy, what string, send func(ctx context.Context) error, more bool) {
	t := db.t
	lose := func() {
		lost := p.On(needle, proxy.CutReply)
		err := send(t.Context())
		soon(t, "the statement is sent", lost.Hit())
		require.ErrorIs(t, err, atomic.ErrOutcomeUnknown, what)
		require.ErrorIs(t, err, dialect.ErrConnectionLost, what)
		require.NotErrorIs(t, err, driver.ErrBadConn, what)
		far.idle()
		assert.Equal(t, 1, db.notes(), what)
		db.arrange("DELETE FROM note")
	}
	lose()
	if !more {
		return
	}
	require.NoError(t, send(t.Context()), what)
	db.arrange("DELETE FROM note")
	lose() // a statement that the connection knows
	// And the request: the caller cannot tell the difference.
	p.On(needle, proxy.CutRequest)
	require.ErrorIs(t, send(t.Context()), atomic.ErrOutcomeUnknown, what)
	assert.Zero(t, db.notes(), what)
}

const asUsual = "as usual"

// openings are ways to open a server that send statements differently.
func (db *database) openings() map[string]func(dsn string) dialect.Source {
	if db.Engine == testdb.Postgres {
		return map[string]func(dsn string) dialect.Source{
			asUsual:                   func(dsn string) dialect.Source { return postgres.Open(dsn) },
			"without statement cache": func(dsn string) dialect.Source { return postgres.Open(dsn, postgres.WithoutStatementCache()) },
			// FINDINGS: the driver alone applies an INSERT twice here.
			"a pool with the simple protocol": func(dsn string) dialect.Source {
				return postgres.From(db.stock("pgx", dsn+"&default_query_exec_mode=simple_protocol"))
			},
		}
	}
	return map[string]func(dsn string) dialect.Source{
		asUsual:                            func(dsn string) dialect.Source { return mysql.Open(dsn) },
		"prepared on the server":           func(dsn string) dialect.Source { return mysql.Open(dsn + "?interpolateParams=false") },
		"control statements by themselves": func(dsn string) dialect.Source { return mysql.Open(dsn + "?multiStatements=false") },
		"a pool of the stock driver": func(dsn string) dialect.Source {
			return mysql.From(db.stock("mysql", dsn+"?parseTime=true&clientFoundRows=true&time_zone=%27%2B00%3A00%27&autocommit=1"))
		},
	}
}

func (db *database) stock(driver, dsn string) *sql.DB {
	db.t.Helper()
	pool, err := sql.Open(driver, dsn)
	require.NoError(db.t, err)
	db.t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// The one exception of S6 needs a transaction that dies with its connection. A
// procedure with a COMMIT of its own is none.
func TestS06_AProcedureThatCommits(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.makeNotes()
		db.arrange("CREATE PROCEDURE take_note(w VARCHAR(200)) BEGIN INSERT INTO note (text) VALUES (w); COMMIT; END")
		far, p := db.distant(setup{})
		_, err := far.count(t.Context()) // a connection that might be stale
		require.NoError(t, err)
		p.On(needle, proxy.CutReply)
		err = atomic.Do(t.Context(), far, func(ctx context.Context) error { return far.exec(ctx, "CALL take_note(?)", needle) })
		require.Error(t, err)
		assert.Equal(t, 1, db.notes(), "applied twice")
	}, testdb.MySQL, testdb.MariaDB)
}

// In a block the first statement may be sent again when its reply is lost, and is
// applied once all the same.
func TestS06_TheReplyToTheFirstStatementOfABlock(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.makeNotes()
		far, p := db.distant(setup{})
		insert := func(ctx context.Context) error { return far.exec(ctx, "INSERT INTO note (text) VALUES (?)", needle) }
		for n, known := range []bool{false, true} {
			if known {
				require.NoError(t, insert(t.Context()))
				db.arrange("DELETE FROM note")
			}
			p.On(needle, proxy.CutReply)
			err := atomic.Do(t.Context(), far, insert)
			if err != nil {
				require.ErrorIs(t, err, dialect.ErrConnectionLost)
			}
			far.settled()
			assert.Equal(t, map[bool]int{true: 1, false: 0}[err == nil], db.notes(), "round %d", n)
			db.arrange("DELETE FROM note")
		}
	}, testdb.Servers()...)
}

// Whoever has enough of the rows of what writes has not given up what it writes.
func TestB10_WhatWritesIsNotGivenUp(t *testing.T) {
	const rows = 30_000 // of 2 kB: more than is read in a tenth of a second
	each(t, func(t *testing.T, db *database) {
		insert := map[testdb.Engine]string{
			testdb.Postgres: "INSERT INTO t (id, v) SELECT g, g FROM generate_series(1, %d) g RETURNING id, repeat('x', 2000)",
			testdb.MariaDB:  "INSERT INTO t (id, v) SELECT seq, seq FROM seq_1_to_%d RETURNING id, repeat('x', 2000)",
			testdb.SQLite: "INSERT INTO t (id, v) WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d) " +
				"SELECT i, i FROM g RETURNING id, printf('%%.2000c', 'x')",
		}[db.Engine]
		insert = fmt.Sprintf(insert, rows)
		texts := []string{insert}
		if db.Engine == testdb.Postgres {
			texts = append(texts, "WITH made AS ("+insert+") SELECT * FROM made", "DELETE FROM t RETURNING id, repeat('x', 2000)")
		}
		one := make([]driver.Value, 2)
		for _, text := range texts {
			for name, send := range map[string]func() error{
				"QueryRow": func() error {
					var id int64
					var long string
					return db.executor.SQL().QueryRowContext(t.Context(), text).Scan(&id, &long)
				},
				"Query": func() error {
					rows, err := db.executor.SQL().QueryContext(t.Context(), text)
					require.NoError(t, err)
					require.True(t, rows.Next())
					return rows.Close()
				},
				"the first of many": func() error {
					return db.executor.Query(t.Context(), block.Statement{SQL: text}, func(rows driver.Rows) error { return rows.Next(one) })
				},
			} {
				deletes := strings.HasPrefix(text, "DELETE")
				db.arrange("DELETE FROM t")
				if deletes {
					db.arrange(insert)
				}
				require.NoError(t, send(), name)
				assert.Equal(t, map[bool]int{false: rows}[deletes], db.look("SELECT count(*) FROM t"), "%s: %s", name, text)
			}
		}
	}, testdb.Postgres, testdb.MariaDB, testdb.SQLite)
}
