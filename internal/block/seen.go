package block

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// seen is where the commits of one caller stand. A ctx carries one for each database.
type seen struct {
	mu    sync.Mutex
	token string // "" if nothing was committed
	// writer: a commit has left no token, so that only the writer is sure to show it.
	writer bool
	sound  string // the token that the writer of today is known to have
}

type seenKey struct{ executor *Executor }

// seen is the collector of ctx, or nil.
func (x *Executor) seen(ctx context.Context) *seen {
	s, _ := ctx.Value(seenKey{x}).(*seen)
	return s
}

// writerToken is the token of what only the writer is sure to show.
const writerToken = "writer"

// Seen implements seam.Executor.
func (x *Executor) Seen(ctx context.Context, token string) (context.Context, error) {
	s := x.seen(ctx)
	if s != nil && token == "" {
		return ctx, nil
	}
	fresh := &seen{}
	if token == writerToken {
		fresh.writer = true
	} else if token != "" {
		positions, err := backend.PositionsOf(x.db.Server, x.db.Engine)
		if err == nil {
			err = positions.Check(token)
		}
		if err != nil {
			return ctx, &atomic.BlockError{Kind: atomic.ErrToken, Err: err}
		}
		fresh.token = token
	}
	if s != nil {
		s.mu.Lock()
		token, writer := s.token, s.writer
		s.mu.Unlock()
		fresh.writer = fresh.writer || writer
		fresh.token = x.joined(token, fresh.token)
	}
	return context.WithValue(ctx, seenKey{x}, fresh), nil
}

// SeenToken implements seam.Executor.
func (x *Executor) SeenToken(ctx context.Context) string {
	s := x.seen(ctx)
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if positions, ok := x.db.Engine.(backend.Positions); s.writer || ok && s.token != "" && positions.Check(s.token) != nil {
		return writerToken // also for what takes too long to name
	}
	return s.token
}

// joined is a token for both places, either of which may be "".
func (x *Executor) joined(token, later string) string {
	switch {
	case token == "" || token == later:
		return later
	case later == "":
		return token
	}
	positions, ok := x.db.Engine.(backend.Positions)
	if !ok {
		return later
	}
	return positions.Join(token, later)
}

// add notes where a commit stands; with an error nobody knows.
func (s *seen) add(x *Executor, token string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.writer = true
		return
	}
	s.token = x.joined(s.token, token)
}

// lose notes that something may be committed of which nobody knows where.
func (s *seen) lose() {
	if s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writer = true
	}
}

// wanted is what a replica has to show. elsewhere is false if only the writer will do.
func (s *seen) wanted() (token string, elsewhere bool) {
	if s == nil {
		return "", true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, !s.writer
}

// renewed (rule R6) notes that the writer of today has what token named, or has now what is
// left of it.
func (s *seen) renewed(token, now string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == token {
		s.token = now
	}
	s.sound = now
}

func (s *seen) isSound(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sound == token
}

// leaves reports whether the engine's server leaves tokens at all. Where there are no
// replicas and can be none, whatever is read is new.
func (x *Executor) leaves() bool {
	_, ok := x.db.Engine.(backend.Positions)
	return ok
}

// tell has the server say where a statement outside any block stands. It returns what
// has to be sent before it.
func (x *Executor) tell(ctx context.Context, w backend.Wire, st Statement) []string {
	if x.seen(ctx) == nil || x.reads(st) || st.Replica {
		return nil
	}
	if teller, ok := w.(backend.PositionTeller); ok {
		return teller.Tell(true)
	}
	return nil
}

// told notes where a statement outside any block stands.
func (x *Executor) told(ctx context.Context, conn *connection, st Statement) {
	s := x.seen(ctx)
	if s == nil || x.reads(st) || conn.replica != nil || !x.leaves() {
		return
	}
	ask := backend.PositionTeller.Position
	if !st.Built && x.commitsOften(st) {
		// It may have committed several times, and the answer tells of the last.
		ask = func(w backend.PositionTeller, ctx context.Context) (string, error) { return w.Renew(ctx, "") }
	}
	token, err := positionOf(ctx, conn.wire, ask)
	s.add(x, token, err)
}

// toldInPart notes where a statement outside any block stands that has failed: what it has
// committed by then, if it commits several times, is there to be read.
func (x *Executor) toldInPart(ctx context.Context, conn *connection, st Statement, err error) {
	s := x.seen(ctx)
	switch {
	case s == nil || st.Built || conn.replica != nil || !x.leaves() || !x.commitsOften(st) || x.classify(err).NotSent:
	case !conn.wire.Idle():
		s.lose()
	default:
		x.told(ctx, conn, st)
	}
}

func (x *Executor) commitsOften(st Statement) bool {
	v := x.db.Engine.Inspect(st.SQL)
	return v.Opaque || v.Stacked
}

// telling has the server say where the transaction stands, once it is committed.
func (t *transaction) telling(send sender) sender {
	if t.executor.seen(t.root.ctx) == nil || t.root.Opts.ReadOnly {
		return send
	}
	teller, ok := t.conn.wire.(backend.PositionTeller)
	if !ok {
		return send
	}
	return func(w backend.Wire, prefix []string, query string) (func() error, error) {
		if more := teller.Tell(true); len(more) > 0 {
			prefix = append(slices.Clip(more), prefix...)
		}
		return send(w, prefix, query)
	}
}

// tells says whether COMMIT is to tell: the connection may have told others.
func (t *transaction) tells() {
	if teller, ok := t.conn.wire.(backend.PositionTeller); ok {
		teller.Tell(t.collector() != nil)
	}
}

// collector is what wants to know where the transaction stands, or nil.
func (t *transaction) collector() *seen {
	if t.root.Opts.ReadOnly || !t.mayHaveWritten() || !t.executor.leaves() {
		return nil
	}
	return t.executor.seen(t.root.ctx)
}

func positionOf(ctx context.Context, w backend.Wire, ask func(backend.PositionTeller, context.Context) (string, error)) (string, error) {
	teller, ok := w.(backend.PositionTeller)
	if !ok {
		return "", errNoTeller
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return ask(teller, limit)
}

// remember notes where the transaction stands, or that this is not known.
func (t *transaction) remember(ctx context.Context, how ending) {
	if how == unknown && t.executor.leaves() { // in a block that was to read, too: what has ended it may have written
		t.executor.seen(t.root.ctx).lose()
	}
	s := t.collector()
	if s == nil || how != committed {
		return
	}
	switch {
	case t.conn == nil: // the fate was asked for elsewhere
		token, err := t.executor.renew(context.WithoutCancel(ctx), "")
		s.add(t.executor, token, err)
	default:
		token, err := positionOf(ctx, t.conn.wire, backend.PositionTeller.Position)
		s.add(t.executor, token, err)
	}
}

// renew asks the writer, within ctx, whether it has what token names.
func (x *Executor) renew(ctx context.Context, token string) (string, error) {
	limit, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	conn, err := x.connectAnyhow(limit)
	if err != nil {
		return "", err
	}
	defer conn.giveBack()
	teller, ok := conn.wire.(backend.PositionTeller)
	if !ok {
		return "", errNoTeller
	}
	return teller.Renew(limit, token)
}

// sound (rule R6) asks the writer whether it has what token, of s, names, and is
// errUnsound if not: s has what the writer has now then.
func (x *Executor) sound(ctx context.Context, s *seen, token string) error {
	now, err := x.renew(ctx, token)
	if err != nil {
		return err
	}
	s.renewed(token, now)
	if now != token {
		return errUnsound
	}
	return nil
}

var errUnsound = errors.New("the writer does not have what the token names")

type noTeller struct{}

func (noTeller) Error() string { return "the driver does not say where a commit stands" }

var errNoTeller error = noTeller{}
