package orm_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// label is a text that speaks to the driver itself.
type label struct{ text string }

func (l label) Value() (driver.Value, error) { return l.text, nil }
func (l *label) Scan(src any) error {
	var s sql.NullString
	err := s.Scan(src)
	l.text = s.String
	return err
}

// digits is a number that speaks to the driver as a text.
type digits string

func (d digits) Value() (driver.Value, error) { return string(d), nil }

// Cell has a text and an integer in each way in which a model can say so.
type Cell struct {
	bun.BaseModel `bun:"table:cells"`
	models.AutoID
	Plain  string
	Token  string         `bun:"type:varchar(40)"`
	Null   sql.NullString `bun:"type:varchar(40)"`
	Label  label          `bun:"type:varchar(40)"`
	N      int64
	Tagged int64 `bun:"type:bigint"`
	Many   sql.NullInt64
	Small  int16
	Narrow int64 `bun:"type:smallint"`
	F      float64
	Ok     bool
	Bytes  []byte
	Doc    map[string]any
}

func cells(ctx context.Context, t *testing.T, db *orm.DB) orm.QuerySet[Cell] {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Cell)(nil)))
	all := orm.Objects[Cell](db)
	require.NoError(t, all.BulkCreate(ctx, []*Cell{
		{Plain: "abc", Token: "abc", Null: sql.NullString{String: "abc", Valid: true}, Label: label{"abc"}, N: 5, Tagged: 5,
			Many: sql.NullInt64{Int64: 5, Valid: true}, Small: 5, F: 5, Ok: true, Bytes: []byte("abc"), Doc: map[string]any{"a": "b"}},
		{Plain: "5", Token: "5", Label: label{"5"}, N: math.MaxInt64, Tagged: 0, Small: math.MaxInt16, F: 1 << 53},
	}))
	return all
}

func TestS10_ANumberBesideATextIsRefused(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := cells(ctx, t, db)
		refused := func(conds ...query.Cond) {
			t.Helper()
			for i, c := range conds {
				var ve *query.ValueError
				_, err := all.Filter(c).All(ctx)
				require.ErrorAs(t, err, &ve, i)
				_, err = all.Filter(c).Delete(ctx)
				require.ErrorAs(t, err, &ve, i)
			}
		}
		for _, name := range []string{"plain", "token", "null", "label"} {
			c := F(name)
			refused(c.Eq(0), c.Ne(0), c.Lt(1), c.Le(5.5), c.Ge(uint64(1)), c.Between("a", 5), c.In("abc", 0), c.NotIn(0), c.In([]int{0}), c.Eq(false),
				c.Eq(sql.NullInt64{Valid: true}), c.Eq(F("n")), F("n").Eq(c), c.In(F("n")), c.Eq(F("ok")), c.Add(1).Eq(1), F("n").Add(c).Eq(1),
				query.Value(0).Eq(c), query.Value(0).Lt(c), query.Coalesce(c, query.Value(0)).Eq("x"), query.Coalesce(c, F("n")).Eq("x"),
				query.Coalesce(c, query.Value("x")).Eq(0), c.Eq(start), c.Eq(map[string]int{}), c.Eq(F("bytes")), c.Eq(F("doc")))
			if name != "null" {
				refused(query.Lower(c).Eq(0), query.Upper(c).In(0, 1))
			}
		}
		for _, name := range []string{"n", "tagged", "many", "small", "f"} {
			c := F(name)
			refused(c.Eq("5abc"), c.Eq("5"), c.Ne(""), c.Lt("a"), c.In(1, "5abc"), c.Eq(digits("5abc")), c.Eq([]byte("5")), c.Eq(true), c.Eq(start),
				query.Lower(c).Eq("5"), c.Contains("5"), c.Eq(F("doc")), c.Eq(label{"5abc"}), query.Coalesce(c, query.Value("5abc")).Eq(5))
		}
		refused(F("ok").Eq(1), F("ok").Eq("1"), F("ok").Eq(F("n")), F("doc").Lt(map[string]any{}), F("doc").Contains("a"), F("bytes").Contains("a"))
		for _, set := range []query.Assignment{
			query.Set("token", 5), query.Set("null", false), query.Set("token", F("n")), query.Set("n", "5"), query.Set("n", F("token")),
			query.Set("ok", 1), query.Set("n", true), query.Set("doc", 5), query.Set("label", 1.5),
		} {
			var ve *query.ValueError
			_, err := all.Update(ctx, set)
			require.ErrorAs(t, err, &ve)
		}
		n, err := all.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n, "nothing was deleted")
	})
}

func TestS10_ValuesOfTheirOwnKindAreFound(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := cells(ctx, t, db)
		for i, c := range []query.Cond{
			F("plain").Eq("abc"), F("token").In("abc", "x"), F("null").Eq("abc"), F("null").Eq(sql.NullString{String: "abc", Valid: true}),
			F("label").Eq(label{"abc"}), F("label").Eq("abc"), F("token").Eq(label{"abc"}), F("token").Eq([]byte("abc")), F("bytes").Eq("abc"),
			F("n").Eq(5), F("n").Eq(5.0), F("n").Eq(digits("5")), F("n").Eq(digits("5.0")), F("many").Eq(5), F("many").Eq(sql.NullInt64{Int64: 5, Valid: true}),
			F("small").Eq(uint64(5)), F("f").Eq(5), query.And(F("token").Eq(F("plain")), F("id").Eq(1)), query.Value("abc").Eq(F("token")), query.Value(6).Gt(F("n")),
			query.Coalesce(F("null"), query.Value("none")).Eq("abc"), query.Coalesce(F("n"), query.Value(nil)).Eq(5), query.Lower(F("plain")).Eq("abc"),
			F("n").Lt(5.5), F("n").Le(5.5), F("n").Eq(F("f")), F("small").Add(1).Eq(6), query.Lower(query.Value("ABC")).Eq(F("plain")),
		} {
			rows, err := all.Filter(c).All(ctx)
			require.NoError(t, err, i)
			require.Len(t, rows, 1, i)
			require.Equal(t, "abc", rows[0].Plain, i)
		}
	})
}

func TestS10_NumbersCompareExactly(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := cells(ctx, t, db)
		for name, c := range map[string]struct {
			cond query.Cond
			want int
		}{
			"wider than the column":                       {F("small").Lt(int64(1) << 40), 2},
			"wider, not less":                             {F("small").Gt(int64(1) << 40), 0},
			"wider, equal":                                {F("small").Eq(int64(-1) << 40), 0},
			"wider, not equal":                            {F("small").Ne(int64(1) << 40), 2},
			"wider, in a list":                            {F("small").In(5, int64(1)<<40), 1},
			"wider than any":                              {F("small").Lt(uint64(1) << 63), 2},
			"not wider than any":                          {F("n").Ge(uint64(1) << 63), 0},
			"no value in the list":                        {F("n").In(uint64(1)<<63, 0.5), 0},
			"not in it":                                   {F("n").NotIn(uint64(1)<<63, 0.5), 2},
			"NULL and what is wider":                      {F("many").Lt(uint64(1) << 63), 1},
			"NULL and its opposite":                       {query.Not(F("many").Lt(uint64(1) << 63)), 1},
			"NULL and never":                              {query.Not(F("many").Eq(0.5)), 2},
			"NULL and different":                          {F("many").Ne(0.5), 2},
			"a fraction above":                            {F("n").Le(5.5), 1},
			"a fraction below":                            {F("n").Ge(4.5), 2},
			"a fraction, negative":                        {F("tagged").Gt(-0.5), 2},
			"infinity":                                    {F("n").Lt(math.Inf(1)), 2},
			"max beside 2^63":                             {F("n").Lt(float64(1 << 63)), 2},
			"max beside its float":                        {F("n").Eq(float64(1 << 63)), 0},
			"2^53+1 beside 2^53":                          {F("f").Eq(int64(1)<<53 + 1), 0},
			"2^53+1 above 2^53":                           {F("f").Lt(int64(1)<<53 + 1), 2},
			"2^53+1 not below 2^53":                       {F("f").Ge(int64(1)<<53 + 1), 0},
			"2^53 and its own":                            {F("f").Eq(int64(1) << 53), 1},
			"the column's width is not the calculation's": {F("small").Add(1).Gt(math.MaxInt16), 1},
			"calculated with a wide one":                  {F("small").Sub(int64(1) << 40).Lt(0), 2},
			"exactly by a whole float":                    {F("tagged").Add(1.0).In(1, 6), 2},
			"wider, of its own type":                      {F("narrow").Lt(int64(1) << 40), 2},
			"nil":                                         {query.Value(nil).IsNull(), 2},
			"a value alone":                               {query.Value(5).Eq(5), 2},
		} {
			got, err := all.Filter(c.cond).Count(ctx)
			require.NoError(t, err, name)
			require.EqualValues(t, c.want, got, name)
		}
		// What becomes too large is an error, and no other number.
		for _, c := range []query.Cond{F("n").Add(1).Gt(0), F("n").Add(1).Sub(1).Gt(0), query.Coalesce(F("n").Mul(2), query.Value(0)).Gt(0)} {
			_, err := all.Filter(c).Count(ctx)
			require.Error(t, err)
		}
	})
}

// Held has fields that their columns are not as narrow as, on one engine or the
// other.
type Held struct {
	bun.BaseModel `bun:"table:held"`
	models.AutoID
	N     int64
	Small int32
	Tiny  int8
	Short int64 `bun:"type:smallint"`
	U     uint32
	U8    uint8
	U64   uint64
	Wide  uint16 `bun:"type:bigint"`
	Cents int
	Ok    bool
	P     *int32
	F     float64
	F32   float32
}

func TestS11_WhatAFieldCannotHoldIsNotStored(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Held)(nil)))
		all := orm.Objects[Held](db)
		row := &Held{N: math.MaxInt64, Small: math.MaxInt32, Tiny: 127, Short: math.MaxInt16, Wide: math.MaxUint16, Cents: 199, F: 1e300, F32: 2}
		require.NoError(t, all.Create(ctx, row))
		var ve *query.ValueError
		for i, set := range []query.Assignment{ // known before it is sent
			query.Set("small", int64(1)<<31), query.Set("tiny", 128), query.Set("tiny", -129), query.Set("short", 1<<15), query.Set("u", -1),
			query.Set("u", int64(1)<<32), query.Set("u8", 256), query.Set("u64", -1), query.Set("wide", 1<<16), query.Set("n", uint64(1)<<63),
			query.Set("n", 0.5), query.Set("n", math.NaN()), query.Set("n", math.Inf(1)), query.Set("n", 1e300), query.Set("p", int64(1)<<31),
			query.Set("small", query.Value(int64(1)<<31)), query.Set("n", F("n").Mul(0.5)), query.Set("cents", F("cents").Mul(1.1)),
			query.Set("f32", 1e300), query.Set("f", int64(1)<<53+1),
			query.Set("n", digits("0.5")), query.Set("n", digits("9223372036854775808")),
		} {
			_, err := all.Update(ctx, set)
			require.ErrorAs(t, err, &ve, i)
			require.NotEmpty(t, ve.Field)
		}
		require.ErrorAs(t, all.Create(ctx, &Held{Short: 1 << 15}), &ve)
		require.Equal(t, "Held.short", ve.Field)
		require.ErrorAs(t, all.BulkCreate(ctx, []*Held{{}, {Short: -1<<15 - 1}}), &ve)
		row.Short = 1 << 15
		require.ErrorAs(t, all.Save(ctx, row), &ve)
		row.Short = math.MaxInt16

		for i, set := range []query.Assignment{ // computed by the server
			query.Set("n", F("n").Add(1)), query.Set("n", F("n").Add(1).Sub(1)), query.Set("small", F("small").Add(1)), query.Set("small", F("n")),
			query.Set("tiny", F("tiny").Add(1)), query.Set("tiny", F("small")), query.Set("short", F("short").Add(1)), query.Set("u", F("u").Sub(1)),
			query.Set("u", F("n")), query.Set("u8", F("u8").Sub(1)), query.Set("u64", F("u64").Sub(1)), query.Set("wide", F("wide").Add(1)),
			query.Set("wide", F("u").Sub(1)), query.Set("small", query.Coalesce(F("p"), F("n"))), query.Set("p", F("small").Add(1)),
			query.Set("f", F("f").Mul(1e300).Mul(1e300)), query.Set("f32", F("f")), query.Set("f32", F("f32").Mul(1e38).Mul(10)),
			query.Set("u", query.Raw("u - 1")), query.Set("small", query.Raw("small * 2")),
		} {
			_, err := all.Update(ctx, set)
			require.Error(t, err, i)
			require.NotErrorAs(t, err, &ve, i)
		}
		got, err := all.All(ctx)
		require.NoError(t, err)
		require.Equal(t, []*Held{row}, got)

		_, err = all.Update(ctx, query.Set("n", F("n").Sub(1)), query.Set("small", F("tiny")), query.Set("tiny", F("tiny").Sub(255)), query.Set("short", -1<<15),
			query.Set("u", F("u").Add(int64(1)<<32-1)), query.Set("u8", 255), query.Set("u64", F("n")), query.Set("wide", F("wide").Sub(math.MaxUint16)),
			query.Set("cents", F("cents").Mul(2)), query.Set("ok", true), query.Set("p", F("p").Add(1)), query.Set("f", F("f").Mul(2)), query.Set("f32", F("f32").Mul(1.5)))
		require.NoError(t, err)
		got, err = all.All(ctx)
		require.NoError(t, err)
		require.Equal(t, []*Held{{AutoID: row.AutoID, N: math.MaxInt64 - 1, Small: 127, Tiny: -128, Short: -1 << 15, U: math.MaxUint32, U8: 255,
			U64: math.MaxInt64, Cents: 398, Ok: true, F: 2e300, F32: 3}}, got)
	})
}

// Long has a column of each class that a list can be long for.
type Long struct {
	bun.BaseModel `bun:"table:longs"`
	ID            int64 `bun:",pk"`
	Text          string
	Char          string `bun:"type:char(8)"`
	Small         int16
	F             float64
	B             []byte
	At            time.Time
	Key           uuid.UUID
	Path          *string
}

func TestS10_ListsOfAnyLength(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Long)(nil)))
		all := orm.Objects[Long](db)
		const rows, n = 300, 70_000
		var list [8][]any
		var kept []*Long
		for i := range n {
			r := &Long{ID: int64(i), Text: fmt.Sprintf("t'\\\"%d한", i), Char: fmt.Sprint(i), Small: int16(i), F: float64(i) / 7, B: []byte{byte(i), byte(i >> 8), byte(i >> 16), 0xff},
				At: start.Add(time.Duration(i) * time.Microsecond), Key: uuid.UUID{byte(i), byte(i >> 8), byte(i >> 16)}}
			if i < rows {
				kept = append(kept, r)
			}
			if i%2 == 0 || i > rows {
				for j, v := range []any{r.ID, r.Text, r.Char, int64(i), r.F, r.B, r.At, r.Key} {
					list[j] = append(list[j], v)
				}
			}
		}
		require.NoError(t, all.BulkCreate(ctx, kept))
		for j, name := range []string{"id", "text", "char", "small", "f", "b", "at", "key"} {
			values := list[j]
			if name != "id" && name != "text" {
				values = values[:1500] // long enough for another way
			}
			got, err := all.Filter(F(name).In(values...)).OrderBy("id").All(ctx)
			require.NoError(t, err, name)
			require.Len(t, got, rows/2, name)
			got, err = all.Filter(F(name).NotIn(values...)).OrderBy("id").All(ctx)
			require.NoError(t, err, name)
			require.Len(t, got, rows/2, name)
			require.EqualValues(t, 1, got[0].ID)
		}
	})
}
