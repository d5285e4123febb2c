package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// B17: a server that is no writer any more answers "read only" on connections that
// are healthy. None of those that were opened before is used again, so that the pool
// finds the writer, and Retry runs the block again there.
func TestB17_AWriterThatIsNoneAnyMore(t *testing.T) {
	t.Parallel()
	db := open(t, testdb.NewServer(t, testdb.MySQL).New(t), setup{})
	db.arrange("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)")
	ctx := t.Context()
	old := map[int64]bool{}
	require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
		old[db.id(ctx)] = true
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			old[db.id(ctx)] = true
			return db.insert(ctx, 9)
		}, atomic.Propagation(atomic.Independent))
	}))
	require.Len(t, old, 2, "two connections in the pool")

	_, err := db.Admin.ExecContext(ctx, "SET GLOBAL super_read_only = ON")
	require.NoError(t, err)
	attempts := 0
	require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
		if attempts++; attempts == 2 { // as if another server were found
			db.arrange("SET GLOBAL super_read_only = OFF")
			assert.False(t, old[db.id(ctx)], "a connection to the server that is no writer")
		}
		err := db.insert(ctx, 1)
		if attempts == 1 {
			require.ErrorIs(t, err, dialect.ErrReadOnly)
		}
		return err
	}, atomic.Retry(3)))
	assert.Equal(t, 2, attempts)
	require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			assert.False(t, old[db.id(ctx)])
			return db.insert(ctx, 2)
		}, atomic.Propagation(atomic.Independent))
	}))
	assert.Equal(t, []int{1, 2, 9}, db.kept())

	// A block that is itself read-only tries in vain.
	attempts = 0
	err = atomic.Do(ctx, db, func(ctx context.Context) error { attempts++; return db.insert(ctx, 3) }, atomic.ReadOnly(), atomic.Retry(3))
	require.ErrorIs(t, err, dialect.ErrReadOnly)
	assert.Equal(t, 1, attempts)
}
