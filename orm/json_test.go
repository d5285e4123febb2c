package orm_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// settings is JSON by its own hand, in bytes.
type settings struct {
	Name string   `json:"name"`
	Tags []string `json:"tags"`
}

func (s settings) Value() (driver.Value, error) { return json.Marshal(s) }
func (s *settings) Scan(src any) error {
	switch src := src.(type) {
	case []byte:
		return json.Unmarshal(src, s)
	case string:
		return json.Unmarshal([]byte(src), s)
	}
	return fmt.Errorf("%T", src)
}

type Parcel struct {
	bun.BaseModel `bun:"table:parcels"`
	models.AutoID
	M      map[string]any
	Raw    json.RawMessage
	List   []string
	Struct struct{ A, B int }
	Array  []int64         `bun:",array"`
	Tagged map[string]int  `bun:"type:json"`
	Own    settings        `bun:"type:json"`
	Any    any             `bun:"type:json"`
	Text   string          `bun:"type:json"`
	Null   *map[string]int `bun:"type:json"`
	Maybe  sql.Null[json.RawMessage]
}

func TestS12_JSONEqualsItsOwnValue(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Parcel)(nil)))
		all := orm.Objects[Parcel](db)
		one := &Parcel{
			M: map[string]any{"b": []any{1.0, "x", nil, true}, "a": map[string]any{"é": "'\\\"한"}}, Raw: json.RawMessage(`{"z": 1, "a": [1, 2]}`),
			List: []string{"a", "b"}, Struct: struct{ A, B int }{1, 2}, Array: []int64{1, 2}, Tagged: map[string]int{"x": 1, "a": 2},
			Own: settings{"n", []string{"t"}}, Any: "a text", Text: `{"b":1,"a":2}`, Null: &map[string]int{"n": 1},
			Maybe: sql.Null[json.RawMessage]{V: json.RawMessage(`[1]`), Valid: true},
		}
		two := &Parcel{M: map[string]any{}, Raw: json.RawMessage(`[]`), List: []string{"b", "a"}, Array: []int64{2, 1}, Tagged: map[string]int{},
			Own: settings{}, Any: 5.0, Text: `[]`}
		require.NoError(t, all.BulkCreate(ctx, []*Parcel{one, two}))
		if !db.Server().Can(dialect.JSONEquality) {
			for _, c := range []query.Cond{F("m").Eq(one.M), F("list").Ne(one.List), F("raw").In(one.Raw), F("null").Eq(F("null")), F("array").Eq(one.Array)} {
				_, err := all.Filter(c).All(ctx)
				require.ErrorIs(t, err, dialect.ErrUnsupported)
			}
			return
		}
		first := func(conds ...query.Cond) {
			t.Helper()
			for i, c := range conds {
				rows, err := all.Filter(c).All(ctx)
				require.NoError(t, err, i)
				require.Len(t, rows, 1, i)
				require.Equal(t, one.ID, rows[0].ID, i)
				rows, err = all.Exclude(c).All(ctx)
				require.NoError(t, err, i)
				require.Len(t, rows, 1, i)
				require.Equal(t, two.ID, rows[0].ID, i)
			}
		}
		first(F("m").Eq(one.M), F("raw").Eq(one.Raw), F("list").Eq(one.List), F("struct").Eq(one.Struct), F("array").Eq(one.Array),
			F("tagged").Eq(one.Tagged), F("own").Eq(one.Own), F("any").Eq(one.Any), F("text").Eq(one.Text), F("null").Eq(*one.Null), F("null").Eq(one.Null),
			F("maybe").Eq(one.Maybe), F("maybe").Eq(json.RawMessage(`[ 1 ]`)), F("own").Eq(&one.Own),
			F("m").In(one.M), F("raw").In(one.Raw, json.RawMessage(`5`)), F("list").In(one.List, []string{"c"}), F("list").In([][]string{one.List}),
			F("tagged").In(one.Tagged, map[string]int{"q": 1}), F("array").In(one.Array, []int64{9}), F("null").In(one.Null), F("text").In(one.Text, `{}`),
			F("raw").Eq(json.RawMessage(`{"a":[1,2],"z":1}`)), F("raw").Eq(map[string]any{"a": []int{1, 2}, "z": 1}), F("text").Eq(`{"a": 2, "b": 1}`),
			F("tagged").Eq(map[string]any{"a": 2, "x": 1.0}),
			F("m").Ne(two.M), F("list").Ne(two.List), F("tagged").Ne(two.Tagged), F("own").Ne(two.Own), F("tagged").NotIn(two.Tagged, map[string]int{"q": 1}),
			F("list").NotIn(two.List, []string{}), F("null").Ne(nil), F("null").Eq(F("null")))
		n, err := all.Filter(F("null").Ne(map[string]int{"q": 1})).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n, "NULL is not equal to anything")
		for _, c := range []query.Cond{
			F("list").Eq([]string{"a"}), F("list").Eq([]string{"a", "b", "b"}), F("array").Eq([]int64{1}), F("raw").Eq(json.RawMessage(`{"a":[2,1],"z":1}`)),
			F("raw").Eq(json.RawMessage(`{"a":[1,2],"z":"1"}`)), F("raw").Eq(json.RawMessage(`{"a":[1,2],"z":1,"y":{}}`)), F("m").Eq(map[string]any{"a": nil}),
		} {
			n, err := all.Filter(c).Count(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
		}
		var ve *query.ValueError
		for _, c := range []query.Cond{F("list").Eq("a"), F("list").In([]string{"a"}), F("m").Eq(1), F("m").Gt(one.M), F("m").Between(one.M, two.M), F("array").In(1),
			F("tagged").Eq(F("id")), F("list").Lt([]string{"a"})} {
			_, err := all.Filter(c).Count(ctx)
			require.ErrorAs(t, err, &ve)
		}
		for _, by := range [][]string{{"m"}, {"raw"}, {"list"}, {"array"}, {"tagged"}, {"own"}, {"any"}, {"text"}, {"null"}, {"maybe"}, {"m", "list"}} {
			again := *one
			again.ID = 0
			created, err := all.GetOrCreate(ctx, &again, by...)
			require.NoError(t, err, by)
			require.False(t, created, by)
			require.Equal(t, one.ID, again.ID)
			require.Equal(t, one.Own, again.Own)
			require.Equal(t, one.Maybe.Valid, again.Maybe.Valid)
			require.JSONEq(t, string(one.Maybe.V), string(again.Maybe.V))
		}
		_, err = all.Filter(F("id").Eq(two.ID)).Update(ctx, query.Set("own", one.Own), query.Set("maybe", one.Maybe), query.Set("m", one.M), query.Set("raw", one.M))
		require.NoError(t, err)
		n, err = all.Filter(F("own").Eq(one.Own), F("maybe").Eq(one.Maybe), F("m").Eq(one.M)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		if db.Server().Engine != dialect.MySQL { // which keeps it as a floating-point number
			require.NoError(t, all.Create(ctx, &Parcel{Raw: json.RawMessage(`12345678901234567890`), M: one.M, Text: "1", Any: 1}))
			n, err = all.Filter(F("raw").Eq(json.RawMessage(`12345678901234567891`))).Count(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
		}
	})
}

// On MySQL a text among JSON values makes texts of all, and a text equals no document.
func TestS12_ComputedJSONEqualsItsValue(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Parcel)(nil)))
		parcels := orm.Objects[Parcel](db)
		known, other := map[string]int{"b": 1, "a": 2}, map[string]int{"a": 3}
		if !db.Server().Can(dialect.JSONEquality) {
			_, err := parcels.Filter(query.Coalesce(F("maybe"), query.Value(known)).Eq(known)).Count(ctx)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			return
		}
		rows := make([]*Parcel, 3)
		for i, s := range []string{`{"b": 1, "a": 2}`, "", `{"a": 3}`} {
			rows[i] = &Parcel{Raw: json.RawMessage(`{"a": 2, "b": 1}`), Text: "1", Maybe: sql.Null[json.RawMessage]{V: json.RawMessage(s), Valid: s != ""}}
		}
		require.NoError(t, parcels.BulkCreate(ctx, rows))
		maybe, raw := F("maybe"), F("raw")
		itsOwn := query.Select(parcels.Filter(F("id").Eq(query.Outer("id"))).Limit(1), query.Coalesce(maybe, query.Value(known)).As("its"))
		for name, e := range map[string]query.Expr{
			"a value in its place": query.Coalesce(maybe, query.Value(known)), "a column in its place": query.Coalesce(maybe, raw),
			"a value behind a column": query.Coalesce(maybe, raw, query.Value(other)), "of a sub-select": itsOwn.Expr(),
		} {
			for what, c := range map[string]query.Cond{"Eq": e.Eq(known), "Ne": query.Not(e.Ne(known)), "In": e.In(known, []int{}), "NotIn": query.Not(e.NotIn(known)), "a column": e.Eq(raw), "beside a column": raw.Eq(e)} {
				ids, err := orm.Select[int64](ctx, parcels.Filter(c).OrderBy("id"), F("id"))
				require.NoError(t, err, "%s: %s", name, what)
				require.Equal(t, []int64{rows[0].ID, rows[1].ID}, ids, "%s: %s", name, what)
			}
			out := query.Select(parcels, F("id").As("parcel"), e.As("its"))
			for what, q := range map[string]query.Selection{"put out": out, "named": query.With("computed", out), "put together": query.UnionAll(query.Select(parcels.Filter(F("id").Lt(0)), F("id").As("parcel"), query.Value(other).As("its")), out)} {
				ids, err := orm.Select[int64](ctx, q.Filter(F("its").Eq(known)).OrderBy("parcel"), F("parcel"))
				require.NoError(t, err, "%s: %s", name, what)
				require.Equal(t, []int64{rows[0].ID, rows[1].ID}, ids, "%s: %s", name, what)
			}
		}
		n, err := orm.Select[int64](ctx, query.Select(parcels, query.Value(known).As("its")).Filter(F("its").Eq(known)), query.Count())
		require.NoError(t, err)
		require.Equal(t, []int64{3}, n)
	})
}
