package tests

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// A server that does not say where a commit stands has no replicas to read from, and
// one of another kind is none.
func TestR08_Refused(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		ctx := t.Context()
		var named string
		for _, variable := range []string{"log_bin", "gtid_mode"} {
			var name, value string
			if at.Engine == testdb.MySQL || at.Engine == testdb.MariaDB {
				switch err := at.Admin.QueryRowContext(ctx, "SHOW VARIABLES LIKE '"+variable+"'").Scan(&name, &value); {
				case err == nil && value == "OFF" && named == "":
					named = variable
				case err != nil:
					require.ErrorIs(t, err, sql.ErrNoRows)
				}
			}
		}
		own := testdb.Source(at.Engine, at.DSN)
		db, err := orm.Open(ctx, own, orm.WithReplicas(own))
		if at.Engine == testdb.Postgres {
			require.NoError(t, err, "it is its own replica")
			require.NoError(t, db.Close())
			_, err = orm.Open(ctx, own, orm.WithReplicas(sqlite.Open(":memory:")))
			var open *dialect.OpenError
			require.ErrorAs(t, err, &open)
			assert.Equal(t, "replica", open.Setting)
			return
		}
		require.ErrorIs(t, err, dialect.ErrUnsupported)
		assert.ErrorContains(t, err, named)
		if at.Engine != testdb.SQLite {
			db, err = orm.Open(ctx, mysql.From(at.Admin), orm.WithReplicas(mysql.From(at.Admin)))
			if err == nil {
				err = db.Close()
			}
			require.Error(t, err)
		}

		// Without replicas Seen is no mistake: everything goes to the writer.
		db, err = orm.Open(ctx, own)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		_, err = db.Exec(ctx, "CREATE TABLE t (id INTEGER)")
		require.NoError(t, err)
		seen := atomic.Seen(ctx, db)
		_, err = db.Exec(seen, "INSERT INTO t (id) VALUES (1)")
		require.NoError(t, err)
		want := "writer"
		if at.Engine == testdb.SQLite {
			want = ""
		}
		assert.Equal(t, want, atomic.SeenToken(seen, db))
		again, err := atomic.SeenFrom(ctx, db, atomic.SeenToken(seen, db))
		require.NoError(t, err)
		assert.Equal(t, want, atomic.SeenToken(again, db))
	})
}
