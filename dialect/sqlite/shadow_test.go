package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

// shadowed is a database with a table and one row in it.
func shadowed(t *testing.T) *orm.DB {
	t.Helper()
	db, err := orm.Open(t.Context(), sqlite.Open(filepath.Join(t.TempDir(), "test.db")))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec(t.Context(), "CREATE TABLE kept (id INTEGER)")
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), "INSERT INTO kept VALUES (NULL)")
	require.NoError(t, err)
	return db
}

func number(ctx context.Context, t *testing.T, db *orm.DB, query string) (n int) {
	t.Helper()
	require.NoError(t, db.SQL().QueryRowContext(ctx, query).Scan(&n), query)
	return n
}

// A connection that has a temporary table, however its schema is written, is not for others:
// the table would stand in front of the one that they mean.
func TestB23_ATemporaryTableByAnyName(t *testing.T) {
	db := shadowed(t)
	for _, text := range []string{
		"CREATE TABLE [temp].kept (id INTEGER)", `CREATE TABLE "Temp".kept (id INTEGER)`, "CREATE TABLE `temp`.kept (id INTEGER)",
		"CREATE TABLE 'TEMP'.kept (id INTEGER)", "CREATE TABLE /* here */ temp . kept (id INTEGER)",
		"CREATE TABLE IF NOT EXISTS [temp].kept AS SELECT 1 AS id WHERE FALSE",
		"CREATE VIEW 'temp'.kept AS SELECT 1 AS id WHERE FALSE", "CREATE TEMP VIEW kept AS SELECT 1 AS id WHERE FALSE",
		"CREATE VIRTUAL TABLE [temp].kept USING fts5(id)",
		`CREATE TRIGGER [temp].kept AFTER INSERT ON main.kept BEGIN DELETE FROM kept; END`,
	} {
		_, err := db.Exec(t.Context(), text)
		require.NoError(t, err, text)
		assert.Equal(t, 0, number(t.Context(), t, db, "SELECT count(*) FROM sqlite_temp_schema"), text)
		assert.Equal(t, 1, number(t.Context(), t, db, "SELECT count(*) FROM kept"), text)
	}
}

// SQLite's flags are set when a PRAGMA is read, EXPLAIN or not.
func TestB22_APragmaThatIsExplained(t *testing.T) {
	db := shadowed(t)
	for _, text := range []string{
		"EXPLAIN PRAGMA query_only = 0", "explain query plan PRAGMA main.'query_only' = 0", "PRAGMA 'query_only' = 0", "PRAGMA [query_only](0)",
	} {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			if _, err := db.Exec(ctx, text); err != nil {
				return err
			}
			_, err := db.Exec(ctx, "DELETE FROM kept")
			return err
		}, atomic.ReadOnly())
		assert.ErrorIs(t, err, atomic.ErrTransactionControl, text)
		assert.Equal(t, 1, number(t.Context(), t, db, "SELECT count(*) FROM kept"), text)
	}
	for _, text := range []string{"PRAGMA foreign_keys = OFF", "PRAGMA case_sensitive_like = ON", "PRAGMA recursive_triggers(1)", "PRAGMA main.ignore_check_constraints = 1"} {
		for _, explain := range []string{"EXPLAIN ", "EXPLAIN QUERY PLAN "} {
			_, err := db.Exec(t.Context(), explain+strings.Replace(text, "main.", "'main'.", 1))
			require.NoError(t, err, text)
			assert.Equal(t, 1, number(t.Context(), t, db, "SELECT (SELECT foreign_keys FROM pragma_foreign_keys) AND 'a' LIKE 'A' AND NOT (SELECT recursive_triggers FROM pragma_recursive_triggers) AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"), explain+text)
		}
	}
}
