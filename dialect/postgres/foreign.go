package postgres

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// foreignWire is a connection of a driver other than pgx.
type foreignWire struct {
	backend.Wire
	engine *engine
}

// Commit implements backend.Wire. database/sql does not hand on the server's
// answer to COMMIT, which is ROLLBACK for a transaction that has failed before,
// so the transaction is asked first whether it still takes statements.
func (w *foreignWire) Commit(ctx context.Context, prefix []string) error {
	if _, err := w.Exec(ctx, prefix, "SELECT 1", nil); err != nil {
		if w.engine.Classify(err).Code == failedTransaction {
			return backend.ErrCommitRefused
		}
		return err
	}
	return w.Wire.Commit(ctx, nil)
}

// failedTransaction is in_failed_sql_transaction.
const failedTransaction = "25P02"
