package migrations

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// steps each leave a trace that tells how often they have run.
var steps = []step{
	{"table", "CREATE TABLE ledger (entry VARCHAR(40))", "DROP TABLE ledger"},
	{"first", "INSERT INTO ledger VALUES ('first')", "DELETE FROM ledger WHERE entry = 'first'"},
	{"amount", "ALTER TABLE ledger ADD COLUMN amount INT", "ALTER TABLE ledger DROP COLUMN amount"},
	{"second", "INSERT INTO ledger VALUES ('second', 2)", "DELETE FROM ledger WHERE entry = 'second'"},
}

func open(ctx context.Context, engine testserver.Engine, dsn string) (*orm.DB, error) {
	return orm.Open(ctx, testdb.Source(engine, dsn))
}

// each runs a test with each tool on each engine.
func each(t *testing.T, test func(t *testing.T, at testserver.Database, name string, by tool)) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		for name, by := range tools {
			t.Run(name, func(t *testing.T) {
				defer func() { // what the tools remember goes with the tables
					for _, table := range []string{"ledger", "goose_db_version", "schema_migrations", "bun_migrations", "bun_migration_locks"} {
						_, err := at.Admin.ExecContext(t.Context(), "DROP TABLE IF EXISTS "+table)
						assert.NoError(t, err)
					}
				}()
				test(t, at, name, by)
			})
		}
	})
}

func entries(t *testing.T, at testserver.Database) (all string) {
	t.Helper()
	rows, err := at.Admin.QueryContext(t.Context(), "SELECT entry FROM ledger ORDER BY entry")
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var entry string
		require.NoError(t, rows.Scan(&entry))
		all += entry + " "
	}
	require.NoError(t, rows.Err())
	return all
}

func TestM01_UpDownAndAFailingStep(t *testing.T) {
	each(t, func(t *testing.T, at testserver.Database, _ string, by tool) {
		ctx := t.Context()
		db, err := open(ctx, at.Engine, at.DSN)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		with := func(what func(context.Context, *sql.DB, testserver.Engine, []step) error, steps []step) error {
			return orm.Migrate(ctx, db, "ledger", func(ctx context.Context, db *sql.DB) error {
				return what(ctx, db, at.Engine, steps)
			})
		}
		failing := append(steps[:3:3], step{"second", "INSERT INTO ledgre VALUES ('second', 2)", "DELETE FROM ledger WHERE entry = 'second'"})
		require.ErrorContains(t, with(by.up, failing), "ledgre", "the error is the server's")
		assert.Equal(t, "first ", entries(t, at))
		require.NoError(t, with(by.mend, steps))
		require.NoError(t, with(by.up, steps))
		assert.Equal(t, "first second ", entries(t, at))
		require.NoError(t, with(by.up, steps), "nothing is left to do")
		assert.Equal(t, "first second ", entries(t, at))
		require.NoError(t, with(by.down, steps))
		_, err = at.Admin.ExecContext(ctx, "SELECT 1 FROM ledger")
		require.Error(t, err, "the table is gone")
	})
}

const processes = 8

// self starts the test's own program as another process, which is given a tool's name.
func self(t *testing.T, at testserver.Database, name string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), "HOLDFAST_MIGRATE="+name, "HOLDFAST_MIGRATE_ENGINE="+string(at.Engine), "HOLDFAST_MIGRATE_DSN="+at.DSN)
	return cmd
}

// Processes that start together run each step once.
func TestM02_EightProcesses(t *testing.T) {
	each(t, func(t *testing.T, at testserver.Database, name string, _ tool) {
		type answer struct {
			said []byte
			err  error
		}
		answers := make(chan answer, processes)
		for range processes {
			cmd := self(t, at, name)
			go func() {
				said, err := cmd.CombinedOutput()
				answers <- answer{said, err}
			}()
		}
		for range processes {
			a := <-answers
			assert.NoError(t, a.err, "%s", a.said)
		}
		assert.Equal(t, "first second ", entries(t, at))
	})
}

// A process that dies in its migration leaves no lock.
func TestM02_AProcessThatIsKilled(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db, err := open(ctx, at.Engine, at.DSN)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		cmd := self(t, at, hangs)
		said, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(said).ReadString('\n')
		require.NoError(t, err, line)
		nothing := func(context.Context, *sql.DB) error { return nil }
		require.ErrorIs(t, orm.Migrate(ctx, db, "ledger", nothing, orm.NoWait), dialect.ErrLockNotAvailable)
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		require.NoError(t, orm.Migrate(ctx, db, "ledger", nothing, orm.Wait(30*time.Second)))
	})
}

// hangs is in place of a tool that never comes to its end.
const hangs = "hangs"

// One of the processes.
func process(ctx context.Context, name string) error {
	engine := testserver.Engine(os.Getenv("HOLDFAST_MIGRATE_ENGINE"))
	db, err := open(ctx, engine, os.Getenv("HOLDFAST_MIGRATE_DSN"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return orm.Migrate(ctx, db, "ledger", func(ctx context.Context, db *sql.DB) error {
		if name == hangs {
			fmt.Println("running")
			<-ctx.Done()
			return ctx.Err()
		}
		return tools[name].up(ctx, db, engine, steps)
	})
}

func TestMain(m *testing.M) {
	if name := os.Getenv("HOLDFAST_MIGRATE"); name != "" {
		if err := process(context.Background(), name); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
