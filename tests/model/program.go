package model

// A Program is what one goroutine does outside any block.
type Program struct{ Body }

// A Body is what a function does: its operations in order, and then its end.
type Body struct {
	Ops []Op
	End End
}

// End is how a function ends if none of its operations ended it before.
type End int

// The ends of a function.
const (
	ReturnNil      End = iota
	ReturnError        // an error of its own
	ReturnRollback     // atomic.Rollback
	Panic
	Goexit
)

// Op is one operation. Most are a call that returns an error, which the
// function then ignores or returns.
type Op interface{ call() *Call }

// Call is what all operations have in common.
type Call struct {
	// ID numbers the operations of a program from 1, from its first line to its
	// last.
	ID int
	// On says which ctx is used: that of the block or the hook with this
	// number, whether it is open, has ended or (the call is then left out) was
	// never entered. 0 is the ctx outside any block.
	On int
	// Check is true if the function returns the error at once, false if it
	// ignores it.
	Check bool
}

func (c *Call) call() *Call { return c }

// Way is by which part of the API a statement is sent.
type Way int

// The ways of a statement.
const (
	BySQL      Way = iota // Executor.SQL()
	ByExecutor            // Executor.Exec, Executor.Query
	ByPrepared            // a *sql.Stmt of Executor.SQL()
	ByRow                 // a *sql.Row of Executor.SQL(), only reads
)

// Insert adds a row of the transaction that the ctx belongs to. Slot 0 is the
// seed, which is there already.
type Insert struct {
	Call
	Slot int
	Way  Way
	// Canceled has the statement sent with a ctx derived from On's that has
	// been cancelled.
	Canceled bool
}

// Read reads the rows of all transactions of the program, as far as they are
// visible.
type Read struct {
	Call
	Way Way
}

// Rows opens rows and closes them when its body, which is part of the same
// function, has been run. A body without Cancel: what a ctx does to rows that
// are being read when it is cancelled happens on another goroutine.
type Rows struct {
	Call
	Way  Way // BySQL or ByExecutor
	Body Body
}

// Tx begins a transaction with BeginTx of Executor.SQL(). Its body has only Insert,
// Read and PointText, which go through the *sql.Tx if their On is the Tx. It is rolled
// back if its body returns an error, and committed otherwise.
type Tx struct {
	Call
	ReadOnly bool
	Body     Body
}

// Control sends a statement of transaction control.
type Control struct {
	Call
	SQL string
}

// PointText sends a text about a savepoint with a name (B24).
type PointText struct {
	Call
	Verb PointVerb
	Name string
	Way  Way // BySQL or ByExecutor
}

// PointVerb is what such a text does.
type PointVerb string

// The verbs of a PointText.
const (
	SetPoint     PointVerb = "SAVEPOINT"
	ReleasePoint PointVerb = "RELEASE SAVEPOINT"
	BackToPoint  PointVerb = "ROLLBACK TO"
)

// Text is what is sent.
func (op *PointText) Text() string { return string(op.Verb) + " " + op.Name }

// SetRollback calls atomic.SetRollback.
type SetRollback struct {
	Call
	To bool
}

// Look asks In, NeedsRollback and Attempt.
type Look struct{ Call }

// Savepoint calls atomic.Savepoint; its ID then names the point.
type Savepoint struct{ Call }

// RollbackTo and Release call the point's methods. A point that was never set
// leaves the call out.
type (
	RollbackTo struct {
		Call
		Point int
	}
	Release struct {
		Call
		Point int
	}
)

// Hook registers a hook with atomic.OnCommit or atomic.OnRollback.
type Hook struct {
	Call
	OnRollback bool
	Robust     bool
	Body       Body
}

// Cancel cancels the ctx that the block On was opened with.
type Cancel struct{ Call }

// Block opens a block.
type Block struct {
	Call
	Options
	Form Form
	// Recover is true if a panic of the block is recovered by the function that
	// opened it.
	Recover bool
	// Goroutine has the block run on a goroutine of its own, for which the
	// function waits. It contains a Goexit, and hands on a panic.
	Goroutine bool
	Body      Body
}

// Form is the function that opens a block.
type Form int

// The forms of opening a block.
const (
	Do Form = iota
	Value
	Wrap
)

// Options are those of the block.
type Options struct {
	NoSavepoint bool
	Propagation Propagation
	Durable     bool
	ReadOnly    bool

	RepeatableRead bool
	Retry          bool // one that never has a reason to run
}

// Propagation is what a block does inside another.
type Propagation int

// The modes of propagation, in the order of package atomic's.
const (
	Nested Propagation = iota
	Join
	Mandatory
	Independent
	Never
	Suspended
)
