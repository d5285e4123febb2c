package house

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

// Purchase is what a visitor asks for when he pays.
type Purchase struct {
	BookingID int64
	Visitor   string
	Email     string // where the ticket goes
}

// Receipt is what he gets.
type Receipt struct {
	BookingID   int64
	PaymentID   int64
	AmountCents int64
}

// Pay takes the money for a seat that is held, once for each key: the same key again gets
// the same receipt, and no money moves. So who has heard no answer asks again with his
// key until there is one. A key that was used for another purchase is
// atomic.ErrOnceMismatch, and a hold that has run out ErrExpired, which is not kept.
//
// A payment is a row here. A card company would be called in the same place and given the
// same key, since the function may run several times until it is committed: its own
// idempotency is the other half. Money is in cents; a float has no place for all of them.
func (h *House) Pay(ctx context.Context, key string, p Purchase) (Receipt, error) {
	// Without KeepFor receipts are kept for ever. A key is worth nothing with another
	// visitor's cookie.
	return atomic.Once(ctx, h.DB, "payment "+p.Visitor+" "+key, func(ctx context.Context) (Receipt, error) {
		booking, seat, err := h.lockSeatOf(ctx, p.BookingID, p.Visitor)
		if err != nil {
			return Receipt{}, err
		}
		now := time.Now()
		switch {
		case booking.PaidAt != nil: // with another key: a second tab, a second click after going back
			return Receipt{}, ErrSold
		case !seat.isOf(booking), seat.State(now) != Held:
			return Receipt{}, ErrExpired
		}
		payment := &Payment{BookingID: booking.ID, AmountCents: booking.PriceCents}
		if err := orm.Objects[Payment](h.DB).Create(ctx, payment); err != nil {
			return Receipt{}, err
		}
		booking.PaidAt, seat.HeldUntil = &now, nil
		if err := orm.Objects[Booking](h.DB).Save(ctx, booking, "paid_at"); err != nil {
			return Receipt{}, err
		}
		if err := orm.Objects[Seat](h.DB).Save(ctx, seat, "held_until"); err != nil {
			return Receipt{}, err
		}
		if err := h.mailTicket(ctx, p.Email, seat); err != nil {
			return Receipt{}, err
		}
		return Receipt{BookingID: booking.ID, PaymentID: payment.ID, AmountCents: payment.AmountCents}, h.changed(ctx)
	}, atomic.Name("pay"), atomic.OnceFor(p), atomic.Wait(5*time.Second))
}
