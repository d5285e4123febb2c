package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/orm"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables up to date, in one process at a time, and returns their
// version.
func Migrate(ctx context.Context, db *orm.DB) (version int64, err error) {
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, err
	}
	err = orm.Migrate(ctx, db, "shop", func(ctx context.Context, tools *sql.DB) error {
		if _, err := tools.ExecContext(ctx, sqlite.OnceTable); err != nil { // of atomic.Once
			return err
		}
		tool, err := goose.NewProvider(goose.DialectSQLite3, tools, steps)
		if err != nil {
			return err
		}
		if _, err := tool.Up(ctx); err != nil {
			return err
		}
		version, err = tool.GetDBVersion(ctx)
		return err
	}, orm.Wait(time.Minute))
	return version, err
}
