package site

import (
	"embed"
	"net/http"
	"strings"

	"github.com/holdfast-go/holdfast/atomic/atomichttp"
	"github.com/holdfast-go/holdfast/examples/booking/internal/house"
)

//go:embed static
var static embed.FS

// Site is the theatre's web site.
type Site struct {
	house *house.House
	mails *house.Postbox
	live  *live
	load  *load
}

// New returns the site of a house, whose Changed and Mailer it sets. Close it.
func New(h *house.House) *Site {
	s := &Site{house: h, mails: &house.Postbox{}, live: newLive()}
	h.Mailer, h.Changed = s.mails, s.live.tell
	s.load = newLoad(h, s.live.tell)
	return s
}

// Close ends what goes on by itself: streams of events, and the load.
func (s *Site) Close() {
	s.live.close()
	s.load.close()
}

// Handler answers all requests, each in a block: a page is read in a read-only one, and
// what a form asks for is committed before the browser hears of it.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.plan)
	mux.HandleFunc("GET /plan.json", s.planJSON)
	mux.HandleFunc("GET /bookings/{id}", s.booking)
	mux.HandleFunc("POST /bookings/{id}/release", s.release)
	mux.HandleFunc("POST /load", s.startLoad)
	mux.HandleFunc("POST /empty", s.empty)
	mux.Handle("GET /static/", http.FileServerFS(static))
	// A stream has no end at which it could be committed: it is outside the block (rule W8).
	mux.Handle("GET /events", atomichttp.NonAtomic(s.live))

	locked, naive := desk{s.house}, desk{house.Naive{House: s.house}}
	mux.HandleFunc("POST /seats/{id}", locked.hold)
	mux.HandleFunc("POST /bookings/{id}", locked.pay)
	// What the load calls with locks off. Blocks would hide the half of what goes wrong.
	mux.HandleFunc("POST /naive/seats/{id}", naive.hold)
	mux.HandleFunc("POST /naive/bookings/{id}", naive.pay)

	inBlocks := atomichttp.Middleware(s.house.DB,
		atomichttp.ReadOnlyForSafeMethods(),
		atomichttp.Retry(3),
		atomichttp.When(isNaive, atomichttp.Off()),
		atomichttp.ErrorHandler(troubled))
	// A form on somebody else's site must not book here.
	return http.NewCrossOriginProtection().Handler(inBlocks(mux))
}

func isNaive(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/naive/") }
