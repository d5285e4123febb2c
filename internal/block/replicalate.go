package block

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/backend"
)

// What a replica has shown, and whose fault it is if it has not.

// standing asks the replica. One that comes back is asked, without waiting, for what it
// was left out for. late is what it has been asked for last.
func (p *replica) standing(ctx context.Context, x *Executor, conn *connection, token string, fresh bool, left time.Duration) (standing backend.Standing, late string, err error) {
	follower := conn.wire.(backend.Follower)
	if missed := p.missed(); fresh && missed != "" {
		now, err := x.renew(ctx, missed) // the writer may be another one by now
		if err != nil {
			return backend.Behind, missed, nil //nolint:nilerr // the writer's failure is none of the replica's
		}
		standing, err := follower.Reach(ctx, now, 0)
		if err != nil || standing == backend.Behind {
			return standing, now, err
		}
	}
	if token == "" {
		_, err := conn.wire.Exec(ctx, nil, "SELECT 1", nil)
		return backend.Reached, "", err
	}
	standing, err = follower.Reach(ctx, token, max(left, 0))
	return standing, token, err
}

func (p *replica) missed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behind
}

// failed leaves out a replica that did not answer, unless the caller has given up.
func (p *replica) failed(ctx context.Context, x *Executor, err error, fresh bool) {
	if ctx.Err() != nil {
		p.abandon(fresh)
		return
	}
	p.leave(x, x.classify(err), p.missed())
}

// tooLate leaves out a replica that has not shown token, if that is the replica's fault: a
// token that the writer does not have either, because somebody has made it up or a failover
// has lost it, would keep the replica from everybody, and for good.
func (p *replica) tooLate(ctx context.Context, x *Executor, s *seen, token string, fresh bool) backend.Standing {
	switch err := x.sound(ctx, s, token); err {
	case nil:
		p.leave(x, errTooFarBehind, x.joined(p.missed(), token))
	case errUnsound:
		p.back(x, fresh)
		return backend.Elsewhere
	default:
		p.abandon(fresh) // nobody knows
	}
	return backend.Behind
}
