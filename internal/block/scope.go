package block

import (
	"context"
)

// scope is what a ctx says of one database: the block that statements with
// this ctx belong to, or the session, or neither. A ctx carries one for each
// database.
type scope struct {
	block   *block
	session *session
	outer   *scope // set aside by Independent or Suspended
}

type scopeKey struct{ executor *Executor }

// scope may wait for who uses the block's connection, and is not for him.
func (x *Executor) scope(ctx context.Context) *scope {
	sc := x.recall(ctx)
	switch {
	case sc.block != nil:
		sc.block.goOn(ctx)
	case sc.session != nil:
		sc.session.goOn(ctx)
	}
	return sc
}

// recall is scope for who uses the connection.
func (x *Executor) recall(ctx context.Context) *scope {
	if sc, ok := ctx.Value(scopeKey{x}).(*scope); ok {
		return sc
	}
	return &nowhere
}

var nowhere scope // never written to

func (x *Executor) with(ctx context.Context, sc *scope) context.Context {
	return context.WithValue(ctx, scopeKey{x}, sc)
}

// enclosing is the block that a new one would be nested in: the one of ctx, or
// the transaction of a session with autocommit off.
func (sc *scope) enclosing() (*block, error) {
	if sc.block != nil {
		return sc.block, nil
	}
	if sc.session != nil {
		return sc.session.root()
	}
	if sc.outer != nil && sc.outer.block != nil && sc.outer.block.Ended() { // Suspended, to the end of that block (B9)
		return nil, sc.outer.block.Usable()
	}
	return nil, nil
}
