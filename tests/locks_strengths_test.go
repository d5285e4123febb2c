package tests

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// What another program may ask for. All have NOWAIT.
const (
	share    = "SELECT id FROM project WHERE id = 1 FOR SHARE NOWAIT"
	keyShare = "SELECT id FROM project WHERE id = 1 FOR KEY SHARE NOWAIT"
	noKey    = "SELECT id FROM project WHERE id = 1 FOR NO KEY UPDATE NOWAIT"
	update   = "SELECT id FROM project WHERE id = 1 FOR UPDATE NOWAIT"
)

// has reports whether the server knows the clause of one of these.
func (s *studio) has(statement string) bool {
	switch statement {
	case update:
		return true
	case share:
		return s.Engine != testdb.MariaDB
	}
	return s.Engine == testdb.Postgres
}

// Share, NoKey and KeyShare keep some away and let others in.
func TestL01_Strengths(t *testing.T) {
	for name, c := range map[string]struct {
		option  orm.LockOption
		needs   dialect.Capability
		allowed []string // of the four, for another program
		refused []string
	}{
		"Share":    {orm.Share, dialect.ForShare, []string{share, keyShare}, []string{noKey, update}},
		"NoKey":    {orm.NoKey, dialect.NoKeyUpdate, []string{keyShare}, []string{share, noKey, update}},
		"KeyShare": {orm.KeyShare, dialect.KeyShare, []string{keyShare, share, noKey}, []string{update}},
	} {
		t.Run(name, func(t *testing.T) {
			eachStudio(t, func(t *testing.T, s *studio) {
				q := orm.Objects[Project](s.DB).Filter(query.F("id").Eq(1)).SelectForUpdate(c.option)
				if !s.Server().Can(c.needs) {
					s.quiet("refused", func() {
						err := atomic.Do(t.Context(), s, func(ctx context.Context) error { _, err := q.All(ctx); return err })
						require.ErrorIs(t, err, dialect.ErrUnsupported)
						require.ErrorContains(t, err, c.needs.String()+" is not supported by "+s.Server().String())
					})
					return
				}
				require.NoError(t, atomic.Do(t.Context(), s, func(ctx context.Context) error {
					_, err := q.Get(ctx)
					require.NoError(t, err)
					if s.Engine == testdb.SQLite {
						assert.True(t, s.isLocked("project", 1))
						return nil
					}
					for _, statement := range c.allowed {
						if s.has(statement) {
							assert.NoError(t, s.tries(statement), statement)
						}
					}
					for _, statement := range c.refused {
						if s.has(statement) {
							assert.ErrorIs(t, s.tries(statement), dialect.ErrLockNotAvailable, statement)
						}
					}
					return nil
				}))
			})
		})
	}
}

// tries sends a statement as another program, in a transaction that is rolled
// back.
func (s *studio) tries(statement string) error {
	s.t.Helper()
	tx, err := s.Admin.BeginTx(context.Background(), nil)
	require.NoError(s.t, err)
	defer func() { _ = tx.Rollback() }()
	rows, err := tx.QueryContext(context.Background(), statement)
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		_ = rows.Close()
	}
	if err == nil {
		return nil
	}
	return block.Of(s).Database().Engine.Classify(err)
}

// refused requires that a server without a capability is not asked.
func (s *studio) refused(t *testing.T, c dialect.Capability, q orm.QuerySet[Audio]) {
	t.Helper()
	s.quiet(c.String(), func() {
		_, err := lockedBy(t.Context(), s, q)
		require.ErrorIs(t, err, dialect.ErrUnsupported)
		require.ErrorContains(t, err, c.String()+" is not supported by "+s.Server().String())
		var e *dialect.UnsupportedError
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Hint)
	})
}
