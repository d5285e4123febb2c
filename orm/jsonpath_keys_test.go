package orm_test

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// keysOfAllSorts are keys that a path could take for something else.
var keysOfAllSorts = []string{"a", "A", "", "0", "1", "00", "a.b", "$", "$.a", "$[0]", "a b", " ", "a ", `a"b`, `a\b`, `\`, `\\`, `"`, `""`, "a'b", "é", "e\u0301", "한", "🎧",
	"<a>", "&", "a\nb", "a\tb", "\b\f\r", "\x01", "\x1f", "\x7f", "*", "**", "[0]", "[*]", "a[0]", "\u2028", "\ufeff", "last", "to", "`", "a/b", "~", "~0", "#", "#-1", "@", "@1", "%",
	"%s", "?", "?1", ":a", `\u0041`, `\n`, "''", "//", "/*", "a-b", "a--", "+", ",", "{", "}", "{a,b}", "(", "strict $", "null", "true", "length", "NULL", `a"."b`, `a\".b`, `a"]`}

func TestS58_EveryKeyIsReached(t *testing.T) {
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := map[string]any{}
		for i, key := range keysOfAllSorts {
			all[key] = i
		}
		in, err := json.Marshal(all)
		require.NoError(t, err)
		dossiers(ctx, t, db, string(in), `{}`)
		set := orm.Objects[Dossier](db).Filter(F("name").Eq(string(in)))
		for i, key := range keysOfAllSorts {
			for _, column := range []string{"doc", "plain"} {
				at := F(column).JSON(key)
				n, err := orm.Objects[Dossier](db).Filter(at.Int().Eq(i), at.Exists(), at.Eq(i)).Count(ctx)
				require.NoError(t, err, "%q", key)
				require.EqualValues(t, 1, n, "%s %q", column, key)

				n, err = orm.Objects[Dossier](db).Filter(F("name").Eq("{}")).Update(ctx, at.Set(map[string]any{key: key}))
				require.NoError(t, err, "%q", key)
				require.EqualValues(t, 1, n)
				n, err = orm.Objects[Dossier](db).Filter(at.JSON(key).Text().Eq(key), F(column).JSON().Eq(map[string]any{key: map[string]any{key: key}})).Count(ctx)
				require.NoError(t, err, "%q", key)
				require.EqualValues(t, 1, n, "%s %q", column, key)
				n, err = orm.Objects[Dossier](db).Filter(F("name").Eq("{}")).Update(ctx, at.JSON(key).Remove())
				require.NoError(t, err, "%q", key)
				require.EqualValues(t, 1, n)
				n, err = orm.Objects[Dossier](db).Filter(F(column).JSON().Eq(map[string]any{key: struct{}{}})).Count(ctx)
				require.NoError(t, err, "%q", key)
				require.EqualValues(t, 1, n, "%s %q", column, key)
				_, err = orm.Objects[Dossier](db).Filter(F("name").Eq("{}")).Update(ctx, at.Remove())
				require.NoError(t, err, "%q", key)
			}
		}
		for i := range keysOfAllSorts { // and each of them alone is taken away
			_, err := set.Update(ctx, F("doc").JSON(keysOfAllSorts[i]).Remove(), F("plain").JSON(keysOfAllSorts[i]).Set("x"))
			require.NoError(t, err)
			row, err := set.Get(ctx)
			require.NoError(t, err)
			var doc, plain map[string]any
			require.NoError(t, json.Unmarshal(row.Doc, &doc))
			require.NoError(t, json.Unmarshal(row.Plain, &plain))
			require.Len(t, doc, len(keysOfAllSorts)-i-1, "%q", keysOfAllSorts[i])
			require.NotContains(t, doc, keysOfAllSorts[i])
			require.Len(t, plain, len(keysOfAllSorts))
			require.Equal(t, "x", plain[keysOfAllSorts[i]])
		}
	})
}

func TestS58_WhatIsNoPath(t *testing.T) {
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		dossiers(ctx, t, db, `{"a": 1, "-1": 2}`)
		all := orm.Objects[Dossier](db)
		long := make([]any, 31)
		for i := range long {
			long[i] = "a"
		}
		var value *query.ValueError
		for name, at := range map[string]query.JSON{
			"no UTF-8": F("doc").JSON("\xff"), "a NUL": F("doc").JSON("a\x00"), "from the end": F("doc").JSON("a", -1), "too far": F("doc").JSON(1<<31 - 1),
			"another type": F("doc").JSON(int64(1)), "nil": F("doc").JSON(nil), "an expression": F("doc").JSON(F("name")), "a list": F("doc").JSON([]string{"a"}),
			"a text": F("name").JSON("a"), "a number": F("id").JSON("a"), "too long": F("doc").JSON(long...),
		} {
			_, err := all.Filter(at.Exists()).Count(ctx)
			require.ErrorAs(t, err, &value, name)
			_, err = orm.Select[struct{ X json.RawMessage }](ctx, all, at.As("x"))
			require.ErrorAs(t, err, &value, name)
			_, err = all.Update(ctx, at.Set(1))
			require.Error(t, err, name)
			_, err = all.Update(ctx, at.Remove())
			require.Error(t, err, name)
		}
		at := F("doc").JSON("a")
		for name, c := range map[string]query.Cond{
			"an order": at.Gt(1), "bytes": at.Eq([]byte("x")), "no UTF-8": at.Eq("\xff"), "no JSON": at.Eq(json.RawMessage("{")), "a channel": at.Eq(make(chan int)),
			"a text": at.Int().Eq("1"), "beside a column": at.Eq(F("id")), "calculated with": at.Add(1).Eq(2), "a pattern": at.Contains("x"),
		} {
			_, err := all.Filter(c).Count(ctx)
			require.ErrorAs(t, err, &value, name)
		}
		for name, sets := range map[string][]query.Assignment{
			"twice": {at.Set(1), at.Set(2)}, "within": {at.Set(1), at.JSON("b").Set(2)}, "around": {at.JSON("b").Set(1), at.Remove()}, "the column": {F("doc").JSON().Set(1)},
			"shifted": {at.JSON(0).Remove(), at.JSON(1).Set(2)}, "of two sorts": {at.JSON(0).Set(1), at.JSON("x").Set(2)}, "computed": {at.Set(F("id"))}, "bytes": {at.Set([]byte("x"))},
		} {
			_, err := all.Update(ctx, sets...)
			require.ErrorAs(t, err, &value, name)
		}
		var field *query.FieldError
		_, err := all.Update(ctx, at.Set(1), query.Set("doc", json.RawMessage(`{}`)))
		require.ErrorAs(t, err, &field)
		_, err = all.Update(ctx, F("nothing").JSON("a").Set(1))
		require.ErrorAs(t, err, &field)
		_, err = orm.Select[struct{ X string }](ctx, all, at.As("x"))
		require.ErrorAs(t, err, &field, "a text would have its quotes")
		_, err = all.Update(ctx, query.JSON{}.Set(1))
		require.Error(t, err)
		_, err = all.OrderBy("id").Filter(query.JSON{}.Text().Eq("x")).All(ctx)
		require.Error(t, err)
		_, err = orm.Select[struct {
			X json.RawMessage
			N int64
		}](ctx, all.GroupBy("x"), at.As("x"), query.Count().As("n"))
		require.ErrorAs(t, err, &value)

		n, err := all.Filter(F("doc").JSON("-1").Exists()).Count(ctx)
		if db.Server().Engine == dialect.MariaDB {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			return
		}
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

// randomly makes documents, and changes them along paths, as Go does.
func TestS58_RandomDocuments(t *testing.T) {
	r := rand.New(rand.NewPCG(58, 58)) //nolint:gosec // a test
	var make58 func(depth int) any
	make58 = func(depth int) any {
		switch n := r.IntN(8); {
		case n < 2 && depth > 0:
			list := make([]any, r.IntN(4))
			for i := range list {
				list[i] = make58(depth - 1)
			}
			return list
		case n < 5 && depth > 0:
			m := map[string]any{}
			for range r.IntN(4) {
				m[[]string{"a", "b", "0", "1", `q"\`, "é"}[r.IntN(6)]] = make58(depth - 1)
			}
			return m
		case n < 6:
			return []any{nil, true, false, "", "x", "0", "a\"\\ é<🎧"}[r.IntN(7)]
		case n < 7:
			return json.Number(strconv.Itoa(r.IntN(5) - 2))
		}
		return json.Number(strconv.FormatInt(r.Int64()-1<<62, 10))
	}
	path := func() []any {
		p := make([]any, 1+r.IntN(3))
		for i := range p {
			p[i] = []any{"a", "b", "0", "1", `q"\`, "é", 0, 1, 2, 0}[r.IntN(10)]
		}
		return p
	}
	var docs []string
	for range 40 {
		b, err := json.Marshal(make58(4))
		require.NoError(t, err)
		docs = append(docs, string(b))
	}
	paths := make([][]any, 40)
	for i := range paths {
		paths[i] = path()
	}
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		rows := dossiers(ctx, t, db, docs...)
		// becomes changes rows, looks at all, and takes it back.
		becomes := func(p, of []any, set query.Assignment, want []any) {
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				_, err := orm.Objects[Dossier](db).Filter(F("id").In(of...)).Update(ctx, set)
				require.NoError(t, err, "%v", p)
				all, err := orm.Objects[Dossier](db).OrderBy("id").All(ctx)
				require.NoError(t, err)
				for i, got := range all {
					require.Equal(t, want[i], decoded(t, string(got.Doc)), "%v of %s", p, rows[i].Name)
				}
				return atomic.Rollback
			}))
		}
		for i, p := range paths {
			at := F("doc").JSON(p...)
			text := "set " + strconv.Itoa(i)
			var have, can []any
			with, without := make([]any, len(rows)), make([]any, len(rows))
			for n, row := range rows {
				doc := decoded(t, row.Name)
				have, without[n] = append(have, row.ID), removedFrom(doc, p)
				if want, ok := changed(doc, p, text); ok {
					can, with[n] = append(can, row.ID), want
					continue
				}
				with[n] = doc
				_, err := orm.Objects[Dossier](db).Filter(F("id").Eq(row.ID)).Update(ctx, at.Set(text))
				require.Error(t, err, "%v of %s", p, row.Name)
			}
			becomes(p, can, at.Set(text), with)
			becomes(p, have, at.Remove(), without)
		}
	})
}

// changed is what Set makes of a document; not ok where it fails.
func changed(doc any, path []any, v any) (any, bool) {
	if len(path) == 0 {
		return v, true
	}
	switch s := path[0].(type) {
	case string:
		m, ok := doc.(map[string]any)
		if !ok {
			return nil, false
		}
		at, there := m[s]
		if !there && len(path) > 1 {
			if _, key := path[1].(string); !key {
				return nil, false
			}
			at = map[string]any{}
		}
		made, ok := changed(at, path[1:], v)
		m = maps.Clone(m)
		m[s] = made
		return m, ok
	default:
		list, ok := doc.([]any)
		if n := s.(int); ok && n < len(list) {
			made, ok := changed(list[n], path[1:], v)
			list = slices.Clone(list)
			list[n] = made
			return list, ok
		}
	}
	return nil, false
}

func removedFrom(doc any, path []any) any {
	if _, ok := found(doc, path); !ok {
		return doc
	}
	last := len(path) == 1
	switch s := path[0].(type) {
	case string:
		m := maps.Clone(doc.(map[string]any))
		if last {
			delete(m, s)
		} else {
			m[s] = removedFrom(m[s], path[1:])
		}
		return m
	default:
		list := slices.Clone(doc.([]any))
		n := s.(int)
		if last {
			return slices.Delete(list, n, n+1)
		}
		list[n] = removedFrom(list[n], path[1:])
		return list
	}
}

func TestS58_ValuesAreCompared(t *testing.T) {
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		dossiers(ctx, t, db, `{"v": 5}`, `{"v": "5"}`, `{"v": null}`, `{}`, ``, `null`, `{"v": true}`, `{"v": "true"}`, `{"v": [5]}`, `{"v": {"a": 1, "b": "x"}}`, `{"v": 5.5}`, `{"v": "null"}`,
			`{"v": "a"}`, `{"v": "a "}`, `{"v": "A"}`, `{"v": 9007199254740993}`, `{"v": "<"}`, `{"v": "\u003c\u00e9"}`)
		all := orm.Objects[Dossier](db)
		names := func(c query.Cond) string {
			t.Helper()
			rows, err := all.Filter(c).OrderBy("id").All(ctx)
			require.NoError(t, err)
			list := make([]string, len(rows))
			for i, r := range rows {
				list[i] = r.Name
			}
			left, err := all.Exclude(c).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 18, len(rows)+int(left))
			return strings.Join(list, ";")
		}
		for _, column := range []string{"doc", "plain"} {
			v := F(column).JSON("v")
			five := 5
			for want, list := range map[string][]query.Cond{
				`{"v": 5}`:                  {v.Eq(5), v.Eq(5.0), v.Eq(&five), v.Eq(json.Number("5.0")), v.In(5, 7), v.Int().Eq(5), v.Float().Eq(5), v.Int().Eq(5.0), v.Int().Between(5, 6)},
				`{"v": "5"}`:                {v.Eq("5"), v.Text().Eq("5"), v.Text().StartsWith("5")},
				`{"v": null}`:               {v.Eq(json.RawMessage("null")), v.Type().Eq("null")},
				`{"v": true}`:               {v.Eq(true), v.Bool().Eq(true)},
				`{"v": "true"}`:             {v.Eq("true"), v.Text().Eq("true")},
				`{"v": [5]}`:                {v.Eq([]int{5}), v.JSON(0).Eq(5), v.Len().Eq(1)},
				`{"v": "null"}`:             {v.Eq("null")},
				`{"v": "a"}`:                {v.Eq("a"), v.Text().Eq("a"), v.Text().In("a", "b"), v.Text().Like("a")},
				`{"v": "a "}`:               {v.Eq("a "), v.Text().Eq("a ")},
				`{"v": "a"};{"v": "A"}`:     {query.Lower(v.Text()).Eq("a")},
				`{"v": "<"}`:                {v.Eq("<"), v.Text().Eq("<"), v.Eq(json.RawMessage(`"\u003c"`)), v.Eq(json.RawMessage(`"<"`))},
				`{"v": "\u003c\u00e9"}`:     {v.Eq("<é"), v.Text().Eq("<é")},
				`{"v": 9007199254740993}`:   {v.Eq(9007199254740993), v.Int().Eq(9007199254740993), v.Int().Gt(9007199254740992)},
				`{"v": 5};{"v": 5.5}`:       {v.Float().Lt(6), v.Float().Between(5, 5.5)},
				`{"v": {"a": 1, "b": "x"}}`: {v.Eq(map[string]any{"b": "x", "a": 1}), v.JSON("a").Eq(1), v.JSON("a").Exists(), v.Type().Eq("object")},
				`{};;null`:                  {v.IsNull(), v.Eq(nil), query.Not(v.Exists())},
				``:                          {v.Eq(9007199254740992), v.Eq("x"), v.In(), v.Eq(map[string]any{"a": 1}), v.Int().Eq(9007199254740992), v.Type().Eq("Object")},
			} {
				for i, c := range list {
					require.Equal(t, want, names(c), "%s %d", want, i)
				}
			}
			n, err := all.Filter(v.Ne(5)).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 17, n)
			n, err = all.Filter(v.NotIn(5, "5", nil)).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 13, n)
			n, err = all.Filter(v.Eq(F(column).JSON("v"))).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 15, n)
		}
	})
}
