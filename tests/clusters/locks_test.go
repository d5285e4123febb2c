package clusters

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
)

// refusesToLock asks for locks, where they would lock nothing on other nodes.
func refusesToLock(t *testing.T, db *orm.DB) {
	t.Helper()
	type T struct {
		bun.BaseModel `bun:"table:t"`

		ID int64 `bun:"id,pk"`
		V  int64 `bun:"v"`
	}
	for name, option := range map[string]orm.LockOption{"": nil, "NoWait": orm.NoWait, "SkipLocked": orm.SkipLocked, "Wait": orm.Wait(time.Second)} {
		err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
			locked := orm.Objects[T](db).SelectForUpdate()
			if option != nil {
				locked = orm.Objects[T](db).SelectForUpdate(option)
			}
			_, err := locked.All(ctx)
			return err
		})
		assert.ErrorIs(t, err, dialect.ErrUnsupported, "SelectForUpdate(%s)", name)
	}
	err := atomic.Do(t.Context(), db, func(ctx context.Context) error { return atomic.AdvisoryLock(ctx, db, "one") })
	assert.ErrorIs(t, err, dialect.ErrUnsupported, "AdvisoryLock")
}
