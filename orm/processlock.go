package orm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

// processLock is a lock that is held on a connection of its own.
type processLock struct {
	backend.ProcessLock
	engine  backend.Engine
	db      *sql.DB
	conn    *sql.Conn
	watched func() error // of Watch
}

const (
	// heldEvery is how often the lock's holder asks whether it is still there.
	heldEvery = time.Second
	// heldWithin is how long the answer may take, and the lock's giving back.
	heldWithin = 5 * time.Second
	// tryAtFirst and tryLater are the pauses between attempts to get the lock.
	tryAtFirst = 20 * time.Millisecond
	tryLater   = 500 * time.Millisecond
)

// lockProcess takes the lock on a name, within limit and ctx.
func lockProcess(ctx context.Context, database *backend.Database, name string, limit *time.Duration) (*processLock, error) {
	spelled, err := locker(database, name)
	if err != nil {
		return nil, err
	}
	l := &processLock{ProcessLock: spelled, engine: database.Engine}
	if l.Connector != nil {
		l.db = sql.OpenDB(l.Connector)
	} else {
		l.db = database.Tools()
	}
	var late <-chan time.Time
	if limit != nil {
		timer := time.NewTimer(*limit)
		defer timer.Stop()
		late = timer.C
	}
	if l.conn, err = l.db.Conn(ctx); err == nil {
		err = l.obtain(ctx, late)
	}
	if err == nil && l.Watch != nil {
		l.watched, err = l.Watch()
	}
	if err != nil {
		l.close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	return l, nil
}

// obtain tries until the lock is had. Those who wait come in no order.
func (l *processLock) obtain(ctx context.Context, late <-chan time.Time) error {
	for pause := tryAtFirst; ; pause = min(2*pause, tryLater) {
		obtained, err := l.try(ctx)
		if err != nil || obtained {
			return err
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2)) //nolint:gosec // no secret
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-late:
			timer.Stop()
			return fmt.Errorf("another process runs it: %w", dialect.ErrLockNotAvailable)
		case <-timer.C:
		}
	}
}

func (l *processLock) try(ctx context.Context) (obtained bool, err error) {
	for _, statement := range l.Begin {
		if _, err := l.conn.ExecContext(ctx, statement); err != nil {
			known := l.engine.Classify(err)
			if errors.Is(known, dialect.ErrLockNotAvailable) {
				return false, nil
			}
			return false, known
		}
	}
	if l.Try == "" {
		return true, nil
	}
	if obtained, err = l.ask(ctx, l.Try); err != nil || obtained {
		return obtained, err
	}
	return false, l.end(ctx)
}

func (l *processLock) ask(ctx context.Context, question string) (yes bool, err error) {
	var answer sql.NullBool
	if err := l.conn.QueryRowContext(ctx, question, l.Args...).Scan(&answer); err != nil {
		return false, l.engine.Classify(err)
	}
	return answer.Bool, nil
}

func (l *processLock) end(ctx context.Context) error {
	if l.End == "" {
		return nil
	}
	if _, err := l.conn.ExecContext(ctx, l.End); err != nil {
		return l.engine.Classify(err)
	}
	return nil
}

// lost says that the lock is not there any more, or that nobody can tell.
func (l *processLock) lost() error {
	if l.watched != nil {
		if err := l.watched(); err != nil {
			return fmt.Errorf("%w: %w", ErrMigrationLockLost, err)
		}
	}
	if l.Held == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), heldWithin)
	defer cancel()
	held, err := l.ask(ctx, l.Held)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMigrationLockLost, err)
	case !held:
		return fmt.Errorf("%w: the server has given it back", ErrMigrationLockLost)
	}
	return nil
}

// watch asks now and then whether the lock is still there, and calls gone with what
// is wrong. stop asks for the last time, and returns what is wrong or was.
func (l *processLock) watch(gone context.CancelCauseFunc) (stop func() error) {
	done, ended := make(chan struct{}), make(chan struct{})
	var was error
	go func() {
		defer close(ended)
		every := time.NewTicker(heldEvery)
		defer every.Stop()
		for {
			select {
			case <-done:
				return
			case <-every.C:
			}
			if was = l.lost(); was != nil {
				gone(was)
				return
			}
		}
	}()
	return sync.OnceValue(func() error {
		close(done)
		<-ended
		if was != nil {
			return was
		}
		return l.lost()
	})
}

// release gives the lock back, and its connection.
func (l *processLock) release() {
	ctx, cancel := context.WithTimeout(context.Background(), heldWithin)
	defer cancel()
	_ = l.end(ctx) // where it fails the connection is gone, and the lock with it
	l.close()
}

func (l *processLock) close() {
	if l.conn != nil {
		_ = l.conn.Close()
	}
	_ = l.db.Close()
}
