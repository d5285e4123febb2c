package house

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// One statement a step: MySQL and MariaDB commit each by itself.
//
//go:embed migrations
var migrations embed.FS

// engine is what differs between them for a migration.
type engine struct {
	dialect goose.Dialect
	folder  string
	once    string // the table of atomic.Once
}

func engineOf(server dialect.Server) engine {
	switch server.Engine {
	case dialect.SQLite:
		return engine{goose.DialectSQLite3, "sqlite", sqlite.OnceTable}
	case dialect.Postgres:
		return engine{goose.DialectPostgres, "postgres", postgres.OnceTable}
	default: // MySQL and MariaDB
		return engine{goose.DialectMySQL, "mysql", mysql.OnceTable}
	}
}

// Migrate brings the database to what this program needs. However many processes start
// together, one does it, and the others wait. At its end the tables are compared with
// the models: a step that was forgotten is found here and not by a visitor.
func Migrate(ctx context.Context, db *orm.DB) error {
	err := orm.Migrate(ctx, db, "booking", func(ctx context.Context, tools *sql.DB) error {
		e := engineOf(db.Server())
		steps, err := fs.Sub(migrations, "migrations/"+e.folder)
		if err != nil {
			return err
		}
		once := goose.NewGoMigration(100, &goose.GoFunc{RunDB: func(ctx context.Context, tools *sql.DB) error {
			_, err := tools.ExecContext(ctx, e.once)
			return err
		}}, nil)
		provider, err := goose.NewProvider(e.dialect, tools, steps, goose.WithGoMigrations(once))
		if err != nil {
			return err
		}
		_, err = provider.Up(ctx)
		return err
	}, orm.Wait(time.Minute))
	if err != nil {
		return err
	}
	if err := orm.Check(ctx, db, (*Seat)(nil), (*Booking)(nil), (*Payment)(nil), (*models.Once)(nil)); err != nil {
		return err
	}
	return furnish(ctx, db)
}

// furnish puts the seats in. Those that are there already are left alone, so that any number
// of processes may do it.
func furnish(ctx context.Context, db *orm.DB) error {
	const perRow = 8
	var seats []*Seat
	for row, cents := range []int64{58_00, 58_00, 44_50, 44_50, 29_90} {
		for number := 1; number <= perRow; number++ {
			seats = append(seats, &Seat{Row: row + 1, Number: number, PriceCents: cents})
		}
	}
	return orm.Objects[Seat](db).BulkCreate(ctx, seats, query.OnConflict("seat_row", "number").DoNothing())
}
