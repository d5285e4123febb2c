package tests

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	godriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// as opens the studio once more, as a user who may do everything in its database
// and nothing else.
func (s *studio) as(user string) *studio {
	t := s.t
	t.Helper()
	const password = "tiger"
	var dsn string
	if s.Engine == testdb.Postgres {
		s.arrange(fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", user, password), "GRANT ALL ON ALL TABLES IN SCHEMA public TO "+user)
		t.Cleanup(func() { s.arrange("DROP OWNED BY "+user, "DROP ROLE "+user) })
		u, err := url.Parse(s.DSN)
		require.NoError(t, err)
		u.User = url.UserPassword(user, password)
		dsn = u.String()
	} else {
		s.arrange(fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s'", user, password), "GRANT ALL ON "+s.Name+".* TO "+user)
		t.Cleanup(func() { s.arrange("DROP USER " + user) })
		config, err := godriver.ParseDSN(s.DSN)
		require.NoError(t, err)
		config.User, config.Passwd = user, password
		dsn = config.FormatDSN()
	}
	db, err := orm.Open(t.Context(), testdb.Source(s.Engine, dsn))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &studio{Database: s.Database, DB: db, t: t}
}

// What LockWaits needs of the server is what its documentation says, and without
// it ExplainLocks changes nothing.
func TestLockWaits_Privileges(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		user := "u_" + s.Name[max(0, len(s.Name)-12):]
		low := s.as(user)
		r := s.rival(holdAudio(1))
		refused := func() error {
			_, err := lockedBy(t.Context(), low, low.row(1).SelectForUpdate(orm.Wait(time.Second)), atomic.ExplainLocks())
			return err
		}
		err := refused()
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		var held *atomic.LockHeldError
		_, waitsErr := orm.LockWaits(t.Context(), low.DB)
		if s.Engine == testdb.Postgres {
			require.NoError(t, waitsErr)
			if !errors.As(err, &held) {
				err = again(func(err error) bool { return errors.As(err, &held) }, refused)
			}
			require.ErrorAs(t, err, &held, "its own waits are its to see")
			assert.Equal(t, "<insufficient privilege>", held.Holders[0].Statement)
		} else {
			require.NotErrorAs(t, err, &held)
			require.Error(t, waitsErr)
			grant := "GRANT SELECT ON performance_schema.* TO "
			if s.Engine == testdb.MariaDB {
				grant = "GRANT PROCESS ON *.* TO "
			}
			s.arrange(grant + user)
			require.NoError(t, low.Close())
			low = s.again(user)
			_, err = orm.LockWaits(t.Context(), low.DB)
			require.NoError(t, err)
			err = low.told(refused)
			require.ErrorAs(t, err, &held)
			assert.Equal(t, s.Engine != testdb.MariaDB, held.Certain)
		}
		r.end()
	}, testdb.Servers()...)
}

// again opens the database for a user who exists.
func (s *studio) again(user string) *studio {
	s.t.Helper()
	return s.with(func(c *godriver.Config) { c.User, c.Passwd = user, "tiger" })
}

// With a pool of the application's own the wire may not know the connection's
// number; it is asked for before the block begins.
func TestExplainLocks_OnAPoolOfTheApplications(t *testing.T) {
	eachStudio(t, func(t *testing.T, s *studio) {
		name, dsn := "pgx", s.DSN
		if s.Engine != testdb.Postgres {
			config, err := godriver.ParseDSN(s.DSN)
			require.NoError(t, err)
			config.ParseTime, config.ClientFoundRows, config.Params = true, true, map[string]string{"time_zone": "'+00:00'", "autocommit": "1"}
			name, dsn = "mysql", config.FormatDSN()
		}
		pool, err := sql.Open(name, dsn)
		require.NoError(t, err)
		defer func() { require.NoError(t, pool.Close()) }()
		from := mysql.From(pool)
		if s.Engine == testdb.Postgres {
			from = postgres.From(pool)
		}
		db, err := orm.Open(t.Context(), from)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		borrowed := &studio{Database: s.Database, DB: db, t: t}

		id, end := s.holder()
		err = borrowed.told(func() error {
			_, err := lockedBy(t.Context(), borrowed, borrowed.row(1).SelectForUpdate(orm.Wait(time.Second)), atomic.ExplainLocks())
			return err
		})
		require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
		assert.Equal(t, s.Engine != testdb.MariaDB, heldBy(t, s, err, id).Certain)
		require.NoError(t, end())
		ids, err := lockedBy(context.WithoutCancel(t.Context()), borrowed, borrowed.row(1).SelectForUpdate(), atomic.ExplainLocks())
		require.NoError(t, err)
		assert.Equal(t, []int64{1}, ids)
	}, testdb.Servers()...)
}
