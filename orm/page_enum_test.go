package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Shirt has columns of which MySQL and MariaDB order the members by their places.
type Shirt struct {
	bun.BaseModel `bun:"table:shirt"`
	ID            int64  `bun:",pk"`
	Size          string `bun:"type:enum('small','medium','large')"`
	Washed        string `bun:"type:set('hot','cold')"`
}

// blouse is the same with a type of PostgreSQL's.
type blouse struct {
	bun.BaseModel `bun:"table:shirt"`
	ID            int64  `bun:",pk"`
	Size          string `bun:"type:size"`
	Washed        string
}

// pagesOf goes through q page by page.
func pagesOf[T any](ctx context.Context, t *testing.T, q orm.QuerySet[T], id func(*T) int64) (ids []int64) {
	t.Helper()
	var last *T
	for {
		page, err := q.After(last).Limit(1).All(ctx)
		require.NoError(t, err)
		if len(page) == 0 {
			return ids
		}
		last = page[0]
		ids = append(ids, id(last))
	}
}

// MySQL and MariaDB order an ENUM by the places of its members, and compare it as a text:
// behind "small" they find nothing but itself. Where the two are one, pages are the whole.
func TestS44_NoPagesByAnEnum(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		rows := []*Shirt{{ID: 1, Size: "small", Washed: "hot"}, {ID: 2, Size: "medium", Washed: "cold"}, {ID: 3, Size: "large", Washed: "hot"}}
		all := orm.Objects[Shirt](db)
		switch engine := db.Server().Engine; engine {
		case dialect.Postgres:
			for _, text := range []string{
				"CREATE TYPE size AS ENUM ('small', 'medium', 'large')", "CREATE TABLE shirt (id bigint PRIMARY KEY, size size, washed text)",
				"INSERT INTO shirt VALUES (1, 'small', 'hot'), (2, 'medium', 'cold'), (3, 'large', 'hot')",
			} {
				_, err := db.Exec(ctx, text)
				require.NoError(t, err)
			}
			shirts := orm.Objects[blouse](db)
			require.Equal(t, []int64{1, 2, 3}, pagesOf(ctx, t, shirts.OrderBy("size"), func(s *blouse) int64 { return s.ID }))
			require.Equal(t, []int64{3, 2, 1}, pagesOf(ctx, t, shirts.OrderBy("-size"), func(s *blouse) int64 { return s.ID }))
		case dialect.SQLite:
			require.NoError(t, orm.CreateTables(ctx, db, (*Shirt)(nil)))
			require.NoError(t, all.BulkCreate(ctx, rows))
			require.Equal(t, []int64{3, 2, 1}, pagesOf(ctx, t, all.OrderBy("size"), func(s *Shirt) int64 { return s.ID }))
		default:
			require.NoError(t, orm.CreateTables(ctx, db, (*Shirt)(nil)))
			require.NoError(t, all.BulkCreate(ctx, rows))
			ordered, err := all.OrderBy("size").All(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, ordered[0].ID, "the order itself is the server's")
			require.Equal(t, []int64{1, 2, 3}, pagesOf(ctx, t, all.OrderBy("id"), func(s *Shirt) int64 { return s.ID }))
			for _, name := range []string{"size", "-size", "washed"} {
				q := all.OrderBy(name)
				_, cursor := q.Cursor(rows[0])
				for what, err := range map[string]error{
					"the first page": q.After(nil).Err(), "a page": q.After(rows[0]).Err(), "backward": q.Before(rows[0]).Err(), "a cursor": cursor,
					"by one": q.AfterCursor("AQ").Err(), "not first": all.OrderBy("id", name).After(nil).Err(),
				} {
					var refused *query.FieldError
					require.ErrorAs(t, err, &refused, what)
					require.ErrorContains(t, err, "page by another column", what)
				}
			}
		}
	})
}
