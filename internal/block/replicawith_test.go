package block_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
)

// A query with common table expressions is a read of orm's as any other; what writes behind
// WITH is none, and a text of the caller's may do what it does not show.
func TestR05_AReadWithCommonTableExpressions(t *testing.T) {
	const read = "WITH a AS (SELECT 1) SELECT * FROM a"
	for _, text := range []string{read, "SET STATEMENT max_recursive_iterations = 4294967295 FOR WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a"} {
		withReplicas(t, 1, func(t *testing.T, s *script, own *history, _ *strings.Builder, all []*follower) {
			r := all[0]
			seen, err := s.db.Seen(t.Context(), "")
			require.NoError(t, err)
			r.on(text, refuses(gone))
			query := func(st block.Statement) error {
				return s.db.Query(seen, st, func(driver.Rows) error { return nil })
			}
			require.NoError(t, query(block.Statement{SQL: text, Built: true, Replica: true}))
			r.sent(text)
			s.sent(text)
			s.on(text, refuses(gone))
			err = query(block.Statement{SQL: text, Built: true})
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			require.NotErrorIs(t, err, atomic.ErrOutcomeUnknown)
			require.Empty(t, s.db.SeenToken(seen))
			s.on("COMMIT", refuses(gone))
			err = s.do(seen, func(ctx context.Context) error { _, err := s.all(ctx, text); return err })
			require.ErrorIs(t, err, dialect.ErrConnectionLost)
			require.NotErrorIs(t, err, atomic.ErrCommitUnknown)
			require.Empty(t, s.db.SeenToken(seen))
		})
	}
	for _, st := range []block.Statement{
		{SQL: "WITH a AS (SELECT 1) UPDATE b SET c = 1", Built: true},
		{SQL: "WITH a AS (DELETE FROM b RETURNING c) SELECT * FROM a", Built: true},
		{SQL: read},
	} {
		withReplica(t, func(t *testing.T, s *script, own *history, r *follower) {
			s.on(st.SQL, refuses(gone))
			require.ErrorIs(t, s.db.Query(t.Context(), st, func(driver.Rows) error { return nil }), atomic.ErrOutcomeUnknown, st.SQL)
		})
	}
}
