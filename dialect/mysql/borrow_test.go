package mysql

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

func pool(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	p, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

func TestFromAPoolOfTheApplications(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (id INT PRIMARY KEY)")
		given := pool(t, with(db.DSN, "parseTime=true&clientFoundRows=true&autocommit=1&time_zone=%27%2B00:00%27"))
		ours, err := backend.Connect(t.Context(), From(given))
		require.NoError(t, err)
		require.True(t, ours.Borrowed)
		require.Same(t, given, ours.Pool)
		require.Equal(t, string(db.Engine), ours.Server.Engine)

		w := take(t, ours)
		exec(t, w, []string{"BEGIN", "SAVEPOINT hf_1"}, "INSERT INTO item VALUES (?)", 1)
		err = refused(t, w, []string{"SAVEPOINT hf_2", "RELEASE SAVEPOINT hf_9"}, "INSERT INTO item VALUES (2)")
		var prefix *backend.PrefixError
		require.ErrorAs(t, err, &prefix)
		require.Equal(t, "RELEASE SAVEPOINT hf_9", prefix.Statement)
		require.True(t, backend.Classify(ours, err).Fatal)
		require.NoError(t, w.Rollback(t.Context(), nil))
		require.Equal(t, []string{"0"}, ask(t, w, "SELECT COUNT(*) FROM item"))

		require.NoError(t, ours.Close())
		require.NoError(t, given.PingContext(t.Context()), "the pool is the application's")
	})
}

func TestAPoolThatBreaksARule(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		for params, setting := range map[string]string{
			"clientFoundRows=true":                                                                "parseTime",
			"parseTime=true&clientFoundRows=true&autocommit=0":                                    "autocommit",
			"parseTime=true&clientFoundRows=true&loc=Asia%2FSeoul":                                "loc",
			"parseTime=true&clientFoundRows=true&time_zone=%27%2B09:00%27":                        "time_zone",
			"parseTime=true&clientFoundRows=true&loc=Asia%2FSeoul&time_zone=%27%2B09:00%27":       "loc",
			"parseTime=true&clientFoundRows=true&interpolateParams=true&time_zone=%27%2B09:00%27": "time_zone",
			"parseTime=true&clientFoundRows=false&time_zone=%27%2B00:00%27":                       "clientFoundRows",
			"parseTime=true&clientFoundRows=true&columnsWithAlias=true&time_zone=%27%2B00:00%27":  "columnsWithAlias",
			"parseTime=true&clientFoundRows=true&time_zone=%27%2B00:00%27&sql_mode=%27ANSI%27":    "sql_mode",
			"parseTime=true&clientFoundRows=true&time_zone=%27%2B00:00%27&charset=latin1":         "charset",
		} {
			if setting != "autocommit" {
				params += "&autocommit=1" // whatever the server's default is
			}
			_, err := From(pool(t, with(db.DSN, params))).Connect(t.Context())
			var e *dialect.OpenError
			require.ErrorAs(t, err, &e, params)
			require.Equal(t, setting, e.Setting, params)
		}
		closed := pool(t, db.DSN)
		require.NoError(t, closed.Close())
		_, err := From(closed).Connect(t.Context())
		var e *dialect.OpenError
		require.ErrorAs(t, err, &e)
	})
}
