package model

import (
	"fmt"
	"maps"
	"slices"
)

// world is the database and the program that runs on it.
type world struct {
	engine  Engine
	rows    rows  // what is committed
	writer  *tx   // who holds the write lock, if there is only one
	lanes   int   // how many lanes were dealt out
	outside *lane // the rows of statements outside any block

	ctxs   map[int]*ctx   // what the function of a block or hook was given, by ID
	given  map[int]*ctx   // what a block was opened with, by ID
	points map[int]*point // savepoints, by ID

	trace []string
	plan  map[int]int
}

// ctx is a context.Context.
type ctx struct {
	parent *ctx
	block  *block // nil: outside any block
	aside  *block // what Suspended has set aside; nil: nothing
	cause  Error  // why it was cancelled; nil: it was not, itself
	sqlTx  bool   // stands for a *sql.Tx
}

// ended is why c or one that it comes from was cancelled, or nil.
func (c *ctx) ended() Error {
	for ; c != nil; c = c.parent {
		if c.cause != nil {
			return c.cause
		}
	}
	return nil
}

// result is how a function ended: with an error or nil, by a panic, or because
// its goroutine exits.
type result struct {
	err    Error
	panics string
	exits  bool
	value  int // what atomic.Value returns besides the error
}

// Answer is what the function of atomic.Value computes.
const Answer = 42

func fail(kinds ...string) result { return result{err: NewError(kinds...)} }

// unwinds reports whether the functions around are ended as well.
func (r result) unwinds() bool { return r.panics != "" || r.exits }

// body runs the function of the block or the hook id.
func (w *world) body(id int, b Body) result {
	for _, op := range b.Ops {
		r, ok := w.step(op)
		if r.unwinds() {
			return r
		}
		if ok && r.err != nil && op.call().Check {
			return result{err: r.err}
		}
	}
	switch b.End {
	case ReturnError:
		return fail(Own(id))
	case ReturnRollback:
		return fail(Rollback)
	case Panic:
		return result{panics: Boom(id)}
	case Goexit:
		return result{exits: true}
	default:
		return result{}
	}
}

// step runs one operation. ok is false if it is left out.
func (w *world) step(op Op) (r result, ok bool) {
	call := op.call()
	c := w.ctxs[call.On]
	if c == nil {
		return result{}, false
	}
	id := call.ID
	switch op := op.(type) {
	case *Block:
		return w.open(op, c), true
	case *Hook:
		r = w.register(op, c)
		if !r.unwinds() {
			w.logResult(id, "hook registered", r)
		}
		return r, true
	case *Tx:
		return w.beginTx(op, c), true
	case *Rows:
		return w.openRows(op, c), true
	case *Insert:
		r.err = w.insert(op, c)
		w.logResult(id, "insert", r)
	case *Read:
		var seen []int
		seen, r.err = w.read(op, c)
		w.logResult(id, "read", r)
		if r.err == nil {
			w.log(id, "saw %v", seen)
		}
	case *Control:
		if c.block == nil {
			return result{}, false // outside any block it is the server's affair
		}
		r.err = w.control(op, c)
		w.logResult(id, "control", r)
	case *PointText:
		if c.block == nil {
			return result{}, false // refused there, as all control is
		}
		r.err = w.pointText(op, c)
		w.logResult(id, "point text", r)
	case *SetRollback:
		r.err = w.setRollback(op, c)
		w.logResult(id, "set rollback", r)
	case *Look:
		w.look(op, c)
	case *Savepoint:
		r.err = w.savepoint(op, c)
		w.logResult(id, "savepoint", r)
	case *RollbackTo:
		p := w.points[op.Point]
		if p == nil {
			return result{}, false
		}
		r.err = w.rollbackTo(p, c)
		w.logResult(id, "rollback to", r)
	case *Release:
		p := w.points[op.Point]
		if p == nil {
			return result{}, false
		}
		r.err = w.release(p, c)
		w.logResult(id, "release", r)
	case *Cancel:
		if g := w.given[call.On]; g != nil && g.ended() == nil {
			g.cause = NewError(Cause(id), Canceled)
		}
	}
	return r, true
}

func (w *world) log(id int, format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%d: ", id)+fmt.Sprintf(format, args...))
}

func (w *world) logResult(id int, what string, r result) {
	r.err = r.err.OfStatement()
	w.log(id, "%s: %s", what, r)
}

func (r result) String() string {
	switch {
	case r.panics != "":
		return r.panics
	case r.exits:
		return "goroutine exits"
	default:
		return r.err.String()
	}
}

// rows is a set of rows, by their keys.
type rows map[int]bool

func (r rows) sorted() []int { return slices.Sorted(maps.Keys(r)) }
