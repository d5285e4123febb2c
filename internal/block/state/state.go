// Package state has the states of a transaction and of its blocks: what each
// may still do, what a failure does to it, what is pending on the way to the
// server, and what becomes of a block at its end. It sends nothing and waits for
// nobody; each verb is one step, whatever goroutines call.
//
//	block    event                                        becomes
//	open     a statement fails (Fail)                     failed
//	open     the transaction is lost (Lose)               failed  (every block of it, rule B8)
//	open     a joined block inside it fails               failed  (rule B5)
//	failed   a manual savepoint from before is rolled     open    (rule B24; not if the
//	         back to (Point.Rollback)                              transaction is lost)
//	open     fn returned, and the part is kept (End)      ended
//	any      fn left in any other way (End, Expire)       ended
//
//	transaction
//	Unsent   the first statement is sent, BEGIN with it   Begun   (Sent)
//	Begun    the server has ended it, or the connection   Lost    (Lose)
//	         is gone, or a control statement failed
//	any      the outermost block ends                     Over    (End, Expire, Forget)
//
// Only an open block in a transaction that is Unsent or Begun sends statements.
// From failed, no way leads to a commit but through the rollback to a savepoint;
// from Lost none does; and ended is final.
package state

import (
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// A Block is one Do in progress. The outermost owns a transaction; a nested one
// is a savepoint in it, or has joined the block around it.
type Block struct {
	Opts *seam.Options

	site   seam.Site
	tx     *Transaction
	parent *Block // nil for the outermost
	depth  int    // 1 is the outermost
	point  *Point // its savepoint; nil for the outermost and for a joined one

	// The rest is guarded by tx.mu.
	state  blockState
	cause  error // what failed it; set with failed and kept after
	failAt int   // tx.clock when it failed
	undo   bool  // SetRollback
	hooks  []*Hook
}

type blockState uint8

const (
	open blockState = iota
	failed
	ended
)

// A Transaction belongs to one outermost block, or to a session between two
// commits.
type Transaction struct {
	engine backend.Engine
	root   *Block

	mu      sync.Mutex
	phase   Phase
	clock   int      // counts savepoints, hooks and failures, to tell which came first
	stack   []*Block // the blocks in progress, root first
	first   Block    // places of root and of a short stack: two allocations less
	room    [2]*Block
	expired bool    // ended by a time limit
	kept    []*Hook // of the outermost block, when it has ended
	dropped []*Hook // of parts that were rolled back

	// What the server knows, and what it has to be told before the next statement.
	points   []*Point // those that can still be rolled back to
	pending  []pendingControl
	control  backend.Control // what Begin said
	wait     *time.Duration
	waitBack backend.Control // takes wait back
	name     string          // the block's name that the server shows (backend.Namer)
}

// Phase is where a transaction stands.
type Phase uint8

// The phases of a transaction.
const (
	Unsent Phase = iota
	Begun
	Lost
	Over
)

// New starts a transaction with its outermost block. Nothing is to be sent (rule
// B21).
func New(engine backend.Engine, o *seam.Options, from seam.Site) *Transaction {
	t := &Transaction{engine: engine}
	t.first = Block{Opts: o, site: from}
	t.root, t.stack = &t.first, t.room[:0]
	t.push(t.root, false)
	return t
}

// Root is the outermost block.
func (t *Transaction) Root() *Block { return t.root }

// Enter opens a block inside b, with a savepoint of its own or joined to b.
func (b *Block) Enter(o *seam.Options, from seam.Site, savepoint bool) (*Block, error) {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(b); err != nil {
		return nil, err
	}
	inner := &Block{parent: b, Opts: o, site: from}
	t.push(inner, savepoint)
	return inner, nil
}

func (t *Transaction) push(b *Block, savepoint bool) {
	b.tx, b.depth = t, len(t.stack)+1
	if savepoint {
		b.point = &Point{block: b, clock: t.tick()}
		t.points = append(t.points, b.point)
	}
	t.stack = append(t.stack, b)
}

func (t *Transaction) tick() int {
	t.clock++
	return t.clock
}

func (t *Transaction) top() *Block { return t.stack[len(t.stack)-1] }

// Usable reports why b cannot send a statement, or nil.
func (b *Block) Usable() error {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	return b.tx.usable(b)
}

func (t *Transaction) usable(b *Block) error {
	switch {
	case b.state == ended && t.expired:
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrBlockClosed, Err: b.cause}
	case b.state == ended: // B9
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrBlockClosed, Reason: "this ctx has outlived its block; pass the ctx of a block that is in progress"}
	case b.state == failed: // B6
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrRollbackRequired, Reason: "nothing was sent, because of the failure before", Err: b.cause}
	case t.top() != b: // B10
		return &atomic.BlockError{Block: b.Info(), Kind: atomic.ErrOuterContext,
			Reason: "use the ctx of " + t.top().Info().String() + ", or wait until that block has ended"}
	}
	return nil
}

// Fail marks b with its first failure. A block that a time limit has ended
// meanwhile stays as it is.
func (b *Block) Fail(cause error) {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	b.tx.fail(b, cause)
}

// Lose marks every block: the server has ended the transaction, or nobody can
// tell (rule B8).
func (b *Block) Lose(cause error) {
	t := b.tx
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.state == ended {
		return
	}
	if t.phase != Over {
		t.phase = Lost
	}
	for _, each := range t.stack {
		t.fail(each, cause)
	}
}

func (t *Transaction) fail(b *Block, cause error) {
	if b.state == open {
		b.state, b.cause, b.failAt = failed, cause, t.tick()
	}
}

// Cause is what failed b, or nil.
func (b *Block) Cause() error {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	return b.cause
}

// SetRollback has b rolled back at its end, or takes that back. It revives no
// block in which a statement has failed.
func (b *Block) SetRollback(rollback bool) error {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	if b.state == ended || b.tx.top() != b || b.state == failed && !rollback {
		return b.tx.usable(b)
	}
	b.undo = rollback
	return nil
}

// Ended reports whether b has ended.
func (b *Block) Ended() bool {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	return b.state == ended
}

// NeedsRollback reports whether b has failed, or was asked to roll back.
func (b *Block) NeedsRollback() bool {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	return b.state == failed || b.undo
}

// Nested is the innermost block, or nil if that is the outermost one.
func (t *Transaction) Nested() *Block {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.stack) > 1 {
		return t.top()
	}
	return nil
}

// Phase is where the transaction stands.
func (t *Transaction) Phase() Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase
}

// Outermost reports whether b owns the transaction.
func (b *Block) Outermost() bool { return b.parent == nil }

// Joined reports whether b has no savepoint of its own in the block around it.
func (b *Block) Joined() bool { return b.parent != nil && b.point == nil }

// Depth is 1 for the outermost block.
func (b *Block) Depth() int { return b.depth }

// Info is what errors say of b.
func (b *Block) Info() atomic.BlockInfo {
	info := Info(b.Opts, b.depth, &b.site)
	if b.parent != nil {
		info.Options = b.inForce().String()
	}
	return info
}

// WouldBe is what errors say of a block with these options that is refused in b.
func (b *Block) WouldBe(o *seam.Options, from *seam.Site) atomic.BlockInfo {
	refused := Block{tx: b.tx, parent: b, depth: b.depth + 1, Opts: o, site: *from}
	return refused.Info()
}

// inForce are the options of b, and those of the blocks around it that hold in it.
func (b *Block) inForce() *seam.Options {
	o := *b.tx.root.Opts
	o.LockWait, o.Explain = b.LockWait(), b.Explains()
	for ; b != nil; b = b.parent {
		if b.Opts.Timeout > 0 && (o.Timeout == 0 || b.Opts.Timeout < o.Timeout) {
			o.Timeout = b.Opts.Timeout
		}
	}
	return &o
}

// Info is what errors say of a block with these options.
func Info(o *seam.Options, depth int, from *seam.Site) atomic.BlockInfo {
	info := atomic.BlockInfo{Name: o.Name, Depth: depth, Options: o.String()}
	info.File, info.Line = from.Position()
	return info
}

// Name is that of b or of the nearest block around it that has one.
func (b *Block) Name() string {
	for ; b != nil; b = b.parent {
		if b.Opts.Name != "" {
			return b.Opts.Name
		}
	}
	return ""
}

// LockWait is the limit on waiting for a lock of b or of the nearest block
// around it that has one.
func (b *Block) LockWait() *time.Duration {
	for ; b != nil; b = b.parent {
		if b.Opts.LockWait != nil {
			return b.Opts.LockWait
		}
	}
	return nil
}

// Explains reports whether b or a block around it explains locks.
func (b *Block) Explains() bool {
	for ; b != nil; b = b.parent {
		if b.Opts.Explain {
			return true
		}
	}
	return false
}
