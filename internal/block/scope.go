package block

import (
	"context"
	"slices"

	"github.com/holdfast-go/holdfast/atomic"
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

func (x *Executor) scope(ctx context.Context) *scope {
	if sc, ok := ctx.Value(scopeKey{x}).(*scope); ok {
		return sc
	}
	return &nowhere
}

var nowhere scope // never written to

func (x *Executor) with(ctx context.Context, sc *scope) context.Context {
	return context.WithValue(ctx, scopeKey{x}, sc)
}

// roomFor reports whether the pool can give one more connection to a chain of
// blocks that have set each other aside, sc being the latest of them. Waiting
// for one that the chain itself holds would never end.
func (sc *scope) roomFor(x *Executor) error { return x.room(sc.held()) }

func (sc *scope) held() (n int) {
	for ; sc != nil; sc = sc.outer {
		if sc.block != nil && sc.block.tx.hasConnection() || sc.session != nil && sc.session.hasConnection() {
			n++
		}
	}
	return n
}

// room is roomFor for a block's own transaction, which may also have set itself
// aside: its fn uses its ctx inside an Independent block.
func (t *transaction) room() error {
	held := t.heldAside()
	if t.outer != nil {
		held += t.outer.held()
	}
	return t.executor.room(held)
}

func (t *transaction) heldAside() (n int) {
	t.mu.Lock()
	aside := slices.Clone(t.aside)
	t.mu.Unlock()
	for _, o := range aside {
		n += o.heldAside()
		if o.hasConnection() {
			n++
		}
	}
	return n
}

func (x *Executor) room(held int) error {
	if held == 0 {
		return nil
	}
	if limit := x.db.Pool.Stats().MaxOpenConnections; limit > 0 && held >= limit {
		return &atomic.BlockError{Kind: atomic.ErrPoolExhausted, Reason: "raise the pool's limit, or do this work after the block (OnCommit)"}
	}
	return nil
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
