package sqlite

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/backend"
)

func TestResolver(t *testing.T) {
	each(t, func(t *testing.T, db *backend.Database) {
		u, other := connect(t, db), connect(t, db)
		ctx := context.Background()
		r := db.Engine.Resolver()
		outcome := func(token string) bool {
			done, err := r.Outcome(ctx, other.wire, token)
			require.NoError(t, err)
			return done
		}
		assert.False(t, outcome("unheard-of"))
		u.must("CREATE TABLE t (a)")
		require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
		token, prefix, err := r.Prepare(ctx, u.wire, nil)
		require.NoError(t, err)
		require.NoError(t, u.wire.Commit(ctx, prefix))
		assert.True(t, outcome(token))

		require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO t VALUES (1)"))
		token, prefix, err = r.Prepare(ctx, u.wire, nil)
		require.NoError(t, err)
		_, err = u.wire.Exec(ctx, prefix, "SELECT 1", nil)
		require.NoError(t, err)
		u.discard() // as after an I/O error at COMMIT
		assert.False(t, outcome(token))

		require.NoError(t, other.begin(backend.TxOptions{ReadOnly: true}, "SELECT 1"))
		token, prefix, err = r.Prepare(ctx, other.wire, nil)
		require.NoError(t, err)
		assert.Empty(t, token)
		assert.Empty(t, prefix)
	})
}

func TestB25_DeferredConstraint(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must("CREATE TABLE p (id INTEGER PRIMARY KEY)")
	u.must("CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
	require.NoError(t, u.begin(backend.TxOptions{}, "INSERT INTO c VALUES (1)"))
	err := u.commit()
	assert.Equal(t, dialect.ErrForeignKeyViolation, u.kind(err))
	assert.False(t, u.wire.Idle(), "still open: to be rolled back")
	u.rollback()
	assert.True(t, u.wire.Idle())
}

func TestUnansweredCommit(t *testing.T) {
	e := classify(&unansweredError{errors.New("disk I/O error")})
	assert.Equal(t, dialect.ErrConnectionLost, e.Kind)
}
