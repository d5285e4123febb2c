package sqlite

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/backend"
)

func TestStatementCache(t *testing.T) {
	u := connect(t, open(t, Open(file(t), StatementCache(3))))
	c := u.wire.(*wire).cache
	u.must("CREATE TABLE t (a)")
	for range 3 {
		for _, q := range []string{"SELECT 1", "SELECT 2; ", "SELECT 3", "SELECT 4", "INSERT INTO t VALUES (1)"} {
			u.must(q)
			assert.LessOrEqual(t, c.recent.Len(), 3)
			assert.Len(t, c.byText, c.recent.Len())
		}
	}
	u.must("INSERT INTO t VALUES ('" + strings.Repeat("x", longest) + "')")
	u.must("PRAGMA foreign_keys")
	assert.Len(t, c.byText, 3)

	// A statement whose rows are being read is prepared once more.
	rows, err := u.wire.Query(context.Background(), nil, "SELECT a FROM t", nil)
	require.NoError(t, err)
	assert.Equal(t, u.one("SELECT count(*) FROM t"), int64(len(must(u.all("SELECT a FROM t")))))
	require.NoError(t, rows.Close())
	require.NoError(t, rows.Close())

	// The schema may change under a kept statement.
	before := must(u.all("SELECT * FROM t"))
	u.must("ALTER TABLE t ADD COLUMN b DEFAULT 'new'")
	after := must(u.all("SELECT * FROM t"))
	assert.Len(t, before[0], 1)
	assert.Len(t, after[0], 2)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestRowsError(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u := connect(t, db)
		u.must("CREATE TABLE t (a)")
		u.must("INSERT INTO t VALUES ('{}'), ('{}'), ('{')")
		require.NoError(t, u.begin(backend.TxOptions{}, "SELECT 1"))
		all, err := u.all("SELECT json_type(a) FROM t")
		assert.Len(t, all, 2)
		assert.Equal(t, "malformed JSON", db.Engine.Classify(err).Message)
		assert.False(t, db.Engine.Classify(err).Fatal)
		u.rollback()

		ctx, cancel := context.WithCancel(context.Background())
		rows, err := u.wire.Query(ctx, nil, endless+"SELECT i FROM n", nil)
		require.NoError(t, err)
		cancel()
		_, err = read(rows, nil)
		assert.ErrorIs(t, err, context.Canceled)
		assert.True(t, u.wire.Idle())
	})
}
