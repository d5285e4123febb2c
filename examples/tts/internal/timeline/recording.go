// Package timeline records what the workers and writers of a run did and when, block by block, so that a report can
// draw it.
//
// A goroutine takes a [Lane] once and begins a [Block] in it for every atomic.Do. Recording costs a few hundred
// nanoseconds a block and keeps a bounded number of them; the totals count all.
package timeline

import "time"

// Role says what a lane does.
type Role string

const (
	Worker Role = "worker" // claims rows and renders them
	Writer Role = "writer" // edits texts
)

// Outcome is how an attempt at a block ended.
type Outcome string

const (
	Committed  Outcome = "committed"
	RolledBack Outcome = "rolled back"
	// Refused is a rollback because a lock was held by somebody else and the block would not wait for it.
	Refused Outcome = "lock refused"
)

// Span is a stretch of time, counted from the start of the recording.
type Span struct{ Start, End time.Duration }

// Bar is one attempt at one block, from its first statement to its end.
type Bar struct {
	Span
	Lane     int    // index into Recording.Lanes
	Block    string // its name
	Attempt  int    // 1, and more when the block was retried
	Outcome  Outcome
	Unlocked bool    // what was read in it was not locked
	Waits    []Span  // for locks
	Rows     []int64 // ids of the rows it worked on, at most maxRows of them
	RowCount int     // how many it worked on
	Skipped  int     // rows that it passed over because somebody else held their locks
	Note     string  // the error that ended it, if one did
}

// LaneInfo describes a lane.
type LaneInfo struct {
	Role Role
	Name string // "worker 1"
}

// StaleFile is a sound that speaks something else than its row says, found when the run was over.
type StaleFile struct {
	Row    int64
	Spoken string // what the file says
	Text   string // what the row says
}

// Totals count every block of the run, also those for which the recording had no room.
type Totals struct {
	Blocks     int           // that sent at least one statement
	Retries    int           // attempts after the first
	RolledBack int           // attempts that were rolled back, refused locks included
	Refused    int           // attempts that ended because they would not wait for a lock
	LockWaits  int           // waits for a lock
	Waited     time.Duration // their sum over all lanes
	Skipped    int           // rows passed over because they were locked
	Dropped    int           // attempts that are counted and not kept
}

// Recording is what a [Recorder] has seen.
type Recording struct {
	Lanes    []LaneInfo
	Bars     []Bar // in the order in which they ended
	Stale    []StaleFile
	Totals   Totals
	Duration time.Duration // from the start of the recording to the end of the last bar
}
