package tests

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// What pgx takes in front of the arguments is no argument, through SQL() neither:
// other libraries send it.
func TestS01_OptionsOfPgx(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		sql := db.executor.SQL()
		look := func(ctx context.Context) {
			for _, options := range [][]any{
				{pgx.QueryExecModeExec}, {pgx.QueryExecModeSimpleProtocol}, {pgx.QueryResultFormats{0}}, {pgx.QueryResultFormatsByOID{20: 0}},
			} {
				var n int
				require.NoError(t, sql.QueryRowContext(ctx, "SELECT $1::bigint + 1", append(options, 6)...).Scan(&n))
				assert.Equal(t, 7, n)
				require.NoError(t, sql.QueryRowContext(ctx, "SELECT 7", options...).Scan(&n))
				assert.Equal(t, 7, n)
			}
		}
		look(t.Context())
		require.NoError(t, atomic.Do(t.Context(), db, func(ctx context.Context) error { look(ctx); return nil }))
	}, testdb.Postgres)
}
