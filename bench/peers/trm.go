package peers

import (
	"context"

	trmsql "github.com/avito-tech/go-transaction-manager/drivers/sql/v2"
	"github.com/avito-tech/go-transaction-manager/trm/v2"
	"github.com/avito-tech/go-transaction-manager/trm/v2/manager"
	"github.com/avito-tech/go-transaction-manager/trm/v2/settings"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Trm is avito-tech/go-transaction-manager, which keeps the transaction in ctx.
var Trm = Library{Name: "trm", Module: "github.com/avito-tech/go-transaction-manager/drivers/sql/v2", Engines: all(), Open: openTrm}

func openTrm(_ context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
	pool, err := openPool(engine, dsn, size)
	if err != nil {
		return nil, err
	}
	m, err := manager.New(trmsql.NewDefaultFactory(pool.DB), manager.WithLog(quiet{}))
	return &trmDB{pool, m}, err
}

type quiet struct{}

// Warning implements trm's logger: what it logs are errors of rollbacks.
func (quiet) Warning(context.Context, string) {}

type trmDB struct {
	*pooled
	manager *manager.Manager
}

// current is the transaction in ctx, or else the pool.
func (db *trmDB) current(ctx context.Context) sqlStatements {
	return sqlStatements{trmsql.DefaultCtxGetter.DefaultTrOrDB(ctx, db.DB), &db.marks}
}

// Exec implements Statements.
func (db *trmDB) Exec(ctx context.Context, query string, args ...any) error {
	return db.current(ctx).Exec(ctx, query, args...)
}

// Number implements Statements.
func (db *trmDB) Number(ctx context.Context, query string, args ...any) (int64, error) {
	return db.current(ctx).Number(ctx, query, args...)
}

// Block implements DB.
func (db *trmDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	run := func(ctx context.Context) error { return fn(ctx, trmBlock{db}) }
	if o := txOptions(wishes); o != nil {
		return db.manager.DoWithSettings(ctx, trmsql.MustSettings(settings.Must(), trmsql.WithTxOptions(o)), run)
	}
	return db.manager.Do(ctx, run)
}

type trmBlock struct{ *trmDB }

// Block implements Block.
func (b trmBlock) Block(ctx context.Context, fn Func) error {
	nested := settings.Must(settings.WithPropagation(trm.PropagationNested))
	return b.manager.DoWithSettings(ctx, nested, func(ctx context.Context) error { return fn(ctx, b) })
}
