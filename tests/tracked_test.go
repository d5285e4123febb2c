package tests

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// B23: what a trigger changes in the session no text shows. The server says so, in
// the clear, under TLS and compressed, and the connection is closed.
func TestB23_ASessionThatATriggerChanges(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		db.arrange("CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW SET @@session.time_zone = '+05:00'")
		for _, params := range []string{"", "tls=skip-verify", "compress=true", "compress=true&tls=skip-verify", "multiStatements=false"} {
			if strings.Contains(params, "tls") && db.Engine == testdb.MariaDB && !db.executor.Database().Server.Version.AtLeast(11, 4, 0) {
				continue // before, it has no certificate of its own
			}
			ours := db.again(setup{dsn: withParams(db.DSN, params)})
			zone := func(ctx context.Context) (id int64, zone string) {
				require.NoError(t, ours.executor.SQL().QueryRowContext(ctx, "SELECT CONNECTION_ID(), @@time_zone").Scan(&id, &zone))
				return id, zone
			}
			first, _ := zone(t.Context())
			again, _ := zone(t.Context())
			require.Equal(t, first, again, "%s: what changes nothing is pooled", params)
			require.NoError(t, ours.insert(t.Context(), 1), params)
			second, now := zone(t.Context())
			assert.NotEqual(t, first, second, params)
			assert.Equal(t, "+00:00", now, params)
			require.NoError(t, atomic.Do(t.Context(), ours, func(ctx context.Context) error { return ours.insert(ctx, 2) }))
			third, now := zone(t.Context())
			assert.NotEqual(t, second, third, params)
			assert.Equal(t, "+00:00", now, params)
			db.arrange("DELETE FROM t")
		}
	}, testdb.MySQL, testdb.MariaDB)
}
