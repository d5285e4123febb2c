package house

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
)

// Seat is what is sold. What is decided about a seat is decided by its own row, which is
// locked meanwhile: what other rows say of it may be of an older snapshot.
type Seat struct {
	bun.BaseModel `bun:"table:seat"`
	models.AutoID
	Row        int        `bun:"seat_row,notnull,unique:place"` // 1 is A
	Number     int        `bun:",notnull,unique:place"`
	PriceCents int64      `bun:",notnull"`
	BookingID  *int64     // whose it is; nil: nobody's
	HeldUntil  *time.Time // nil with a BookingID: it is paid for
}

// Booking is one visitor's claim to a seat, which he pays for or lets go.
type Booking struct {
	bun.BaseModel `bun:"table:booking"`
	models.AutoID
	models.Timestamps
	SeatID     int64      `bun:",notnull"`
	Visitor    []byte     `bun:",notnull,type:varbinary(32)"` // SHA-256 of the visitor's cookie, which nobody can read here
	PriceCents int64      `bun:",notnull"`
	PaidAt     *time.Time // nil: not paid for
}

// Payment is money that was taken.
type Payment struct {
	bun.BaseModel `bun:"table:payment"`
	models.AutoID
	models.Timestamps
	BookingID   int64 `bun:",notnull"`
	AmountCents int64 `bun:",notnull"`
}

// Name is what is printed on the ticket: "C5".
func (s *Seat) Name() string { return nameOf(s.Row, s.Number) }

func nameOf(row, number int) string { return fmt.Sprintf("%c%d", 'A'+row-1, number) }

// of is how a visitor is written down.
func of(visitor string) []byte {
	sum := sha256.Sum256([]byte(visitor))
	return sum[:]
}

// State is what becomes of a click on a seat.
type State string

const (
	Free State = "free"
	Held State = "held" // somebody is taking it
	Sold State = "sold"
)

// State is that at a time. A seat that was held for too long is free again, without
// anybody having to tidy up.
func (s *Seat) State(now time.Time) State { return stateOf(s.BookingID, s.HeldUntil, now) }

func stateOf(booking *int64, heldUntil *time.Time, now time.Time) State {
	switch {
	case booking == nil:
		return Free
	case heldUntil == nil:
		return Sold
	case now.Before(*heldUntil):
		return Held
	}
	return Free
}
