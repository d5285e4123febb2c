package house

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each runs a test in an empty house on each engine.
func each(t *testing.T, test func(t *testing.T, h *House, mails *Postbox)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		db, err := orm.Open(t.Context(), testdb.Source(at.Engine, at.DSN), Settings()...)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		require.NoError(t, Migrate(t.Context(), db))
		mails := &Postbox{}
		test(t, &House{DB: db, Mailer: mails, HoldFor: time.Minute, Changed: func() {}}, mails)
	})
}

func count[T any](t *testing.T, h *House) int {
	t.Helper()
	n, err := orm.Objects[T](h.DB).Count(t.Context())
	require.NoError(t, err)
	return int(n)
}

// Processes that start together make the tables and the seats once.
func TestMigrateTogether(t *testing.T) {
	each(t, func(t *testing.T, h *House, _ *Postbox) {
		var together errgroup.Group
		for range 4 {
			together.Go(func() error { return Migrate(t.Context(), h.DB) })
		}
		require.NoError(t, together.Wait())
		assert.Equal(t, 40, count[Seat](t, h))
		plan, err := h.Plan(t.Context())
		require.NoError(t, err)
		assert.Equal(t, Sales{Seats: 40, Free: 40}, Count(plan, time.Now()))
	})
}

func TestOneSeatTwoVisitors(t *testing.T) {
	each(t, func(t *testing.T, h *House, _ *Postbox) {
		ctx := t.Context()
		hers, err := h.Hold(ctx, 1, "she")
		require.NoError(t, err)
		again, err := h.Hold(ctx, 1, "she")
		require.NoError(t, err)
		assert.Equal(t, hers.ID, again.ID, "a second click is the same booking")
		_, err = h.Hold(ctx, 1, "he")
		require.ErrorIs(t, err, ErrBeingTaken)
		_, err = h.Pay(ctx, "a key", Purchase{hers.ID, "he", "he@example.com"})
		require.ErrorIs(t, err, ErrNoBooking, "others' bookings do not exist")
		_, err = h.Pay(ctx, "a key", Purchase{hers.ID, "she", "she@example.com"})
		require.NoError(t, err)
		_, err = h.Hold(ctx, 1, "he")
		require.ErrorIs(t, err, ErrSold)
		_, err = h.Hold(ctx, 1000, "he")
		require.ErrorIs(t, err, ErrNoSeat)
	})
}

// Whoever has the row locked is taking the seat, whatever else is known of him.
func TestALockIsSomebody(t *testing.T) {
	each(t, func(t *testing.T, h *House, _ *Postbox) {
		require.NoError(t, atomic.Do(t.Context(), h.DB, func(ctx context.Context) error {
			_, err := h.lock(ctx, 1)
			require.NoError(t, err)
			_, err = h.Hold(t.Context(), 1, "he")
			require.ErrorIs(t, err, ErrBeingTaken)
			if h.DB.Server().Engine != dialect.SQLite {
				_, err = h.Hold(t.Context(), 2, "he")
				require.NoError(t, err, "another seat is another row")
			}
			return nil
		}))
		_, err := h.Hold(t.Context(), 1, "he")
		require.NoError(t, err)
	})
}

func TestAHoldThatRunsOut(t *testing.T) {
	each(t, func(t *testing.T, h *House, mails *Postbox) {
		ctx := t.Context()
		h.HoldFor = -time.Second
		hers, err := h.Hold(ctx, 1, "she")
		require.NoError(t, err)
		_, err = h.Pay(ctx, "a key", Purchase{hers.ID, "she", "she@example.com"})
		require.ErrorIs(t, err, ErrExpired)
		h.HoldFor = time.Minute
		his, err := h.Hold(ctx, 1, "he")
		require.NoError(t, err)
		_, err = h.Pay(ctx, "a key", Purchase{hers.ID, "she", "she@example.com"})
		require.ErrorIs(t, err, ErrExpired)
		require.NoError(t, h.Release(ctx, hers.ID, "she"), "there is nothing to give back")
		_, err = h.Pay(ctx, "a key", Purchase{his.ID, "he", "he@example.com"})
		require.NoError(t, err)
		require.NoError(t, h.Release(ctx, his.ID, "he"), "what is paid for is not given back")
		_, err = h.Hold(ctx, 1, "she")
		require.ErrorIs(t, err, ErrSold)
		_, sent := mails.Newest()
		assert.Equal(t, 1, sent)
	})
}

func TestRelease(t *testing.T) {
	each(t, func(t *testing.T, h *House, _ *Postbox) {
		ctx := t.Context()
		hers, err := h.Hold(ctx, 1, "she")
		require.NoError(t, err)
		require.ErrorIs(t, h.Release(ctx, hers.ID, "he"), ErrNoBooking)
		require.NoError(t, h.Release(ctx, hers.ID, "she"))
		_, err = h.Hold(ctx, 1, "he")
		require.NoError(t, err)
	})
}

// Ten who pay with one key at once pay once, and all of them are told so.
func TestOneKeyOnePayment(t *testing.T) {
	each(t, func(t *testing.T, h *House, mails *Postbox) {
		ctx := t.Context()
		booking, err := h.Hold(ctx, 1, "she")
		require.NoError(t, err)
		p := Purchase{booking.ID, "she", "she@example.com"}
		receipts := make([]Receipt, 10)
		var together errgroup.Group
		for i := range receipts {
			together.Go(func() (err error) {
				for {
					if receipts[i], err = h.Pay(ctx, "a key", p); !errors.Is(err, atomic.ErrInProgress) {
						return err
					}
				}
			})
		}
		require.NoError(t, together.Wait())
		for _, r := range receipts {
			assert.Equal(t, receipts[0], r)
		}
		assert.EqualValues(t, 58_00, receipts[0].AmountCents)
		assert.Equal(t, 1, count[Payment](t, h))
		_, sent := mails.Newest()
		assert.Equal(t, 1, sent)

		_, err = h.Pay(ctx, "another key", p)
		require.ErrorIs(t, err, ErrSold)
		p.Email = "somebody@example.com"
		_, err = h.Pay(ctx, "a key", p)
		require.ErrorIs(t, err, atomic.ErrOnceMismatch)
		assert.Equal(t, 1, count[Payment](t, h))
	})
}

// The mail and the news leave after the outermost COMMIT, or never.
func TestAMailAfterCommitOnly(t *testing.T) {
	each(t, func(t *testing.T, h *House, mails *Postbox) {
		changes := 0
		h.Changed = func() { changes++ }
		sent := func() int {
			_, n := mails.Newest()
			return n
		}
		pay := func(ctx context.Context, visitor string) error {
			booking, err := h.Hold(ctx, 1, visitor)
			if err != nil {
				return err
			}
			_, err = h.Pay(ctx, "a key", Purchase{booking.ID, visitor, visitor + "@example.com"})
			return err
		}
		failed := errors.New("what comes after it fails")
		require.ErrorIs(t, atomic.Do(t.Context(), h.DB, func(ctx context.Context) error {
			return errors.Join(pay(ctx, "she"), failed)
		}), failed)
		assert.Zero(t, sent())
		assert.Zero(t, changes)
		assert.Zero(t, count[Payment](t, h))
		require.NoError(t, atomic.Do(t.Context(), h.DB, func(ctx context.Context) error {
			require.NoError(t, pay(ctx, "he"), "the seat is free, and the key unused")
			assert.Zero(t, sent(), "not before COMMIT")
			return nil
		}))
		assert.Equal(t, 1, sent())
		assert.Equal(t, 2, changes)
		newest, _ := mails.Newest()
		assert.Equal(t, []Mail{{"he@example.com", "Your ticket for seat A1"}}, newest)
	})
}

// A mail server that fails takes no ticket away.
func TestAMailThatIsNotSent(t *testing.T) {
	each(t, func(t *testing.T, h *House, _ *Postbox) {
		h.Mailer = broken{}
		booking, err := h.Hold(t.Context(), 1, "she")
		require.NoError(t, err)
		_, err = h.Pay(t.Context(), "a key", Purchase{booking.ID, "she", "she@example.com"})
		require.NoError(t, err)
		_, err = h.Hold(t.Context(), 1, "he")
		require.ErrorIs(t, err, ErrSold)
	})
}

type broken struct{}

func (broken) Send(context.Context, Mail) error { return errors.New("the mail server is away") }

// Without locks two who look before either writes both get the seat.
func TestNaiveSellsTwice(t *testing.T) {
	each(t, func(t *testing.T, h *House, _ *Postbox) {
		ctx := t.Context()
		look := orm.Objects[Seat](h.DB).Filter(query.F("id").Eq(1))
		seen, err := look.Get(ctx)
		require.NoError(t, err)
		n := Naive{h}
		hers, err := n.Hold(ctx, 1, "she")
		require.NoError(t, err)
		require.NoError(t, orm.Objects[Seat](h.DB).Save(ctx, seen, "booking_id", "held_until"), "what the other has seen")
		his, err := n.Hold(ctx, 1, "he")
		require.NoError(t, err)
		for who, b := range map[string]*Booking{"she": hers, "he": his} {
			_, err := n.Pay(ctx, "", Purchase{b.ID, who, ""})
			require.NoError(t, err)
		}
		plan, err := h.Plan(ctx)
		require.NoError(t, err)
		assert.Equal(t, Sales{Seats: 40, Free: 39, Sold: 1, Tickets: 2, Twice: 1}, Count(plan, time.Now()))
		require.NoError(t, h.Empty(ctx))
		plan, err = h.Plan(ctx)
		require.NoError(t, err)
		assert.Equal(t, Sales{Seats: 40, Free: 40}, Count(plan, time.Now()))
	})
}
