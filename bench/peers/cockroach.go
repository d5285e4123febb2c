package peers

import (
	"context"
	"database/sql"
	"errors"

	"github.com/cockroachdb/cockroach-go/v2/crdb"

	"github.com/holdfast-go/holdfast/tests/testdb"
)

// Cockroach is ExecuteTx of cockroach-go, the retrying helper that many use on
// PostgreSQL too, with savepoints by hand.
var Cockroach = Library{
	Name: "cockroach-go", Module: "github.com/cockroachdb/cockroach-go/v2", Engines: all(), Open: openCockroach,
	Unknown: func(err error) bool { return errors.As(err, new(*crdb.AmbiguousCommitError)) },
}

func openCockroach(_ context.Context, engine testdb.Engine, dsn string, size int) (DB, error) {
	pool, err := openPool(engine, dsn, size)
	if err != nil {
		return nil, err
	}
	return &cockroachDB{sqlDB{pool}}, nil
}

type cockroachDB struct{ sqlDB }

// Block implements DB.
func (db *cockroachDB) Block(ctx context.Context, fn Func, wishes ...Wish) error {
	return crdb.ExecuteTx(ctx, db.DB, txOptions(wishes), func(tx *sql.Tx) error {
		return fn(ctx, byHand(sqlStatements{tx, &db.marks}))
	})
}
