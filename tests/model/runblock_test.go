package model

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/holdfast-go/holdfast/atomic"
)

// open opens a block.
func (r *runner) open(ctx context.Context, op *Block) error {
	ctx, cancel := context.WithCancelCause(ctx)
	r.cancel[op.ID] = cancel
	do := func() error {
		err := r.do(ctx, op)
		r.log(op.ID, "do: %s", found(err).OfBlock())
		return err
	}
	var f fate
	switch {
	case op.Goroutine:
		f = <-onGoroutine(do)
		if f.exits || f.panics != nil {
			r.log(op.ID, "goroutine: %s", f)
		}
	case op.Recover:
		f = recovering(do)
	default:
		return do()
	}
	if f.panics == nil {
		return f.err
	}
	if !op.Recover {
		panic(f.panics)
	}
	r.log(op.ID, "recovered: %s", f)
	return nil
}

// do calls the form of atomic.Do that the program asks for.
func (r *runner) do(ctx context.Context, op *Block) error {
	fn := func(ctx context.Context) error {
		r.enter(ctx, op.ID)
		r.log(op.ID, "fn")
		return r.body(op.ID, op.Body)
	}
	executor, opts := r.target.executor, op.options()
	if op.ID%2 == 0 && op.Propagation != Never && op.Propagation != Suspended {
		opts = append(opts, atomic.Name(strconv.Itoa(op.ID))) // nothing comes of it
	}
	switch op.Form {
	case Value:
		v, err := atomic.Value(ctx, executor, func(ctx context.Context) (int, error) { return Answer, fn(ctx) }, opts...)
		r.log(op.ID, "value %d", v)
		return err
	case Wrap:
		return atomic.Wrap(executor, fn, opts...)(ctx)
	default:
		return atomic.Do(ctx, executor, fn, opts...)
	}
}

func (o Options) options() []atomic.Option {
	opts := []atomic.Option{atomic.Propagation(atomic.PropagationMode(o.Propagation))}
	if o.NoSavepoint {
		opts = append(opts, atomic.NoSavepoint())
	}
	if o.Durable {
		opts = append(opts, atomic.Durable())
	}
	if o.ReadOnly {
		opts = append(opts, atomic.ReadOnly())
	}
	if o.RepeatableRead {
		opts = append(opts, atomic.Isolation(sql.LevelRepeatableRead))
	}
	if o.Retry {
		opts = append(opts, atomic.Retry(2))
	}
	return opts
}

// register registers a hook.
func (r *runner) register(ctx context.Context, op *Hook) error {
	fn := func(ctx context.Context) error {
		r.enter(ctx, op.ID)
		r.log(op.ID, "hook")
		return r.body(op.ID, op.Body)
	}
	var opts []atomic.HookOption
	if op.Robust {
		opts = append(opts, atomic.Robust())
	}
	on := atomic.OnCommit
	if op.OnRollback {
		on = atomic.OnRollback
	}
	return r.logError(op.ID, "hook registered", on(ctx, r.target.executor, fn, opts...))
}

// begin runs a transaction of database/sql.
func (r *runner) begin(ctx context.Context, op *Tx) error {
	tx, err := r.target.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: op.ReadOnly})
	if r.logError(op.ID, "begin", err) != nil {
		return err
	}
	r.enter(ctx, op.ID)
	r.txs[op.ID] = tx
	if err := r.body(op.ID, op.Body); err != nil {
		_ = r.logError(op.ID, "rollback", tx.Rollback())
		return err
	}
	return r.logError(op.ID, "commit", tx.Commit())
}
