package store

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// ErrSoldOut: there are fewer seats than were asked for.
var ErrSoldOut = errors.New("sold out")

// Buy takes seats of a show and writes the order: both, or neither.
func Buy(ctx context.Context, db *orm.DB, showID int64, buyer string, seats int64) (*Order, error) {
	return atomic.Value(ctx, db, func(ctx context.Context) (*Order, error) {
		n, err := orm.Objects[Show](db).
			Filter(query.F("id").Eq(showID), query.F("free").Ge(seats)).
			Update(ctx, query.Set("free", query.F("free").Sub(seats)))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, ErrSoldOut
		}
		order := &Order{ShowID: showID, Buyer: buyer, Seats: seats}
		return order, orm.Objects[Order](db).Create(ctx, order)
	}, atomic.Name("buy"))
}
