package statements

import (
	"context"
	"database/sql"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/feature"
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

// operations are what is compared. Each runs the usual statement for it.
type operations struct {
	insert func(ctx context.Context, row *Audio) error
	byID   func(ctx context.Context, id int64) (*Audio, error)
	first  func(ctx context.Context, n int) ([]*Audio, error)
	update func(ctx context.Context, row *Audio) error
	// change locks a row, changes it and writes it, in a block.
	change func(ctx context.Context, id int64) error

	insertMany func(ctx context.Context, list []*Audio) error
	upsertMany func(ctx context.Context, list []*Product) error // by the key, all other columns
	// upsertRead leaves the names of those that are there, and reads them; nil: the
	// library has nothing for it.
	upsertRead func(ctx context.Context, list []*Product) error
	tree       func(ctx context.Context) ([]*Folder, error) // with their tracks
	report     func(ctx context.Context) ([]Total, error)
	page       func(ctx context.Context, after int64) ([]*Audio, error)
}

func holdfast(b *testing.B, at testdb.Database) operations {
	source := hfmysql.Open(at.DSN)
	if at.Engine == testdb.Postgres {
		source = hfpostgres.Open(at.DSN)
	}
	db, err := orm.Open(b.Context(), source)
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	audio, products := orm.Objects[Audio](db), orm.Objects[Product](db)
	folders, tracks := orm.Objects[Folder](db), orm.Objects[Track](db)
	byKey, butName := query.OnConflict("id").Update("name", "price", "stock"), query.OnConflict("id").Update("price", "stock")
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
		insertMany: func(ctx context.Context, list []*Audio) error { return audio.BulkCreate(ctx, list) },
		upsertMany: func(ctx context.Context, list []*Product) error { return products.BulkCreate(ctx, list, byKey) },
		upsertRead: func(ctx context.Context, list []*Product) error { return products.BulkCreate(ctx, list, butName) },
		tree:       func(ctx context.Context) ([]*Folder, error) { return folders.Prefetch("tracks").OrderBy("id").All(ctx) },
		report: func(ctx context.Context) ([]Total, error) {
			return orm.Select[Total](ctx, tracks.GroupBy("folder_id").OrderBy("folder_id"), query.F("folder_id"), query.Count().As("n"), query.Max(query.F("seconds")).As("longest"))
		},
		page: func(ctx context.Context, after int64) ([]*Audio, error) {
			return audio.Filter(query.F("id").Gt(after)).OrderBy("id").Limit(page).All(ctx)
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
		insertMany: func(ctx context.Context, list []*Audio) error {
			_, err := db.NewInsert().Model(&list).Exec(ctx)
			return err
		},
		upsertMany: func(ctx context.Context, list []*Product) error {
			insert := db.NewInsert().Model(&list)
			if db.Dialect().Features().Has(feature.InsertOnDuplicateKey) {
				insert = insert.On("DUPLICATE KEY UPDATE").Set("name = VALUES(name)").Set("price = VALUES(price)").Set("stock = VALUES(stock)")
			} else {
				insert = insert.On("CONFLICT (id) DO UPDATE").Set("name = EXCLUDED.name").Set("price = EXCLUDED.price").Set("stock = EXCLUDED.stock")
			}
			_, err := insert.Exec(ctx)
			return err
		},
		tree: func(ctx context.Context) (list []*Folder, err error) {
			err = db.NewSelect().Model(&list).Relation("Tracks").Order("id").Scan(ctx)
			return list, err
		},
		report: func(ctx context.Context) (list []Total, err error) {
			err = db.NewSelect().Model((*Track)(nil)).Column("folder_id").ColumnExpr("COUNT(*) AS n, MAX(seconds) AS longest").Group("folder_id").Order("folder_id").Scan(ctx, &list)
			return list, err
		},
		page: func(ctx context.Context, after int64) (list []*Audio, err error) {
			err = db.NewSelect().Model(&list).Where("id > ?", after).Order("id").Limit(page).Scan(ctx)
			return list, err
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
