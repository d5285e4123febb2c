package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/golang-migrate/migrate/v4"
	migratedb "github.com/golang-migrate/migrate/v4/database"
	migratemysql "github.com/golang-migrate/migrate/v4/database/mysql"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	migratesqlite "github.com/golang-migrate/migrate/v4/database/sqlite"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	bunmigrate "github.com/uptrace/bun/migrate"
	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/testserver"
)

// step is one migration.
type step struct{ name, up, down string }

// tool takes the database up through all of the steps, and down again. mend is what
// its owner does after a step has failed, of which nothing is left.
type tool interface {
	up(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) error
	down(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) error
	mend(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) error
}

var tools = map[string]tool{"goose": gooses{}, "golang-migrate": golangMigrate{}, "bun": buns{}}

// gooses is pressly/goose, which runs each step in a transaction.
type gooses struct{}

func (gooses) provider(db *sql.DB, engine testserver.Engine, steps []step) (*goose.Provider, error) {
	files := fstest.MapFS{}
	for i, s := range steps {
		text := "-- +goose Up\n" + s.up + ";\n-- +goose Down\n" + s.down + ";\n"
		files[fmt.Sprintf("%05d_%s.sql", i+1, s.name)] = &fstest.MapFile{Data: []byte(text)}
	}
	d := goose.DialectMySQL
	switch engine {
	case testserver.Postgres:
		d = goose.DialectPostgres
	case testserver.SQLite:
		d = goose.DialectSQLite3
	}
	return goose.NewProvider(d, db, files)
}

func (g gooses) up(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) error {
	p, err := g.provider(db, engine, steps)
	if err == nil {
		_, err = p.Up(ctx)
	}
	return err
}

func (g gooses) down(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) error {
	p, err := g.provider(db, engine, steps)
	if err == nil {
		_, err = p.DownTo(ctx, 0)
	}
	return err
}

func (gooses) mend(context.Context, *sql.DB, testserver.Engine, []step) error { return nil }

// golangMigrate is golang-migrate/migrate, which closes the *sql.DB that it is given.
type golangMigrate struct{}

func (golangMigrate) open(db *sql.DB, engine testserver.Engine, steps []step) (*migrate.Migrate, error) {
	files := fstest.MapFS{}
	for i, s := range steps {
		files[fmt.Sprintf("%d_%s.up.sql", i+1, s.name)] = &fstest.MapFile{Data: []byte(s.up)}
		files[fmt.Sprintf("%d_%s.down.sql", i+1, s.name)] = &fstest.MapFile{Data: []byte(s.down)}
	}
	src, err := iofs.New(files, ".")
	if err != nil {
		return nil, err
	}
	var target migratedb.Driver
	switch engine {
	case testserver.Postgres:
		target, err = migratepgx.WithInstance(db, &migratepgx.Config{})
	case testserver.SQLite:
		target, err = migratesqlite.WithInstance(db, &migratesqlite.Config{})
	default:
		target, err = migratemysql.WithInstance(db, &migratemysql.Config{})
	}
	if err != nil {
		return nil, err
	}
	return migrate.NewWithInstance("steps", src, "database", target)
}

func (g golangMigrate) run(db *sql.DB, engine testserver.Engine, steps []step, what func(*migrate.Migrate) error) error {
	m, err := g.open(db, engine, steps)
	if err != nil {
		return err
	}
	err = what(m)
	if errors.Is(err, migrate.ErrNoChange) {
		err = nil
	}
	of, at := m.Close()
	return errors.Join(err, of, at)
}

func (g golangMigrate) up(_ context.Context, db *sql.DB, engine testserver.Engine, steps []step) error {
	return g.run(db, engine, steps, (*migrate.Migrate).Up)
}

func (g golangMigrate) down(_ context.Context, db *sql.DB, engine testserver.Engine, steps []step) error {
	return g.run(db, engine, steps, (*migrate.Migrate).Down)
}

// mend says that the step before the one that has failed is the last that is done.
func (g golangMigrate) mend(_ context.Context, db *sql.DB, engine testserver.Engine, steps []step) error {
	return g.run(db, engine, steps, func(m *migrate.Migrate) error {
		version, dirty, err := m.Version()
		if err == nil && !dirty {
			err = errors.New("nothing has failed")
		}
		if err != nil {
			return err
		}
		return m.Force(int(version) - 1) //nolint:gosec // a step's number
	})
}

// buns is bun's migrator, with steps in transactions (".tx.").
type buns struct{}

func (buns) migrator(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) (*bunmigrate.Migrator, error) {
	files := fstest.MapFS{}
	for i, s := range steps {
		files[fmt.Sprintf("%014d_%s.tx.up.sql", i+1, s.name)] = &fstest.MapFile{Data: []byte(s.up)}
		files[fmt.Sprintf("%014d_%s.tx.down.sql", i+1, s.name)] = &fstest.MapFile{Data: []byte(s.down)}
	}
	found := bunmigrate.NewMigrations()
	if err := found.Discover(fs.FS(files)); err != nil {
		return nil, err
	}
	var d schema.Dialect = mysqldialect.New()
	switch engine {
	case testserver.Postgres:
		d = pgdialect.New()
	case testserver.SQLite:
		d = sqlitedialect.New()
	}
	m := bunmigrate.NewMigrator(bun.NewDB(db, d), found, bunmigrate.WithMarkAppliedOnSuccess(true))
	return m, m.Init(ctx)
}

func (b buns) up(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) error {
	m, err := b.migrator(ctx, db, engine, steps)
	if err == nil {
		_, err = m.Migrate(ctx)
	}
	return err
}

func (b buns) down(ctx context.Context, db *sql.DB, engine testserver.Engine, steps []step) error {
	m, err := b.migrator(ctx, db, engine, steps)
	for err == nil {
		var group *bunmigrate.MigrationGroup
		if group, err = m.Rollback(ctx); err == nil && group.IsZero() {
			break
		}
	}
	return err
}

func (buns) mend(context.Context, *sql.DB, testserver.Engine, []step) error { return nil }
