package model

import "maps"

// block is an atomic.Do in progress.
type block struct {
	tx    *tx
	outer *block // the block it is nested in, or nil
	inner *block // the block that is nested in it and open, or nil
	ctx   *ctx   // what its function was given
	joins bool   // no savepoint of its own (B5)

	failed Error // what its first failed statement said (B6)
	asked  bool  // SetRollback (B20)
	ended  bool

	start  place    // where its part of the transaction begins
	points []*point // the savepoints set in it, the ended ones too
}

// place is a place in a transaction to which can be rolled back.
type place struct {
	own     rows
	hooks   int
	touched bool
}

func (t *tx) here() place {
	return place{own: maps.Clone(t.own), hooks: len(t.hooks), touched: t.touched}
}

// undo undoes what b has done since.
func (b *block) undo(since place) {
	b.tx.own = maps.Clone(since.own)
	if b.tx.forgets && !since.touched {
		b.tx.snapshot, b.tx.touched = nil, false
	}
	for _, h := range b.tx.hooks[since.hooks:] {
		h.undone = h.undone || h.block == b // B16
	}
}

// mark keeps the first failure of the block.
func (b *block) mark(err Error) {
	if b.failed == nil {
		b.failed = err
	}
}

// newBlock opens a block in outer, or an outermost one if that is nil.
func (w *world) newBlock(o Options, outer *block, given *ctx) *block {
	b := &block{outer: outer}
	if outer == nil {
		b.tx = w.newTx(o, given)
	} else {
		b.tx = outer.tx
		b.joins = o.NoSavepoint || o.Propagation == Join || o.Propagation == Mandatory
		outer.inner = b
	}
	b.start = b.tx.here()
	b.ctx = &ctx{parent: given, block: b}
	return b
}

// end ends a block whose function ended with r. What is kept of a nested one,
// and what became of its hooks, is from then on the outer one's.
func (w *world) end(b *block, r result) result {
	keep, r := b.verdict(r)
	b.ended = true
	if b.outer == nil {
		return w.endTx(b, keep, r)
	}
	b.outer.inner = nil
	switch {
	case keep:
	case b.joins: // B5
		b.outer.mark(append(Error{}, b.reason(r)...))
	default: // B4, B7
		b.undo(b.start)
	}
	for _, h := range b.tx.hooks {
		if h.block == b {
			h.block = b.outer
		}
	}
	return r
}

// reason is why the block around one that joins can only roll back.
func (b *block) reason(r result) Error {
	if r.unwinds() {
		return b.failed.With(b.ctx.ended()...)
	}
	return b.failed.With(r.err...)
}

// verdict says whether what the block did is kept, and what Do answers.
func (b *block) verdict(r result) (keep bool, _ result) {
	cause := b.ctx.ended()
	switch {
	case r.unwinds(): // B3
		return false, r
	case len(r.err) == 1 && r.err.Has(Rollback): // B20: its own wish, and nothing besides
		return false, result{}
	case r.err != nil: // B2, with B6 and B11: all that happened is in the chain
		return false, result{err: r.err.With(b.failed...).With(cause...)}
	case b.asked: // B20; Silent: also if ctx was cancelled since
		return false, result{}
	case cause != nil: // B11
		return false, result{err: cause.With(b.failed...)}
	case b.failed != nil: // B6
		return false, result{err: b.failed.With(RollbackRequired)}
	default: // B1
		return true, result{value: Answer}
	}
}

// endTx commits or rolls back a whole transaction.
func (w *world) endTx(b *block, keep bool, r result) result {
	t := b.tx
	if w.writer == t {
		w.writer = nil
	}
	if keep {
		maps.Copy(w.rows, t.own)
	}
	return w.runHooks(t, keep, r)
}
