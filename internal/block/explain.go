package block

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

const (
	firstLook  = 40 * time.Millisecond
	nextLook   = 250 * time.Millisecond
	lookGrace  = 250 * time.Millisecond // for a question that the statement's end finds in progress
	lookAfter  = time.Second            // for the questions after an error
	maxHolders = 10
)

// A lockWatch asks whom a statement waits for, as long as it does.
type lockWatch struct {
	executor *Executor
	watcher  backend.LockWatcher
	self     int64
	quit     context.CancelFunc // the statement has ended: no more questions
	cut      context.CancelFunc // ends the question in progress
	done     chan struct{}
	seen     lockHolders // by the last look that saw somebody; read after done is closed
}

// watching returns send with a watch on what it waits for. first says that it
// is to send the first statement of the transaction. It needs connMu.
func (t *transaction) watching(ctx context.Context, first bool, send sender) sender {
	t.holders = lockHolders{}
	watcher, self := t.watcher()
	if watcher != nil && self == 0 && first {
		// Later, inside the transaction, a question could change its outcome.
		self, _ = watcher.ConnectionID(ctx, t.conn.wire)
		t.conn.id = self
	}
	if self == 0 {
		return send
	}
	return func(wire backend.Wire, prefix []string, query string) (func() error, error) {
		w := &lockWatch{executor: t.executor, watcher: watcher, self: self, done: make(chan struct{})}
		asking, cut := context.WithCancel(context.WithoutCancel(ctx))
		waiting, quit := context.WithCancel(asking)
		w.cut, w.quit = cut, quit
		go w.run(waiting, asking)
		stop := func() { t.holders = w.stop() }
		reads := false
		defer func() {
			if !reads {
				stop()
			}
		}()
		read, err := send(wire, prefix, query)
		if err != nil || read == nil {
			return nil, err
		}
		reads = true
		return func() error {
			defer stop() // also when reading the rows panics
			return read()
		}, nil
	}
}

// watcher returns who can be asked, or nil, and the connection's number, or 0. On a
// replica nobody can: the writer, which is asked, has others under that number.
func (t *transaction) watcher() (backend.LockWatcher, int64) {
	watcher, ok := t.executor.db.Engine.(backend.LockWatcher)
	if !ok || t.conn == nil || t.conn.replica != nil || !t.executor.db.Server.Can(dialect.LockWaits) {
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
	conn, err := w.executor.outside(waiting, question, func(wire backend.Wire) (err error) {
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
func (w *lockWatch) stop() lockHolders {
	w.quit()
	grace := time.AfterFunc(lookGrace, w.cut)
	<-w.done
	grace.Stop()
	w.cut()
	return w.seen
}

// lockHolders is who is known to hold a lock, or, if that is not certain, may hold it.
type lockHolders struct {
	holders []atomic.Holder
	certain bool
	at      time.Time // when the server was asked
}

// recent reports whether h was seen by one of the last looks.
func (h lockHolders) recent() bool { return time.Since(h.at) < 2*nextLook }

// knew is the parties, each as h has it if h does: that was seen while they held
// the lock, and now they may be doing something else.
func (h lockHolders) knew(parties []atomic.Holder) []atomic.Holder {
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
func (t *transaction) stillHeld(b *block, st Statement, h lockHolders) bool {
	limit := st.Wait
	if limit == nil {
		limit = b.LockWait()
	}
	return time.Since(h.at) < backend.SurelyWaited(t.executor.db.Server, limit) && !strings.Contains(strings.ToUpper(st.SQL), "NOWAIT")
}

// holdersOf follows the waits from self: those who it waits for, then those who
// these wait for.
func holdersOf(self int64, waits []dialect.LockWait) lockHolders {
	var holders []atomic.Holder
	certain := true
	seen := []int64{self}
	for i := 0; i < len(seen) && len(holders) < maxHolders; i++ {
		for _, w := range waits {
			if w.Waiting.ConnectionID != seen[i] {
				continue
			}
			certain = certain && w.Certain
			if i > 0 {
				holders[i-1].Waits = true
			}
			if id := w.Holding.ConnectionID; !slices.Contains(seen, id) {
				seen = append(seen, id)
				holders = append(holders, atomic.Holder{LockParty: w.Holding, Table: w.Table})
			}
		}
	}
	return lockHolders{holders: holders, certain: certain}
}

// asker asks, on a connection of its own, who held a lock.
type asker func(ctx context.Context, watcher backend.LockWatcher, w backend.Wire, self int64) (holders []dialect.LockParty, certain bool, err error)

// explain adds to f who held the lock, if b asked for that and somebody knows.
// It needs connMu, or rows that keep everybody else from sending.
func (t *transaction) explain(ctx context.Context, b *block, st Statement, f *atomic.FailedError) *atomic.FailedError {
	if !b.Explains() {
		return f
	}
	held := t.holders
	switch {
	case errors.Is(f.Err, dialect.ErrDeadlock):
		held.certain = false // who was waited for before need not be who was in it
		if asked := t.askHolders(ctx, st, f.Err); len(asked.holders) > 0 {
			held = lockHolders{holders: held.knew(asked.holders), certain: asked.certain}
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
		f.Err = &atomic.LockHeldError{Holders: held.holders, Certain: held.certain, Err: f.Err}
	}
	return f
}

// askHolders asks the server, after st has failed with err.
func (t *transaction) askHolders(ctx context.Context, st Statement, err error) (held lockHolders) {
	watcher, self := t.watcher()
	if self == 0 {
		return lockHolders{}
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
	conn, err := t.executor.outside(limit, question, func(w backend.Wire) (err error) {
		parties, held.certain, err = ask(limit, watcher, w, self)
		return err
	})
	if err != nil {
		return lockHolders{}
	}
	conn.giveBack()
	for _, p := range parties[:min(len(parties), maxHolders)] {
		held.holders = append(held.holders, atomic.Holder{LockParty: p})
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
func (x *Executor) LockWaits(ctx context.Context) (waits []dialect.LockWait, err error) {
	if err := x.db.Server.Require(dialect.LockWaits); err != nil {
		return nil, err
	}
	watcher, ok := x.db.Engine.(backend.LockWatcher)
	if !ok {
		return nil, &dialect.UnsupportedError{Server: x.db.Server, Feature: dialect.LockWaits.String()}
	}
	connect := x.connect
	if stats := x.db.Pool.Stats(); x.db.Reserve == nil {
		release, err := x.recall(ctx).roomFor(x)
		if err != nil {
			return nil, err
		}
		defer release()
	} else if stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections {
		connect = x.connectAnyhow // who asks wants to know what all the others wait for
	}
	conn, err := x.outsideOn(ctx, connect, question, func(w backend.Wire) (err error) {
		waits, err = watcher.LockWaits(ctx, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	conn.giveBack()
	return waits, nil
}
