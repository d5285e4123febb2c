package orm_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestRowsComeBackAsTheyWent(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 5)
		got, err := orm.Objects[Audio](db).OrderBy("-index").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{4, 3, 2, 1, 0}, indexes(got))
		require.Equal(t, rows[4], got[0])
		require.Equal(t, rows[0], got[4])
	})
}

func TestSelections(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 6)
		audio := orm.Objects[Audio](db).OrderBy("index")
		for name, c := range map[string]struct {
			q    orm.QuerySet[Audio]
			want []int
		}{
			"filter":        {audio.Filter(F("is_audio_required").Eq(true)), []int{0, 2, 4}},
			"exclude":       {audio.Exclude(F("is_audio_required").Eq(true)), []int{1, 3, 5}},
			"two filters":   {audio.Filter(F("index").Ge(2)).Filter(F("index").Lt(4)), []int{2, 3}},
			"limit":         {audio.Limit(2), []int{0, 1}},
			"limit 0":       {audio.Limit(0), []int{}},
			"offset":        {audio.Offset(4), []int{4, 5}},
			"limit, offset": {audio.Limit(2).Offset(1), []int{1, 2}},
			"in":            {audio.Filter(F("index").In([]int{1, 5, 9})), []int{1, 5}},
			"in nothing":    {audio.Filter(F("index").In()), []int{}},
			"null":          {audio.Filter(F("path").Eq(nil)), []int{0, 1, 2, 3, 4, 5}},
			"not equal":     {audio.Filter(F("path").Ne("x"), F("index").Lt(1)), []int{0}},
			"over relations": {audio.Filter(F("project.name").Eq("Radio"), F("project.owner.name").StartsWith("A"), F("index").Lt(2)),
				[]int{0, 1}},
			"no such relation":  {audio.Filter(F("project.name").Eq("Empty")), []int{}},
			"arithmetic":        {audio.Filter(F("index").Mul(2).Gt(F("index").Add(3))), []int{4, 5}},
			"float and integer": {audio.Filter(F("index").Mul(1.5).Gt(6)), []int{5}},
			"pattern":           {audio.Filter(F("text").EndsWith("3")), []int{3}},
			"distinct":          {audio.Distinct().Limit(2), []int{0, 1}},
			"raw":               {audio.Filter(query.Raw("? % ? = 0", F("index"), 3)), []int{0, 3}},
			"now":               {audio.Filter(F("updated_at").Add(-time.Second).Gt(query.Now())), []int{}}, // SQLite counts milliseconds
			"past":              {audio.Filter(F("updated_at").Gt(start)).Limit(1), []int{0}},
		} {
			t.Run(name, func(t *testing.T) {
				got, err := c.q.All(ctx)
				require.NoError(t, err)
				require.Equal(t, c.want, indexes(got))
				n, err := c.q.Count(ctx)
				require.NoError(t, err)
				require.EqualValues(t, len(c.want), n)
				exists, err := c.q.Exists(ctx)
				require.NoError(t, err)
				require.Equal(t, len(c.want) > 0, exists)
			})
		}
	})
}

func TestRelatedRowsAreFilledIn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		project, _ := studio(ctx, t, db, 2)
		a, err := orm.Objects[Audio](db).Related("project.owner").OrderBy("-project.owner.name", "index").First(ctx)
		require.NoError(t, err)
		require.Equal(t, project.ID, a.Project.ID)
		require.Equal(t, "Ada", a.Project.Owner.Name)

		projects, err := orm.Objects[Project](db).Related("owner").OrderBy("owner.name").All(ctx)
		require.NoError(t, err)
		require.Len(t, projects, 2)
		require.Nil(t, projects[0].Owner, "NULL sorts first on every engine")
		require.Equal(t, "Ada", projects[1].Owner.Name)
		projects, err = orm.Objects[Project](db).OrderBy("-owner_id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, "Radio", projects[0].Name)

		names, err := orm.Objects[Project](db).Exclude(F("owner.name").Eq("Ada")).All(ctx)
		require.NoError(t, err)
		require.Len(t, names, 1, "no owner is not Ada")
	})
}

func TestGetAndFirst(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 3)
		all := orm.Objects[Audio](db)
		_, err := all.Get(ctx)
		require.ErrorIs(t, err, orm.ErrMultipleRows)
		_, err = all.Filter(F("index").Eq(9)).Get(ctx)
		require.ErrorIs(t, err, orm.ErrNotFound)
		require.ErrorContains(t, err, "orm: Audio.Get: ")
		_, err = all.Filter(F("index").Eq(9)).First(ctx)
		require.ErrorIs(t, err, orm.ErrNotFound)
		a, err := all.First(ctx)
		require.NoError(t, err)
		require.Equal(t, 0, a.Index)
		a, err = all.OrderBy("-index").Offset(1).First(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, a.Index)
	})
}

func TestAggregates(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 4)
		all := orm.Objects[Audio](db)
		none := all.Filter(F("index").Gt(100))
		sum, err := orm.Aggregate[int](ctx, all, query.Sum(F("index")))
		require.NoError(t, err)
		require.Equal(t, 6, sum)
		avg, err := orm.Aggregate[float64](ctx, all.OrderBy("index"), query.Avg(F("index")))
		require.NoError(t, err)
		require.InDelta(t, 1.5, avg, 0)
		least, err := orm.Aggregate[*int](ctx, none, query.Min(F("index")))
		require.NoError(t, err)
		require.Nil(t, least)
		_, err = orm.Aggregate[int](ctx, none, query.Max(F("index")))
		var se *orm.ScanError
		require.ErrorAs(t, err, &se)
		zero, err := orm.Aggregate[int](ctx, none, query.Coalesce(query.Sum(F("index")), query.Value(0)))
		require.NoError(t, err)
		require.Zero(t, zero)
		n, err := orm.Aggregate[int](ctx, all, query.CountDistinct(F("is_audio_required")))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		n, err = orm.Aggregate[int](ctx, all, query.Count(F("path")))
		require.NoError(t, err)
		require.Zero(t, n)
		last, err := orm.Aggregate[time.Time](ctx, all, query.Max(F("updated_at")))
		require.NoError(t, err)
		row, err := all.OrderBy("-updated_at").First(ctx)
		require.NoError(t, err)
		require.Equal(t, row.UpdatedAt, last)
		_, err = orm.Aggregate[int](ctx, all.Limit(1), query.Count())
		require.Error(t, err)
		_, err = all.Filter(query.Count().Gt(1)).All(ctx)
		require.ErrorContains(t, err, "orm.Aggregate")
	})
}

func TestIterate(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 5)
		q := orm.Objects[Audio](db).OrderBy("index")
		var seen []*Audio
		for a, err := range q.Iterate(ctx) {
			require.NoError(t, err)
			seen = append(seen, a)
			if len(seen) == 3 {
				break
			}
		}
		require.Equal(t, []int{0, 1, 2}, indexes(seen))
		inBlock(ctx, t, db, func(ctx context.Context) {
			n := 0
			for a, err := range q.Iterate(ctx) {
				require.NoError(t, err)
				require.Equal(t, n, a.Index)
				n++
				_, err = q.Count(ctx)
				require.ErrorIs(t, err, atomic.ErrRowsOpen)
			}
			require.Equal(t, 5, n)
			_, err := q.Count(ctx)
			require.NoError(t, err, "the rows are closed")
		})
		for _, err := range q.Filter(F("nope").Eq(1)).Iterate(ctx) {
			require.Error(t, err)
		}
		require.PanicsWithValue(t, "body", func() {
			for _, err := range q.Iterate(ctx) {
				require.NoError(t, err)
				panic("body")
			}
		})
		require.Zero(t, block.Of(db).Database().Pool.Stats().InUse)
	})
}

func TestB10_IteratedRowsBelongToTheBlock(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 2)
		inBlock(ctx, t, db, func(ctx context.Context) {
			_, err := orm.Objects[Audio](db).Update(ctx, query.Set("text", "mine"))
			require.NoError(t, err)
			for a, err := range orm.Objects[Audio](db).Iterate(ctx) {
				require.NoError(t, err)
				require.Equal(t, "mine", a.Text)
			}
		})
	})
}

func TestS02_UnknownNames(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Audio](db)
		for name, q := range map[string]orm.QuerySet[Audio]{
			"updatd_at":      all.OrderBy("updatd_at"),
			"txt":            all.Filter(F("txt").Eq("")),
			"id; DROP TABLE": all.OrderBy("-id; DROP TABLE"),
			"projects":       all.Related("projects"),
			"nam":            all.Filter(F("project.nam").Eq("")),
			"project":        all.Filter(F("project").Eq(1)),
			"text":           all.Filter(F("text.name").In()),
			"":               all.OrderBy(""),
		} {
			var fe *query.FieldError
			_, err := q.All(ctx)
			require.ErrorAs(t, err, &fe, name)
			require.Equal(t, name, fe.Name)
			require.NotEmpty(t, fe.Choices)
			_, err = q.Count(ctx)
			require.Condition(t, func() bool { return err != nil || len(q.Err().Error()) > 0 })
		}
	})
}

func TestExplainShowsAPlan(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		plan, err := orm.Objects[Audio](db).Filter(F("is_audio_required").Eq(true)).OrderBy("updated_at").Limit(10).SelectForUpdate().Explain(ctx)
		require.NoError(t, err)
		require.Contains(t, strings.ToLower(plan), "audio")
		t.Log("\n" + plan)
	})
}
