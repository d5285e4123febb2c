package orm

import (
	"context"
	"database/sql/driver"
	"reflect"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/render"
)

// sendUpsert runs send, which sends batches, again where InnoDB has made it a victim.
func (q set[P]) sendUpsert(ctx context.Context, k *conflict, batches []*batch, statements int, send func(ctx context.Context) error) error {
	if statements == 1 {
		err := q.db.hasWritten(ctx, send(ctx))
		if q.db.executor.Encloses(ctx) || !curedByAgain(err) {
			return err
		}
	}
	if q.db.executor.Encloses(ctx) {
		return q.db.nested(ctx, send)
	}
	again := false
	return atomic.Do(ctx, q.db, func(ctx context.Context) error {
		if again && !q.db.models.HasTarget() {
			if err := q.lockTargets(ctx, k, batches); err != nil {
				return err
			}
		}
		again = true
		return send(ctx)
	}, atomic.Retry(upsertAttempts))
}

// upsertAttempts is how often an upsert runs again: InnoDB makes one of several the
// victim each time, and as many may write the same keys as there are connections.
const upsertAttempts = 30

// lockTargets locks the rows that are there, in the order of their keys. An INSERT of
// InnoDB that meets one leaves a lock on the gap at the end of the primary key, where
// the next INSERT of two then waits for that of the other: who has been such a
// victim waits for the rows first.
func (q set[P]) lockTargets(ctx context.Context, k *conflict, batches []*batch) error {
	for _, b := range batches {
		where, err := among(k.target, b.Rows)
		if err != nil {
			return err
		}
		text, err := (&render.ReadBack{Model: q.model, Fields: k.target, Where: where}).Render()
		if err != nil {
			return err
		}
		st := q.db.built(text)
		st.Locks = true
		if err := q.db.executor.Query(ctx, st, func(rows driver.Rows) error {
			return q.scanEach(rows, k.target, func(reflect.Value) {})
		}); err != nil {
			return err
		}
	}
	return nil
}
