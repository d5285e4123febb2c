package atomic

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// DB is a database that blocks are opened in: an *orm.DB. Nobody but the library
// implements it.
type DB interface {
	// Executor is for the library's own packages, a seam without promises.
	Executor() seam.Executor
}

// Do runs fn in a block: everything that fn does with the ctx that it is given
// is committed together if fn returns nil, and rolled back together otherwise.
// Outside any block of db it is the outermost one and owns a transaction; inside
// one it is nested, as a savepoint.
//
// Do returns nil only if the server has acknowledged the commit (a nested
// block: if its part is kept for the outer one to commit), or if fn asked for a
// rollback. The error of fn comes back so that errors.Is and As find it. A
// panic and runtime.Goexit roll back and go on. When a statement of the block
// has failed, the block can only be rolled back: further statements, and Do,
// return ErrRollbackRequired.
//
// Nothing is sent, and no connection taken, before fn's first statement.
func Do(ctx context.Context, db DB, fn func(ctx context.Context) error, opts ...Option) error {
	_, err := executor(db).Run(ctx, fn, collect(opts), seam.Here())
	return err
}

// Value is Do for a function that returns something besides its error. If the
// block was rolled back, or nobody knows, the value is the zero value. With the
// *HookError of a block that is committed all the same it is fn's.
func Value[T any](ctx context.Context, db DB, fn func(ctx context.Context) (T, error), opts ...Option) (T, error) {
	var value, zero T
	o := collect(opts)
	if fn == nil {
		o.Reject("there is no fn to run")
	}
	kept, err := executor(db).Run(ctx, func(ctx context.Context) (err error) {
		value, err = fn(ctx)
		return err
	}, o, seam.Here())
	if !kept {
		return zero, err
	}
	return value, err
}

// Wrap returns fn as a function that runs in a block each time: the decorator
// form of Do.
func Wrap(db DB, fn func(ctx context.Context) error, opts ...Option) func(ctx context.Context) error {
	from := seam.Here()
	return func(ctx context.Context) error {
		_, err := executor(db).Run(ctx, fn, collect(opts), from)
		return err
	}
}
