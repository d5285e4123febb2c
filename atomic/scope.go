package atomic

import (
	"context"
	"slices"
)

// scope is what a ctx says of one database: the block that statements with
// this ctx belong to, or the session, or neither. A ctx carries one for each
// database.
type scope struct {
	block   *block
	session *Session
	outer   *scope // set aside by Independent or Suspended
}

type scopeKey struct{ gate *Gate }

func (g *Gate) scope(ctx context.Context) *scope {
	if sc, ok := ctx.Value(scopeKey{g}).(*scope); ok {
		return sc
	}
	return &nowhere
}

var nowhere scope // never written to

func (g *Gate) with(ctx context.Context, sc *scope) context.Context {
	return context.WithValue(ctx, scopeKey{g}, sc)
}

// roomFor reports whether the pool can give one more connection to a chain of
// blocks that have set each other aside, sc being the latest of them. Waiting
// for one that the chain itself holds would never end.
func (sc *scope) roomFor(g *Gate) error { return g.room(sc.held()) }

func (sc *scope) held() (n int) {
	for ; sc != nil; sc = sc.outer {
		if sc.block != nil && sc.block.tx.holdsConnection() || sc.session != nil && sc.session.holdsConnection() {
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
	return t.gate.room(held)
}

func (t *transaction) heldAside() (n int) {
	t.mu.Lock()
	aside := slices.Clone(t.aside)
	t.mu.Unlock()
	for _, o := range aside {
		n += o.heldAside()
		if o.holdsConnection() {
			n++
		}
	}
	return n
}

func (g *Gate) room(held int) error {
	if held == 0 {
		return nil
	}
	if limit := g.db.Pool.Stats().MaxOpenConnections; limit > 0 && held >= limit {
		return &BlockError{Kind: ErrPoolExhausted, Reason: "raise the pool's limit, or do this work after the block (OnCommit)"}
	}
	return nil
}
