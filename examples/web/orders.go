package web

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// Order is what a customer wants.
type Order struct {
	bun.BaseModel `bun:"table:orders"`
	models.AutoID
	What string `json:"what"`
}

// Shop has the orders. It knows nothing of blocks: who calls it does.
type Shop struct{ DB *orm.DB }

var errNothing = errors.New("nothing was ordered")

// Order adds an order, and only then looks whether it makes sense.
func (s Shop) Order(ctx context.Context, what string) (*Order, error) {
	order := &Order{What: what}
	if err := orm.Objects[Order](s.DB).Create(ctx, order); err != nil {
		return nil, err
	}
	if what == "" {
		return nil, errNothing
	}
	return order, nil
}
