// Package river inserts jobs by River's driver for database/sql inside a block. It
// nests by SAVEPOINT as a text, and its migrations hold several statements each.
package river

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func job(kind string) *riverdriver.JobInsertFastManyParams {
	return &riverdriver.JobInsertFastManyParams{Jobs: []*riverdriver.JobInsertFastParams{{
		EncodedArgs: []byte(`{"n":1}`), Kind: kind, MaxAttempts: 3, Metadata: []byte(`{}`), Priority: 1,
		Queue: "default", State: rivertype.JobStateAvailable, Tags: []string{},
	}}}
}

func TestB24_RiverInABlock(t *testing.T) {
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		ctx := t.Context()
		db, err := orm.Open(ctx, postgres.Open(at.DSN))
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		driver := riverdatabasesql.New(db.SQL())
		migrate(t, db, driver)
		kinds := func() (kinds []string) {
			rows, err := db.SQL().QueryContext(ctx, "SELECT kind FROM river_job ORDER BY id")
			require.NoError(t, err)
			defer func() { require.NoError(t, rows.Close()) }()
			for rows.Next() {
				var kind string
				require.NoError(t, rows.Scan(&kind))
				kinds = append(kinds, kind)
			}
			require.NoError(t, rows.Err())
			return kinds
		}
		nested := func(ctx context.Context) error {
			tx, err := db.SQL().BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			outer := driver.UnwrapExecutor(tx)
			insert := func(e riverdriver.Executor, kind string) error {
				_, err := e.JobInsertFastMany(ctx, job(kind))
				return err
			}
			if err := insert(outer, "outer"); err != nil {
				return err
			}
			kept, err := outer.Begin(ctx)
			if err != nil {
				return err
			}
			undone, undoneErr := kept.Begin(ctx)
			if undoneErr != nil {
				return undoneErr
			}
			return errors.Join(
				insert(undone, "undone"),
				undone.Exec(ctx, "INSERT INTO nowhere VALUES (1)"), // aborts what PostgreSQL has open
				undone.Rollback(ctx), insert(kept, "kept"), kept.Commit(ctx), outer.Commit(ctx))
		}
		// The failure in the part that is undone is the only one.
		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			err := nested(ctx)
			require.ErrorContains(t, err, "nowhere")
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, []string{"outer", "kept"}, kinds())

		asked := errors.New("asked")
		require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			_ = nested(ctx)
			return asked
		}), asked)
		assert.Equal(t, []string{"outer", "kept"}, kinds())
	}, testdb.Postgres)
}

// migrate runs River's migrations as they are: the first outside any block, each of
// the others in one.
func migrate(t *testing.T, db *orm.DB, driver *riverdatabasesql.Driver) {
	t.Helper()
	files := driver.GetMigrationFS(riverdriver.MigrationLineMain)
	names, err := fs.Glob(files, "migration/main/*.up.sql")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for i, name := range names {
		file, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		text := strings.ReplaceAll(string(file), "/* TEMPLATE: schema */", "") // as River's migrator does
		run := func(ctx context.Context) error { return driver.GetExecutor().Exec(ctx, text) }
		if i == 0 {
			require.NoError(t, run(t.Context()), name)
			continue
		}
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error {
			tx, err := db.SQL().BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			return errors.Join(driver.UnwrapExecutor(tx).Exec(ctx, text), tx.Commit())
		}), name)
	}
}
