// Package store has the tables of the shop, and what is done with them.
package store

import (
	"time"

	"github.com/holdfast-go/holdfast/models"
)

// Show is an evening in the theatre.
type Show struct {
	models.AutoID     // ID int64, the primary key
	models.Timestamps // CreatedAt, UpdatedAt
	models.Versioned  // Version: Save finds out if somebody else was faster

	Title  string   `bun:",unique"`
	Price  int64    // in cents
	Free   int64    // seats that can still be bought
	Orders []*Order `bun:"rel:has-many,join:id=show_id"`
}

// Order is a number of seats that somebody has bought.
type Order struct {
	models.AutoID
	models.Timestamps `json:"-"`

	ShowID int64   `json:"show"`
	Show   *Show   `bun:"rel:belongs-to,join:show_id=id" json:"-"`
	Buyer  string  `json:"buyer"`
	Seats  int64   `json:"seats"`
	Note   *string `json:"note,omitempty"` // a pointer: may be NULL
}

// Mail is a mail that has to be sent: a row of a queue.
type Mail struct {
	models.AutoID

	OrderID int64
	Order   *Order `bun:"rel:belongs-to,join:order_id=id"`
	DueAt   time.Time
}

// Models are all tables, in the order in which they refer to each other.
func Models() []any {
	return []any{(*Show)(nil), (*Order)(nil), (*Mail)(nil), (*models.Once)(nil)}
}
