package atomic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// ExplainLocks has an error that matches dialect.ErrLockNotAvailable or
// dialect.ErrDeadlock say who held the lock, and so that of a statement that
// waited for one when its ctx ended: a *LockHeldError is then in its chain. It is
// an option of any block, and of those nested in it.
//
// While a statement of the block has been waiting for more than some tens of
// milliseconds, the server is asked on another connection of the pool whom it
// waits for, and again every quarter of a second; after a deadlock the server's
// own report is read. Where a lock was not to be had at once (NoWait) nobody has
// waited, and the server only tells who has locked rows of that table
// (PostgreSQL, MySQL) or of that database (MariaDB): LockHeldError.Certain is
// false then. It is also false where the statement may have gone on to wait for
// another lock since the server was asked: always on MariaDB, whose view is older
// the more often it is asked for, and which may not know either who of several has
// a shared lock (dialect.LockWait).
//
// The outcome of the block is the same with and without it. If the server
// cannot be asked (no connection is free, or the user may not, see
// orm.LockWaits) the error stays as it is. The end of a statement may be
// delayed by a question in progress, a quarter of a second at most, and the
// error by one second. SQLite does not know who has its lock: there the option
// has no effect.
func ExplainLocks() Option { return optionFunc(func(o *options) { o.explain = true }) }

// Holder is somebody who held a lock.
type Holder struct {
	dialect.LockParty
	// Table is the one that the lock is on; "" if the server does not tell.
	Table string
	// Waits is true if the holder was itself waiting, for another one of the
	// list.
	Waits bool
}

// LockHeldError is in the chain of an error of a block with ExplainLocks, around
// the *dialect.Error.
type LockHeldError struct {
	// Holders are those who had the lock, then those who these waited for.
	Holders []Holder
	// Certain is true if the server named the holders of this very lock. If it is
	// false it named those who have such locks, or who the statement was seen to
	// wait for a moment before: it may be any of them, or somebody else.
	Certain bool
	Err     error
}

// Error names the first of the holders.
func (e *LockHeldError) Error() string {
	var sb strings.Builder
	sb.WriteString(e.Err.Error())
	sb.WriteString(": held by ")
	if !e.Certain {
		sb.WriteString("somebody, perhaps ")
	}
	const most = 3
	for i, h := range e.Holders[:min(len(e.Holders), most)] {
		if i > 0 {
			sb.WriteString(", ")
		}
		sb.WriteString(h.describe())
	}
	if more := len(e.Holders) - most; more > 0 {
		fmt.Fprintf(&sb, " and %d more", more)
	}
	return sb.String()
}

// Unwrap returns the server's error.
func (e *LockHeldError) Unwrap() error { return e.Err }

func (h Holder) describe() string {
	s := fmt.Sprintf("connection %d", h.ConnectionID)
	if h.ConnectionID == 0 {
		s = "a prepared transaction"
	}
	if h.Block != "" {
		s = fmt.Sprintf("block %q (%s)", h.Block, s)
	}
	if h.Age > 0 {
		s += " in its transaction for " + h.Age.Round(time.Millisecond).String()
	}
	if h.Statement != "" {
		s += ": " + abbreviate(h.Statement)
	}
	return s
}

const (
	firstLook  = 40 * time.Millisecond
	nextLook   = 250 * time.Millisecond
	lookGrace  = 250 * time.Millisecond // for a question that the statement's end finds in progress
	lookAfter  = time.Second            // for the questions after an error
	maxHolders = 10
)

func (b *block) explains() bool {
	for ; b != nil; b = b.parent {
		if b.opts.explain {
			return true
		}
	}
	return false
}

// A lockWatch asks whom a statement waits for, as long as it does.
type lockWatch struct {
	gate    *Gate
	watcher backend.LockWatcher
	self    int64
	quit    context.CancelFunc // the statement has ended: no more questions
	cut     context.CancelFunc // ends the question in progress
	done    chan struct{}
	seen    holding // by the last look that saw somebody; read after done is closed
}

// watching returns send with a watch on what it waits for. first says that it
// is to send the first statement of the transaction. It needs the turn.
func (t *transaction) watching(ctx context.Context, first bool, send sender) sender {
	t.held = holding{}
	watcher, self := t.watcher()
	if watcher != nil && self == 0 && first {
		// Later, inside the transaction, a question could change its outcome.
		self, _ = watcher.ConnectionID(ctx, t.conn.wire)
		t.conn.id = self
	}
	if self == 0 {
		return send
	}
	return func(wire backend.Wire, prefix []string, query string) (bool, error) {
		w := &lockWatch{gate: t.gate, watcher: watcher, self: self, done: make(chan struct{})}
		asking, cut := context.WithCancel(context.WithoutCancel(ctx))
		waiting, quit := context.WithCancel(asking)
		w.cut, w.quit = cut, quit
		go w.run(waiting, asking)
		defer func() { t.held = w.stop() }() // also when reading the rows panics
		return send(wire, prefix, query)
	}
}

// watcher returns who can be asked, or nil, and the connection's number, or 0.
func (t *transaction) watcher() (backend.LockWatcher, int64) {
	watcher, ok := t.gate.db.Engine.(backend.LockWatcher)
	if !ok || t.conn == nil || !t.gate.db.Server.Can(dialect.LockWaits) {
		return nil, 0
	}
	if t.conn.id == 0 {
		t.conn.id = t.conn.wire.ID()
	}
	return watcher, t.conn.id
}

func (w *lockWatch) run(waiting, asking context.Context) {
	defer close(w.done)
	timer := time.NewTimer(firstLook)
	defer timer.Stop()
	for {
		select {
		case <-waiting.Done():
			return
		case <-timer.C:
		}
		w.look(waiting, asking)
		timer.Reset(nextLook)
	}
}

func (w *lockWatch) look(waiting, asking context.Context) {
	var waits []dialect.LockWait
	asked := time.Now()
	conn, err := w.gate.outside(waiting, question, func(wire backend.Wire) (err error) {
		waits, err = w.watcher.LockWaits(asking, wire)
		return err
	})
	if err != nil {
		return
	}
	conn.giveBack()
	if seen := holdersOf(w.self, waits); len(seen.holders) > 0 {
		w.seen = seen
		w.seen.at = asked
	}
}

// question is what errors call a statement of this file.
var question = Statement{SQL: "SELECT (who waits for whom)", Built: true}

// stop ends the watch and returns who was seen last.
func (w *lockWatch) stop() holding {
	w.quit()
	grace := time.AfterFunc(lookGrace, w.cut)
	<-w.done
	grace.Stop()
	w.cut()
	return w.seen
}

// holding is who is known to hold a lock, or, if that is not certain, may hold it.
type holding struct {
	holders []Holder
	certain bool
	at      time.Time // when the server was asked
}

// recent reports whether h was seen by one of the last looks.
func (h holding) recent() bool { return time.Since(h.at) < 2*nextLook }

// knew is the parties, each as h has it if h does: that was seen while they held
// the lock, and now they may be doing something else.
func (h holding) knew(parties []Holder) []Holder {
	for i, party := range parties {
		for _, seen := range h.holders {
			if seen.ConnectionID == party.ConnectionID {
				parties[i] = seen
			}
		}
	}
	return parties
}

// stillHeld reports whether the lock that st has waited for as long as it may is
// the one that h was seen to hold: it is if h was seen after that wait began. A
// statement may have waited for other locks before, and the error of a NOWAIT
// comes without any wait.
func (t *transaction) stillHeld(b *block, st Statement, h holding) bool {
	limit := st.Wait
	if limit == nil {
		limit = b.lockWait()
	}
	return time.Since(h.at) < backend.SurelyWaited(t.gate.db.Server, limit) && !strings.Contains(strings.ToUpper(st.SQL), "NOWAIT")
}

// holdersOf follows the waits from self: those who it waits for, then those who
// these wait for.
func holdersOf(self int64, waits []dialect.LockWait) holding {
	var holders []Holder
	certain := true
	seen := []int64{self}
	for i := 0; i < len(seen) && len(holders) < maxHolders; i++ {
		for _, w := range waits {
			if w.Waiting.ConnectionID != seen[i] {
				continue
			}
			certain = certain && w.Certain
			if i > 0 && len(holders) >= i {
				holders[i-1].Waits = true
			}
			if id := w.Holding.ConnectionID; !slices.Contains(seen, id) {
				seen = append(seen, id)
				holders = append(holders, Holder{LockParty: w.Holding, Table: w.Table})
			}
		}
	}
	return holding{holders: holders, certain: certain}
}

// asker asks, on a connection of its own, who held a lock.
type asker func(ctx context.Context, watcher backend.LockWatcher, w backend.Wire, self int64) (holders []dialect.LockParty, certain bool, err error)

// explain adds to f who held the lock, if b asked for that and somebody knows.
// It needs the turn, or rows that keep everybody else from sending.
func (t *transaction) explain(ctx context.Context, b *block, st Statement, f *FailedError) *FailedError {
	if !b.explains() {
		return f
	}
	held := t.held
	switch {
	case errors.Is(f.Err, dialect.ErrDeadlock):
		held.certain = false // who was waited for before need not be who was in it
		if asked := t.askHolders(ctx, st, f.Err); len(asked.holders) > 0 {
			held = holding{holders: held.knew(asked.holders), certain: asked.certain}
		}
	case errors.Is(f.Err, dialect.ErrLockNotAvailable):
		held.certain = held.certain && t.stillHeld(b, st, held)
		if !held.recent() {
			if asked := t.askHolders(ctx, st, f.Err); len(asked.holders) > 0 {
				held = asked
			}
		}
	case ctx.Err() != nil && held.recent():
		held.certain = false // it may have obtained the lock since
	default:
		return f
	}
	if len(held.holders) > 0 {
		f.Err = &LockHeldError{Holders: held.holders, Certain: held.certain, Err: f.Err}
	}
	return f
}

// askHolders asks the server, after st has failed with err.
func (t *transaction) askHolders(ctx context.Context, st Statement, err error) (held holding) {
	watcher, self := t.watcher()
	if self == 0 {
		return holding{}
	}
	ask := st.holder
	if ask == nil {
		ask = func(ctx context.Context, watcher backend.LockWatcher, w backend.Wire, self int64) ([]dialect.LockParty, bool, error) {
			return watcher.LockHolders(ctx, w, self, err)
		}
	}
	limit, cancel := context.WithTimeout(ctx, lookAfter)
	defer cancel()
	var parties []dialect.LockParty
	conn, err := t.gate.outside(limit, question, func(w backend.Wire) (err error) {
		parties, held.certain, err = ask(limit, watcher, w, self)
		return err
	})
	if err != nil {
		return holding{}
	}
	conn.giveBack()
	for _, p := range parties[:min(len(parties), maxHolders)] {
		held.holders = append(held.holders, Holder{LockParty: p})
	}
	return held
}

// holderOf asks who has an advisory lock.
func holderOf(lock backend.Advisory) asker {
	return func(ctx context.Context, watcher backend.LockWatcher, w backend.Wire, self int64) ([]dialect.LockParty, bool, error) {
		ids, err := backend.QueryIntegers(ctx, w, lock.Holder, lock.HolderArgs)
		if err != nil {
			return nil, false, err
		}
		ids = slices.DeleteFunc(ids, func(id int64) bool { return id == 0 || id == self })
		parties, err := watcher.LockParties(ctx, w, ids)
		return parties, true, err
	}
}

// LockWaits asks who waits for whom in the database, on a connection of its own
// whatever the block of ctx. orm.LockWaits is the usual way to call it.
func (g *Gate) LockWaits(ctx context.Context) (waits []dialect.LockWait, err error) {
	if err := g.db.Server.Require(dialect.LockWaits); err != nil {
		return nil, err
	}
	watcher, ok := g.db.Engine.(backend.LockWatcher)
	if !ok {
		return nil, &dialect.UnsupportedError{Server: g.db.Server, Feature: dialect.LockWaits.String()}
	}
	connect := g.connect
	if stats := g.db.Pool.Stats(); g.db.Reserve == nil {
		if err := g.scope(ctx).roomFor(g); err != nil {
			return nil, err
		}
	} else if stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections {
		connect = g.connectAnyhow // who asks wants to know what all the others wait for
	}
	conn, err := g.outsideOn(ctx, connect, question, func(w backend.Wire) (err error) {
		waits, err = watcher.LockWaits(ctx, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	conn.giveBack()
	return waits, nil
}
