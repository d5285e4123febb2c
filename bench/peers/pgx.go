package peers

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Pgx is pgx without database/sql: its own pool and its BeginFunc.
var Pgx = Library{Name: "pgx BeginFunc", Module: "github.com/jackc/pgx/v5", Engines: []testdb.Engine{testdb.Postgres}, Open: openPgx}

func openPgx(ctx context.Context, _ testdb.Engine, dsn string, size int) (DB, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(size)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &pgxDB{pool: pool, marks: marks{dollar: true}}, err
}

type pgxDB struct {
	pool  *pgxpool.Pool
	marks marks
}

// Exec implements Statements.
func (db *pgxDB) Exec(ctx context.Context, query string, args ...any) error {
	return pgxStatements{db.pool, &db.marks}.Exec(ctx, query, args...)
}

// Number implements Statements.
func (db *pgxDB) Number(ctx context.Context, query string, args ...any) (int64, error) {
	return pgxStatements{db.pool, &db.marks}.Number(ctx, query, args...)
}

// Block implements DB.
func (db *pgxDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	var options pgx.TxOptions
	if o := txOptions(wishes); o != nil {
		options.IsoLevel = pgx.RepeatableRead
		if o.Isolation == sql.LevelSerializable {
			options.IsoLevel, options.AccessMode = pgx.Serializable, pgx.ReadOnly
		}
	}
	return pgx.BeginTxFunc(ctx, db.pool, options, func(tx pgx.Tx) error {
		return fn(ctx, pgxBlock{pgxStatements{tx, &db.marks}, tx})
	})
}

// InUse implements DB.
func (db *pgxDB) InUse() int { return int(db.pool.Stat().AcquiredConns()) }

// Close implements DB. The pool's own Close would wait for what a block has
// leaked.
func (db *pgxDB) Close() error { go db.pool.Close(); return nil }

type pgxStatements struct {
	on interface {
		Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
		QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	}
	marks *marks
}

// Exec implements Statements.
func (s pgxStatements) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.on.Exec(ctx, s.marks.text(query), args...)
	return err
}

// Number implements Statements.
func (s pgxStatements) Number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.on.QueryRow(ctx, s.marks.text(query), args...).Scan(&n)
	return n, err
}

type pgxBlock struct {
	pgxStatements
	tx pgx.Tx
}

// Block implements Block.
func (b pgxBlock) Block(ctx context.Context, fn Func) error {
	return pgx.BeginFunc(ctx, b.tx, func(tx pgx.Tx) error {
		return fn(ctx, pgxBlock{pgxStatements{tx, b.marks}, tx})
	})
}
