package atomic_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/seam"
)

// unopened is what *orm.DB is where Open has failed.
type unopened struct{}

func (*unopened) Executor() seam.Executor { return nil }

// A database that is nil is refused, and said to be what is missing; a function without
// an error panics with it.
func TestB18_NoDatabase(t *testing.T) {
	ctx := t.Context()
	for _, db := range []atomic.DB{nil, (*unopened)(nil)} {
		fn := func(context.Context) error { t.Error("fn ran"); return nil }
		value := func(ctx context.Context) (int, error) { return 1, fn(ctx) }
		for name, call := range map[string]func() error{
			"Do":           func() error { return atomic.Do(ctx, db, fn) },
			"Value":        func() error { _, err := atomic.Value(ctx, db, value); return err },
			"Wrap":         func() error { return atomic.Wrap(db, fn)(ctx) },
			"Once":         func() error { _, err := atomic.Once(ctx, db, "k", value); return err },
			"PurgeOnce":    func() error { _, err := atomic.PurgeOnce(ctx, db); return err },
			"OnCommit":     func() error { return atomic.OnCommit(ctx, db, fn) },
			"OnRollback":   func() error { return atomic.OnRollback(ctx, db, fn) },
			"Savepoint":    func() error { _, err := atomic.Savepoint(ctx, db); return err },
			"AdvisoryLock": func() error { return atomic.AdvisoryLock(ctx, db, "k") },
			"OpenSession":  func() error { _, _, err := atomic.OpenSession(ctx, db); return err },
			"SeenFrom":     func() error { _, err := atomic.SeenFrom(ctx, db, ""); return err },
			"SetRollback":  func() error { return atomic.SetRollback(ctx, db, true) },
		} {
			err := call()
			require.ErrorIs(t, err, atomic.ErrOption, name)
			require.ErrorContains(t, err, "there is no database: db is nil", name)
		}
		require.ErrorContains(t, atomic.Do(ctx, db, fn, atomic.Name("claim")), `block "claim" (depth 1, nodatabase_test.go:`)
		for name, call := range map[string]func(){
			"In":            func() { atomic.In(ctx, db) },
			"NeedsRollback": func() { atomic.NeedsRollback(ctx, db) },
			"Attempt":       func() { atomic.Attempt(ctx, db) },
			"Seen":          func() { atomic.Seen(ctx, db) },
			"SeenToken":     func() { atomic.SeenToken(ctx, db) },
		} {
			require.PanicsWithValue(t, "holdfast: "+name+": there is no database: db is nil; "+
				"pass what orm.Open returned, which is nil where its error is not", call)
		}
	}
}
