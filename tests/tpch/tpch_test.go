package tpch

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, at testdb.Database) *orm.DB {
	t.Helper()
	db, err := orm.Open(t.Context(), testdb.Source(at.Engine, at.DSN))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func load(ctx context.Context, t *testing.T, db *orm.DB, d *Data) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Region)(nil), (*Nation)(nil), (*Supplier)(nil), (*Customer)(nil), (*Part)(nil), (*PartSupp)(nil), (*Order)(nil), (*LineItem)(nil)))
	insert(ctx, t, db, d.Regions)
	insert(ctx, t, db, d.Nations)
	insert(ctx, t, db, d.Suppliers)
	insert(ctx, t, db, d.Customers)
	insert(ctx, t, db, d.Parts)
	insert(ctx, t, db, d.PartSupps)
	insert(ctx, t, db, d.Orders)
	insert(ctx, t, db, d.LineItems)
	for _, index := range []struct {
		model  any
		fields []string
	}{
		{(*LineItem)(nil), []string{"l_partkey", "l_suppkey"}}, {(*Order)(nil), []string{"o_custkey"}}, {(*PartSupp)(nil), []string{"ps_suppkey"}},
	} {
		require.NoError(t, orm.CreateIndex(ctx, db, index.model, index.fields...))
	}
}

func insert[T any](ctx context.Context, t *testing.T, db *orm.DB, rows []*T) {
	t.Helper()
	require.NoError(t, orm.Objects[T](db).BulkCreate(ctx, rows))
}

var questions = [...]question{
	1: asked(Q1), 2: asked(Q2), 3: asked(Q3), 4: asked(Q4), 5: asked(Q5), 6: asked(Q6),
	7: asked(Q7), 8: asked(Q8), 9: asked(Q9), 10: asked(Q10), 11: asked(Q11),
	12: asked(Q12), 13: asked(Q13), 14: asked(Q14), 15: asked(Q15), 16: asked(Q16), 17: asked(Q17),
	18: asked(Q18), 19: asked(Q19), 20: asked(Q20), 21: asked(Q21), 22: asked(Q22),
}

// golden is the answers of the engine that answers first.
type golden struct {
	mu      sync.Mutex
	answers [len(questions)]answer
}

func (g *golden) of(n int, got answer) answer {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.answers[n] == nil {
		g.answers[n] = got
	}
	return g.answers[n]
}

// Each question has rows, and the same ones by orm, by hand, and on every engine.
func TestTheAnswersAreThoseOfPlainSQL(t *testing.T) {
	var first golden
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		db := open(t, at)
		start := time.Now()
		load(t.Context(), t, db, Generate())
		t.Log("loaded in", time.Since(start))
		for n := 1; n < len(questions); n++ {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				start := time.Now()
				got := questions[n](t.Context(), t, db)
				took := time.Since(start)
				want := byHand(t.Context(), t, db.SQL(), spell(db.Server().Engine, plain[n]))
				t.Log(len(got), "rows in", took, "and by hand in", time.Since(start)-took)
				require.NotEmpty(t, want)
				require.Equal(t, want, got, "by hand and by orm")
				require.Equal(t, first.of(n, got), got, "on the engine that was first and on this one")
			})
		}
	})
}
