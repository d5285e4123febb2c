package timeline

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stopwatch is a recorder whose time stands still unless the test moves it.
type stopwatch struct {
	*Recorder
	now time.Duration
}

func newStopwatch(config Config) *stopwatch {
	s := &stopwatch{Recorder: NewRecorder(config)}
	s.clock = func() time.Duration { return s.now }
	return s
}

func (s *stopwatch) pass(ms int) { s.now += time.Duration(ms) * time.Millisecond }

func ms(start, end int) Span {
	return Span{time.Duration(start) * time.Millisecond, time.Duration(end) * time.Millisecond}
}

func TestABarRunsFromTheFirstStatementToTheEnd(t *testing.T) {
	rec := newStopwatch(Config{})
	block := rec.Lane(Worker).Begin("claim")
	rec.pass(10)
	block.Attempt()
	rec.pass(10)
	block.Statement()
	rec.pass(10)
	done := block.Wait()
	rec.pass(10)
	done()
	block.Rows(3, 5)
	block.Skipped(2)
	rec.pass(10)
	assert.Empty(t, rec.Recording().Bars, "a block in progress")
	block.End(nil)
	block.Statement()
	block.End(errors.New("late"))

	got := rec.Recording()
	assert.Equal(t, []Bar{{
		Span: ms(20, 50), Block: "claim", Attempt: 1, Outcome: Committed,
		Waits: []Span{ms(30, 40)}, Rows: []int64{3, 5}, RowCount: 2, Skipped: 2,
	}}, got.Bars)
	assert.Equal(t, Totals{Blocks: 1, LockWaits: 1, Waited: 10 * time.Millisecond, Skipped: 2}, got.Totals)
	assert.Equal(t, []LaneInfo{{Worker, "worker 1"}}, got.Lanes)
	assert.Equal(t, 50*time.Millisecond, got.Duration)
}

func TestARetriedBlockIsABarAnAttempt(t *testing.T) {
	rec := newStopwatch(Config{})
	rec.Lane(Worker)
	block := rec.Lane(Writer).Begin("edit")
	block.Attempt()
	done := block.Wait()
	rec.pass(20)
	done()
	block.Failed(RolledBack, errors.New("deadlock"))
	rec.pass(100) // the pause before the retry belongs to neither bar
	block.Attempt()
	block.Statement()
	rec.pass(5)
	block.End(nil)

	got := rec.Recording()
	require.Len(t, got.Bars, 2)
	assert.Equal(t, Bar{Span: ms(0, 20), Lane: 1, Block: "edit", Attempt: 1, Outcome: RolledBack,
		Waits: []Span{ms(0, 20)}, Note: "deadlock"}, got.Bars[0])
	assert.Equal(t, Bar{Span: ms(120, 125), Lane: 1, Block: "edit", Attempt: 2, Outcome: Committed}, got.Bars[1])
	assert.Equal(t, 1, got.Totals.Blocks)
	assert.Equal(t, 1, got.Totals.Retries)
	assert.Equal(t, 1, got.Totals.RolledBack)
}

func TestAnEmptyBlockLeavesNoBar(t *testing.T) {
	rec := newStopwatch(Config{})
	block := rec.Lane(Worker).Begin("claim")
	block.Attempt()
	block.Failed(RolledBack, errors.New("changed my mind"))
	block.End(errors.New("changed my mind"))
	assert.Empty(t, rec.Recording().Bars)
	assert.Zero(t, rec.Totals())
}

func TestAShortStatementIsNoWait(t *testing.T) {
	rec := newStopwatch(Config{MinWait: 3 * time.Millisecond})
	block := rec.Lane(Writer).Begin("edit")
	block.Attempt()
	for _, length := range []int{2, 3} {
		done := block.Wait()
		rec.pass(length)
		done()
	}
	block.Failed(Refused, errors.New("locked"))
	block.End(errors.New("edit: locked"))
	got := rec.Recording()
	assert.Equal(t, []Span{ms(2, 5)}, got.Bars[0].Waits)
	assert.Equal(t, Refused, got.Bars[0].Outcome)
	assert.Equal(t, "locked", got.Bars[0].Note)
	assert.Equal(t, 1, got.Totals.Refused)
	assert.Equal(t, 1, got.Totals.RolledBack)
}

func TestAnErrorThatNobodyNotedIsARollback(t *testing.T) {
	rec := newStopwatch(Config{})
	block := rec.Lane(Writer).Begin("edit")
	block.Attempt()
	block.Statement()
	block.End(errors.New("the commit failed"))
	bar := rec.Recording().Bars[0]
	assert.Equal(t, RolledBack, bar.Outcome)
	assert.Equal(t, "the commit failed", bar.Note)
}

func TestTheRecordingIsBounded(t *testing.T) {
	rec := newStopwatch(Config{Limit: 3})
	lane := rec.Lane(Writer)
	for range 5 {
		block := lane.Begin("edit")
		block.Attempt()
		block.Statement()
		block.Rows(make([]int64, 100)...)
		block.Rows(1)
		block.End(nil)
	}
	got := rec.Recording()
	assert.Len(t, got.Bars, 3)
	assert.Len(t, got.Bars[0].Rows, maxRows)
	assert.Equal(t, 101, got.Bars[0].RowCount)
	assert.Equal(t, 5, got.Totals.Blocks)
	assert.Equal(t, 2, got.Totals.Dropped)
}

func TestNothingIsRecordedWithoutALane(t *testing.T) {
	var lane *Lane
	block := lane.Begin("claim")
	block.Attempt()
	block.Statement()
	block.Wait()()
	block.Rows(1)
	block.Skipped(1)
	block.Unlocked()
	block.Failed(Refused, errors.New("no"))
	block.End(nil)
}

func TestConcurrentLanes(t *testing.T) {
	rec := NewRecorder(Config{})
	var lanes sync.WaitGroup
	for range 8 {
		lane := rec.Lane(Worker)
		lanes.Go(func() {
			for range 200 {
				block := lane.Begin("claim")
				block.Attempt()
				block.Wait()()
				block.Rows(1)
				block.End(nil)
				rec.Recording()
			}
		})
	}
	lanes.Wait()
	got := rec.Recording()
	assert.Len(t, got.Bars, 1600)
	last := make(map[int]time.Duration)
	for _, bar := range got.Bars {
		assert.LessOrEqual(t, bar.Start, bar.End)
		assert.LessOrEqual(t, last[bar.Lane], bar.Start, "bars of one lane overlap")
		last[bar.Lane] = bar.End
	}
	assert.Equal(t, "worker 8", got.Lanes[7].Name)
}

func BenchmarkBlock(b *testing.B) {
	rec := NewRecorder(Config{Limit: 1})
	lane := rec.Lane(Worker)
	for b.Loop() {
		block := lane.Begin("claim")
		block.Attempt()
		block.Wait()()
		block.Rows(1, 2, 3)
		block.Statement()
		block.End(nil)
	}
}
