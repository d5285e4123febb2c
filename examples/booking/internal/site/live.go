package site

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// live tells the browsers that something has changed; they read the page again then. It is
// told by hooks of OnCommit, so that who reads finds what he was told of.
type live struct {
	mu      sync.Mutex
	changed chan struct{} // is closed at the next change
	closed  chan struct{}
	close   func()
}

func newLive() *live {
	l := &live{changed: make(chan struct{}), closed: make(chan struct{})}
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

// tell says that something has changed.
func (l *live) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *live) next() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

const (
	// often is how often a browser is told at most.
	often = 100 * time.Millisecond
	// seldom is how long it is not told at most: other processes book too, and holds run
	// out without anybody doing anything. A browser that has gone is found out by it.
	seldom = 5 * time.Second
)

// ServeHTTP sends an event for each change, until the browser goes (server-sent events,
// HTML Living Standard, section 9.2). It holds no connection of the database.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	stream := http.NewResponseController(w)
	for {
		changed := l.next() // before the page is read: no change is missed
		if _, err := io.WriteString(w, "data: changed\n\n"); err != nil {
			return
		}
		if err := stream.Flush(); err != nil {
			return
		}
		if !l.wait(r, nil, often) || !l.wait(r, changed, seldom) {
			return
		}
	}
}

// wait waits for a change or for a time, and is false if nobody listens any more.
func (l *live) wait(r *http.Request, changed <-chan struct{}, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-l.closed:
		return false
	case <-r.Context().Done():
		return false
	}
	return true
}
