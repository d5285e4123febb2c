package peers

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// DatabaseSQL is the standard library: go-sql-driver/mysql as it comes, pgx's
// stdlib as it comes, and savepoints by hand.
var DatabaseSQL = Library{Name: "database/sql", Engines: all(), Open: openDatabaseSQL()}

// DatabaseSQLInterpolated is the same with the driver's interpolateParams, which
// saves the round trip of PREPARE.
var DatabaseSQLInterpolated = Library{
	Name: "database/sql, interpolateParams", Variant: true, Engines: []testdb.Engine{testdb.MySQL, testdb.MariaDB},
	Open: openDatabaseSQL(func(c *mysql.Config) error { c.InterpolateParams = true; return nil }),
}

func openDatabaseSQL(settings ...mysql.Option) func(context.Context, testdb.Engine, string, int) (DB, error) {
	return func(_ context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
		pool, err := openPool(engine, dsn, size, settings...)
		if err != nil {
			return nil, err
		}
		return &sqlDB{pool}, nil
	}
}

type sqlDB struct{ *pooled }

// Exec implements Statements.
func (db *sqlDB) Exec(ctx context.Context, query string, args ...any) error {
	return sqlStatements{db.DB, &db.marks}.Exec(ctx, query, args...)
}

// Number implements Statements.
func (db *sqlDB) Number(ctx context.Context, query string, args ...any) (int64, error) {
	return sqlStatements{db.DB, &db.marks}.Number(ctx, query, args...)
}

// Block implements DB in the way of the standard library's documentation: a
// deferred Rollback, which does nothing after Commit.
func (db *sqlDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	tx, err := db.BeginTx(ctx, txOptions(wishes))
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := fn(ctx, byHand(sqlStatements{tx, &db.marks})); err != nil {
		return err
	}
	return tx.Commit()
}

func txOptions(wishes []Wish) *sql.TxOptions {
	for _, wish := range wishes {
		switch wish {
		case SerializableReadOnly:
			return &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true}
		case RepeatableRead:
			return &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
		}
	}
	return nil
}

// executor is what sql.DB and sql.Tx have in common.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type sqlStatements struct {
	on    executor
	marks *marks
}

// Exec implements Statements.
func (s sqlStatements) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.on.ExecContext(ctx, s.marks.text(query), args...)
	return err
}

// Number implements Statements.
func (s sqlStatements) Number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.on.QueryRowContext(ctx, s.marks.text(query), args...).Scan(&n)
	return n, err
}

// sqlBlock is a transaction with savepoints by hand, for every library that has
// none of its own. Each savepoint of a transaction has a name of its own.
type sqlBlock struct {
	Statements
	points *atomic.Int64
}

func byHand(s Statements) *sqlBlock { return &sqlBlock{s, new(atomic.Int64)} }

// Block implements Block.
func (b *sqlBlock) Block(ctx context.Context, fn Func) error {
	name := fmt.Sprintf("sp_%d", b.points.Add(1))
	if err := b.Exec(ctx, "SAVEPOINT "+name); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			_ = b.Exec(ctx, "ROLLBACK TO SAVEPOINT "+name)
		}
	}()
	if err := fn(ctx, b); err != nil {
		return err
	}
	done = true
	return b.Exec(ctx, "RELEASE SAVEPOINT "+name)
}
