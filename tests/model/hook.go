package model

// hook is what OnCommit or OnRollback has registered.
type hook struct {
	op     *Hook
	block  *block // who registered it, or has taken over from a block that was nested in it
	undone bool   // the part that registered it was rolled back
}

// register is atomic.OnCommit and atomic.OnRollback.
func (w *world) register(op *Hook, c *ctx) result {
	b := c.block
	if c.late() {
		return fail(BlockClosed)
	}
	if b == nil { // B16: outside any block a hook runs at once
		if op.OnRollback {
			return result{}
		}
		return w.runHook(op, c)
	}
	if b.ended { // B9
		return fail(BlockClosed)
	}
	if b.inner != nil { // B10
		return fail(OuterContext)
	}
	// Silent: also if the block can only roll back.
	b.tx.hooks = append(b.tx.hooks, &hook{op: op, block: b})
	return result{}
}

func (w *world) runHook(op *Hook, c *ctx) result {
	w.ctxs[op.ID] = c
	w.log(op.ID, "hook")
	r := w.body(op.ID, op.Body)
	if op.Robust && !r.exits { // B16: an error or a panic is logged
		return result{}
	}
	return r
}

// runHooks runs the hooks of a transaction that has ended (B16), in the order
// of registration, with the ctx that its Do was given. r is what Do answers
// apart from them.
func (w *world) runHooks(t *tx, committed bool, r result) result {
	var due []*hook
	for _, h := range t.hooks {
		if undone := h.undone || !committed; undone == h.op.OnRollback {
			due = append(due, h)
		}
	}
	for i, h := range due {
		hr := w.runHook(h.op, t.given)
		switch {
		case hr.unwinds() && !r.exits: // Silent: as a deferred function that panics, also instead of a panic
			return hr
		case !hr.unwinds() && hr.err == nil:
			continue
		case r.unwinds(): // B3: it goes on as it was
			return r
		}
		err := r.err.With(hr.err...).With(HookFailed(committed, i+1, len(due)-i-1))
		return result{err: err, value: r.value}
	}
	return r
}
