package queries

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/tests/soak"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := setPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	goleak.VerifyTestMain(m)
}

// setPrograms has rapid run 500 programs on each engine, the same each time, and in a soak
// new ones. What a soak finds may be the server's: see the places that leave something out.
func setPrograms() error {
	if !soak.Asked() && !soak.Given("rapid.seed") && !soak.Given("rapid.checks") {
		if err := flag.Set("rapid.seed", "20261128"); err != nil {
			return err
		}
	}
	return soak.Programs("500")
}

var errUndo = errors.New("undo")

// TestQueriesReadWhatGoWouldRead runs each program in a block of its own, which is
// undone. A program that fails is kept in testdata/rapid and runs first from then on.
func TestQueriesReadWhatGoWouldRead(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		db, err := orm.Open(t.Context(), testdb.Source(at.Engine, at.DSN))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		require.NoError(t, orm.CreateTables(t.Context(), db, (*TaskTag)(nil), (*Team)(nil), (*Member)(nil), (*Task)(nil), (*Tag)(nil)))
		rapid.Check(t, func(rt *rapid.T) {
			w := worlds(rt)
			g := generator(rt, db, w)
			read := choose(g, []func(*gen) program{selects, selects, rowsOfModels, rowsOfModels, pages})
			p := read(g)
			var diff string
			err := atomic.Do(t.Context(), db, func(ctx context.Context) error {
				if err := w.write(ctx, db); err != nil {
					return err
				}
				diff = p.run(ctx)
				return errUndo
			})
			if diff == "" && !errors.Is(err, errUndo) {
				diff = err.Error()
			}
			if diff != "" {
				rt.Fatalf("%s\n%s\n%s", w, p.text, diff)
			}
		})
	})
}

// program is a query, and what there is to say if it reads something else than Go.
type program struct {
	text string
	run  func(ctx context.Context) string
}

// compareRows compares rows in order; those of equal keys may come in any.
func compareRows(want []result, by []criterion, got [][]value) string {
	report := func() string {
		var b strings.Builder
		b.WriteString("the rows should be\n")
		for _, r := range want {
			fmt.Fprintf(&b, "\t%s\n", spelled(r.values))
		}
		b.WriteString("and are\n")
		for _, r := range got {
			fmt.Fprintf(&b, "\t%s\n", spelled(r))
		}
		return b.String()
	}
	if len(want) != len(got) {
		return report()
	}
	for at := 0; at < len(want); {
		end := at + 1
		for end < len(want) && compareBy(by, want[at].keys, want[end].keys) == 0 {
			end++
		}
		var a, b []string
		for i := at; i < end; i++ {
			a, b = append(a, spelled(want[i].values)), append(b, spelled(got[i]))
		}
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			return report()
		}
		at = end
	}
	return ""
}
