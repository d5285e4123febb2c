package block

import (
	"context"

	"github.com/holdfast-go/holdfast/atomic"
)

// A pin keeps the real connection of a statement outside any block until database/sql
// takes the address back that it was sent to. After a single call of a *sql.DB that
// is at once. A *sql.Conn is a session: its second statement finds the connection of
// the first, with what SET, LAST_INSERT_ID() or a temporary table have left there.
// It is used by one goroutine at a time (database/sql).
type pin struct {
	executor *Executor
	conn     *connection // of the first statement
	pinned   *session    // from the second on
	reading  bool        // rows of the first are open
}

// in is ctx for a statement of the owner. A block or a session in ctx comes first,
// and with autocommit off a statement needs one (rule A2).
func (p *pin) in(ctx context.Context, x *Executor) (context.Context, *pin) {
	sc := x.scope(ctx)
	if sc.block != nil || sc.session != nil || x.settings.ManualCommit {
		return ctx, nil
	}
	if _, err := sc.enclosing(); err != nil { // set aside by a block that has ended, where nothing may be sent (B9)
		return ctx, nil
	}
	p.executor = x
	if p.conn != nil {
		p.session(ctx)
	}
	if p.pinned == nil {
		return ctx, p
	}
	return x.with(ctx, &scope{session: p.pinned, outer: sc.outer}), nil
}

// session is the one that the statements of the owner belong to from here on.
func (p *pin) session(ctx context.Context) *session {
	if p.pinned == nil {
		p.pinned = p.executor.autocommitting(ctx)
		p.pinned.conn, p.conn = p.conn, nil
	}
	return p.pinned
}

// open refuses a statement while rows of the first are read, as a session does.
func (p *pin) open() error {
	if p == nil || !p.reading {
		return nil
	}
	return &atomic.BlockError{Kind: atomic.ErrRowsOpen, Reason: "close them, or read them to the end, before the next statement of this *sql.Conn"}
}

func (p *pin) reads(now bool) {
	if p != nil {
		p.reading = now
	}
}

// keep is given the connection of a statement that has ended well. It may have left a
// transaction open (XA START): the next would not be a part of that on another one.
func (p *pin) keep(conn *connection) {
	if p == nil || p.conn != nil || p.pinned != nil || !conn.wire.Alive() {
		conn.giveBack()
		return
	}
	p.conn = conn
}

// release gives back what is kept.
func (p *pin) release() {
	if p.conn != nil {
		p.conn.giveBack()
	}
	if p.pinned != nil {
		_ = p.pinned.Close()
	}
	p.conn, p.pinned = nil, nil
}

// autocommitting is a session that no ctx shows, and whose statements commit by
// themselves.
func (x *Executor) autocommitting(ctx context.Context) *session {
	return &session{executor: x, ctx: ctx, outer: x.scope(ctx).outer, connMu: newMutex(), hidden: true}
}
