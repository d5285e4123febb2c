package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/testserver"
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

type tags []string

// Arrays has a column of arrays for each type that PostgreSQL may have in one.
type Arrays struct {
	ID      int64       `bun:",pk,autoincrement"`
	Labels  []string    `bun:"type:text[],notnull"`
	Short   tags        `bun:"type:varchar(20)[]"`
	Maybe   *[]string   `bun:"type:text[]"`
	Missing []string    `bun:"type:text[],nullzero"`
	Holes   []*string   `bun:"type:text[]"`
	Counts  []int64     `bun:"type:bigint[]"`
	Small   []int16     `bun:"type:smallint[]"`
	Parts   []float64   `bun:"type:double precision[]"`
	Prices  []string    `bun:"type:numeric(10,2)[]"`
	Flags   []bool      `bun:"type:boolean[]"`
	Times   []time.Time `bun:"type:timestamptz[]"`
	Keys    []uuid.UUID `bun:"type:uuid[]"`
	Blobs   [][]byte    `bun:"type:bytea[]"`
	Tagged  []string    `bun:",array"`
	Two     [2]int64    `bun:"type:bigint[]"`
}

func arrays(labels ...string) *Arrays {
	id, word := uuid.MustParse("01957c1e-0000-7000-8000-000000000001"), "x"
	return &Arrays{
		Labels: labels, Short: tags{"NULL", "", "(a", `"\`}, Maybe: &[]string{"m"}, Holes: []*string{&word, nil}, Counts: []int64{1, -2}, Small: []int16{3},
		Parts: []float64{1.5, -2}, Prices: []string{"1.50"}, Flags: []bool{true, false}, Times: []time.Time{start, start.Add(time.Microsecond)},
		Keys: []uuid.UUID{id}, Blobs: [][]byte{{0, 0xff, '\\'}, {}}, Tagged: []string{"{a,b}", "é"}, Two: [2]int64{5, 6},
	}
}

// What is written to a column of arrays is read again, whatever says that it is one.
func TestS20_ArraysByTheirType(t *testing.T) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx, db := t.Context(), open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*Arrays)(nil)))
		require.NoError(t, orm.Check(ctx, db, (*Arrays)(nil)))
		all := orm.Objects[Arrays](db)
		a, b := arrays("a", "b"), arrays()
		b.Labels = []string{}
		require.NoError(t, all.Create(ctx, a))
		require.NoError(t, all.BulkCreate(ctx, []*Arrays{b}))
		for _, row := range []*Arrays{a, b} {
			got, err := all.Find(ctx, row.ID)
			require.NoError(t, err)
			require.Equal(t, row, got)
		}
		got, err := all.Filter(F("labels").Eq([]string{"a", "b"}), F("short").Eq(a.Short), F("counts").Eq([]int64{1, -2}), F("missing").IsNull()).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, a.ID, got.ID)
		a.Labels, a.Maybe, a.Missing = []string{"c"}, nil, []string{"there"}
		require.NoError(t, all.Save(ctx, a))
		require.NoError(t, all.BulkSave(ctx, []*Arrays{a, b}))
		changed, err := all.Filter(F("id").Eq(a.ID)).UpdateReturning(ctx, query.Set("counts", []int64{7}))
		require.NoError(t, err)
		a.Counts = []int64{7}
		require.Equal(t, []*Arrays{a}, changed)
		a.Labels = []string{"up"}
		require.NoError(t, all.BulkCreate(ctx, []*Arrays{a}, query.OnConflict("id").Update("labels")))
		require.NoError(t, all.Refresh(ctx, a))
		require.Equal(t, []string{"up"}, a.Labels)

		lists, err := orm.Select[[]string](ctx, all.OrderBy("id"), F("labels"))
		require.NoError(t, err)
		require.Equal(t, [][]string{{"up"}, {}}, lists)
		type put struct {
			Counts []int64
			Tagged []string
			Times  []time.Time
			Labels *[]string
		}
		some, err := orm.Select[put](ctx, all.Filter(F("id").Eq(a.ID)), F("counts"), F("tagged"), F("times"), F("labels"))
		require.NoError(t, err)
		require.Equal(t, []put{{a.Counts, a.Tagged, a.Times, &a.Labels}}, some)
		_, err = db.Exec(ctx, "UPDATE arrays SET labels = ARRAY['a', NULL]")
		require.NoError(t, err)
		var lost *orm.ScanError
		_, err = all.All(ctx)
		require.ErrorAs(t, err, &lost, "a string is no NULL")
		_, err = db.Exec(ctx, "UPDATE arrays SET labels = ARRAY[ARRAY['a'], ARRAY['b']]")
		require.NoError(t, err)
		_, err = all.All(ctx)
		require.ErrorAs(t, err, &lost, "there is no dimension for it")
		_, err = db.Exec(ctx, "UPDATE arrays SET labels = '[3:4]={x,y}'")
		require.NoError(t, err)
		require.NoError(t, all.Refresh(ctx, a))
		require.Equal(t, []string{"x", "y"}, a.Labels)
	}, testserver.Postgres)
}

// A list that a query puts out, on every engine.
func TestS30_SelectOfLists(t *testing.T) {
	type Labelled struct {
		ID     int64    `bun:",pk,autoincrement"`
		Labels []string `bun:",array"`
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Labelled)(nil)))
		require.NoError(t, orm.Objects[Labelled](db).Create(ctx, &Labelled{Labels: []string{"a", "(b"}}))
		lists, err := orm.Select[[]string](ctx, orm.Objects[Labelled](db), F("labels"))
		require.NoError(t, err)
		require.Equal(t, [][]string{{"a", "(b"}}, lists)
		rows, err := orm.Select[struct{ Labels []string }](ctx, orm.Objects[Labelled](db), F("labels"))
		require.NoError(t, err)
		require.Equal(t, []string{"a", "(b"}, rows[0].Labels)
	})
}
