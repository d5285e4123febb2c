package tests

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// id is the server's number of the rival's connection.
func (r *rival) id(s *studio) (id int64) {
	s.t.Helper()
	q := "SELECT CONNECTION_ID()"
	if s.Engine == testdb.Postgres {
		q = "SELECT pg_backend_pid()"
	}
	require.NoError(s.t, r.conn.QueryRowContext(context.Background(), q).Scan(&id))
	return id
}

// program is a rival outside a transaction.
func (s *studio) program(statements ...string) *rival {
	s.t.Helper()
	return s.rival(append([]string{"ROLLBACK"}, statements...)...)
}

// pairs are the connections that wait and those that they wait for.
func pairs(waits []dialect.LockWait) (pairs [][2]int64) {
	for _, w := range waits {
		pairs = append(pairs, [2]int64{w.Waiting.ConnectionID, w.Holding.ConnectionID})
	}
	return pairs
}

// waitsInState waits until somebody waits for a lock that is no row's. MariaDB
// tells of such only in its list of connections.
func (s *studio) waitsInState(state string) {
	s.t.Helper()
	if s.Engine == testdb.MySQL {
		s.waits(1)
		return
	}
	eventually(s.t, "somebody is in the state "+state, func() bool {
		var n int
		require.NoError(s.t, s.Admin.QueryRowContext(s.t.Context(), "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = '"+state+"'").Scan(&n))
		return n == 1
	})
}

// with opens the database again with another DSN.
func (s *studio) with(change func(*godriver.Config)) *studio {
	s.t.Helper()
	config, err := godriver.ParseDSN(s.DSN)
	require.NoError(s.t, err)
	change(config)
	db, err := orm.Open(s.t.Context(), testdb.Source(s.Engine, config.FormatDSN()))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, db.Close()) })
	return &studio{Database: s.Database, DB: db, t: s.t}
}

// What a backslash means is a setting of the session, and whose it is only that
// session knows.
func TestLockWaits_NoValuesWhateverABackslashMeans(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		r := s.rival(holdAudio(1))
		if s.Engine == testdb.Postgres {
			second := s.rival("SET standard_conforming_strings = off")
			done := second.start(`UPDATE audio SET text = 'it\'s ` + secretText + `' WHERE id = 1`)
			assert.NotContains(t, s.waits(1)[0].Waiting.Statement, secretText)
			r.end()
			require.NoError(t, done())
			return
		}
		low := s.with(func(c *godriver.Config) {
			c.Params = map[string]string{"sql_mode": "'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES'"}
		})
		_, end := low.waiting(func(ctx context.Context) error {
			_, err := low.row(1).Update(ctx, query.Set("path", `C:\`), query.Set("text", secretText))
			return err
		})
		assert.NotContains(t, s.waits(1)[0].Waiting.Statement, secretText)
		r.end()
		require.NoError(t, end())
	}, testdb.Servers()...)
}

// Who waits for the database's rows need not have it as its own database, and
// nobody needs one.
func TestLockWaits_FromElsewhere(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		r := s.rival(holdAudio(1))
		second := s.program("USE information_schema")
		want := [][2]int64{{second.id(s), r.id(s)}}
		done := second.start("UPDATE " + s.Name + ".audio SET speed = 10 WHERE id = 1")
		assert.Equal(t, want, pairs(s.waits(1)))

		nowhere := s.with(func(c *godriver.Config) { c.DBName = "" })
		nowhere.listed("the wait, among all of the server", func(waits []dialect.LockWait) bool { return slices.Contains(pairs(waits), want[0]) })
		require.NoError(t, nowhere.take(t.Context(), lockName, orm.NoWait))
		r.end()
		require.NoError(t, done())
	}, testdb.MySQL, testdb.MariaDB)
}

// Locks on tables as a whole: only those are listed that do not go together, and
// who waits for all others to end keeps those waiting who came later.
func TestLockWaits_Metadata(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		s := openStudio(t, testdb.NewServer(t, at.Engine).New(t)) // which nobody else uses: it is brought to a halt
		reader := s.rival("SELECT * FROM audio WHERE id = 2")
		locker, writer := s.program("LOCK TABLES audio READ"), s.program()
		want := [2]int64{writer.id(s), locker.id(s)}
		done := writer.start("UPDATE audio SET speed = 3 WHERE id = 1")
		assert.Equal(t, [][2]int64{want}, pairs(s.waits(1)))
		locker.exec("UNLOCK TABLES")
		require.NoError(t, done())

		alterer, late := s.program(), s.program()
		alters, follows := [2]int64{alterer.id(s), reader.id(s)}, [2]int64{late.id(s), alterer.id(s)}
		done = alterer.start("ALTER TABLE audio ADD COLUMN zz INT")
		assert.Equal(t, [][2]int64{alters}, pairs(s.waits(1)))
		read := late.start("SELECT * FROM audio WHERE id = 2")
		assert.ElementsMatch(t, [][2]int64{alters, follows}, pairs(s.waits(2)))
		reader.end()
		require.NoError(t, done())
		require.NoError(t, read())

		locker.exec("FLUSH TABLES WITH READ LOCK")
		done = writer.start("UPDATE audio SET speed = 4 WHERE id = 1")
		assert.Equal(t, [][2]int64{want}, pairs(s.waits(1)))
		locker.exec("UNLOCK TABLES")
		require.NoError(t, done())

		// One that waits itself, of a program with another database.
		holder, backup := s.rival(holdAudio(1)), s.program("USE information_schema")
		first, last := [2]int64{writer.id(s), holder.id(s)}, [2]int64{late.id(s), backup.id(s)}
		behind := [2]int64{backup.id(s), writer.id(s)}
		done = writer.start("UPDATE audio SET speed = 5 WHERE id = 1")
		s.waits(1)
		flushed := backup.start("FLUSH TABLES WITH READ LOCK")
		s.waits(2)
		written := late.start("UPDATE audio SET speed = 5 WHERE id = 3")
		assert.ElementsMatch(t, [][2]int64{first, behind, last}, pairs(s.waits(3)))
		holder.end()
		require.NoError(t, done())
		require.NoError(t, flushed())
		backup.exec("UNLOCK TABLES")
		require.NoError(t, written())
	}, testdb.MySQL)
}

// A transaction that was prepared has no connection, and holds its locks until
// somebody ends it.
func TestLockWaits_PreparedTransactions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		prepare, finish, flags := "XA PREPARE 'hf'", "XA ROLLBACK 'hf'", []string{}
		if at.Engine == testdb.Postgres {
			prepare, finish, flags = "PREPARE TRANSACTION 'hf'", "ROLLBACK PREPARED 'hf'", []string{"-c", "max_prepared_transactions=1"}
		}
		s := openStudio(t, testdb.NewServer(t, at.Engine, testdb.Flags(flags...)).New(t))
		first := s.program()
		if at.Engine == testdb.Postgres {
			first.exec("BEGIN", holdAudio(1), prepare)
		} else {
			first.exec("XA START 'hf'", holdAudio(1), "XA END 'hf'", prepare)
			(&database{Database: s.Database, t: t}).kill(first.id(s))
		}
		second := s.program()
		id := second.id(s)
		done := second.start(holdAudio(1))
		w := s.waits(1)[0]
		assert.Equal(t, id, w.Waiting.ConnectionID)
		assert.Zero(t, w.Holding.ConnectionID)
		assert.Equal(t, "audio", w.Table)
		const want = "a prepared transaction"
		err := again(func(err error) bool { return strings.Contains(err.Error(), want) }, func() error {
			_, err := lockedBy(t.Context(), s, s.row(1).SelectForUpdate(orm.Wait(time.Second)), atomic.ExplainLocks())
			require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			return err
		})
		require.ErrorContains(t, err, want)
		s.program(finish)
		require.NoError(t, done())
	}, testdb.Servers()...)
}

// Names as the server has them, not as it shows them.
func TestLockWaits_TableNames(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		other := s.Name + "`q"
		quoted := "`" + s.Name + "``q`"
		s.arrange("CREATE TABLE part (id BIGINT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))", "INSERT INTO part VALUES (1)",
			"CREATE TABLE `we``ird` (id BIGINT PRIMARY KEY)", "INSERT INTO `we``ird` VALUES (1)",
			"CREATE DATABASE "+quoted, "CREATE TABLE "+quoted+".t (id BIGINT PRIMARY KEY)", "INSERT INTO "+quoted+".t VALUES (1)")
		defer s.arrange("DROP DATABASE " + quoted)
		for table, at := range map[string]*studio{"part": s, "we`ird": s, "t": s.with(func(c *godriver.Config) { c.DBName = other })} {
			statement := map[string]string{"part": "DELETE FROM part", "we`ird": "DELETE FROM `we``ird`", "t": "DELETE FROM " + quoted + ".t"}[table]
			r, second := s.rival(statement), s.rival()
			done := second.start(statement)
			assert.Equal(t, table, at.waits(1)[0].Table)
			r.end()
			require.NoError(t, done())
			second.end()
			at.waits(0)
		}
	}, testdb.MySQL, testdb.MariaDB)
}

// The server writes names in the quotes of who asks.
func TestLockWaits_UnderAnsiQuotes(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		ansi := s.with(func(c *godriver.Config) {
			c.Params = map[string]string{"sql_mode": "'ANSI_QUOTES,STRICT_TRANS_TABLES'"}
		})
		r := s.rival(holdAudio(1))
		done := s.rival().start(holdAudio(1))
		assert.Equal(t, "audio", ansi.waits(1)[0].Table)
		r.end()
		require.NoError(t, done())
	}, testdb.MySQL, testdb.MariaDB)
}

// What a SERIALIZABLE block has read is no lock that anybody waits for.
func TestLockWaits_TheTableOfASerializableBlock(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		s.arrange("INSERT INTO owners (name) SELECT 'n' FROM generate_series(1, 5000)", "ANALYZE owners")
		r := s.rival("INSERT INTO project (id, name) VALUES (50, 'x')")
		done := make(chan error, 1)
		go func() {
			done <- atomic.Do(t.Context(), s, func(ctx context.Context) error {
				if _, err := orm.Objects[Owner](s.DB).Filter(query.F("id").Eq(77)).All(ctx); err != nil {
					return err
				}
				_, err := s.SQL().ExecContext(ctx, "INSERT INTO project (id, name) VALUES (50, 'y')")
				return err
			}, atomic.Isolation(sql.LevelSerializable))
		}()
		assert.NotEqual(t, "owners", s.waits(1)[0].Table)
		r.end()
		require.NoError(t, soon(t, "the block", done))
	}, testdb.Postgres)
}

// The machine that the server is on may be in any time zone.
func TestLockWaits_AgesInAnotherZone(t *testing.T) {
	for _, zone := range []string{"EST5", "JST-9"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, at testdb.Database) {
				s := openStudio(t, testdb.NewServer(t, at.Engine, testdb.Zone(zone)).New(t))
				r := s.rival(holdAudio(1))
				done := s.rival().start(holdAudio(1))
				w := s.listed("both have an age", func(waits []dialect.LockWait) bool {
					return len(waits) == 1 && waits[0].Waiting.Age > 0 && waits[0].Holding.Age > 0
				})[0]
				assert.Less(t, w.Waiting.Age, time.Hour)
				assert.Less(t, w.Holding.Age, time.Hour)
				r.end()
				require.NoError(t, done())
			}, testdb.MySQL, testdb.MariaDB)
		})
	}
}

// When every connection of the pool waits, one asks what for.
func TestLockWaits_AFullPool(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		block.Of(s).Database().Pool.SetMaxOpenConns(2)
		r := s.rival(holdAudio(1))
		var ends []func() error
		for range 2 {
			_, end := s.waiting(func(ctx context.Context) error {
				_, err := s.row(1).Update(ctx, query.Set("speed", 3))
				return err
			}, atomic.Name(fmt.Sprint("waiter ", len(ends))))
			ends = append(ends, end)
		}
		s.listed("two who wait", func(waits []dialect.LockWait) bool { return len(waits) >= 2 })
		r.end()
		for _, end := range ends {
			require.NoError(t, end())
		}
	}, testdb.Servers()...)
}
