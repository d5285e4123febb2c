package site

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/examples/booking/internal/house"
)

// Clients is how many come at once, for fewer seats.
const Clients = 50

var errRunning = errors.New("the load is running already")

// load lets fifty clients loose on the site, by HTTP like everybody else, and counts
// afterwards what they have got.
type load struct {
	house *house.House
	tell  func()
	think time.Duration // between a seat and its payment, at most: as people do

	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex
	now     *Run // nil: none is running
	results map[bool]Run
}

// Run is one load, and what came of it.
type Run struct {
	Locks   bool
	Clients int
	house.Sales
	Away  int // clients that found nothing left
	Taken int // times that somebody was just taking the seat, or had it
	Took  time.Duration
	Error string
}

func newLoad(h *house.House, tell func()) *load {
	l := &load{house: h, tell: tell, think: 800 * time.Millisecond, results: map[bool]Run{}}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

func (l *load) close() {
	l.stop()
	l.running.Wait()
}

// state is what is shown of it.
func (l *load) state() (now *Run, results map[bool]Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, map[bool]Run{true: l.results[true], false: l.results[false]}
}

// start has a run go on by itself, against the site at an address.
func (l *load) start(site string, locks bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.now != nil:
		return errRunning
	case l.ctx.Err() != nil:
		return l.ctx.Err()
	}
	l.now = &Run{Locks: locks, Clients: Clients}
	l.running.Go(func() {
		result, err := l.run(l.ctx, site, locks)
		if err != nil {
			slog.Error("the load failed", "error", err)
			result.Error = "It did not come to its end; the program's log says why."
		}
		l.mu.Lock()
		l.now, l.results[locks] = nil, result
		l.mu.Unlock()
		l.tell()
	})
	return nil
}

// run empties the house and fills it again.
func (l *load) run(ctx context.Context, site string, locks bool) (Run, error) {
	run := Run{Locks: locks, Clients: Clients}
	if err := l.house.Empty(ctx); err != nil {
		return run, err
	}
	var away, taken atomic.Int64
	clients := make([]*client, run.Clients)
	looking, ctxLook := errgroup.WithContext(ctx)
	for i := range clients {
		clients[i] = newClient(site, locks, l.think)
		defer clients[i].close()
		looking.Go(func() error { return clients[i].look(ctxLook) })
	}
	if err := looking.Wait(); err != nil {
		return run, err
	}
	start := time.Now() // all of them have seen the plan, and now they click
	booking, ctxBook := errgroup.WithContext(ctx)
	for _, c := range clients {
		booking.Go(func() error {
			got, err := c.book(ctxBook)
			taken.Add(int64(c.taken))
			if !got {
				away.Add(1)
			}
			return err
		})
	}
	err := booking.Wait()
	run.Took, run.Away, run.Taken = time.Since(start), int(away.Load()), int(taken.Load())
	if err != nil {
		return run, err
	}
	plan, err := l.house.Plan(ctx)
	run.Sales = house.Count(plan, time.Now())
	return run, err
}
