package block

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block/state"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// A block is one Do in progress: its state, the transaction that it belongs to,
// and the ctx of its caller, with which its hooks run.
type block struct {
	*state.Block
	tx  *transaction
	ctx context.Context
}

// A transaction is what the blocks of one outermost block share: their states,
// and a connection.
type transaction struct {
	executor *Executor
	state    *state.Transaction
	root     *block   // the outermost
	first    block    // root's place: one allocation less
	outer    *scope   // set aside by Independent or Suspended; nil: nothing
	session  *session // owns the connection; nil: the transaction does
	lent     bool     // the session had the connection before, and perhaps settings on it
	attempt  int      // of Retry, from 1

	// connMu is held by whoever uses the connection.
	connMu mutex

	// Guarded by connMu.
	holders lockHolders // of the lock that the last statement waited for (ExplainLocks)
	// guardHolds: the guard of the last statement was asked for after it failed, and
	// is there.
	guardHolds bool
	// afterwards gives back what outlives the transaction: advisory locks of MySQL.
	afterwards []string
	// unhold gives a session its autocommit back, after a statement that might have ended
	// the transaction. A connection of the pool is closed instead.
	unhold string

	// mu guards the rest. It is never held while waiting for the server.
	mu         sync.Mutex
	ended      ending // how, once it has; before the hooks run
	conn       *connection
	rows       *streamRows    // rows that are still being read
	aside      []*transaction // in progress in Independent blocks opened from this one's
	named      []namedPoint   // savepoints that were set by a text
	seen       []*dialect.Error
	claim      string     // of Once, in front of the first statement; "": none
	last       *Statement // travels with COMMIT
	keys       []string   // of Once, in progress
	wrote      bool       // a statement was sent that may have written
	hooked     bool       // a hook has run, or begun to
	lastActive time.Time
	idle       *time.Timer
	// elsewhere: it reads, or has read, on a replica.
	elsewhere bool
	// endedUnseen: a statement has ended the transaction, and the work before it
	// may be committed.
	endedUnseen bool
	// nothingKept: COMMIT had no answer, and yet nothing of the transaction is kept:
	// it was rolled back, or had written nothing. So it may run again.
	nothingKept bool
}

// newTransaction starts a transaction with its outermost block. Nothing is sent
// (rule B21).
func newTransaction(ctx context.Context, x *Executor, sc *scope, o *seam.Options, from seam.Site) *transaction {
	t := &transaction{executor: x, outer: sc.outer, session: sc.session, attempt: 1, connMu: newMutex()}
	t.state = state.New(x.db.Engine, o, from)
	t.first = block{Block: t.state.Root(), tx: t, ctx: ctx}
	t.root = &t.first
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

// saw remembers what the server said, for Retry to decide by (rule B17).
func (t *transaction) saw(e *dialect.Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, e)
	t.endedUnseen = t.endedUnseen || endedIn(e)
}

// wasEnded reports whether a statement has ended the transaction unseen.
func (t *transaction) wasEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.endedUnseen
}

// sent records what travelled with a statement that the server has worked on.
func (t *transaction) sent(p state.Prefix, wrote bool) {
	t.state.Sent(p)
	t.guardHolds = false
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrote = t.wrote || wrote || t.claim != "" // which has travelled with it
}

// mayHaveWritten is false when every statement was a SELECT of the query
// builder.
func (t *transaction) mayHaveWritten() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrote
}

// use takes conn into use. It needs connMu.
func (t *transaction) use(conn *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn = conn
	t.elsewhere = t.elsewhere || conn.replica != nil
}

// drop takes the connection out of the transaction's hands.
func (t *transaction) drop() *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	conn := t.conn
	t.conn = nil
	return conn
}

func (t *transaction) hasConnection() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil
}

// isElsewhere reports whether the connection is one to a replica.
func (t *transaction) isElsewhere() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil && t.conn.replica != nil
}

// openRows is the result that is still being read, or nil.
func (t *transaction) openRows() *streamRows {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows
}
