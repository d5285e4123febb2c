package orm_test

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Sighting has columns that keep less than a Go value may hold.
type Sighting struct {
	bun.BaseModel `bun:"table:sighting"`
	ID            int64     `bun:",pk"`
	Seen          time.Time `bun:"type:timestamp(0)"`
	Opens         string    `bun:"type:time(0)"`
	Share         float64
	Short         float64 `bun:"type:float4"`
	Count         int64   `bun:"type:smallint"`
	Name          string  `bun:"type:varchar(5)"`
	Doc           map[string]any
	Raw           json.RawMessage
}

// assigns has the row changed in each way in which a column is given what the server computes.
func assigns[T any](ctx context.Context, db *orm.DB, row func() *T, set query.Assignment) map[string]error {
	all := orm.Objects[T](db)
	_, update := all.Update(ctx, set)
	_, returning := all.UpdateReturning(ctx, set)
	return map[string]error{"Update": update, "UpdateReturning": returning, "OnConflict": all.BulkCreate(ctx, []*T{row()}, query.OnConflict("id").Set(set))}
}

// A value among those of which the server chooses one is kept as it is, or refused as one that
// is assigned by itself. What it is compared with may be finer.
func TestS20_WhatIsChosenIsKeptOrRefused(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Sighting)(nil)))
		all := orm.Objects[Sighting](db)
		noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		at := noon.Add(600 * time.Millisecond)
		row := func() *Sighting {
			return &Sighting{ID: 1, Seen: noon, Opens: "10:00:00", Share: 1, Short: 0.5, Count: 7, Name: "heron"}
		}
		require.NoError(t, all.Create(ctx, row()))
		there := F("id").Gt(0)
		none := func(column string) query.Expr { return query.NullIf(F(column), F(column)) }
		value, nan := query.Value, math.NaN()
		refused := map[string]query.Assignment{
			"the greatest time":     query.Set("seen", query.Greatest(F("seen"), at)),
			"the least time":        query.Set("seen", query.Least(F("seen"), at)),
			"a time for NULL":       query.Set("seen", query.Coalesce(none("seen"), value(at))),
			"a time that is not":    query.Set("seen", query.Coalesce(F("seen"), value(at))),
			"a time of a branch":    query.Set("seen", query.Case().When(there, at).Else(F("seen"))),
			"a time otherwise":      query.Set("seen", query.Case().When(there, F("seen")).Else(at)),
			"a time within":         query.Set("seen", query.Greatest(F("seen"), query.Coalesce(none("seen"), value(at)))),
			"a time of a query":     query.Set("seen", query.Select(all.Limit(1), query.Coalesce(none("seen"), value(at)).As("x"))),
			"a time and an hour":    query.Set("seen", query.Coalesce(none("seen"), value(at)).Add(time.Hour)),
			"a time and a day":      query.Set("seen", query.Shift(query.Coalesce(none("seen"), value(at)), 1, query.Days)),
			"the year 10000":        query.Set("seen", query.Greatest(F("seen"), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))),
			"a time of a day":       query.Set("opens", query.Coalesce(none("opens"), value("10:00:00.6"))),
			"NaN":                   query.Set("share", query.Coalesce(none("share"), value(nan))),
			"NaN of a branch":       query.Set("share", query.Case().When(there, nan).Else(F("share"))),
			"NaN and":               query.Set("share", F("share").Add(nan)),
			"NaN by itself":         query.Set("share", value(nan).Mul(F("share"))),
			"NaN within":            query.Set("share", query.Abs(value(nan))),
			"a share of 4 bytes":    query.Set("short", query.Coalesce(none("short"), value(0.1))),
			"a whole number":        query.Set("share", query.Coalesce(none("share"), value(1<<53+1))),
			"a count":               query.Set("count", query.Case().When(there, 40000).Else(F("count"))),
			"a text":                query.Set("name", query.Coalesce(none("name"), value("kingfisher"))),
			"a text that ends so":   query.Set("name", query.Case().When(there, "teal  ").Else("teal")),
			"a text that is none":   query.Set("raw", query.Coalesce(F("raw"), value(json.RawMessage("{")))),
			"JSON that is no UTF-8": query.Set("raw", query.Coalesce(F("raw"), value(json.RawMessage("\"\xff\"")))),
		}
		if db.Server().Engine == dialect.MySQL {
			refused["digits"] = query.Set("doc", query.Coalesce(F("doc"), value(map[string]any{"n": json.Number("123456789012345678901234567890")})))
		}
		for name, set := range refused {
			for call, err := range assigns(ctx, db, row, set) {
				var ve *query.ValueError
				require.ErrorAs(t, err, &ve, "%s: %s", name, call)
				require.Contains(t, ve.Field, "Sighting.", name)
			}
		}
		got, err := all.Get(ctx)
		require.NoError(t, err)
		got.Seen = got.Seen.UTC()
		require.Equal(t, row(), got)
		for name, c := range map[string]struct {
			set    query.Assignment
			change func(s *Sighting)
		}{
			"a condition":        {query.Set("seen", query.Case().When(F("seen").Lt(at), noon.Add(time.Second)).Else(F("seen"))), func(s *Sighting) { s.Seen = noon.Add(time.Second) }},
			"a time":             {query.Set("seen", query.Greatest(F("seen"), noon.Add(time.Hour))), func(s *Sighting) { s.Seen = noon.Add(time.Hour) }},
			"a time that is cut": {query.Set("seen", query.Truncate(query.Coalesce(none("seen"), value(at)), query.Seconds)), func(*Sighting) {}},
			"a limit":            {query.Set("count", query.Least(F("count").Add(1), 40000)), func(s *Sighting) { s.Count = 8 }},
			"a text as a limit":  {query.Set("name", query.Least(F("name"), "kingfisher")), func(*Sighting) {}},
			"a share":            {query.Set("short", query.Coalesce(none("short"), value(0.25))), func(s *Sighting) { s.Short = 0.25 }},
			"a document":         {query.Set("doc", query.Coalesce(F("doc"), value(map[string]any{"n": "1"}))), func(s *Sighting) { s.Doc = map[string]any{"n": "1"} }},
		} {
			require.NoError(t, all.Save(ctx, row()))
			_, err := all.Update(ctx, c.set)
			require.NoError(t, err, name)
			got, err := all.Get(ctx)
			require.NoError(t, err, name)
			want := row()
			c.change(want)
			got.Seen = got.Seen.UTC()
			require.Equal(t, want, got, name)
		}
	})
}
