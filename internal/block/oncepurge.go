package block

import (
	"context"
	"database/sql"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// purged is how many rows one block deletes: few, so that nobody waits for long.
const purged = 500

// PurgeOnce implements seam.Executor.
func (x *Executor) PurgeOnce(ctx context.Context, from seam.Site) (all int64, err error) {
	st := Statement{SQL: x.db.Engine.Once().Purge, Args: []any{int64(purged)}, Built: true}
	for {
		var n int64
		_, err := x.Run(ctx, func(ctx context.Context) error {
			res, err := x.Exec(ctx, st)
			if err != nil {
				return x.onceTable(x.scope(ctx).block.Info(), err)
			}
			n, err = res.RowsAffected()
			return err
		}, &seam.Options{
			Durable: true, Retry: &seam.Retry{Max: 5},
			Isolation: sql.LevelReadCommitted, // InnoDB then locks what it deletes, and no gap that a new key may fall into
		}, from)
		if err != nil {
			return all, err
		}
		if all += n; n < purged {
			return all, nil
		}
	}
}
