package model

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
)

// runner runs one program on a real engine.
type runner struct {
	target *target
	base   int         // the program's first key
	plan   map[int]int // the row of each Insert, counted from base

	ctxs   map[int]context.Context // what the function of a block or hook was given, by ID
	cancel map[int]context.CancelCauseFunc
	points map[int]*atomic.Point
	txs    map[int]*sql.Tx
	trace  []string
}

// limit is how long a program may take. It takes some milliseconds.
const limit = time.Minute

// run runs a program to its end and returns what happened. If it does not end,
// ended is false.
func (tg *target) run(p Program, base int, plan map[int]int) (trace []string, ended bool) {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	r := &runner{
		target: tg, base: base, plan: plan,
		ctxs:   map[int]context.Context{0: ctx},
		cancel: map[int]context.CancelCauseFunc{},
		points: map[int]*atomic.Point{},
		txs:    map[int]*sql.Tx{},
	}
	select {
	case f := <-onGoroutine(func() error { return r.body(0, p.Body) }):
		r.log(0, "program: %s", f)
		return r.trace, true
	case <-time.After(limit):
		return nil, false
	}
}

// fate is how a function ended.
type fate struct {
	err    error
	panics any
	exits  bool
}

func (f fate) String() string {
	switch {
	case f.panics != nil:
		return fmt.Sprint(f.panics)
	case f.exits:
		return "goroutine exits"
	default:
		return found(f.err).OfStatement().String()
	}
}

// onGoroutine runs fn on a goroutine of its own.
func onGoroutine(fn func() error) <-chan fate {
	ended := make(chan fate, 1)
	go func() {
		f := fate{exits: true}
		defer func() { ended <- f }()
		f = recovering(fn)
	}()
	return ended
}

// recovering runs fn and recovers its panic. It does not return if the
// goroutine exits.
func recovering(fn func() error) (f fate) {
	defer func() { f.panics = recover() }()
	f.err = fn()
	return f
}

func (r *runner) log(id int, format string, args ...any) {
	r.trace = append(r.trace, fmt.Sprintf("%d: ", id)+fmt.Sprintf(format, args...))
}

func (r *runner) logError(id int, what string, err error) error {
	r.log(id, "%s: %s", what, found(err).OfStatement())
	return err
}

// enter keeps what a function was given.
func (r *runner) enter(ctx context.Context, id int) {
	r.ctxs[id] = ctx
}

// body runs the function of the block or the hook id.
func (r *runner) body(id int, b Body) error {
	for _, op := range b.Ops {
		call := op.call()
		ctx, entered := r.ctxs[call.On]
		if !entered {
			continue
		}
		if err := r.step(ctx, op); err != nil && call.Check {
			return err
		}
	}
	switch b.End {
	case ReturnError:
		return fmt.Errorf("wrapped: %w", ownError(Own(id)))
	case ReturnRollback:
		return atomic.Rollback
	case Panic:
		panic(Boom(id))
	case Goexit:
		runtime.Goexit()
	}
	return nil
}

// step runs one operation.
func (r *runner) step(ctx context.Context, op Op) error {
	executor, id := r.target.executor, op.call().ID
	switch op := op.(type) {
	case *Block:
		return r.open(ctx, op)
	case *Hook:
		return r.register(ctx, op)
	case *Tx:
		return r.begin(ctx, op)
	case *Rows:
		return r.rows(ctx, op)
	case *Insert:
		if op.Canceled {
			canceled, cancel := context.WithCancel(ctx)
			cancel()
			ctx = canceled
		}
		return r.logError(id, "insert", r.insert(ctx, op))
	case *Read:
		keys, err := r.read(ctx, op)
		if r.logError(id, "read", err) == nil {
			r.log(id, "saw %v", keys)
		}
		return err
	case *Control:
		if _, planned := r.plan[id]; planned {
			_, err := r.target.db.ExecContext(ctx, op.SQL)
			return r.logError(id, "control", err)
		}
	case *PointText:
		if _, planned := r.plan[id]; planned {
			return r.logError(id, "point text", r.pointText(ctx, op))
		}
	case *SetRollback:
		return r.logError(id, "set rollback", atomic.SetRollback(ctx, executor, op.To))
	case *Look:
		if !atomic.In(ctx, executor) {
			r.log(id, "not in a block")
			return nil
		}
		r.log(id, "in a block, needs rollback %v, attempt %d", atomic.NeedsRollback(ctx, executor), atomic.Attempt(ctx, executor))
	case *Savepoint:
		p, err := atomic.Savepoint(ctx, executor)
		if err == nil {
			r.points[id] = p
		}
		return r.logError(id, "savepoint", err)
	case *RollbackTo:
		if p := r.points[op.Point]; p != nil {
			return r.logError(id, "rollback to", p.Rollback(ctx))
		}
	case *Release:
		if p := r.points[op.Point]; p != nil {
			return r.logError(id, "release", p.Release(ctx))
		}
	case *Cancel:
		if cancel := r.cancel[op.On]; cancel != nil {
			cancel(ownError(Cause(id)))
		}
	}
	return nil
}
