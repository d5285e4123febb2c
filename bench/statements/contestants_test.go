package statements

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/holdfast-go/holdfast/atomic"
	hfmysql "github.com/holdfast-go/holdfast/dialect/mysql"
	hfpostgres "github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Audio is a row as applications have them.
type Audio struct {
	bun.BaseModel   `bun:"table:audio"`
	ID              int64 `bun:",pk,autoincrement"`
	CreatedAt       time.Time
	UpdatedAt       time.Time
	ProjectID       int64
	UserID          int64
	Index           int
	Text            string
	Speed           float64
	Path            string
	IsAudioRequired bool
}

// operations are what is compared. Each runs the usual statement for it.
type operations struct {
	insert func(ctx context.Context, row *Audio) error
	byID   func(ctx context.Context, id int64) (*Audio, error)
	first  func(ctx context.Context, n int) ([]*Audio, error)
	update func(ctx context.Context, row *Audio) error
	// change locks a row, changes it and writes it, in a block.
	change func(ctx context.Context, id int64) error
}

func holdfast(b *testing.B, at testdb.Database) operations {
	source := hfmysql.Open(at.DSN)
	if at.Engine == testdb.Postgres {
		source = hfpostgres.Open(at.DSN)
	}
	db, err := orm.Open(b.Context(), source)
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	audio := orm.Objects[Audio](db)
	return operations{
		insert: audio.Create,
		byID: func(ctx context.Context, id int64) (*Audio, error) {
			return audio.Filter(query.F("id").Eq(id)).Get(ctx)
		},
		first:  func(ctx context.Context, n int) ([]*Audio, error) { return audio.OrderBy("id").Limit(n).All(ctx) },
		update: func(ctx context.Context, row *Audio) error { return audio.Save(ctx, row) },
		change: func(ctx context.Context, id int64) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				row, err := audio.Filter(query.F("id").Eq(id)).SelectForUpdate().Get(ctx)
				if err != nil {
					return err
				}
				row.Index++
				return audio.Save(ctx, row)
			})
		},
	}
}

func viaBun(b *testing.B, at testdb.Database) operations {
	var db *bun.DB
	if at.Engine == testdb.Postgres {
		db = bun.NewDB(sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(at.DSN))), pgdialect.New())
	} else {
		db = bun.NewDB(mysqlPool(b, at.DSN), mysqldialect.New())
	}
	return bunOperations(b, db)
}

// viaBunPgx is bun on pgx in the simple protocol, as its documentation has it.
func viaBunPgx(b *testing.B, at testdb.Database) operations {
	config, err := pgx.ParseConfig(at.DSN)
	require.NoError(b, err)
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return bunOperations(b, bun.NewDB(stdlib.OpenDB(*config), pgdialect.New()))
}

func bunOperations(b *testing.B, db *bun.DB) operations {
	b.Cleanup(func() { _ = db.Close() })
	return operations{
		insert: func(ctx context.Context, row *Audio) error {
			_, err := db.NewInsert().Model(row).Exec(ctx)
			return err
		},
		byID: func(ctx context.Context, id int64) (*Audio, error) {
			row := new(Audio)
			return row, db.NewSelect().Model(row).Where("id = ?", id).Scan(ctx)
		},
		first: func(ctx context.Context, n int) (rows []*Audio, err error) {
			err = db.NewSelect().Model(&rows).Order("id").Limit(int64(n)).Scan(ctx)
			return rows, err
		},
		update: func(ctx context.Context, row *Audio) error {
			_, err := db.NewUpdate().Model(row).WherePK().Exec(ctx)
			return err
		},
		change: func(ctx context.Context, id int64) error {
			return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				row := new(Audio)
				if err := tx.NewSelect().Model(row).Where("id = ?", id).For("UPDATE").Scan(ctx); err != nil {
					return err
				}
				row.Index++
				_, err := tx.NewUpdate().Model(row).WherePK().Exec(ctx)
				return err
			})
		},
	}
}

// mysqlPool is go-sql-driver/mysql at its fastest for text that has its values
// bound.
func mysqlPool(b *testing.B, dsn string) *sql.DB {
	config, err := mysql.ParseDSN(dsn)
	require.NoError(b, err)
	config.ParseTime, config.InterpolateParams = true, true
	connector, err := mysql.NewConnector(config)
	require.NoError(b, err)
	return sql.OpenDB(connector)
}
