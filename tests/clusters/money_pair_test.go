package clusters

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

// The program knows both servers of a pair, and looks for the one that takes writes.
func TestMoneyThroughAFailover(t *testing.T) {
	degrees := []string{"on"}
	if os.Getenv("HOLDFAST_TEST_CLUSTERS") != "" { // a run that has time
		degrees = append(degrees, "", "remote_apply")
	}
	for _, degree := range degrees {
		t.Run("synchronous "+degree, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, pair(t, testdb.Synchronous(degree)))
			db := b.open(b.DSN(b.name), orm.WithCommitTimeout(20*time.Second))
			before := ""
			o := money(b, []*orm.DB{db}, b.failover, func() {
				before = b.transfersOf(b.Nodes[0])
				b.rejoin()
			}).resolved(t)
			if degree != "" {
				o.kept(t)
				return
			}
			// What the standby had not got yet is lost with the primary. What Do said of it
			// was true when it was said: it was there.
			for _, id := range o.doneMissing {
				assert.Contains(t, before, ","+id+",", "was it done on the server that is lost?")
			}
			t.Logf("%d transfers were done, and lost with the primary", len(o.doneMissing))
		})
	}
}

// Without the table of marks nobody knows what became of a COMMIT that was on its way
// while the standby took over; of all others everybody does.
func TestMoneyThroughAFailoverWithoutMarks(t *testing.T) {
	t.Parallel()
	b := newBed(t, pair(t, testdb.Synchronous("on"))).withoutMarks()
	db := b.open(b.DSN(b.name), orm.WithCommitTimeout(20*time.Second))
	var over time.Time
	o := money(b, []*orm.DB{db}, func() { b.failover(); over = time.Now() }, b.rejoin).kept(t)
	for _, left := range o.unresolved {
		assert.True(t, left.began.Before(over), "it began on the new primary: %v", left.err)
	}
}

// transfersOf starts a server that was killed and returns the transfers that it has.
func (b *bed) transfersOf(old *testdb.Node) string {
	b.t.Helper()
	// As a primary it would wait for its standby.
	require.NoError(b.t, old.Start(b.t.Context()))
	ids, err := old.Ask(b.t.Context(), b.name, "SELECT string_agg(id::text, ',') FROM transfer")
	require.NoError(b.t, err)
	return "," + strings.TrimSpace(ids) + ","
}
