package state

import (
	"cmp"
	"slices"

	"github.com/holdfast-go/holdfast/internal/seam"
)

// A Hook waits for the end of the outermost block.
type Hook struct {
	seam.Hook
	clock int // when it was registered
}

// Register has h wait for the end of the outermost block around b, as a part of
// what b does.
func (b *Block) Register(h seam.Hook) error {
	b.tx.mu.Lock()
	defer b.tx.mu.Unlock()
	if b.state == ended || b.tx.top() != b {
		return b.tx.usable(b)
	}
	b.hooks = append(b.hooks, &Hook{Hook: h, clock: b.tx.tick()})
	return nil
}

// HooksWait reports whether hooks wait for the end of the outermost block.
func (t *Transaction) HooksWait() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.root.hooks)+len(t.dropped) > 0
}

// Hooked reports whether hooks wait, now that the transaction is over.
func (t *Transaction) Hooked() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.kept)+len(t.dropped) > 0
}

// Due takes out the hooks whose time has come, in the order of registration:
// those of what was kept, and those of OnRollback of what was not. If nobody
// knows how the transaction has ended there are none (rule B16).
func (t *Transaction) Due(committed, known bool) (due []*Hook) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, dropped := t.kept, t.dropped
	t.kept, t.dropped = nil, nil
	if !known {
		return nil
	}
	for _, h := range kept {
		if h.OnRollback != committed {
			due = append(due, h)
		}
	}
	for _, h := range dropped {
		if h.OnRollback {
			due = append(due, h)
		}
	}
	slices.SortFunc(due, func(a, b *Hook) int { return cmp.Compare(a.clock, b.clock) })
	return due
}
