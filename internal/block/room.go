package block

import (
	"maps"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/atomic"
)

// connOwners are transactions and sessions that hold a connection.
type connOwners map[any]struct{}

// queue is who waits for one more connection of the pool while it holds some: blocks
// that have set each other aside (Independent, Suspended). If those who wait hold
// all that the pool may open, nobody will ever give one back.
type queue struct {
	mu      sync.Mutex
	waiting map[*connOwners]struct{}
}

// room is for one more connection to wait for, by somebody who holds those: an error
// if it would never come. release is to be called when it is there, or not wanted
// any more.
func (x *Executor) room(held connOwners) (release func(), err error) {
	limit := x.db.Pool.Stats().MaxOpenConnections
	if len(held) == 0 || limit == 0 {
		return func() {}, nil
	}
	q := &x.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	all := maps.Clone(held)
	for other := range q.waiting {
		maps.Copy(all, *other)
	}
	if len(all) >= limit {
		who := "these blocks"
		if len(all) > len(held) {
			who = "blocks that wait for one more, as this one would"
		}
		return nil, &atomic.BlockError{Kind: atomic.ErrPoolExhausted, Reason: "they are held by " + who + "; raise the pool's limit, or do this work after the block (OnCommit)"}
	}
	if q.waiting == nil {
		q.waiting = map[*connOwners]struct{}{}
	}
	q.waiting[&held] = struct{}{}
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.waiting, &held)
	}, nil
}

// roomFor is room for a statement, or a session, that has set sc aside.
func (sc *scope) roomFor(x *Executor) (release func(), err error) {
	if sc == nil {
		return func() {}, nil
	}
	held := connOwners{}
	sc.hold(held)
	return x.room(held)
}

// hold adds who holds a connection of sc and of what that has set aside.
func (sc *scope) hold(held connOwners) {
	for ; sc != nil; sc = sc.outer {
		switch {
		case sc.block != nil:
			sc.block.tx.hold(held)
		case sc.session != nil && sc.session.hasConnection():
			held[sc.session] = struct{}{}
		}
	}
}

func (t *transaction) hold(held connOwners) {
	switch {
	case !t.hasConnection(), t.isElsewhere():
	case t.session != nil:
		held[t.session] = struct{}{}
	default:
		held[t] = struct{}{}
	}
}

// room is for a block's own transaction, which may also have set itself aside: its
// fn uses its ctx inside an Independent block.
func (t *transaction) room() (release func(), err error) {
	t.mu.Lock()
	apart := t.outer != nil || len(t.aside) > 0
	t.mu.Unlock()
	if !apart {
		return func() {}, nil
	}
	held := connOwners{}
	t.outer.hold(held)
	t.holdAside(held)
	return t.executor.room(held)
}

func (t *transaction) holdAside(held connOwners) {
	t.mu.Lock()
	aside := slices.Clone(t.aside)
	t.mu.Unlock()
	for _, o := range aside {
		o.hold(held)
		o.holdAside(held)
	}
}
