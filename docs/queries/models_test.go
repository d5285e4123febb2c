package queries

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/models"
)

type Customer struct {
	models.AutoID
	Name   string
	Email  string `bun:"type:varchar(80),unique"`
	City   *string
	Orders []*Order `bun:"rel:has-many,join:id=customer_id"`
}

type Order struct {
	models.AutoID
	CustomerID int64
	Customer   *Customer `bun:"rel:belongs-to,join:customer_id=id"`
	State      string    // new, paid, sent
	Placed     time.Time
	Total      int64   // cents
	Lines      []*Line `bun:"rel:has-many,join:id=order_id"`
}

type Line struct {
	models.AutoID
	OrderID   int64
	Order     *Order `bun:"rel:belongs-to,join:order_id=id"`
	ProductID int64
	Product   *Product `bun:"rel:belongs-to,join:product_id=id"`
	Quantity  int64
	Price     int64 // of one piece, in cents
}

type Product struct {
	models.AutoID
	Name  string `bun:"type:varchar(80),unique"`
	Price int64  // cents
	Stock int64
	Tags  []*Tag `bun:"m2m:product_tags,join:Product=Tag"`
}

// A Tag may stand below another one.
type Tag struct {
	models.AutoID
	Name     string
	ParentID *int64
	Products []*Product `bun:"m2m:product_tags,join:Tag=Product"`
}

type ProductTag struct {
	ProductID int64    `bun:",pk"`
	TagID     int64    `bun:",pk"`
	Product   *Product `bun:"rel:belongs-to,join:product_id=id"`
	Tag       *Tag     `bun:"rel:belongs-to,join:tag_id=id"`
}

// What the examples print of a row.

func (c *Customer) String() string { return c.Name }
func (o *Order) String() string    { return fmt.Sprintf("#%d", o.ID) }
func (l *Line) String() string     { return fmt.Sprintf("%dx%d", l.Quantity, l.Price) }
func (p *Product) String() string  { return p.Name }
func (t *Tag) String() string      { return t.Name }
