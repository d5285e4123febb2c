package house

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Naive sells seats as it is often written: read, look, write. Each statement is right, and
// between two of them there may be anybody. It is here to be seen failing, by the button on
// the page; nothing in it is slowed down or made worse on purpose.
//
// A unique key would refuse the second ticket, where one can say the rule: here it would
// have to leave out bookings that were let go. It then comes as an error after the visitor
// has paid. models.Versioned would notice as well (orm.ErrStale).
type Naive struct{ *House }

// Hold is House.Hold without a lock.
func (n Naive) Hold(ctx context.Context, seatID int64, visitor string) (*Booking, error) {
	seat, err := orm.Objects[Seat](n.DB).Filter(query.F("id").Eq(seatID)).Get(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	switch seat.State(now) {
	case Sold:
		return nil, ErrSold
	case Held:
		return nil, ErrBeingTaken
	}
	booking := &Booking{SeatID: seat.ID, Visitor: of(visitor), PriceCents: seat.PriceCents}
	if err := orm.Objects[Booking](n.DB).Create(ctx, booking); err != nil {
		return nil, err
	}
	until := now.Add(n.HoldFor)
	seat.BookingID, seat.HeldUntil = &booking.ID, &until
	if err := orm.Objects[Seat](n.DB).Save(ctx, seat, "booking_id", "held_until"); err != nil {
		return nil, err
	}
	return booking, n.changed(ctx)
}

// Pay is House.Pay without a lock, and without its key: it believes what the booking says.
func (n Naive) Pay(ctx context.Context, _ string, p Purchase) (Receipt, error) {
	booking, err := n.booking(ctx, p.BookingID, p.Visitor)
	if err != nil {
		return Receipt{}, err
	}
	if booking.PaidAt != nil {
		return Receipt{}, ErrSold
	}
	payment := &Payment{BookingID: booking.ID, AmountCents: booking.PriceCents}
	if err := orm.Objects[Payment](n.DB).Create(ctx, payment); err != nil {
		return Receipt{}, err
	}
	now := time.Now()
	booking.PaidAt = &now
	if err := orm.Objects[Booking](n.DB).Save(ctx, booking, "paid_at"); err != nil {
		return Receipt{}, err
	}
	seat := &Seat{BookingID: &booking.ID}
	seat.ID = booking.SeatID
	if err := orm.Objects[Seat](n.DB).Save(ctx, seat, "booking_id", "held_until"); err != nil {
		return Receipt{}, err
	}
	return Receipt{BookingID: booking.ID, PaymentID: payment.ID, AmountCents: payment.AmountCents}, n.changed(ctx)
}
