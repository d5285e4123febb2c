package orm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Essay has texts that are alike for longer than MariaDB looks by itself when it sorts.
type Essay struct {
	bun.BaseModel `bun:"table:essay"`
	models.AutoID
	Body string
	Link string `bun:"type:varchar(3000)"`
	Scan []byte
	No   int64
}

const essays = 40

func withEssays(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Essay)(nil)))
		rows := make([]*Essay, essays)
		for i := range rows {
			no := int64(i * 7 % essays)
			text := strings.Repeat("é", 1000) + fmt.Sprintf("%02d", no)
			rows[i] = &Essay{Body: text, Link: text, Scan: []byte(text), No: no}
		}
		require.NoError(t, orm.Objects[Essay](db).BulkCreate(ctx, rows))
		test(t, ctx, db)
	})
}

func TestS57_LongTextsStandInTheirOrder(t *testing.T) {
	withEssays(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Essay](db)
		body := F("body")
		for name, order := range map[string]query.Order{
			"text": body.Asc(), "varchar": F("link").Asc(), "bytes": F("scan").Asc(), "computed": query.Concat(F("link"), body).Asc(),
			"backwards": body.Desc(),
		} {
			got, err := orm.Select[int64](ctx, all.OrderByExpr(order), F("no"))
			require.NoError(t, err, name)
			for i, no := range got {
				if name == "backwards" {
					i = essays - 1 - i
				}
				require.EqualValues(t, i, no, name)
			}
		}
		type place struct{ No, Rank, Alike int64 }
		places, err := orm.Select[place](ctx, all.OrderBy("no"), F("no"), query.Rank().Over(query.Partition().OrderBy("body")).As("rank"),
			query.Count().Over(query.Partition(body)).As("alike"))
		require.NoError(t, err)
		for i, p := range places {
			require.Equal(t, place{No: int64(i), Rank: int64(i + 1), Alike: 1}, p)
		}
	})
}

func TestS44_PagesOfLongTexts(t *testing.T) {
	withEssays(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		pages := orm.Objects[Essay](db).OrderBy("body").Limit(7)
		var last *Essay
		for n := 0; ; {
			page, err := pages.After(last).All(ctx)
			require.NoError(t, err)
			if len(page) == 0 {
				require.Equal(t, essays, n)
				return
			}
			for _, last = range page {
				require.EqualValues(t, n, last.No)
				n++
			}
		}
	})
}
