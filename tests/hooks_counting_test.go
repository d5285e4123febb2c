package tests

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
)

// register is atomic.OnCommit or atomic.OnRollback.
type register func(context.Context, atomic.DB, func(context.Context) error, ...atomic.HookOption) error

// count registers a hook that counts its runs.
func count(ctx context.Context, t *testing.T, db *database, on register, n *int) {
	t.Helper()
	require.NoError(t, on(ctx, db, func(context.Context) error { *n++; return nil }))
}

// diary notes which hooks ran, in order.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) write(entry string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entry)
}

func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	entries := d.entries
	d.entries = nil
	return entries
}

// both registers a hook of each kind: "+name" is written after a commit, "-name"
// after a rollback.
func (d *diary) both(ctx context.Context, t *testing.T, db *database, name string) {
	t.Helper()
	require.NoError(t, atomic.OnCommit(ctx, db, func(context.Context) error { d.write("+" + name); return nil }))
	require.NoError(t, atomic.OnRollback(ctx, db, func(context.Context) error { d.write("-" + name); return nil }))
}
