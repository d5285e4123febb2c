package block

import "context"

// mutex is held by whoever uses a connection. Unlike a sync.Mutex it can be
// waited for within a ctx.
type mutex chan struct{}

func newMutex() mutex { return make(mutex, 1) }

func (m mutex) lock() { m <- struct{}{} }

// lockWithin waits no longer than ctx, and then returns its cause.
func (m mutex) lockWithin(ctx context.Context) error {
	select {
	case m <- struct{}{}:
		return nil
	default:
	}
	select {
	case m <- struct{}{}:
		return nil
	case <-ctx.Done():
		return causeOf(ctx)
	}
}

func (m mutex) unlock() { <-m }
