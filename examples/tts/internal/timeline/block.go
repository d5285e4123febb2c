package timeline

import (
	"cmp"
	"sync"
)

const maxRows = 64 // ids kept of one attempt; a bound, far above what a worker claims at once

// Lane is the row of the chart that belongs to one goroutine.
type Lane struct {
	recorder *Recorder
	index    int
}

// Block records one atomic.Do. A nil *Block records nothing, so code that may run without a recorder needs no ifs.
type Block struct {
	lane *Lane
	name string

	mu      sync.Mutex
	bar     Bar
	attempt int
	started bool // a statement was sent in this attempt
	ended   bool
}

// Begin is called before atomic.Do. The bar starts later, at the first statement.
func (l *Lane) Begin(name string) *Block {
	if l == nil {
		return nil
	}
	return &Block{lane: l, name: name}
}

// Attempt is called first in the function given to atomic.Do. When the function runs again, the attempt before it was
// rolled back; its bar ends at the last thing that it did, so that the pause before a retry is not drawn as work.
func (b *Block) Attempt() {
	b.do(func() {
		b.finish()
		b.attempt++
		b.bar = Bar{Lane: b.lane.index, Block: b.name, Attempt: b.attempt}
	})
}

// Statement is called before each statement. The first one of an attempt starts its bar.
func (b *Block) Statement() { b.do(b.touch) }

// Wait is called before a statement that may have to wait for a lock; the function that it returns, after it. It counts
// as a statement. Only one that took longer than [Config.MinWait] is recorded as a wait.
func (b *Block) Wait() (done func()) {
	if b == nil {
		return func() {}
	}
	b.do(b.touch)
	start := b.lane.recorder.clock()
	return func() {
		b.do(func() {
			b.touch()
			if end := b.bar.End; end-start >= b.lane.recorder.minWait {
				b.bar.Waits = append(b.bar.Waits, Span{Start: start, End: end})
			}
		})
	}
}

// Rows says which rows the attempt works on.
func (b *Block) Rows(ids ...int64) {
	b.do(func() {
		b.bar.RowCount += len(ids)
		room := maxRows - len(b.bar.Rows)
		b.bar.Rows = append(b.bar.Rows, ids[:min(room, len(ids))]...)
	})
}

// Skipped says how many rows the attempt passed over because somebody else held their locks.
func (b *Block) Skipped(n int) { b.do(func() { b.bar.Skipped += n }) }

// Unlocked marks the attempt as one that works on what it read without a lock.
func (b *Block) Unlocked() { b.do(func() { b.bar.Unlocked = true }) }

// Failed notes how and by which error the attempt ends, [RolledBack] or [Refused]. It is called in the function given to
// atomic.Do, where the error of each attempt can be seen.
func (b *Block) Failed(outcome Outcome, err error) {
	b.do(func() { b.fail(outcome, err) })
}

// End is called with what atomic.Do returned, so that the bar covers the commit. Without an error the block is
// [Committed]; with one, it ended as [Block.Failed] said, or else was [RolledBack]. A block that sent nothing leaves no
// bar. Calls after End change nothing.
func (b *Block) End(err error) {
	b.do(func() {
		if b.started {
			b.bar.End = b.lane.recorder.clock()
		}
		switch {
		case err == nil:
			b.bar.Outcome, b.bar.Note = Committed, ""
		case b.bar.Outcome == "":
			b.fail(RolledBack, err)
		}
		b.finish()
		b.ended = true
	})
}

func (b *Block) do(record func()) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		record()
	}
}

func (b *Block) touch() {
	now := b.lane.recorder.clock()
	if !b.started {
		b.started, b.bar.Start = true, now
	}
	b.bar.End = now
}

func (b *Block) fail(outcome Outcome, err error) {
	if b.started {
		b.bar.End = b.lane.recorder.clock()
	}
	b.bar.Outcome, b.bar.Note = outcome, err.Error()
}

// finish hands the bar of the attempt over, if it has one.
func (b *Block) finish() {
	if b.started {
		b.bar.Outcome = cmp.Or(b.bar.Outcome, RolledBack)
		b.lane.recorder.add(b.bar)
	}
	b.started = false
}
