package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// onceTable is how each engine creates the table of Once.
var onceTable = map[testdb.Engine]string{
	testdb.MySQL: mysql.OnceTable, testdb.MariaDB: mysql.OnceTable,
	testdb.Postgres: postgres.OnceTable, testdb.SQLite: sqlite.OnceTable,
}

// eachOnce runs a test on each engine with rows 1 to 20 in t, each 0.
func eachOnce(t *testing.T, test func(t *testing.T, db *database), engines ...testdb.Engine) {
	t.Helper()
	each(t, func(t *testing.T, db *database) {
		db.arrange(onceTable[db.Engine])
		for id := range 20 {
			require.NoError(t, db.exec(t.Context(), "INSERT INTO t (id, v) VALUES (?, 0)", id+1))
		}
		db.wires.take()
		test(t, db)
	}, engines...)
}

// count1 is an fn that adds 1 to a row and returns what it is then.
func (db *database) count1(id int) func(context.Context) (int64, error) {
	return func(ctx context.Context) (int64, error) {
		if err := db.exec(ctx, "UPDATE t SET v = v + 1 WHERE id = ?", id); err != nil {
			return 0, err
		}
		return db.number(ctx, "SELECT v FROM t WHERE id = ?", id)
	}
}

// never is an fn that must not run.
func never(t *testing.T) func(context.Context) (int64, error) {
	return func(context.Context) (int64, error) {
		assert.Fail(t, "fn has run")
		return 0, nil
	}
}

func TestO01_TheSameKeyAgainRunsNothing(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		for key, opts := range map[string][]atomic.Option{
			"plain": nil, "for": {atomic.Retry(3), atomic.OnceFor("it")}, "late": {atomic.ClaimLate()},
			"kept": {atomic.Wait(time.Second), atomic.KeepFor(time.Hour)}, "late, kept": {atomic.ClaimLate(), atomic.KeepFor(time.Hour)},
			"an id that is longer than any key of an index may be": {atomic.Isolation(sql.LevelRepeatableRead), atomic.Name("pay")},
		} {
			first, err := atomic.Once(t.Context(), db, key, db.count1(1), opts...)
			require.NoError(t, err, key)
			again := opts
			if strings.HasPrefix(key, "late") { // with which fn starts
				again = nil
			}
			second, err := atomic.Once(t.Context(), db, key, never(t), again...)
			require.NoError(t, err, key)
			assert.Equal(t, first, second, key)
			third, err := atomic.Once(t.Context(), db, key, db.count1(1), opts...)
			require.NoError(t, err, key)
			assert.Equal(t, first, third, key)
		}
		assert.Equal(t, 6, db.value(1))
		db.idle()
	})
}

func TestO01_AllAtOnce(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		for name, opts := range map[string][]atomic.Option{
			"early": {atomic.Wait(time.Minute)}, "late": {atomic.Wait(time.Minute), atomic.ClaimLate(), atomic.LockTimeout(time.Minute)},
		} {
			before := db.value(2)
			results := make([]int64, 64)
			errs := make([]error, len(results))
			var all sync.WaitGroup
			for i := range results {
				all.Go(func() { results[i], errs[i] = atomic.Once(t.Context(), db, name, db.count1(2), opts...) })
			}
			all.Wait()
			for i := range results {
				require.NoError(t, errs[i], name)
				assert.Equal(t, int64(before+1), results[i], name)
			}
			assert.Equal(t, before+1, db.value(2), name)
		}
	})
}

// The first is rolled back while the others wait: one of them runs.
func TestO01_TheFirstFails(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		other := db.again(setup{}) // another process, as far as keys go
		inside, fail := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() {
			_, err := atomic.Once(t.Context(), db, "k", func(ctx context.Context) (int64, error) {
				_, err := db.count1(3)(ctx)
				close(inside)
				<-fail
				return 0, errors.Join(err, errAsked)
			})
			first <- err
		}()
		<-inside
		var all sync.WaitGroup
		for i := range 8 {
			from := []*database{db, other}[i%2]
			all.Go(func() {
				n, err := atomic.Once(t.Context(), from, "k", from.count1(3), atomic.Wait(time.Minute))
				assert.NoError(t, err)
				assert.Equal(t, int64(1), n)
			})
		}
		if db.Engine != testdb.SQLite {
			db.blocked(4)
		}
		close(fail)
		require.ErrorIs(t, <-first, errAsked)
		all.Wait()
		assert.Equal(t, 1, db.value(3))
	})
}

func TestO02_AnotherRequestUnderTheSameKey(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		_, err := atomic.Once(t.Context(), db, "k", db.count1(1), atomic.OnceFor(map[string]int{"amount": 5}))
		require.NoError(t, err)
		for _, opts := range [][]atomic.Option{{atomic.OnceFor(map[string]int{"amount": 6})}, nil, {atomic.OnceFor("x"), atomic.Retry(2), atomic.ClaimLate()}} {
			fn := never(t)
			if len(opts) == 3 { // starts, and is stopped by its first statement
				fn = db.count1(1)
			}
			_, err = atomic.Once(t.Context(), db, "k", fn, opts...)
			require.ErrorIs(t, err, atomic.ErrOnceMismatch)
		}
		n, err := atomic.Once(t.Context(), db, "k", never(t), atomic.OnceFor(map[string]int{"amount": 5}))
		require.NoError(t, err)
		assert.Equal(t, int64(1), n)
		assert.Equal(t, 1, db.value(1))
	})
}

func TestO03_InProgress(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		from := []*database{db}
		if db.Engine != testdb.SQLite { // whose processes wait for each other in any case
			from = append(from, db.again(setup{}))
		}
		rollsBack, updated := db.executor.Database().Server.RollbackOnTimeout, 0
		inside, finish := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			_, err := atomic.Once(t.Context(), db, "k", func(ctx context.Context) (int64, error) {
				n, err := db.count1(1)(ctx)
				close(inside)
				<-finish
				return n, err
			})
			done <- err
		}()
		<-inside
		for _, from := range from {
			_, err := atomic.Once(t.Context(), from, "k", never(t))
			require.ErrorIs(t, err, atomic.ErrInProgress)
			_, err = atomic.Once(t.Context(), from, "k", never(t), atomic.Wait(20*time.Millisecond))
			require.ErrorIs(t, err, atomic.ErrInProgress)
			if db.Engine == testdb.SQLite {
				continue
			}
			err = atomic.Do(t.Context(), from, func(ctx context.Context) error { // inside another block, which stays clean
				_, err := atomic.Once(ctx, from, "k", never(t))
				assert.ErrorIs(t, err, atomic.ErrInProgress)
				return from.exec(ctx, "UPDATE t SET v = v + 1 WHERE id = 2")
			})
			if rollsBack && from != db { // where the server lets it
				require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			} else {
				require.NoError(t, err)
				updated++
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		waiting := make(chan error, 1)
		go func() {
			_, err := atomic.Once(ctx, db, "k", never(t), atomic.Wait(time.Minute))
			waiting <- err
		}()
		cancel(errAsked)
		require.ErrorIs(t, <-waiting, errAsked)
		close(finish)
		require.NoError(t, <-done)
		_, err := atomic.Once(t.Context(), from[len(from)-1], "k", never(t))
		require.NoError(t, err)
		assert.Equal(t, updated, db.value(2))
	})
}

// A time limit, a panic and a lost connection leave nothing in progress.
func TestO03_NothingStaysInProgress(t *testing.T) {
	wait := atomic.Wait(10 * time.Second) // a server may see late that it has lost its client
	eachOnce(t, func(t *testing.T, db *database) {
		_, err := atomic.Once(t.Context(), db, "k", func(ctx context.Context) (int64, error) {
			_, err := db.count1(1)(ctx)
			<-ctx.Done()
			return 0, errors.Join(err, context.Cause(ctx))
		}, atomic.Timeout(50*time.Millisecond))
		require.ErrorIs(t, err, atomic.ErrTimeout)
		assert.PanicsWithValue(t, "asked for", func() {
			_, _ = atomic.Once(t.Context(), db, "k", func(ctx context.Context) (int64, error) {
				_, _ = db.count1(1)(ctx)
				panic("asked for")
			}, wait)
		})
		if db.Engine != testdb.SQLite {
			_, err = atomic.Once(t.Context(), db, "k", func(ctx context.Context) (int64, error) {
				_, err := db.count1(1)(ctx)
				db.kill(db.id(ctx))
				return 0, err
			}, wait)
			require.Error(t, err)
		}
		n, err := atomic.Once(t.Context(), db, "k", db.count1(1), wait)
		require.NoError(t, err)
		assert.Equal(t, int64(1), n)
	})
}

// What fn calls has committed the key, and no result will ever come: nobody is told to
// wait for one.
func TestO03_ACommitInsideFn(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		db.arrange("CREATE PROCEDURE commits() COMMIT")
		commits := func(ctx context.Context) (int64, error) { return 1, db.exec(ctx, "CALL commits()") }
		for key, opts := range map[string][]atomic.Option{"k": nil, "late": {atomic.ClaimLate()}} {
			_, err := atomic.Once(t.Context(), db, key, commits, opts...)
			require.ErrorIs(t, err, atomic.ErrTransactionEnded)
			for _, wait := range []time.Duration{0, time.Second} {
				_, err = atomic.Once(t.Context(), db, key, never(t), atomic.Wait(wait))
				require.ErrorIs(t, err, atomic.ErrTransactionEnded)
				require.NotErrorIs(t, err, atomic.ErrInProgress)
			}
			db.arrange("DELETE FROM holdfast_once")
			_, err = atomic.Once(t.Context(), db, key, db.count1(1), opts...)
			require.NoError(t, err)
		}
	}, testdb.MySQL, testdb.MariaDB)
}

// The library's table needs nobody who may create tables.
func TestO08_RightsThatSuffice(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		user := "u_" + db.Name[max(0, len(db.Name)-12):]
		low := db.as(user, "t", "SELECT", "UPDATE")
		_, err := atomic.Once(t.Context(), low, "k", never(t))
		require.ErrorContains(t, err, "the user may not use the table holdfast_once: create it")
		db.arrange("GRANT SELECT, INSERT, UPDATE ON holdfast_once TO " + user)
		for _, opts := range [][]atomic.Option{nil, {atomic.ClaimLate(), atomic.KeepFor(time.Millisecond)}} {
			for range 3 {
				_, err = atomic.Once(t.Context(), low, fmt.Sprint("k", len(opts)), low.count1(1), opts...)
				require.NoError(t, err)
			}
		}
		_, err = atomic.PurgeOnce(t.Context(), low)
		require.ErrorContains(t, err, "and DELETE for PurgeOnce")
		db.arrange("GRANT DELETE ON holdfast_once TO " + user)
		_, err = atomic.PurgeOnce(t.Context(), low)
		require.NoError(t, err)
	}, testdb.Servers()...)
}

// as opens the database once more, as a user with these rights on a table.
func (db *database) as(user, table string, rights ...string) *database {
	const password = "tiger"
	grant := "GRANT " + strings.Join(rights, ", ") + " ON " + table + " TO " + user
	if db.Engine == testdb.Postgres {
		db.arrange(fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", user, password), grant)
		db.t.Cleanup(func() { db.arrange("DROP OWNED BY "+user, "DROP ROLE "+user) })
		u, err := url.Parse(db.DSN)
		require.NoError(db.t, err)
		u.User = url.UserPassword(user, password)
		return db.again(setup{dsn: u.String()})
	}
	db.arrange(fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s'", user, password), grant)
	db.t.Cleanup(func() { db.arrange("DROP USER " + user) })
	config, err := godriver.ParseDSN(db.DSN)
	require.NoError(db.t, err)
	config.User, config.Passwd = user, password
	return db.again(setup{dsn: config.FormatDSN()})
}

// The texts of the engines, and what CreateTables makes of the model, are the same to
// Once and to orm.Check.
func TestO08_TheTableIsThatOfTheModel(t *testing.T) {
	eachOnce(t, func(t *testing.T, db *database) {
		o, err := orm.Open(t.Context(), testdb.Source(db.Engine, db.DSN))
		require.NoError(t, err)
		defer o.Close()
		require.NoError(t, orm.Check(t.Context(), o, (*models.Once)(nil)))
		_, err = atomic.Once(t.Context(), o, "k", func(context.Context) (int, error) { return 5, nil }, atomic.KeepFor(time.Hour))
		require.NoError(t, err)
		rows, err := orm.Objects[models.Once](o).All(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 1)
		assert.Equal(t, "5", string(rows[0].Result))
		assert.WithinDuration(t, time.Now(), rows[0].CreatedAt, time.Minute)
		require.NotNil(t, rows[0].ExpiresAt)
		assert.InDelta(t, time.Hour, rows[0].ExpiresAt.Sub(rows[0].CreatedAt), float64(time.Second))

		db.arrange("DROP TABLE holdfast_once")
		require.NoError(t, orm.CreateTables(t.Context(), o, (*models.Once)(nil)))
		require.NoError(t, orm.Check(t.Context(), o, (*models.Once)(nil)))
		for range 2 {
			n, err := atomic.Once(t.Context(), o, "k", func(context.Context) (int64, error) { return 1, nil }, atomic.KeepFor(time.Hour))
			require.NoError(t, err)
			assert.Equal(t, int64(1), n)
		}
		n, err := atomic.PurgeOnce(t.Context(), o)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

func TestO08_WhatIsMissingIsSaid(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		for _, opts := range [][]atomic.Option{nil, {atomic.ClaimLate()}} {
			fn := never(t)
			if opts != nil {
				fn = func(ctx context.Context) (int64, error) { return 1, db.insert(ctx, 1) }
			}
			_, err := atomic.Once(t.Context(), db, "k", fn, opts...)
			require.ErrorContains(t, err, "there is no table holdfast_once: create it")
		}
		_, err := atomic.PurgeOnce(t.Context(), db)
		require.ErrorContains(t, err, "there is no table holdfast_once: create it")
		assert.Empty(t, db.kept())
		var known *dialect.Error
		require.ErrorAs(t, err, &known)
	})
}
