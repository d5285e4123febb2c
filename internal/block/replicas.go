package block

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	syncatomic "sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// Replicas are where ReadOnly blocks, and statements that ask for it, read.
type Replicas struct {
	all  []*replica
	wait time.Duration
	next syncatomic.Uint32
}

// NewReplicas returns those that sources lead to. Nothing is opened: see Open. wait
// limits how long one is waited for that is behind its reader.
func NewReplicas(sources []dialect.Source, wait time.Duration, pool func(*backend.Database)) *Replicas {
	r := &Replicas{wait: wait}
	for i, source := range sources {
		r.all = append(r.all, &replica{number: i + 1, source: source, pool: pool})
	}
	return r
}

// Open has the executor read on replicas from now on. One that cannot be reached is
// left out for a while; whatever else is wrong with one is an error. It is called
// before anything is sent.
func (x *Executor) Open(ctx context.Context, r *Replicas) error {
	if _, err := backend.PositionsOf(x.db.Server, x.db.Engine); err != nil {
		return err
	}
	if err := x.tells(ctx, x.db); err != nil {
		return fmt.Errorf("the writer: %w", err)
	}
	x.replicas = r
	for _, p := range r.all {
		limit, cancel := context.WithTimeout(ctx, openLimit)
		err := p.open(limit, x)
		cancel()
		switch {
		case err == nil:
		case unreachable(err):
			p.leave(x, err, "")
		default:
			return fmt.Errorf("replica %d: %w", p.number, err)
		}
	}
	return nil
}

// openLimit is how long the opening of a database waits for a replica that swallows
// packets.
const openLimit = 5 * time.Second

// unreachable reports whether a replica may be there later on. What is wrong with a
// DSN has no error of a driver behind it.
func unreachable(err error) bool {
	var open *dialect.OpenError
	return errors.As(err, &open) && open.Err != nil && (open.Setting == "host" || open.Setting == "port" || open.Setting == "server" || open.Setting == "max_connections") ||
		errors.Is(err, dialect.ErrConnectionLost)
}

// tells refuses a pool of a driver that does not say where its server stands.
func (x *Executor) tells(ctx context.Context, db *backend.Database) error {
	conn, err := connectOver(ctx, db.Pool, db.Engine)
	if err != nil {
		return err
	}
	defer conn.giveBack()
	_, teller := conn.wire.(backend.PositionTeller)
	_, follower := conn.wire.(backend.Follower)
	if teller && follower {
		return nil
	}
	return &dialect.UnsupportedError{Server: db.Server, Feature: dialect.Replicas.String(), Hint: "open it with Open: the driver of this pool does not say where its server stands"}
}

// A replica is a server that follows the writer.
type replica struct {
	number int
	source dialect.Source
	pool   func(*backend.Database)

	mu      sync.Mutex
	db      *backend.Database // nil: it could not be reached yet
	out     time.Time         // until when it is left out; zero: it is not
	pause   time.Duration     // for how long the last time
	behind  string            // the token that it had not reached then; "" if it was gone
	looking bool              // somebody finds out whether it is back
	closed  bool
}

// How long a replica is left out: a while at first, and twice as long each time that it
// is found no better.
const (
	pauseFirst = 250 * time.Millisecond
	pauseLast  = 15 * time.Second
)

func (p *replica) open(ctx context.Context, x *Executor) error {
	p.mu.Lock()
	opened := p.db != nil
	p.mu.Unlock()
	if opened {
		return nil
	}
	db, err := backend.Connect(ctx, p.source)
	if err != nil {
		return err
	}
	if db.Server.Engine != x.db.Server.Engine {
		_ = db.Close()
		return &dialect.OpenError{Engine: x.db.Server.Engine, Setting: "replica", Problem: "it is a server of another kind: " + db.Server.String()}
	}
	if _, err = backend.PositionsOf(db.Server, db.Engine); err == nil {
		err = x.tells(ctx, db)
	}
	if err != nil {
		_ = db.Close()
		return err
	}
	p.pool(db)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.Join(errDatabaseClosed, db.Close())
	}
	p.db = db
	return nil
}

var errDatabaseClosed = errors.New("the database was closed")

// enter reports whether the replica may be used. fresh is true for the one who is to
// find out whether it is back.
func (p *replica) enter() (fresh, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return false, false
	case p.out.IsZero():
		return false, true
	case p.looking || time.Now().Before(p.out):
		return false, false
	}
	p.looking = true
	return true, true
}

// leave leaves the replica out for a while, because it is gone or, with a token, too
// far behind.
func (p *replica) leave(x *Executor, why error, behind string) {
	p.mu.Lock()
	again := !p.out.IsZero()
	if !p.looking && time.Now().Before(p.out) { // somebody else has found it out
		p.mu.Unlock()
		return
	}
	p.pause = min(max(2*p.pause, pauseFirst), pauseLast)
	p.out, p.behind, p.looking = time.Now().Add(p.pause), behind, false
	p.mu.Unlock()
	if !again {
		x.settings.logger().Warn("holdfast: a replica is left out", "replica", p.number, "error", why.Error())
	}
}

// back ends a leave, if it was for the one who calls it to find out: others who were there
// before have not asked for what it was left out for.
func (p *replica) back(x *Executor, fresh bool) {
	if !fresh {
		return
	}
	p.mu.Lock()
	out := !p.out.IsZero()
	p.out, p.pause, p.behind, p.looking = time.Time{}, 0, "", false
	p.mu.Unlock()
	if out {
		x.settings.logger().Info("holdfast: a replica is back", "replica", p.number)
	}
}

// abandon is called when nothing was found out.
func (p *replica) abandon(fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looking = p.looking && !fresh
}

func (p *replica) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.db == nil {
		return nil
	}
	return p.db.Close()
}

func (r *Replicas) close() (err error) {
	if r == nil {
		return nil
	}
	for _, p := range r.all {
		err = errors.Join(err, p.close())
	}
	return err
}

// replica returns a connection to one that shows what ctx has seen, or nil: the writer
// is to answer.
func (x *Executor) replica(ctx context.Context) *connection {
	r := x.replicas
	if r == nil {
		return nil
	}
	s := x.seen(ctx)
	token, elsewhere := s.wanted()
	if !elsewhere {
		return nil
	}
	if token != "" && x.db.Engine.(backend.Positions).Suspect(token) && !s.isSound(token) {
		now, err := x.renew(ctx, token)
		if err != nil {
			return nil
		}
		s.renewed(token, now)
		token = now
	}
	first := r.next.Add(1)
	for i := range r.all {
		p := r.all[(int(first)+i)%len(r.all)]
		fresh, ok := p.enter()
		if !ok {
			continue
		}
		conn, standing := r.reach(ctx, x, p, s, token, fresh)
		switch standing {
		case backend.Reached:
			return conn
		case backend.Elsewhere:
			return nil
		}
		if ctx.Err() != nil || token != "" && !fresh {
			return nil // the others need not be waited for as well
		}
	}
	return nil
}

// reach connects to a replica and waits until it shows what token, of s, names.
func (r *Replicas) reach(ctx context.Context, x *Executor, p *replica, s *seen, token string, fresh bool) (*connection, backend.Standing) {
	end := time.Now().Add(r.wait)
	limit, cancel := context.WithDeadline(ctx, end.Add(r.grace()))
	defer cancel()
	if err := p.open(limit, x); err != nil {
		p.failed(ctx, x, err, fresh)
		return nil, backend.Behind
	}
	conn, err := connectOver(limit, p.db.Pool, p.db.Engine)
	if err != nil {
		if stats := p.db.Pool.Stats(); stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections {
			p.abandon(fresh) // it has no room, which says nothing of the server
			return nil, backend.Behind
		}
		p.failed(ctx, x, err, fresh)
		return nil, backend.Behind
	}
	conn.replica = p
	if token == "" && !fresh {
		return conn, backend.Reached
	}
	standing, late, err := p.standing(limit, x, conn, token, fresh, time.Until(end))
	if err != nil {
		conn.dirty = true
		conn.giveBack()
		if stale(err) && ctx.Err() == nil { // of a server that was started again
			return r.reach(ctx, x, p, s, token, fresh)
		}
		p.failed(ctx, x, err, fresh)
		return nil, backend.Behind
	}
	if standing == backend.Reached {
		p.back(x, fresh)
		return conn, standing
	}
	conn.giveBack()
	switch {
	case standing == backend.Elsewhere:
		p.back(x, fresh)
		_ = x.sound(ctx, s, token)
	case ctx.Err() != nil:
		p.abandon(fresh)
	case late != token:
		p.leave(x, errTooFarBehind, late)
	default:
		return nil, p.tooLate(ctx, x, s, token, fresh)
	}
	return nil, standing
}

// grace is how much longer than the wait itself a replica may take to answer.
func (r *Replicas) grace() time.Duration { return max(r.wait, time.Second) }

var errTooFarBehind = errors.New("it has not shown within the limit what its reader has written")

// connectOver takes a connection out of a pool.
func connectOver(ctx context.Context, pool *sql.DB, engine backend.Engine) (*connection, error) {
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, &connectError{err}
	}
	conn := &connection{pool: c}
	err = c.Raw(func(driverConn any) error {
		conn.wire = engine.Wire(driverConn)
		return nil
	})
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return conn, nil
}
