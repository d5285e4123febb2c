package mysql

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/proxy"
	"github.com/holdfast-go/holdfast/internal/testserver"
)

// TestRoundTrips: a prefix costs none of its own, and what a text with a
// semicolon or a value bound on the server costs is as documented.
func TestRoundTrips(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		p := proxy.New(t, db.Addr)
		w := take(t, open(t, db.Via(p.Addr())))
		nested := []string{"SAVEPOINT hf_1", "SAVEPOINT hf_2"}
		for _, step := range []struct {
			what  string
			turns int
			do    func()
		}{
			{"the first of a block", 1, func() { exec(t, w, []string{"BEGIN"}, "DO ?", 1) }},
			{"the first of a nested block", 1, func() { exec(t, w, nested, "DO ?", 1) }},
			{"rows", 1, func() { ask(t, w, "SELECT ?", 1) }},
			{"a refused one", 1, func() { _ = refused(t, w, []string{"SAVEPOINT hf_3"}, "BOGUS") }},
			{"a refused value", 0, func() { _ = refused(t, w, []string{"SAVEPOINT hf_3"}, "DO ?", struct{}{}) }},
			{"with a semicolon at its end", 1, func() { exec(t, w, []string{"ROLLBACK TO hf_2"}, "DO ?;", 1) }},
			{"with a semicolon in it", 2, func() { exec(t, w, []string{"ROLLBACK TO hf_2"}, "DO ?, ';'", 1) }},
			{"stacked", 1, func() { _ = refused(t, w, []string{"ROLLBACK TO hf_2"}, "DO 1; DO 2") }},
			{"bound on the server", 2, func() { exec(t, w, nil, `DO ?, "\\"`, 1) }},
			{"bound on the server, with a prefix", 3, func() { exec(t, w, []string{"ROLLBACK TO hf_2"}, `DO ?, "\\"`, 1) }},
			{"commit", 1, func() { require.NoError(t, w.Commit(t.Context(), []string{"SET @a = 1", "SET @b = 1"})) }},
			{"begin", 1, func() {
				exec(t, w, []string{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "START TRANSACTION READ ONLY"}, "DO 1")
			}},
			{"rollback", 1, func() { require.NoError(t, w.Rollback(t.Context(), []string{"SET @a = 1"})) }},
			{"what is known without asking", 0, func() { require.True(t, w.Alive() && w.Idle() && w.Used() && w.ID() > 0) }},
		} {
			require.Equal(t, step.turns, p.During(step.do).Turns, step.what)
		}
	})
}

// A connection costs no more round trips than the driver's own with one SET.
func TestRoundTripsOfAConnection(t *testing.T) {
	each(t, func(t *testing.T, db testserver.Database) {
		p := proxy.New(t, db.Addr)
		ours := open(t, db.Via(p.Addr()))
		stock := pool(t, with(db.Via(p.Addr()), "autocommit=1"))
		require.NoError(t, stock.PingContext(t.Context())) // both have logged in before
		stock.SetMaxIdleConns(0)
		first := p.During(func() { take(t, ours) })
		second := p.During(func() { take(t, ours) })
		plain := p.During(func() {
			c, err := stock.Conn(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { _ = c.Close() })
		})
		require.Equal(t, plain.Turns, second.Turns)
		require.LessOrEqual(t, first.Turns, second.Turns)
	})
}
