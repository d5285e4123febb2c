package peers

import (
	"context"

	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Gorm is gorm with the default settings of its drivers for MySQL and
// PostgreSQL.
var Gorm = Library{Name: "gorm", Module: "gorm.io/gorm", Engines: all(), Open: openGorm(gorm.Config{})}

// GormPrepared is gorm with its cache of prepared statements.
var GormPrepared = Library{
	Name: "gorm, PrepareStmt", Variant: true, Module: "gorm.io/gorm", Engines: all(),
	Open: openGorm(gorm.Config{PrepareStmt: true}),
}

func openGorm(config gorm.Config) func(context.Context, testdb.Engine, string, int) (DB, error) {
	config.Logger = logger.Discard
	return func(_ context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
		return newGorm(config, engine, dsn, size)
	}
}

func newGorm(config gorm.Config, engine testdb.Engine, dsn string, size int) (DB, error) {
	var dialector gorm.Dialector
	var pool *pooled
	if engine == testdb.Postgres {
		dialector = postgres.Open(dsn)
	} else {
		var err error
		if pool, err = openPool(engine, dsn, size); err != nil {
			return nil, err
		}
		dialector = mysql.New(mysql.Config{Conn: pool.DB})
	}
	db, err := gorm.Open(dialector, &config)
	if err != nil {
		return nil, err
	}
	if pool == nil {
		raw, err := db.DB()
		if err != nil {
			return nil, err
		}
		pool = sized(raw, false, size)
	}
	return &gormDB{pool, db}, nil
}

type gormDB struct {
	*pooled
	gorm *gorm.DB
}

// Exec implements Statements.
func (db *gormDB) Exec(ctx context.Context, query string, args ...any) error {
	return gormBlock{db.gorm}.Exec(ctx, query, args...)
}

// Number implements Statements.
func (db *gormDB) Number(ctx context.Context, query string, args ...any) (int64, error) {
	return gormBlock{db.gorm}.Number(ctx, query, args...)
}

// Block implements DB.
func (db *gormDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	run := func(tx *gorm.DB) error { return fn(ctx, gormBlock{tx}) }
	if o := txOptions(wishes); o != nil {
		return db.gorm.WithContext(ctx).Transaction(run, o)
	}
	return db.gorm.WithContext(ctx).Transaction(run)
}

type gormBlock struct{ tx *gorm.DB }

// Exec implements Statements.
func (b gormBlock) Exec(ctx context.Context, query string, args ...any) error {
	return b.tx.WithContext(ctx).Exec(query, args...).Error
}

// Number implements Statements.
func (b gormBlock) Number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = b.tx.WithContext(ctx).Raw(query, args...).Scan(&n).Error
	return n, err
}

// Block implements Block.
func (b gormBlock) Block(ctx context.Context, fn Func) error {
	return b.tx.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return fn(ctx, gormBlock{tx}) })
}
