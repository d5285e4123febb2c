package state

import (
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// A pendingControl is a control statement that waits for a statement to travel
// with: no control statement but the last is worth a round trip of its own.
type pendingControl struct {
	text    string
	release bool // RELEASE SAVEPOINT: needless before COMMIT
	index   int  // which savepoint it is about; 0: none
}

// A Prefix is what travels in front of one statement, and what it changes once
// the server has worked on it.
type Prefix struct {
	Statements []string

	control  backend.Control // of BEGIN
	points   int             // so many points are known to the server then
	wait     *time.Duration
	waitBack backend.Control
	name     string
	oldName  string           // that of the new savepoints
	after    []pendingControl // to be sent after the statement
}

// Prefix collects what has to be said in front of a statement of b, in this order:
// what an engine wants before BEGIN, BEGIN and the settings behind it; what is
// pending (RELEASE, ROLLBACK TO); a SAVEPOINT for each point that the server does
// not know; the limit on waiting for locks (wait, or nil for that of b); the
// block's name; and a guard, if guarded: the statement may end the transaction
// unseen. What is as it should be is not said again. Nothing changes yet: the statement may never be sent. first
// says that it begins the transaction.
//
// It is an error if b cannot send any more: a block that another goroutine has opened
// inside it since it was asked would take the statement into its own savepoint.
func (b *Block) Prefix(wait *time.Duration, guarded bool) (p Prefix, first bool, err error) {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(b); err != nil {
		return Prefix{}, false, err
	}
	p = Prefix{control: t.control, points: len(t.points), wait: t.wait, waitBack: t.waitBack, name: t.name, oldName: t.name}
	if wait == nil {
		wait = b.LockWait()
	}
	waiting := p.waitAsLongAs(t, wait)

	if t.phase == Unsent {
		c, err := t.engine.Begin(t.beginOptions())
		if err != nil {
			return Prefix{}, true, err
		}
		p.control, p.name, p.oldName = c, t.root.Opts.Name, t.root.Opts.Name
		p.add(waiting.Before...)
		p.add(c.Before...)
		p.add(c.Begin)
		p.add(c.Inside...)
	}
	for _, c := range t.pending {
		p.add(c.text)
	}
	for i, point := range t.points {
		if !point.sent {
			p.add("SAVEPOINT " + savepointName(i+1))
		}
	}
	p.add(waiting.Inside...)
	if namer, ok := t.engine.(backend.Namer); ok && b.Name() != p.name {
		p.add(namer.Rename(p.name, b.Name())...)
		p.name = b.Name()
	}
	if guarded {
		// The statement may end the transaction unseen. Then the guard is gone
		// with it, its release fails, and so does what travels with that.
		p.add("SAVEPOINT " + guard)
		p.after = append(p.after, pendingControl{text: releaseGuard})
	}
	return p, t.phase == Unsent, nil
}

// Precede has a control statement travel in front of the first statement of a
// transaction in which nothing was sent, behind BEGIN.
func (t *Transaction) Precede(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == Unsent {
		t.pending = append(t.pending, pendingControl{text: text})
	}
}

const (
	guard        = "hf_guard"
	releaseGuard = "RELEASE SAVEPOINT " + guard
	// GuardHolds is a statement that fails if the transaction in which the guard
	// was set has ended.
	GuardHolds = "ROLLBACK TO SAVEPOINT " + guard
)

// Guarded reports whether a guard was set by the last statement.
func (t *Transaction) Guarded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.pending, func(c pendingControl) bool { return c.text == releaseGuard })
}

func (p *Prefix) add(statements ...string) { p.Statements = append(p.Statements, statements...) }

// waitAsLongAs spells the change of the limit on waiting for a lock.
func (p *Prefix) waitAsLongAs(t *Transaction, limit *time.Duration) (waiting backend.Control) {
	if sameWait(limit, t.wait) {
		return backend.Control{}
	}
	if t.wait != nil {
		if t.phase == Unsent { // BEGIN itself was refused before
			waiting.Before = t.waitBack.Restore
		} else {
			waiting.Inside = t.waitBack.Restore
		}
		p.wait = nil
	}
	if limit != nil {
		c := t.engine.LockWait(*limit)
		waiting.Before = slices.Concat(waiting.Before, c.Before)
		waiting.Inside = slices.Concat(waiting.Inside, c.Inside)
		p.wait, p.waitBack = limit, c
	}
	return waiting
}

func sameWait(a, b *time.Duration) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func (t *Transaction) beginOptions() backend.TxOptions {
	o := t.root.Opts
	return backend.TxOptions{
		Isolation: o.Isolation, ReadOnly: o.ReadOnly, Deferrable: o.Deferrable,
		Name: o.Name, Timeout: o.Timeout, Idle: o.Idle,
	}
}

// Sent records that the server has worked on p.
func (t *Transaction) Sent(p Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == Unsent {
		t.phase = Begun
	}
	t.control = p.control
	for _, point := range t.points[:min(p.points, len(t.points))] {
		if !point.sent {
			point.sent, point.wait, point.name = true, t.wait, p.oldName
		}
	}
	t.wait, t.waitBack, t.name = p.wait, p.waitBack, p.name
	t.pending = append(t.pending[:0], p.after...)
}

// NotBegun records that the server has refused BEGIN, after a limit on waiting
// was set in front of it, which is still in force.
func (t *Transaction) NotBegun(p Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wait, t.waitBack = p.wait, p.waitBack
}

// beforeCommit is what goes in front of COMMIT.
func (t *Transaction) beforeCommit() (statements []string) {
	for _, c := range t.pending {
		if !c.release {
			statements = append(statements, c.text)
		}
	}
	statements = append(statements, t.control.Commit...)
	return append(statements, t.restores()...)
}

// restores puts the session back as it was.
func (t *Transaction) restores() (all []string) {
	if t.wait != nil && !t.waitBack.Transactional {
		all = append(all, t.waitBack.Restore...)
	}
	if !t.control.Transactional {
		all = append(all, t.control.Restore...)
	}
	return all
}

// savepointName: the names are few and come again, so that they fit into the
// server's statement cache.
func savepointName(index int) string { return "hf_" + strconv.Itoa(index) }
