package house

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Hold keeps a seat for a visitor, for as long as HoldFor. Who holds it already gets his
// booking again. Otherwise it is ErrBeingTaken while somebody else is taking the seat, and
// ErrSold after that.
//
// The row is locked for the milliseconds that this block takes. While the visitor looks for
// his card it is not: no lock waits for a person, the time in held_until does.
func (h *House) Hold(ctx context.Context, seatID int64, visitor string) (booking *Booking, err error) {
	err = atomic.Do(ctx, h.DB, func(ctx context.Context) error {
		seat, err := h.lock(ctx, seatID, h.atOnce()...)
		if err != nil {
			return err
		}
		now := time.Now()
		switch seat.State(now) {
		case Sold:
			return ErrSold
		case Held:
			booking, err = h.booking(ctx, *seat.BookingID, visitor)
			if errors.Is(err, ErrNoBooking) {
				return ErrBeingTaken
			}
			return err
		}
		booking = &Booking{SeatID: seat.ID, Visitor: of(visitor), PriceCents: seat.PriceCents}
		if err := orm.Objects[Booking](h.DB).Create(ctx, booking); err != nil {
			return err
		}
		until := now.Add(h.HoldFor)
		seat.BookingID, seat.HeldUntil = &booking.ID, &until
		if err := orm.Objects[Seat](h.DB).Save(ctx, seat, "booking_id", "held_until"); err != nil {
			return err
		}
		return h.changed(ctx)
	}, atomic.Name("hold"))
	switch {
	case errors.Is(err, dialect.ErrLockNotAvailable):
		return nil, ErrBeingTaken
	case err != nil:
		return nil, err
	}
	return booking, nil
}

// Release gives a seat back that was not paid for.
func (h *House) Release(ctx context.Context, bookingID int64, visitor string) error {
	return atomic.Do(ctx, h.DB, func(ctx context.Context) error {
		booking, seat, err := h.lockSeatOf(ctx, bookingID, visitor)
		if err != nil || seat.HeldUntil == nil || !seat.isOf(booking) {
			return err
		}
		if _, err := orm.Objects[Seat](h.DB).Filter(query.F("id").Eq(seat.ID)).Update(ctx, nobodys()...); err != nil {
			return err
		}
		return h.changed(ctx)
	}, atomic.Name("release"))
}

func nobodys() []query.Assignment {
	return []query.Assignment{query.Set("booking_id", nil), query.Set("held_until", nil)}
}

// lock reads a seat and keeps everybody else from it to the end of the block.
func (h *House) lock(ctx context.Context, id int64, how ...orm.LockOption) (*Seat, error) {
	seat, err := orm.Objects[Seat](h.DB).Filter(query.F("id").Eq(id)).SelectForUpdate(how...).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, ErrNoSeat
	}
	return seat, err
}

// atOnce is for whoever wants to be told instead of waiting. SQLite has one lock for all
// of the database, and NoWait would there find somebody at every other seat: it waits for a
// moment.
func (h *House) atOnce() []orm.LockOption {
	if h.DB.Server().Engine == dialect.SQLite {
		return []orm.LockOption{orm.Wait(250 * time.Millisecond)}
	}
	return []orm.LockOption{orm.NoWait}
}

// booking reads a visitor's booking: those of others do not exist for him.
func (h *House) booking(ctx context.Context, id int64, visitor string) (*Booking, error) {
	booking, err := orm.Objects[Booking](h.DB).Filter(query.F("id").Eq(id), query.F("visitor").Eq(of(visitor))).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, ErrNoBooking
	}
	return booking, err
}

// lockSeatOf locks the seat of a booking, and then reads the booking: who changes one has
// locked the seat.
func (h *House) lockSeatOf(ctx context.Context, bookingID int64, visitor string) (*Booking, *Seat, error) {
	booking, err := h.booking(ctx, bookingID, visitor)
	if err != nil {
		return nil, nil, err
	}
	seat, err := h.lock(ctx, booking.SeatID)
	if err != nil {
		return nil, nil, err
	}
	booking, err = h.booking(ctx, bookingID, visitor)
	return booking, seat, err
}

func (s *Seat) isOf(b *Booking) bool { return s.BookingID != nil && *s.BookingID == b.ID }
