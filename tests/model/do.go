package model

// open is atomic.Do, seen by the function that calls it.
func (w *world) open(op *Block, on *ctx) result {
	given := &ctx{parent: on, block: on.block, aside: on.aside}
	w.given[op.ID] = given
	r := w.do(op, given)
	if !r.unwinds() {
		if op.Form == Value {
			w.log(op.ID, "value %d", r.value)
		}
		w.log(op.ID, "do: %s", r.err.OfBlock())
		return r
	}
	if op.Goroutine {
		w.logResult(op.ID, "goroutine", r)
		if r.exits {
			return result{}
		}
	}
	if r.panics != "" && op.Recover {
		w.logResult(op.ID, "recovered", r)
		return result{}
	}
	return r
}

// do is atomic.Do.
func (w *world) do(op *Block, given *ctx) result {
	outer := given.block
	inside := outer != nil
	apart := op.Propagation == Independent || op.Propagation == Suspended
	nested := inside && !apart
	ownBlock := op.Propagation != Never && op.Propagation != Suspended
	switch { // Silent: the order of the reasons, where there are several
	case inside && outer.ended || given.late(): // B9: also for what is asked to be apart from it
		return fail(BlockClosed)
	case !ownBlock && (op.NoSavepoint || op.Durable || op.ReadOnly || op.RepeatableRead || op.Retry):
		return fail(Option) // B18: there is no block for them
	case op.Propagation == Never && inside: // B18
		return fail(InBlock)
	case op.Propagation == Mandatory && !inside: // B18
		return fail(NotInBlock)
	case !ownBlock:
		free := &ctx{parent: given, aside: given.aside}
		if inside {
			free.aside = outer
		}
		r := w.run(op, free)
		if r.err == nil { // Silent: atomic.Rollback is an error where nothing can be rolled back
			r.value = Answer
		}
		return r
	case nested && op.Durable: // B14
		return fail(Durable)
	case nested && (op.ReadOnly || op.RepeatableRead || op.Retry): // B18
		return fail(Option)
	case given.ended() != nil: // B11
		return result{err: given.ended()}
	}
	if !nested {
		outer = nil
	} else if err := w.admit(given); err != nil {
		return result{err: err}
	}
	b := w.newBlock(op.Options, outer, given)
	return w.end(b, w.run(op, b.ctx))
}

// run runs the block's function.
func (w *world) run(op *Block, c *ctx) result {
	w.ctxs[op.ID] = c
	w.log(op.ID, "fn")
	return w.body(op.ID, op.Body)
}

// beginTx is a transaction of database/sql: a block that its Commit or Rollback
// ends.
func (w *world) beginTx(op *Tx, c *ctx) result {
	b, err := w.openTx(op, c)
	w.logResult(op.ID, "begin", result{err: err})
	if err != nil {
		return result{err: err}
	}
	b.ctx.sqlTx = true
	w.ctxs[op.ID] = b.ctx
	if r := w.body(op.ID, op.Body); r.err != nil {
		w.logResult(op.ID, "rollback", w.end(b, fail(Rollback)))
		return r
	}
	r := w.end(b, result{})
	w.logResult(op.ID, "commit", r)
	return r
}

// openTx is BeginTx.
func (w *world) openTx(op *Tx, c *ctx) (*block, Error) {
	if err := early(BySQL, false, c); err != nil {
		return nil, err
	}
	o := Options{ReadOnly: op.ReadOnly}
	if c.block != nil && op.ReadOnly {
		return nil, NewError(Option) // B18
	}
	if err := w.admit(c); err != nil {
		return nil, err
	}
	return w.newBlock(o, c.block, c), nil
}
