package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// A list in a column of arrays comes back element by element, whatever the texts
// look like: PostgreSQL writes ( and [ without quotes, as it writes words.
func TestS01_ArraysOfAnyText(t *testing.T) {
	type Labelled struct {
		ID     int64    `bun:",pk,autoincrement"`
		Labels []string `bun:",array"`
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Labelled)(nil)))
		for _, labels := range [][]string{
			{"(", ""}, {"[", "x"}, {"(a", "b)"}, {"[a]", "c"}, {"x", "("}, {"(", "(", "["}, {")", "]"}, {"("}, {"(,", "[1,2)"},
			{`"(`, `\(`, `("`}, {"{(}", "}"}, {"", ""}, {"NULL", "null"}, {" ( ", "(\n"}, {"é(", "(é"}, {},
		} {
			row := &Labelled{Labels: labels}
			require.NoError(t, orm.Objects[Labelled](db).Create(ctx, row))
			got, err := orm.Objects[Labelled](db).Filter(query.F("id").Eq(row.ID)).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, labels, got.Labels, "%q", labels)
		}
	})
}
