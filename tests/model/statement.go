package model

// admit says why nothing may be done in the block of c, or nil. None of these
// reasons marks a block: nothing was tried.
func (w *world) admit(c *ctx) Error {
	switch b := c.block; {
	case c.late(): // B9
		return NewError(BlockClosed)
	case b == nil:
		return nil
	case b.ended: // B9
		return NewError(BlockClosed)
	case b.inner != nil: // B10
		return NewError(OuterContext)
	case b.failed != nil: // B6
		return b.failed.With(RollbackRequired)
	default:
		return nil
	}
}

// late reports whether the block that c was set aside from has ended.
func (c *ctx) late() bool { return c.block == nil && c.aside != nil && c.aside.ended }

// admitStatement is admit for what is sent at once. Blocks and savepoints may
// be opened while rows are being read: nothing is sent then (B21, B24).
func (w *world) admitStatement(c *ctx) Error {
	err := w.admit(c)
	if err == nil && c.block != nil && c.block.tx.reading > 0 { // B10
		return NewError(RowsOpen)
	}
	return err
}

// early is the error of a ctx that was cancelled before the statement. A *sql.DB
// looks there before it asks anybody, so that Canceled comes before all other
// errors, and the block does not get to know of the statement.
func early(way Way, canceled bool, c *ctx) Error {
	if (way != ByExecutor || c.sqlTx) && (canceled || c.ended() != nil) {
		return NewError(Canceled)
	}
	return nil
}

// begin is the BEGIN that travels with a transaction's first statement (B21).
func (w *world) begin(t *tx) Error {
	if !t.begun && w.engine.OneWriter && !t.readOnly {
		if w.writer != nil {
			return NewError(LockNotAvailable) // L4
		}
		w.writer = t
	}
	t.begun = true
	return nil
}

// insert adds a row.
func (w *world) insert(op *Insert, c *ctx) Error {
	if err := early(op.Way, op.Canceled, c); err != nil {
		return err
	}
	if err := w.admitStatement(c); err != nil {
		return err
	}
	l := w.outside
	if c.block != nil {
		if c.block.tx.lane == nil {
			c.block.tx.lane = w.newLane()
		}
		l = c.block.tx.lane
	}
	key := l.first + 1 + op.Slot
	w.plan[op.ID] = key
	err := w.tryInsert(op, key, c)
	if c.block != nil {
		c.block.mark(err) // B6
	}
	return err
}

func (w *world) tryInsert(op *Insert, key int, c *ctx) Error {
	if err := c.ended(); err != nil { // B11
		return err
	}
	if op.Canceled {
		return NewError(Canceled)
	}
	taken := op.Slot == 0 || w.rows[key]
	if c.block == nil {
		switch {
		case w.engine.OneWriter && w.writer != nil:
			return NewError(LockNotAvailable)
		case taken:
			return NewError(UniqueViolation)
		}
		w.rows[key] = true // autocommit, A1
		return nil
	}
	t := c.block.tx
	if err := w.begin(t); err != nil {
		return err
	}
	if t.fixesAtOnce {
		w.visible(t)
	}
	t.touched = t.touched || !t.readOnly
	switch {
	case t.readOnly: // B22
		return NewError(ReadOnlyViolation)
	case taken || t.own[key]:
		return NewError(UniqueViolation)
	}
	t.own[key] = true
	return nil
}

// read reads all rows that are visible.
func (w *world) read(op *Read, c *ctx) ([]int, Error) {
	if err := early(op.Way, false, c); err != nil {
		return nil, err
	}
	if err := w.admitStatement(c); err != nil {
		return nil, err
	}
	if c.block == nil {
		return w.rows.sorted(), c.ended()
	}
	t := c.block.tx
	err := c.ended() // B11
	if err == nil {
		err = w.begin(t)
	}
	if c.block.mark(err); err != nil {
		return nil, err
	}
	t.touched = true
	return w.visible(t).sorted(), nil
}

// openRows opens rows, runs the body of op and closes them.
func (w *world) openRows(op *Rows, c *ctx) result {
	seen, err := w.read(&Read{Call: op.Call, Way: op.Way}, c)
	w.logResult(op.ID, "rows opened", result{err: err})
	if err != nil {
		return result{err: err}
	}
	if c.block != nil {
		c.block.tx.reading++
		defer func() { c.block.tx.reading-- }()
	}
	r := w.body(op.ID, op.Body)
	if !r.unwinds() && r.err == nil {
		w.log(op.ID, "saw %v", seen)
	}
	w.logResult(op.ID, "rows closed", result{})
	return r
}

// control tries to send COMMIT or its like inside a block: B15. That does not
// mark the block, since nothing was sent.
func (w *world) control(op *Control, c *ctx) Error {
	w.plan[op.ID] = 0
	if err := early(BySQL, false, c); err != nil {
		return err
	}
	if err := w.admitStatement(c); err != nil {
		return err
	}
	return NewError(TransactionControl)
}
