package tests

import (
	"context"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// wires stands between atomic and an engine. It passes everything on, notes
// what is sent, and lets a test act at an exact moment.
type wires struct {
	backend.Engine

	mu    sync.Mutex
	known map[backend.Wire]*wire
	ids   []int64
	sent  []string
	steps []step
	lose  lostCommit
}

// lostCommit is what becomes of a COMMIT that gets no answer, where there is no
// network that could lose it.
type lostCommit int

const (
	none    lostCommit = iota
	before             // the COMMIT has not been carried out
	after              // it has
	unclear            // it has, and the server answers with an error that leaves it open
)

type step struct {
	prefix string // of the statement that the step waits for
	act    func(backend.Wire)
}

func newWires(e backend.Engine) *wires {
	return &wires{Engine: e, known: map[backend.Wire]*wire{}}
}

// Wire implements backend.Engine.
func (ws *wires) Wire(driverConn any) backend.Wire {
	inner := ws.Engine.Wire(driverConn)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.known[inner] == nil {
		ws.known[inner] = &wire{Wire: inner, of: ws}
		ws.ids = append(ws.ids, inner.ID())
	}
	return ws.known[inner]
}

// anyID is the server's number of one of the newer connections, or 0.
func (ws *wires) anyID() int64 {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if len(ws.ids) == 0 {
		return 0
	}
	newer := ws.ids[max(0, len(ws.ids)-60):]
	return newer[rand.IntN(len(newer))]
}

// take returns what was sent since it was called last: control statements and
// statements, in order.
func (ws *wires) take() []string {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	sent := ws.sent
	ws.sent = nil
	return sent
}

// on has act called, once, just before a statement that begins with prefix is
// sent, whatever block it is of; the wire is the real one.
func (ws *wires) on(prefix string, act func(backend.Wire)) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.steps = append(ws.steps, step{prefix, act})
}

func (ws *wires) note(w backend.Wire, prefix []string, statement string, suffix []string) {
	ws.mu.Lock()
	ws.sent = append(append(append(ws.sent, prefix...), statement), suffix...)
	if strings.HasPrefix(statement, "/*block='") {
		_, statement, _ = strings.Cut(statement, "*/ ")
	}
	i := slices.IndexFunc(ws.steps, func(s step) bool { return strings.HasPrefix(statement, s.prefix) })
	var act func(backend.Wire)
	if i >= 0 {
		act = ws.steps[i].act
		ws.steps = slices.Delete(ws.steps, i, i+1)
	}
	ws.mu.Unlock()
	if act != nil {
		act(w)
	}
}

// loseCommit has the next COMMIT end without an answer, and its connection with
// it.
func (ws *wires) loseCommit(l lostCommit) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.lose = l
}

func (ws *wires) lost() (l lostCommit) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	l, ws.lose = ws.lose, none
	return l
}

func (ws *wires) peek() lostCommit {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.lose
}

// Resolver implements backend.Engine: it knows its engine's own wires.
func (ws *wires) Resolver() backend.Resolver {
	r := resolver{ws.Engine.Resolver()}
	if bulk, ok := r.Resolver.(backend.BulkResolver); ok {
		return bulkResolver{r, bulk}
	}
	return r
}

// RunsScripts implements backend.Scripter.
func (ws *wires) RunsScripts() bool {
	s, ok := ws.Engine.(backend.Scripter)
	return ok && s.RunsScripts()
}

// Split implements backend.Splitter.
func (ws *wires) Split(text string) []string {
	if s, ok := ws.Engine.(backend.Splitter); ok {
		return s.Split(text)
	}
	return nil
}

type bulkResolver struct {
	resolver
	bulk backend.BulkResolver
}

func (r bulkResolver) Fates(ctx context.Context, w backend.Wire, asked []backend.Asked) ([]backend.Fate, error) {
	return r.bulk.Fates(ctx, w.(*wire).Wire, asked)
}

type resolver struct{ backend.Resolver }

func (r resolver) Prepare(ctx context.Context, w backend.Wire, before []string) (string, []string, error) {
	return r.Resolver.Prepare(ctx, w.(*wire).Wire, before)
}

func (r resolver) Outcome(ctx context.Context, w backend.Wire, token string) (bool, error) {
	return r.Resolver.Outcome(ctx, w.(*wire).Wire, token)
}

type wire struct {
	backend.Wire
	of   *wires
	dead bool
}

func (w *wire) Exec(ctx context.Context, prefix []string, query string, args []any) (driver.Result, error) {
	w.of.note(w.Wire, prefix, query, nil)
	return w.Wire.Exec(ctx, prefix, query, args)
}

func (w *wire) Query(ctx context.Context, prefix []string, query string, args []any) (driver.Rows, error) {
	w.of.note(w.Wire, prefix, query, nil)
	return w.Wire.Query(ctx, prefix, query, args)
}

func (w *wire) Commit(ctx context.Context, prefix []string) error {
	w.of.note(w.Wire, prefix, "COMMIT", nil)
	lost := w.of.lost()
	if lost == none {
		return w.Wire.Commit(ctx, prefix)
	}
	w.dead = lost != unclear
	if lost != before {
		if err := w.Wire.Commit(ctx, prefix); err != nil {
			return err
		}
	}
	if lost == unclear {
		return &backend.UncertainError{Err: errors.New("not connected to Primary Component")}
	}
	return &dialect.Error{Kind: dialect.ErrConnectionLost, Message: "no answer", Fatal: true}
}

// CommitWith implements backend.CommitCarrier.
func (w *wire) CommitWith(ctx context.Context, prefix []string, query string, args []any) error {
	carrier, ok := w.Wire.(backend.CommitCarrier)
	if lost := w.of.peek(); !ok || lost != none {
		if _, err := w.Exec(ctx, prefix, query, args); err != nil {
			return &backend.PrefixError{Statement: query, Err: err}
		}
		return w.Commit(ctx, nil)
	}
	w.of.note(w.Wire, append(slices.Clone(prefix), query), "COMMIT", nil)
	return carrier.CommitWith(ctx, prefix, query, args)
}

// SessionChanged implements backend.SessionTeller.
func (w *wire) SessionChanged() bool {
	teller, ok := w.Wire.(backend.SessionTeller)
	return ok && teller.SessionChanged()
}

// PrefixRan implements backend.PrefixTeller.
func (w *wire) PrefixRan() bool {
	teller, ok := w.Wire.(backend.PrefixTeller)
	return ok && teller.PrefixRan()
}

func (w *wire) Alive() bool { return !w.dead && w.Wire.Alive() }
func (w *wire) Idle() bool  { return !w.dead && w.Wire.Idle() }

func (w *wire) Rollback(ctx context.Context, suffix []string) error {
	w.of.note(w.Wire, nil, "ROLLBACK", suffix)
	return w.Wire.Rollback(ctx, suffix)
}
