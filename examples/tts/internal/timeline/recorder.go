package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// DefaultLimit is how many bars are kept. A page with so many is about three megabytes and still draws smoothly.
	DefaultLimit = 20_000
	// DefaultMinWait is the shortest statement that is taken for one that waited. The servers do not say whether a
	// statement had to wait for a lock, only its duration does; one that touches a row by its key takes well under this.
	DefaultMinWait = 5 * time.Millisecond
)

// Config sets up a [Recorder]. Zero values mean the defaults.
type Config struct {
	Limit   int           // bars to keep; later ones are only counted
	MinWait time.Duration // see DefaultMinWait
}

// Recorder collects what happens in several lanes. It may be used by several goroutines.
type Recorder struct {
	limit   int
	minWait time.Duration
	clock   func() time.Duration // since the start

	mu    sync.Mutex
	lanes []LaneInfo
	bars  []Bar
	stale []StaleFile
	sum   Totals
	last  time.Duration
}

// NewRecorder starts a recording: its time zero is now.
func NewRecorder(config Config) *Recorder {
	start := time.Now()
	return &Recorder{
		limit:   cmp.Or(config.Limit, DefaultLimit),
		minWait: cmp.Or(config.MinWait, DefaultMinWait),
		clock:   func() time.Duration { return time.Since(start) },
	}
}

// Lane adds a lane for one goroutine; it is named by its role and number, "worker 1".
func (r *Recorder) Lane(role Role) *Lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	number := 1
	for _, lane := range r.lanes {
		if lane.Role == role {
			number++
		}
	}
	r.lanes = append(r.lanes, LaneInfo{Role: role, Name: fmt.Sprintf("%s %d", role, number)})
	return &Lane{recorder: r, index: len(r.lanes) - 1}
}

// Stale adds files that were found stale after the run.
func (r *Recorder) Stale(files ...StaleFile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = append(r.stale, files...)
}

// Totals returns the counts so far.
func (r *Recorder) Totals() Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sum
}

// Recording returns a copy of what was recorded so far. Blocks that have not ended are not in it.
func (r *Recorder) Recording() Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Recording{
		Lanes:    slices.Clone(r.lanes),
		Bars:     slices.Clone(r.bars),
		Stale:    slices.Clone(r.stale),
		Totals:   r.sum,
		Duration: r.last,
	}
}

func (r *Recorder) add(bar Bar) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := &r.sum
	if bar.Attempt == 1 {
		sum.Blocks++
	} else {
		sum.Retries++
	}
	if bar.Outcome != Committed {
		sum.RolledBack++
	}
	if bar.Outcome == Refused {
		sum.Refused++
	}
	sum.LockWaits += len(bar.Waits)
	for _, wait := range bar.Waits {
		sum.Waited += wait.End - wait.Start
	}
	sum.Skipped += bar.Skipped
	r.last = max(r.last, bar.End)
	if len(r.bars) < r.limit {
		r.bars = append(r.bars, bar)
	} else {
		sum.Dropped++
	}
}
