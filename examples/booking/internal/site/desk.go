package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/mail"
	"net/url"
	"strconv"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/examples/booking/internal/house"
)

// seller is what a desk sells by: house.House, or house.Naive.
type seller interface {
	Hold(ctx context.Context, seatID int64, visitor string) (*house.Booking, error)
	Pay(ctx context.Context, key string, p house.Purchase) (house.Receipt, error)
}

// desk is where forms are handed in. Its answer is always another page, so that a visitor
// who loads it again hands in nothing.
type desk struct{ seller }

func (d desk) hold(w http.ResponseWriter, r *http.Request) {
	seat := number(r)
	booking, err := d.Hold(r.Context(), seat, visitorOf(w, r))
	if err != nil {
		tell(w, r, "/", seat, err)
		return
	}
	see(w, r, fmt.Sprintf("/bookings/%d", booking.ID))
}

func (d desk) pay(w http.ResponseWriter, r *http.Request) {
	page := fmt.Sprintf("/bookings/%d", number(r))
	address, err := mail.ParseAddress(r.PostFormValue("email"))
	if err != nil {
		tell(w, r, page, 0, errEmail)
		return
	}
	key := r.PostFormValue("key")
	if key == "" {
		tell(w, r, page, 0, errKey)
		return
	}
	if _, err := d.Pay(r.Context(), key, house.Purchase{BookingID: number(r), Visitor: visitorOf(w, r), Email: address.Address}); err != nil {
		tell(w, r, page, 0, err)
		return
	}
	see(w, r, page)
}

// number is the one in the path; 0, which nothing has, if it is none.
func number(r *http.Request) int64 {
	n, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	return n
}

func see(w http.ResponseWriter, r *http.Request, page string) {
	http.Redirect(w, r, page, http.StatusSeeOther)
}

var (
	errEmail = errors.New("that is no mail address")
	errKey   = errors.New("the form has no key")
)

// notices are what a visitor is told, by the word that is in the address of the page. What
// the address says is never shown itself.
var notices = map[string]struct {
	err  error
	text string
}{
	"taking":   {house.ErrBeingTaken, "Somebody is just taking this seat. It may come free again."},
	"sold":     {house.ErrSold, "This seat is sold."},
	"expired":  {house.ErrExpired, "The seat was held too long without a payment. Nothing was charged; please choose again."},
	"seat":     {house.ErrNoSeat, "There is no such seat."},
	"booking":  {house.ErrNoBooking, "There is no such booking of yours."},
	"email":    {errEmail, "That is no mail address. Nothing was charged."},
	"key":      {errKey, "The form was incomplete. Nothing was charged; please try again."},
	"key-used": {atomic.ErrOnceMismatch, "This form was sent before with something else in it. Nothing more was charged."},
	"busy":     {atomic.ErrInProgress, "Your payment is being worked on. Please look again in a moment."},
	"load":     {errRunning, "Fifty clients are at it already."},
}

// tell sends the visitor to a page that says why not. Nothing was written then: the house's
// block was rolled back, and that of the request has nothing in it. Any other error is the
// program's, and rolls the request back.
func tell(w http.ResponseWriter, r *http.Request, page string, seat int64, err error) {
	for word, n := range notices {
		if !errors.Is(err, n.err) {
			continue
		}
		if errors.Is(err, house.ErrExpired) || errors.Is(err, house.ErrNoBooking) {
			page = "/"
		}
		q := url.Values{"told": {word}}
		if seat != 0 {
			q.Set("seat", strconv.FormatInt(seat, 10))
		}
		see(w, r, page+"?"+q.Encode())
		return
	}
	level := slog.LevelError
	if r.Context().Err() != nil { // the visitor has gone
		level = slog.LevelInfo
	}
	slog.Log(r.Context(), level, "a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	troubled(w, r, err)
}
