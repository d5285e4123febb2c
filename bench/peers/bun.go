package peers

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Bun is bun on go-sql-driver/mysql and on its own pgdriver.
var Bun = Library{Name: "bun", Module: "github.com/uptrace/bun", Engines: all(), Open: openBun(
	func(dsn string) (*sql.DB, error) {
		return sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(dsn))), nil
	},
)}

// BunPgx is bun on pgx, in the simple protocol as its documentation has it: bun
// writes values into the text.
var BunPgx = Library{Name: "bun, pgx", Module: "github.com/uptrace/bun", Engines: []testdb.Engine{testdb.Postgres}, Open: openBun(
	func(dsn string) (*sql.DB, error) {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, err
		}
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		return stdlib.OpenDB(*config), nil
	},
)}

func openBun(postgres func(dsn string) (*sql.DB, error)) func(context.Context, testdb.Engine, string, int) (DB, error) {
	return func(_ context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
		if engine != testdb.Postgres {
			pool, err := openPool(engine, dsn, size)
			if err != nil {
				return nil, err
			}
			return &bunDB{pool, bun.NewDB(pool.DB, mysqldialect.New())}, nil
		}
		db, err := postgres(dsn)
		if err != nil {
			return nil, err
		}
		return &bunDB{sized(db, false, size), bun.NewDB(db, pgdialect.New())}, nil
	}
}

type bunDB struct {
	*pooled
	bun *bun.DB
}

// Exec implements Statements.
func (db *bunDB) Exec(ctx context.Context, query string, args ...any) error {
	return bunStatements{db.bun}.Exec(ctx, query, args...)
}

// Number implements Statements.
func (db *bunDB) Number(ctx context.Context, query string, args ...any) (int64, error) {
	return bunStatements{db.bun}.Number(ctx, query, args...)
}

// Block implements DB.
func (db *bunDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	return db.bun.RunInTx(ctx, txOptions(wishes), func(ctx context.Context, tx bun.Tx) error {
		return fn(ctx, bunBlock{bunStatements{tx}, tx})
	})
}

type bunStatements struct{ on bun.IDB }

// Exec implements Statements.
func (s bunStatements) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.on.ExecContext(ctx, query, args...)
	return err
}

// Number implements Statements.
func (s bunStatements) Number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.on.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

type bunBlock struct {
	bunStatements
	tx bun.Tx
}

// Block implements Block.
func (b bunBlock) Block(ctx context.Context, fn Func) error {
	return b.tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return fn(ctx, bunBlock{bunStatements{tx}, tx})
	})
}
