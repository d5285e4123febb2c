package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Old has columns of the character sets that old tables have.
type Old struct {
	bun.BaseModel `bun:"table:olds"`
	models.AutoID
	Latin string `bun:"type:varchar(40) character set latin1"`
	ASCII string `bun:"type:varchar(40) character set ascii collate ascii_bin"`
	Three string `bun:"type:varchar(40) charset utf8mb3"`
}

func TestS10_TextsThatAColumnHasNoCharactersFor(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if e := db.Server().Engine; e != dialect.MySQL && e != dialect.MariaDB {
			return // text has one character set there
		}
		require.NoError(t, orm.CreateTables(ctx, db, (*Old)(nil)))
		all := orm.Objects[Old](db)
		require.NoError(t, all.Create(ctx, &Old{Latin: "é€", ASCII: "e", Three: "한"}))
		count := func(want int64, conds ...query.Cond) {
			t.Helper()
			for i, c := range conds {
				n, err := all.Filter(c).Count(ctx)
				require.NoError(t, err, i)
				require.Equal(t, want, n, i)
			}
		}
		for _, name := range []string{"latin", "ascii", "three"} {
			c := F(name)
			count(0, c.Eq("🎧"), c.In("🎧", "🎧🎧"), c.In("🎧", "x"), query.Lower(c).Eq("🎧"), c.Contains("🎧"), query.And(c.Ne("🎧"), c.Eq("🎧")))
			count(1, c.Ne("🎧"), c.NotIn("🎧", "x"), query.Not(c.Eq("🎧")), c.Ne("한국어🎧"))
			var ve *query.ValueError
			_, err := all.Filter(c.Lt("🎧")).Count(ctx)
			require.ErrorAs(t, err, &ve)
		}
		count(1, F("latin").Eq("é€"), F("latin").In("é€", "🎧"), F("three").Eq("한"), F("ascii").In("한", "e"), F("latin").Contains("é"), F("latin").StartsWith("é"))
		count(0, F("ascii").Eq("é"), F("ascii").In("é"), F("latin").Eq("한"))
		_, err := all.Update(ctx, query.Set("ascii", "é"))
		require.Error(t, err)
	})
}
