package house

import (
	"bytes"
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Place is a seat as the plan shows it.
type Place struct {
	bun.BaseModel `bun:"table:seat"`
	ID            int64 `bun:",pk"`
	Row           int   `bun:"seat_row"`
	Number        int
	PriceCents    int64
	BookingID     *int64
	HeldUntil     *time.Time
	Tickets       int64      `bun:",scanonly"` // that were paid for it: more than one is one too many
	Booking       *Booking   `bun:"rel:belongs-to,join:booking_id=id"`
	Bookings      []*Booking `bun:"rel:has-many,join:id=seat_id"`
}

// Plan reads all seats, row by row. It is one statement, so that it shows one moment.
func (h *House) Plan(ctx context.Context) ([]*Place, error) {
	return orm.Objects[Place](h.DB).
		Annotate("tickets", query.CountOf("bookings", query.F("paid_at").Ne(nil))).
		Related("booking").
		OrderBy("seat_row", "number").
		All(ctx)
}

// Name is that of the seat.
func (p *Place) Name() string { return nameOf(p.Row, p.Number) }

// State is that at a time.
func (p *Place) State(now time.Time) State { return stateOf(p.BookingID, p.HeldUntil, now) }

// IsOf reports whether a visitor holds the seat, or has paid for it.
func (p *Place) IsOf(visitor string, now time.Time) bool {
	return p.Booking != nil && bytes.Equal(p.Booking.Visitor, of(visitor)) && p.State(now) != Free
}

// Sales is what a plan comes to.
type Sales struct {
	Seats   int
	Free    int
	Sold    int // seats for which somebody has paid
	Tickets int // that were paid for
	Twice   int // seats for which more than one has paid
}

// Count sums a plan up.
func Count(plan []*Place, now time.Time) Sales {
	s := Sales{Seats: len(plan)}
	for _, p := range plan {
		s.Tickets += int(p.Tickets)
		if p.State(now) == Free {
			s.Free++
		}
		if p.Tickets > 0 {
			s.Sold++
		}
		if p.Tickets > 1 {
			s.Twice++
		}
	}
	return s
}

// Booking reads a visitor's booking with its seat.
func (h *House) Booking(ctx context.Context, id int64, visitor string) (*Booking, *Seat, error) {
	booking, err := h.booking(ctx, id, visitor)
	if err != nil {
		return nil, nil, err
	}
	seat, err := orm.Objects[Seat](h.DB).Filter(query.F("id").Eq(booking.SeatID)).Get(ctx)
	return booking, seat, err
}

// IsHeld reports whether the booking can be paid for.
func (s *Seat) IsHeld(b *Booking, now time.Time) bool { return s.isOf(b) && s.State(now) == Held }
