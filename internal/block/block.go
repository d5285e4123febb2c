package block

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// A block is one Do in progress. The outermost owns a transaction; a nested one
// is a savepoint in it, or has joined the block around it.
//
// The state of a block and of its transaction changes in this file only:
//
//	block    event                                        becomes
//	open     a statement fails                            failed
//	open     the transaction is lost                      failed  (every block of it, rule B8)
//	open     a joined block inside it fails               failed  (rule B5)
//	failed   a manual savepoint from before is rolled     open    (rule B24; not if the
//	         back to                                               transaction is lost)
//	open     fn returned, and the part is kept            ended
//	any      fn left in any other way                     ended
//
//	transaction
//	unsent   the first statement is sent, BEGIN with it   begun
//	begun    the server has ended it, or the connection   lost
//	         is gone, or a control statement failed
//	any      the outermost block ends                     over
//
// Only an open block in an unsent or begun transaction sends statements. From
// failed, no way leads to a commit but through the rollback to a savepoint; from
// lost none does; and ended is final.
type block struct {
	tx     *transaction
	parent *block // nil for the outermost
	depth  int    // 1 is the outermost
	opts   *seam.Options
	site   seam.Site
	ctx    context.Context // of the caller; hooks run with it
	point  *point          // its savepoint; nil for the outermost and for a joined one

	// The rest is guarded by tx.mu.
	state  blockState
	cause  error // what failed it; set with failed and kept after
	failAt int   // tx.clock when it failed
	undo   bool  // SetRollback
	hooks  []*hook
}

type blockState uint8

const (
	open blockState = iota
	failed
	ended
)

// point is a place that one can roll back to: a nested block's or a manual
// savepoint. It is unknown to the server until a statement follows it.
type point struct {
	block *block // the block that it belongs to: it started it, or set it by hand
	clock int    // tx.clock when it was made
	sent  bool
	wait  *time.Duration // the lock wait limit that the session had when it was sent
	name  string         // the block's name that the server showed then
}

// A transaction belongs to one outermost block, or to a session between two
// commits.
type transaction struct {
	executor *Executor
	root     *block   // the outermost
	outer    *scope   // set aside by Independent or Suspended; nil: nothing
	session  *session // owns the connection; nil: the transaction does
	attempt  int      // of Retry, from 1

	// connMu is held by whoever uses the connection.
	connMu mutex

	// Guarded by connMu.
	conn    *connection
	control backend.Control // what Begin said
	holders lockHolders     // of the lock that the last statement waited for (ExplainLocks)
	// afterwards gives back what outlives the transaction: advisory locks of MySQL.
	afterwards []string

	// mu guards everything below, and the blocks. It is never held while
	// waiting for the server.
	mu         sync.Mutex
	phase      phase
	clock      int              // counts blocks, savepoints, hooks and failures, to tell which came first
	stack      []*block         // the blocks in progress, root first
	points     []*point         // those that can still be rolled back to
	pending    []pendingControl // what the server has to be told before the next statement
	wait       *time.Duration
	waitBack   backend.Control // takes wait back
	name       string          // the block's name that the server shows (backend.Namer)
	rows       *streamRows     // rows that are still being read
	dropped    []*hook         // hooks of parts that were rolled back
	aside      []*transaction  // in progress in Independent blocks opened from this one's
	seen       []*dialect.Error
	wrote      bool // a statement was sent that may have written
	lastActive time.Time
	idle       *time.Timer
	expired    bool // ended by a time limit, its connection already given back
	// resolvedBack: COMMIT had no answer, and the transaction is known to have
	// been rolled back.
	resolvedBack bool
}

type phase uint8

const (
	unsent phase = iota
	begun
	lost
	over
)

func (t *transaction) tick() int {
	t.clock++
	return t.clock
}

// saw remembers what the server said, for Retry to decide by (rule B17).
func (t *transaction) saw(e *dialect.Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, e)
}

func (t *transaction) top() *block { return t.stack[len(t.stack)-1] }

// newTransaction starts a transaction with its outermost block. Nothing is sent
// (rule B21).
func newTransaction(x *Executor, sc *scope, root *block) *transaction {
	t := &transaction{executor: x, root: root, outer: sc.outer, session: sc.session, attempt: 1, connMu: newMutex()}
	t.push(root, false)
	if around := t.around(); around != nil {
		around.mu.Lock()
		around.aside = append(around.aside, t)
		around.mu.Unlock()
	}
	return t
}

// around is the transaction that an Independent block has set aside, or nil.
func (t *transaction) around() *transaction {
	if t.outer == nil || t.outer.block == nil {
		return nil
	}
	return t.outer.block.tx
}

// push adds a block.
func (t *transaction) push(b *block, savepoint bool) {
	b.tx, b.depth = t, len(t.stack)+1
	if savepoint {
		b.point = &point{block: b, clock: t.tick()}
		t.points = append(t.points, b.point)
	}
	t.stack = append(t.stack, b)
}

// fail marks b with its first failure.
func (t *transaction) fail(b *block, cause error) {
	if b.state == open {
		b.state, b.cause, b.failAt = failed, cause, t.tick()
	}
}

// lose marks every block: the server has ended the transaction, or nobody can
// tell (rule B8).
func (t *transaction) lose(cause error) {
	if t.phase != over {
		t.phase = lost
	}
	for _, b := range t.stack {
		t.fail(b, cause)
	}
}

// revive clears the mark that came after p (rule B24).
func (t *transaction) revive(b *block, p *point) {
	if b.state == failed && b.failAt > p.clock && t.phase != lost && t.phase != over {
		b.state, b.cause = open, nil
	}
}

// keep hands the part of a nested block over to the block around it.
func (t *transaction) keep(b *block) {
	if b.point != nil {
		t.release(b.point)
	}
	b.parent.hooks = append(b.parent.hooks, b.hooks...)
	t.pop(b)
}

// discard undoes the part of a nested block. One that had joined has no part of
// its own: the block around it can only roll back (rule B5).
func (t *transaction) discard(b *block, cause error) {
	t.dropped = append(t.dropped, b.hooks...)
	if b.point != nil {
		if t.phase == begun {
			t.rollbackTo(b.point)
		}
		t.release(b.point)
	} else {
		t.fail(b.parent, cause)
	}
	t.pop(b)
}

func (t *transaction) pop(b *block) {
	b.state, b.hooks = ended, nil
	t.stack = t.stack[:len(t.stack)-1]
}

// finish ends every block and the transaction, and takes the hooks out.
func (t *transaction) finish() (hooks []*hook) {
	hooks = t.root.hooks
	for i, b := range t.stack {
		if i > 0 { // left behind by a goroutine: its part goes down with the transaction
			t.dropped = append(t.dropped, b.hooks...)
		}
		b.state, b.hooks = ended, nil
	}
	t.phase = over
	if t.idle != nil {
		t.idle.Stop()
	}
	return hooks
}

func (b *block) info() atomic.BlockInfo {
	info := atomic.BlockInfo{Name: b.opts.Name, Depth: b.depth}
	info.File, info.Line = b.site.Position()
	return info
}
