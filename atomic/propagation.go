package atomic

import "github.com/holdfast-go/holdfast/internal/seam"

// PropagationMode says what a block does when it is opened inside another one of
// the same database (rule B18). The names follow Spring's, whose manual
// describes the same choices ("Transaction Propagation").
type PropagationMode uint8

const (
	// Nested makes a block inside another a savepoint: its failure undoes its
	// own part only. The default.
	Nested PropagationMode = iota
	// Join makes a block inside another part of it, as NoSavepoint does.
	Join
	// Mandatory is Join, and outside any block ErrNotInBlock.
	Mandatory
	// Independent is a transaction of its own on another connection, committed
	// whatever becomes of the block around it. It cannot see what that has not
	// committed, and waits for its locks: two blocks of one chain can so wait
	// for each other until a time limit ends it. On SQLite, where one
	// transaction writes at a time, it can only read once the outer has written.
	Independent
	// Never is ErrInBlock inside a block; outside, fn runs without one. Options
	// that only a block can honour, which is all but Name, are ErrOption.
	Never
	// Suspended runs fn outside the block around it: each statement commits by
	// itself on another connection. Options are refused as with Never.
	Suspended
)

// Propagation says what the block does inside another one of the same database.
func Propagation(m PropagationMode) Option {
	return optionFunc(func(o *seam.Options) {
		if m > Suspended {
			o.Reject("Propagation(%d): no such mode", m)
		}
		o.Propagation = uint8(m)
	})
}
