package store

import (
	"context"
	"log/slog"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
)

// Open opens the database as a service does: with limits on everything that waits.
func Open(ctx context.Context, address string) (*orm.DB, error) {
	return orm.Open(ctx, Source(address),
		orm.MaxOpenConns(20),
		orm.ConnMaxLifetime(30*time.Minute),
		orm.WithLogger(slog.Default()),
		orm.WithBlock( // for every outermost block that does not say otherwise
			atomic.Retry(3),
			atomic.Timeout(10*time.Second),
			atomic.LockTimeout(2*time.Second),
			atomic.IdleTimeout(5*time.Second),
		))
}
