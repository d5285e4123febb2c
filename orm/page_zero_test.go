package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Stair is a row of a list whose order may have a zero and a NULL, which its struct
// does not tell apart.
type Stair struct {
	bun.BaseModel `bun:"table:stair"`
	models.AutoID
	Name  string       `bun:"type:varchar(20)"`
	Level int64        `bun:",nullzero"`
	Last  bun.NullTime `bun:"type:timestamp(6)"`
}

// A row that stands at a zero of the table is not taken for one that stands at NULL.
func TestS44_AZeroWhereNullIs(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Stair)(nil)))
		all := orm.Objects[Stair](db)
		require.NoError(t, all.BulkCreate(ctx, []*Stair{
			{Name: "below", Level: -1}, {Name: "none"}, {Name: "ground", Level: 9}, {Name: "first", Level: 1}, {Name: "none either"}, {Name: "second", Level: 2},
		}))
		through := func(q orm.QuerySet[Stair], from func(orm.QuerySet[Stair], *Stair) orm.QuerySet[Stair]) (names []string, err error) {
			var last *Stair
			for range 10 {
				page, err := from(q, last).Limit(1).All(ctx)
				if err != nil || len(page) == 0 {
					return names, err
				}
				last = page[0]
				names = append(names, last.Name)
			}
			t.Fatal("the pages go in circles: ", names)
			return nil, nil
		}
		after, before := orm.QuerySet[Stair].After, orm.QuerySet[Stair].Before
		byCursor := func(q orm.QuerySet[Stair], last *Stair) orm.QuerySet[Stair] {
			if last == nil {
				return q.AfterCursor("")
			}
			cursor, err := q.Cursor(last)
			require.NoError(t, err)
			return q.AfterCursor(cursor)
		}
		up, down := all.OrderBy("level"), all.OrderBy("-level", "name")

		names, err := through(up, after)
		require.NoError(t, err)
		require.Equal(t, []string{"none", "none either", "below", "first", "second", "ground"}, names)

		_, err = all.Filter(F("name").Eq("ground")).Update(ctx, query.Set("level", 0))
		require.NoError(t, err)
		for _, page := range []struct {
			name string
			q    orm.QuerySet[Stair]
			from func(orm.QuerySet[Stair], *Stair) orm.QuerySet[Stair]
			want []string
		}{
			{"up", up, after, []string{"none", "none either", "below"}},
			{"up, by cursors", up, byCursor, []string{"none", "none either", "below"}},
			{"up, from the end", up, before, []string{"second", "first"}},
			{"down", down, after, []string{"second", "first"}},
			{"down, from the end", down, before, []string{"none either", "none", "below"}},
		} {
			names, err := through(page.q, page.from)
			var unread *orm.ScanError
			require.ErrorAs(t, err, &unread, page.name)
			require.ErrorContains(t, err, "Stair.level is a zero in a row", page.name)
			require.Equal(t, page.want, names, page.name)
		}
		for _, err := range up.After(nil).Iterate(ctx) {
			if err != nil {
				require.ErrorContains(t, err, "Stair.level")
				break
			}
		}

		// What a statement has changed is not told without its rows.
		_, err = up.After(nil).Limit(10).UpdateReturning(ctx, query.Set("name", "swept"))
		require.ErrorContains(t, err, "Stair.level")
		swept, err := all.Filter(F("name").Eq("swept")).Count(ctx)
		require.NoError(t, err)
		require.Zero(t, swept)

		// Read in another way, or in another order, it is a row like any other.
		rows, err := up.All(ctx)
		require.NoError(t, err)
		require.Len(t, rows, 6)
		names, err = through(all.OrderBy("name"), after)
		require.NoError(t, err)
		require.Len(t, names, 6)
	})
}

// Ledge is a row whose zeros are none of NULL, whatever its fields say.
type Ledge struct {
	bun.BaseModel `bun:"table:ledge"`
	ID            int64  `bun:",pk,nullzero"`
	Level         int64  `bun:",notnull,nullzero"`
	Name          string `bun:",notnull,nullzero,type:varchar(20)"`
}

func TestS44_AZeroWhereNoNullIs(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Ledge)(nil)))
		all := orm.Objects[Ledge](db)
		_, err := db.Exec(ctx, "INSERT INTO ledge (id, level, name) VALUES (-1, 0, 'a'), (0, 0, ''), (1, 0, 'b'), (2, -1, ''), (3, 1, '')")
		require.NoError(t, err)
		for _, order := range [][]string{{}, {"-id"}, {"level"}, {"-level"}, {"level", "-name"}, {"-name", "level"}} {
			q := all.OrderBy(order...)
			whole, err := q.After(nil).All(ctx)
			require.NoError(t, err)
			require.Len(t, whole, 5)
			var pages, same []*Ledge
			var last *Ledge
			for len(pages) < 10 {
				page, err := q.After(last).Limit(2).All(ctx)
				require.NoError(t, err)
				if len(page) == 0 {
					break
				}
				pages, last = append(pages, page...), page[len(page)-1]
			}
			require.Equal(t, whole, pages, "%v", order)
			for cursor := ""; len(same) < 10; {
				page, err := q.AfterCursor(cursor).Limit(2).All(ctx)
				require.NoError(t, err)
				if len(page) == 0 {
					break
				}
				same = append(same, page...)
				cursor, err = q.Cursor(page[len(page)-1])
				require.NoError(t, err)
			}
			require.Equal(t, whole, same, "%v", order)
		}
	})
}
