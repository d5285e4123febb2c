package ast

import "time"

// Order is one criterion of an ordering.
type Order struct {
	By    Node
	Desc  bool
	Nulls Nulls
}

// NullsLast reports whether NULL stands behind all other values.
func (o Order) NullsLast() bool { return o.Nulls == NullsLast || o.Nulls == NullsLow && o.Desc }

// Reversed is the order from the other end.
func (o Order) Reversed() Order {
	o.Desc = !o.Desc
	switch o.Nulls {
	case NullsFirst:
		o.Nulls = NullsLast
	case NullsLast:
		o.Nulls = NullsFirst
	}
	return o
}

// Nulls is where NULL stands in an order.
type Nulls uint8

// The places of NULL.
const (
	NullsLow   Nulls = iota // before every other value, and so last where the order descends
	NullsFirst              // first in either direction
	NullsLast               // last in either direction
)

// Assignment gives a column of an UPDATE a value.
type Assignment struct {
	Column Node // a [Column] or a [Member]
	Value  any
}

// Lock is one lock clause.
type Lock struct {
	Strength Strength
	Waiting  Waiting
	Wait     time.Duration // of WaitLimited
	Of       []string      // "self" and paths of relations; empty: every table
	// Apart: it is the library's own, of the model's rows, on a server without OF. So no
	// condition joins another table.
	Apart bool
}

// Strength is how strong a row lock is.
type Strength uint8

// The strengths, the strongest first.
const (
	ForUpdate Strength = iota
	ForNoKeyUpdate
	ForShare
	ForKeyShare
)

func (s Strength) String() string {
	return [...]string{"FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE"}[s]
}

// Waiting is what happens at a row that somebody else has locked.
type Waiting uint8

// The ways of waiting.
const (
	WaitForever Waiting = iota // as long as the server's setting lets it
	WaitLimited                // as long as Lock.Wait
	WaitNever                  // NOWAIT
	WaitSkip                   // SKIP LOCKED
)

func (w Waiting) String() string {
	return [...]string{"waiting", "Wait", "NoWait", "SkipLocked"}[w]
}
