package state

import (
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
)

// A Point is a place that one can roll back to: a nested block's or a manual
// savepoint. It is unknown to the server until a statement follows it.
type Point struct {
	block *Block // the block that it belongs to: it started it, or set it by hand
	clock int    // tx.clock when it was made
	sent  bool
	wait  *time.Duration // the lock wait limit that the session had when it was sent
	name  string         // the block's name that the server showed then
}

// Savepoint sets one by hand in b (rule B24).
func (b *Block) Savepoint() (*Point, error) {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(b); err != nil {
		return nil, err
	}
	p := &Point{block: b, clock: t.tick()}
	t.points = append(t.points, p)
	return p, nil
}

// Rollback undoes everything since p, which caller has set, and keeps p: what
// was written, the mark of a statement that has failed since, the savepoints and
// the hooks. busy says that rows are still being read.
func (p *Point) Rollback(caller *Block, busy bool) error {
	t := p.block.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.steerable(p, caller, busy); err != nil {
		return err
	}
	if t.phase == Lost {
		return t.usable(p.block)
	}
	t.rollbackTo(p)
	t.revive(p.block, p)
	kept := p.block.hooks[:0:0]
	for _, h := range p.block.hooks {
		if h.clock > p.clock {
			t.dropped = append(t.dropped, h)
		} else {
			kept = append(kept, h)
		}
	}
	p.block.hooks = kept
	return nil
}

// Release forgets p and keeps what was done since.
func (p *Point) Release(caller *Block, busy bool) error {
	t := p.block.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.steerable(p, caller, busy); err != nil {
		return err
	}
	if p.block.state == failed {
		return t.usable(p.block)
	}
	t.release(p)
	return nil
}

// steerable reports why p cannot be used by caller, or nil.
func (t *Transaction) steerable(p *Point, caller *Block, busy bool) error {
	b := p.block
	switch {
	case b.state == ended:
		if t.expired {
			return t.usable(b)
		}
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrBlockClosed, Reason: "the block that set this savepoint has ended, and the savepoint with it"}
	case caller != b:
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrSavepointEnded, Reason: "it belongs to this block; use it with this block's ctx"}
	case t.top() != b:
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrOuterContext, Reason: t.top().Info().String() + " is still in progress"}
	case t.indexOf(p) == 0:
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrSavepointEnded, Reason: "it was released, or an earlier one was rolled back"}
	case busy:
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrRowsOpen, Reason: "close them first"}
	}
	return nil
}

// Set reports whether p can still be rolled back to.
func (p *Point) Set() bool {
	t := p.block.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.block.state != ended && t.indexOf(p) > 0
}

// revive clears the mark that came after p (rule B24).
func (t *Transaction) revive(b *Block, p *Point) {
	if b.state == failed && b.failAt > p.clock && t.phase != Lost && t.phase != Over {
		b.state, b.cause = open, nil
	}
}

func (t *Transaction) indexOf(p *Point) int { return slices.Index(t.points, p) + 1 }

// release forgets p and the points after it. Their effects stay.
func (t *Transaction) release(p *Point) {
	i := t.indexOf(p)
	if i == 0 {
		return
	}
	if p.sent && t.phase == Begun {
		// Releasing a savepoint releases those after it, so their own RELEASE
		// need not be sent.
		for n := len(t.pending); n > 0 && t.pending[n-1].release && t.pending[n-1].index > i; n-- {
			t.pending = t.pending[:n-1]
		}
		t.pending = append(t.pending, pendingControl{text: "RELEASE SAVEPOINT " + savepointName(i), release: true, index: i})
	}
	t.points = t.points[:i-1]
}

// rollbackTo undoes everything since p and keeps p.
func (t *Transaction) rollbackTo(p *Point) {
	i := t.indexOf(p)
	if i == 0 {
		return
	}
	if p.sent {
		// What was still to be said of later savepoints is undone with them.
		for n := len(t.pending); n > 0 && t.pending[n-1].index > i; n-- {
			t.pending = t.pending[:n-1]
		}
		t.pending = append(t.pending, pendingControl{text: "ROLLBACK TO SAVEPOINT " + savepointName(i), index: i})
		if t.waitBack.Transactional {
			t.wait = p.wait
		}
		t.name = p.name
	}
	t.points = t.points[:i]
}
