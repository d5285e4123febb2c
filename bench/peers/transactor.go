package peers

import (
	"context"

	"github.com/Thiht/transactor"
	"github.com/Thiht/transactor/stdlib"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Transactor is Thiht/transactor, which keeps the transaction in ctx and has no
// options for it.
var Transactor = Library{Name: "transactor", Module: "github.com/Thiht/transactor", Engines: all(), Open: openTransactor}

func openTransactor(_ context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
	pool, err := openPool(engine, dsn, size)
	if err != nil {
		return nil, err
	}
	t, get := stdlib.NewTransactor(pool.DB, stdlib.NestedTransactionsSavepoints)
	return &transactorDB{pool, t, get}, nil
}

type transactorDB struct {
	*pooled
	transactor transactor.Transactor
	get        stdlib.DBGetter
}

// Exec implements Statements.
func (db *transactorDB) Exec(ctx context.Context, query string, args ...any) error {
	return sqlStatements{db.get(ctx), &db.marks}.Exec(ctx, query, args...)
}

// Number implements Statements.
func (db *transactorDB) Number(ctx context.Context, query string, args ...any) (int64, error) {
	return sqlStatements{db.get(ctx), &db.marks}.Number(ctx, query, args...)
}

// Block implements DB.
func (db *transactorDB) Block(ctx context.Context, fn Func, _ ...Wish) error {
	return transactorBlock{db}.Block(ctx, fn)
}

type transactorBlock struct{ *transactorDB }

// Block implements Block.
func (b transactorBlock) Block(ctx context.Context, fn Func) error {
	return b.transactor.WithinTransaction(ctx, func(ctx context.Context) error { return fn(ctx, b) })
}
