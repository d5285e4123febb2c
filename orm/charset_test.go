package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
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

// Unnamed has columns of other character sets than its tags say.
type Unnamed struct {
	bun.BaseModel `bun:"table:unnamed"`
	models.AutoID
	Latin  string `bun:"type:varchar(40)"`
	German string
	ASCII  string
	Three  *string
	Korean string
	Four   string
}

func TestS10_ColumnsWhoseCharacterSetNoTagNames(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if e := db.Server().Engine; e != dialect.MySQL && e != dialect.MariaDB {
			return // text has one character set there
		}
		_, err := db.Exec(ctx, `CREATE TABLE unnamed (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
			latin VARCHAR(40) CHARACTER SET latin1 NOT NULL, german VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german2_ci NOT NULL, ascii VARCHAR(40) CHARACTER SET ascii NOT NULL,
			three VARCHAR(40) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci, korean VARCHAR(40) CHARACTER SET euckr NOT NULL,
			four VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL, KEY (latin))`)
		require.NoError(t, err)
		all := orm.Objects[Unnamed](db)
		three := "한"
		row := &Unnamed{Latin: "é€", German: "é", ASCII: "e", Three: &three, Korean: "한국", Four: "🎧"}
		require.NoError(t, all.Create(ctx, row))
		count := func(ctx context.Context, want int64, conds ...query.Cond) {
			t.Helper()
			for i, c := range conds {
				n, err := all.Filter(c).Count(ctx)
				require.NoError(t, err, i)
				require.Equal(t, want, n, i)
			}
		}
		check := func(ctx context.Context) {
			for _, name := range []string{"latin", "german", "ascii", "three", "korean"} {
				c := F(name)
				count(ctx, 0, c.Eq("🎧"), c.In("🎧", "🎧🎧"), c.In("🎧", "x"), query.Lower(c).Eq("🎧"), c.Contains("🎧"), query.And(c.Ne("🎧"), c.Eq("🎧")))
				count(ctx, 1, c.Ne("🎧"), c.NotIn("🎧", "x"), query.Not(c.Eq("🎧")), query.Or(F("four").Eq("🎧"), c.Eq("🎧")))
			}
			count(ctx, 1, F("latin").Eq("é€"), F("latin").In("é€", "🎧"), F("three").In("한", "🎧"), F("ascii").In("한", "e"), F("korean").In("é", "한국", "🎧"), F("four").In("🎧", "x"), F("german").In("É", "🎧"))
			count(ctx, 0, F("ascii").Eq("é"), F("ascii").In("é"), F("latin").Eq("한"), F("korean").Eq("🎧한국"))

			_, err := all.Filter(F("latin").Eq("🎧")).Get(ctx)
			require.ErrorIs(t, err, orm.ErrNotFound)
			found, err := all.Filter(F("three").Ne("🎧")).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, row.ID, found.ID)
			found, err = all.Filter(F("latin").Ne("한")).SelectForUpdate().First(ctx)
			require.NoError(t, err)
			require.Equal(t, row.ID, found.ID)
			exists, err := all.Filter(F("ascii").Eq("é")).Exists(ctx)
			require.NoError(t, err)
			require.False(t, exists)
			n, err := all.Filter(F("latin").Eq("🎧")).Update(ctx, query.Set("ascii", "y"))
			require.NoError(t, err)
			require.Zero(t, n)
			n, err = all.Filter(F("latin").Eq("🎧")).Delete(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
			changed, err := all.Filter(F("latin").Ne("🎧")).UpdateReturning(ctx, query.Set("ascii", "e"))
			require.NoError(t, err)
			require.Len(t, changed, 1)
			gone, err := all.Filter(F("latin").Eq("🎧")).DeleteReturning(ctx)
			require.NoError(t, err)
			require.Empty(t, gone)
			for r, err := range all.Filter(F("latin").Ne("🎧")).Iterate(ctx) {
				require.NoError(t, err)
				require.Equal(t, row.ID, r.ID)
			}
			names, err := orm.Select[string](ctx, all.Filter(F("latin").NotIn("🎧", "x")), F("four"))
			require.NoError(t, err)
			require.Equal(t, []string{"🎧"}, names)
		}
		inBlock(ctx, t, db, check) // whose COMMIT shows that nothing has marked it
		s, within, err := db.Session(ctx)
		require.NoError(t, err)
		require.NoError(t, s.SetAutocommit(false))
		inBlock(within, t, db, check)
		require.NoError(t, s.Commit(within))
		require.NoError(t, s.Close())

		var ve *query.ValueError
		_, err = all.Filter(F("latin").Between("a", "🎧")).Count(ctx)
		require.ErrorAs(t, err, &ve)
		require.ErrorContains(t, err, "latin1")
		_, err = all.GetOrCreate(ctx, &Unnamed{Latin: "🎧", ASCII: "e", Four: "x"}, "latin")
		require.ErrorContains(t, err, "1366") // nothing is created that would not come back
		count(ctx, 1, query.Or(F("four").Eq("🎧"), F("four").Eq("x")))
		_, err = all.Filter(query.Concat(F("latin"), "🎧").Eq("x")).Count(ctx)
		require.ErrorContains(t, err, "character set")

		for _, c := range []query.Cond{F("latin").Lt("🎧"), query.Concat(F("latin"), "🎧").Eq("x")} { // what cannot be written otherwise has failed
			require.ErrorIs(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				_, err := all.Filter(c).Count(ctx)
				require.Error(t, err)
				require.NotContains(t, err.Error(), "🎧")
				return nil
			}), atomic.ErrRollbackRequired)
		}
	})
}

// What is sent in place of a statement that the server could not compare is explained as
// that was, and neither runs nor locks.
func TestS10_AnExplainedTextBeyondItsColumn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if e := db.Server().Engine; e != dialect.MySQL && e != dialect.MariaDB {
			return // text has one character set there
		}
		_, err := db.Exec(ctx, `CREATE TABLE unnamed (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
			latin VARCHAR(40) CHARACTER SET latin1 NOT NULL, german VARCHAR(40) NOT NULL, ascii VARCHAR(40) NOT NULL,
			three VARCHAR(40), korean VARCHAR(40) NOT NULL, four VARCHAR(40) CHARACTER SET utf8mb4 NOT NULL)`)
		require.NoError(t, err)
		all := orm.Objects[Unnamed](db)
		require.NoError(t, all.Create(ctx, &Unnamed{Latin: "é", Four: "a row"}))
		plan, err := all.Filter(F("latin").Ne("한")).SelectForUpdate().Explain(ctx)
		require.NoError(t, err)
		require.Contains(t, plan, "unnamed")
		require.NotContains(t, plan, "a row")
		require.NoError(t, atomic.Do(ctx, db, func(inside context.Context) error {
			_, err := all.Filter(F("latin").Ne("한")).SelectForUpdate().Explain(inside)
			require.NoError(t, err)
			return atomic.Do(ctx, db, func(other context.Context) error {
				_, err := all.SelectForUpdate(orm.NoWait).All(other)
				return err
			}, atomic.Propagation(atomic.Independent))
		}))
	})
}

// The same query comes first with a text that decides nothing: what was kept for it
// does not answer for the next one.
func TestS65_AKeptStatementAndATextBeyondItsColumn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if e := db.Server().Engine; e != dialect.MySQL && e != dialect.MariaDB {
			return // text has one character set there
		}
		_, err := db.Exec(ctx, `CREATE TABLE unnamed (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
			latin VARCHAR(40) CHARACTER SET latin1 NOT NULL, german VARCHAR(40) NOT NULL, ascii VARCHAR(40) NOT NULL,
			three VARCHAR(40), korean VARCHAR(40) NOT NULL, four VARCHAR(40) CHARACTER SET utf8mb4 NOT NULL)`)
		require.NoError(t, err)
		all := orm.Objects[Unnamed](db)
		require.NoError(t, all.Create(ctx, &Unnamed{Latin: "abc"}))
		for range 2 {
			for text, want := range map[string]int{"abc": 1, "x": 0} {
				for _, v := range []string{text, "🎧", "é", text} {
					equal, other := want, 1-want
					if v != text {
						equal, other = 0, 1
					}
					rows, err := all.Filter(F("latin").Eq(v)).All(ctx)
					require.NoError(t, err)
					require.Len(t, rows, equal, v)
					n, err := all.Filter(F("latin").NotIn(v, "y")).Count(ctx)
					require.NoError(t, err)
					require.EqualValues(t, other, n, v)
					n, err = all.Filter(F("latin").Eq(v)).Update(ctx, query.Set("korean", "z"))
					require.NoError(t, err)
					require.LessOrEqual(t, n, int64(equal), v)
				}
			}
		}
	})
}
