package peers

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Ent is ent's driver (its package dialect/sql) without a generated schema: what
// ent's generated client sends goes through the same Tx.
var Ent = Library{Name: "ent", Module: "entgo.io/ent", Engines: all(), Open: openEnt}

func openEnt(_ context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
	pool, err := openPool(engine, dsn, size)
	if err != nil {
		return nil, err
	}
	name := dialect.MySQL
	if engine == testdb.Postgres {
		name = dialect.Postgres
	}
	return &entDB{pool, entsql.OpenDB(name, pool.DB)}, nil
}

type entDB struct {
	*pooled
	ent *entsql.Driver
}

// Exec implements Statements.
func (db *entDB) Exec(ctx context.Context, query string, args ...any) error {
	return entStatements{db.ent, &db.marks}.Exec(ctx, query, args...)
}

// Number implements Statements.
func (db *entDB) Number(ctx context.Context, query string, args ...any) (int64, error) {
	return entStatements{db.ent, &db.marks}.Number(ctx, query, args...)
}

// Block implements DB in the way of "Best Practices" in ent's documentation of
// transactions.
func (db *entDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	tx, err := db.ent.BeginTx(ctx, txOptions(wishes))
	if err != nil {
		return err
	}
	defer func() {
		if v := recover(); v != nil {
			_ = tx.Rollback()
			panic(v)
		}
	}()
	if err := fn(ctx, byHand(entStatements{tx, &db.marks})); err != nil {
		if undo := tx.Rollback(); undo != nil {
			err = fmt.Errorf("%w: rolling back transaction: %w", err, undo)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing transaction: %w", err)
	}
	return nil
}

type entStatements struct {
	on    dialect.ExecQuerier
	marks *marks
}

// Exec implements Statements.
func (s entStatements) Exec(ctx context.Context, query string, args ...any) error {
	return s.on.Exec(ctx, s.marks.text(query), args, nil)
}

// Number implements Statements.
func (s entStatements) Number(ctx context.Context, query string, args ...any) (int64, error) {
	var rows entsql.Rows
	if err := s.on.Query(ctx, s.marks.text(query), args, &rows); err != nil {
		return 0, err
	}
	n, err := entsql.ScanInt64(rows)
	if closing := rows.Close(); err == nil {
		err = closing
	}
	return n, err
}
