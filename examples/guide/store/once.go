package store

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

// Request is what a client asks for.
type Request struct {
	ShowID int64  `json:"show"`
	Buyer  string `json:"buyer"`
	Seats  int64  `json:"seats"`
}

// BuyOnce is Buy for a key that the client has made. The same key again returns the
// first answer, and buys nothing.
func BuyOnce(ctx context.Context, db *orm.DB, key string, r Request) (*Order, error) {
	return atomic.Once(ctx, db, "buy:"+key, func(ctx context.Context) (*Order, error) {
		return Buy(ctx, db, r.ShowID, r.Buyer, r.Seats)
	}, atomic.OnceFor(r), atomic.KeepFor(24*time.Hour), atomic.Wait(5*time.Second), atomic.Retry(3))
}
