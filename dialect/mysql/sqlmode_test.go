package mysql

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// changingOn are the modes of changingModes that a server has.
func changingOn(db testserver.Database) []string {
	if db.Engine == testserver.MySQL {
		return []string{"PAD_CHAR_TO_FULL_LENGTH"}
	}
	return []string{"PAD_CHAR_TO_FULL_LENGTH", "EMPTY_STRING_IS_NULL", "ORACLE"}
}

// S1: a mode under which values or answers are others is an error of Open, by DSN and
// in a pool of the application's; and of a connection that is opened later, where the
// server has another mode by then.
func TestS01_AModeThatChangesValuesIsRefused(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		for _, mode := range changingOn(db) {
			given := "sql_mode=" + url.QueryEscape("CONCAT(@@sql_mode, ',"+mode+",STRICT_TRANS_TABLES')")
			for _, more := range []string{"", "&multiStatements=false"} {
				require.ErrorContains(t, refusedOpen(t, "sql_mode", with(db.DSN, given+more)), mode+" ")
			}
			c := open(t, db.DSN).Connector.(toolConnector).connector
			c.settings.cfg.Params[initial] = "NULL, sql_mode = '" + mode + ",STRICT_TRANS_TABLES'"
			_, err := c.Connect(t.Context())
			require.ErrorContains(t, err, mode+" ")
			_, err = From(pool(t, with(db.DSN, "parseTime=true&clientFoundRows=true&autocommit=1&time_zone=%27%2B00:00%27&"+given))).Connect(t.Context())
			var e *dialect.OpenError
			require.ErrorAs(t, err, &e, mode)
			require.Equal(t, "sql_mode", e.Setting)
			require.ErrorContains(t, err, mode+" ")
		}
	})
}

func TestS01_AModeThatChangesValuesIsNotSet(t *testing.T) {
	for _, m := range changingModes {
		for _, text := range []string{
			"SET sql_mode = '" + m.name + "'", "SET sql_mode = " + m.name, "set @@Sql_Mode := \"ansi,\t" + m.name + "\"", "SET SESSION `sql_mode` = '" + m.name + "'",
			"SET @@session.sql_mode = CONCAT(@@sql_mode, ',', '" + m.name + "')", "SET lock_wait_timeout = 5, LOCAL sql_mode = '" + m.name + "'",
			"SET STATEMENT sql_mode = '" + m.name + "' FOR SELECT 1", "/*!50000 SET sql_mode = '" + m.name + "' */",
			"SET GLOBAL max_connections = 100, SESSION sql_mode = '" + m.name + "'",
		} {
			require.Contains(t, inspect(text).Refused, m.name+" ", text)
		}
		for _, text := range []string{
			"SET GLOBAL sql_mode = '" + m.name + "'", "SET @sql_mode = '" + m.name + "'", "SET sql_mode = '', @mode = '" + m.name + "'",
			"SET @mode = '" + m.name + "', sql_mode = 'ANSI'", "SET @other = @@sql_mode, @mode = '" + m.name + "'",
			"SET STATEMENT sql_mode = '' FOR SELECT '" + m.name + "'", "SET sql_mode = CONCAT(@@sql_mode, ',TRADITIONAL')",
		} {
			require.Empty(t, inspect(text).Refused, text)
		}
	}
	// What a text hides is found in front of the next statement.
	each(t, func(t *testing.T, db testserver.Database) {
		admin(t, db, "CREATE TABLE item (v CHAR(10))", "INSERT INTO item VALUES ('a')")
		for _, mode := range changingOn(db) {
			for _, texts := range [][]string{
				{"PREPARE s FROM 'SET sql_mode = \"" + mode + "\"'", "EXECUTE s"},
				{"SET @mode = '" + mode + "'", "SET sql_mode = CONCAT(@@sql_mode, ',', @mode)"},
			} {
				for _, args := range [][]any{nil, {"a"}} {
					w := take(t, open(t, db.DSN))
					for _, text := range texts {
						exec(t, w, nil, text)
					}
					query := "UPDATE item SET v = 'b'"
					if args != nil {
						query += " WHERE v = ?"
					}
					_, err := w.Exec(t.Context(), nil, query, args)
					require.ErrorIs(t, err, errSession, texts)
					require.False(t, w.Alive())
				}
			}
		}
		require.Equal(t, []string{"a"}, ask(t, take(t, open(t, db.DSN)), "SELECT v FROM item"))
		w := take(t, open(t, db.DSN))
		exec(t, w, nil, "PREPARE s FROM 'SET sql_mode = \"ANSI,NO_UNSIGNED_SUBTRACTION\"'")
		exec(t, w, nil, "EXECUTE s")
		exec(t, w, nil, "UPDATE item SET v = 'b'") // no other mode is meant
	})
}
