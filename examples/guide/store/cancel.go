package store

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Cancel gives the seats of an order back, once, however many ask for it.
func Cancel(ctx context.Context, db *orm.DB, orderID int64, opts ...orm.LockOption) error {
	return atomic.Do(ctx, db, func(ctx context.Context) error {
		order, err := orm.Objects[Order](db).SelectForUpdate(opts...).Find(ctx, orderID)
		if err != nil {
			return err // orm.ErrNotFound: it was cancelled before
		}
		if err := orm.Objects[Order](db).DeleteRow(ctx, order); err != nil {
			return err
		}
		_, err = orm.Objects[Show](db).Filter(query.F("id").Eq(order.ShowID)).
			Update(ctx, query.Set("free", query.F("free").Add(order.Seats)))
		return err
	}, atomic.Name("cancel"))
}
