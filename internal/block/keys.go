package block

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/block/state"
)

// keys are those of atomic.Once that transactions of this process have in progress.
// Who comes meanwhile waits here, and not with a connection in his hand; and where the
// server cannot tell which key it is that one waits for, this does.
type keys struct {
	mu   sync.Mutex
	held map[string]*heldKey
}

type heldKey struct {
	by   *transaction
	done chan struct{} // closed when that has ended
}

// hold notes that t has the key of an id in progress, to its end.
func (k *keys) hold(id string, t *transaction) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	// A key that is held already is t's own, in another block of it, or that of a
	// transaction which the server has rolled back before its fn has heard of it. And one
	// that a time limit has ended has settled its keys.
	if k.held[id] != nil || t.state.Phase() == state.Over {
		return
	}
	if k.held == nil {
		k.held = map[string]*heldKey{}
	}
	k.held[id] = &heldKey{by: t, done: make(chan struct{})}
	t.keys = append(t.keys, id)
}

// heldBy reports whether t has the key in progress.
func (k *keys) heldBy(id string, t *transaction) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := k.held[id]
	return held != nil && held.by == t
}

// settle lets go of what t has had in progress. t is over.
func (k *keys) settle(t *transaction) {
	t.mu.Lock()
	settled := t.keys
	t.keys = nil
	t.mu.Unlock()
	if len(settled) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range settled {
		close(k.held[id].done)
		delete(k.held, id)
	}
}

// wait waits until no transaction but t, which may be nil, has the key in progress,
// or until the deadline: free is false then.
func (k *keys) wait(ctx context.Context, id string, t *transaction, deadline time.Time) (free bool, err error) {
	for {
		k.mu.Lock()
		held := k.held[id]
		k.mu.Unlock()
		if held == nil || held.by == t {
			return true, nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return false, nil
		}
		timer := time.NewTimer(left)
		select {
		case <-held.done:
			timer.Stop()
		case <-timer.C:
			return false, nil
		case <-ctx.Done():
			timer.Stop()
			return false, causeOf(ctx)
		}
	}
}
