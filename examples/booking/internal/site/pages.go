package site

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/examples/booking/internal/house"
)

//go:embed pages
var files embed.FS

// pages are parsed once, and not changed after that.
var pages = template.Must(template.New("").Funcs(template.FuncMap{"euros": euros, "round": round}).ParseFS(files, "pages/*.html"))

func euros(cents int64) string { return fmt.Sprintf("€%d.%02d", cents/100, cents%100) }

func round(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// place is a seat as one visitor sees it.
type place struct {
	ID         int64       `json:"id"`
	Name       string      `json:"name"`
	State      house.State `json:"state"`
	Number     int         `json:"-"`
	PriceCents int64       `json:"-"`
	Mine       bool        `json:"-"`
	Tickets    int64       `json:"-"`
	BookingID  int64       `json:"-"`
	Until      time.Time   `json:"-"`
}

type row struct {
	Name       string
	PriceCents int64
	Places     []place
}

func (s *Site) places(w http.ResponseWriter, r *http.Request) (places []place, sales house.Sales, err error) {
	visitor, now := visitorOf(w, r), time.Now()
	plan, err := s.house.Plan(r.Context())
	if err != nil {
		return nil, sales, err
	}
	for _, p := range plan {
		seen := place{ID: p.ID, Name: p.Name(), State: p.State(now), Number: p.Number, PriceCents: p.PriceCents, Mine: p.IsOf(visitor, now), Tickets: p.Tickets}
		if seen.Mine {
			seen.BookingID = p.Booking.ID
		}
		if p.HeldUntil != nil {
			seen.Until = *p.HeldUntil
		}
		places = append(places, seen)
	}
	return places, house.Count(plan, now), nil
}

// plan is the page with all seats.
func (s *Site) plan(w http.ResponseWriter, r *http.Request) {
	places, sales, err := s.places(w, r)
	if err != nil {
		tell(w, r, "/", 0, err)
		return
	}
	page := struct {
		Server, Notice string
		Rows           []row
		Mine           []place
		Sales          house.Sales
		Running        *Run
		With, Without  Run
		Mails          []house.Mail
		Sent           int
	}{Server: s.house.DB.Server().String(), Notice: noticeOf(r, places), Sales: sales}
	for i, p := range places {
		if i == 0 || p.Number == 1 {
			page.Rows = append(page.Rows, row{Name: p.Name[:1], PriceCents: p.PriceCents})
		}
		last := &page.Rows[len(page.Rows)-1]
		last.Places = append(last.Places, p)
		if p.Mine {
			page.Mine = append(page.Mine, p)
		}
	}
	now, results := s.load.state()
	page.Running, page.With, page.Without = now, results[true], results[false]
	page.Mails, page.Sent = s.mails.Newest()
	write(w, r, http.StatusOK, "plan.html", page)
}

// planJSON is the plan for programs.
func (s *Site) planJSON(w http.ResponseWriter, r *http.Request) {
	places, _, err := s.places(w, r)
	if err != nil {
		tell(w, r, "/", 0, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(places) // who does not hear it has gone
}

// booking is the page on which a booking is paid for, and afterwards the ticket.
func (s *Site) booking(w http.ResponseWriter, r *http.Request) {
	booking, seat, err := s.house.Booking(r.Context(), number(r), visitorOf(w, r))
	if err != nil {
		tell(w, r, "/", 0, err)
		return
	}
	now := time.Now()
	if booking.PaidAt == nil && !seat.IsHeld(booking, now) {
		tell(w, r, "/", 0, house.ErrExpired)
		return
	}
	page := struct {
		Server, Notice string
		Booking        *house.Booking
		Seat           *house.Seat
		Left           int    // seconds
		Key            string // the page's own: sent twice it pays once
	}{Server: s.house.DB.Server().String(), Notice: noticeOf(r, nil), Booking: booking, Seat: seat, Key: rand.Text()}
	if seat.HeldUntil != nil {
		page.Left = int(seat.HeldUntil.Sub(now).Seconds())
	}
	write(w, r, http.StatusOK, "booking.html", page)
}

func (s *Site) release(w http.ResponseWriter, r *http.Request) {
	if err := s.house.Release(r.Context(), number(r), visitorOf(w, r)); err != nil {
		tell(w, r, "/", 0, err)
		return
	}
	see(w, r, "/")
}

func (s *Site) empty(w http.ResponseWriter, r *http.Request) {
	if err := s.house.Empty(r.Context()); err != nil {
		tell(w, r, "/", 0, err)
		return
	}
	see(w, r, "/")
}

// startLoad sends the clients to where this request came in.
func (s *Site) startLoad(w http.ResponseWriter, r *http.Request) {
	here, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if err := s.load.start("http://"+here.String(), r.PostFormValue("locks") != "off"); err != nil {
		tell(w, r, "/", 0, err)
		return
	}
	see(w, r, "/#load")
}

// noticeOf is what the address says that the visitor is to be told.
func noticeOf(r *http.Request, places []place) string {
	notice := notices[r.URL.Query().Get("told")].text
	for _, p := range places {
		if notice != "" && strconv.FormatInt(p.ID, 10) == r.URL.Query().Get("seat") {
			return "Seat " + p.Name + ": " + notice
		}
	}
	return notice
}

// troubled answers where the site itself is in trouble: the middleware calls it where a
// block was not committed.
func troubled(w http.ResponseWriter, r *http.Request, err error) {
	p := atomichttp.ProblemOf(err)
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.RetryAfter.Seconds())))
	}
	write(w, r, p.Status, "trouble.html", struct{ Server, Notice, Title, Detail string }{Title: p.Title, Detail: p.Detail})
}

// write writes a whole page or none: a template that fails halfway sends nothing.
func write(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		slog.ErrorContext(r.Context(), "a page failed", "page", name, "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // who does not hear it has gone
}
