package orm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Dossier holds the same document in both of PostgreSQL's types.
type Dossier struct {
	bun.BaseModel `bun:"table:dossiers"`
	models.AutoID
	Name  string
	Doc   json.RawMessage
	Plain json.RawMessage `bun:"type:json"`
}

func found(doc any, path []any) (v any, ok bool) {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := doc.(map[string]any)
			if doc, ok = m[s]; !ok {
				return nil, false
			}
		case int:
			list, _ := doc.([]any)
			if s >= len(list) {
				return nil, false
			}
			doc = list[s]
		}
	}
	return doc, true
}

// Reading is what the readings of a value are.
type Reading struct {
	Value json.RawMessage
	Text  *string
	Whole *int64
	Float *float64
	Truth *bool
	Type  *string
	Len   *int64
	There bool
}

func readingOf(doc any, path []any) (r Reading) {
	v, ok := found(doc, path)
	if !ok {
		return r
	}
	var what string
	r.Value, _ = json.Marshal(v)
	r.There = true
	switch v := v.(type) {
	case nil:
		what = "null"
	case string:
		what, r.Text = "string", &v
	case bool:
		what, r.Truth = "boolean", &v
	case []any:
		n := int64(len(v))
		what, r.Len = "array", &n
	case map[string]any:
		what = "object"
	case json.Number:
		what = "number"
		n, err := v.Int64()
		f, ferr := v.Float64()
		if ferr == nil && math.Abs(f) < math.MaxFloat64 {
			r.Float = &f
		}
		if err != nil && strings.ContainsAny(string(v), ".eE") && f == math.Trunc(f) && f >= -0x1p63 && f < 0x1p63 {
			n, err = int64(f), nil
		}
		if err == nil {
			r.Whole = &n
		}
	}
	r.Type = &what
	return r
}

func decoded(t *testing.T, doc string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v), doc)
	return v
}

// eachWithPaths is each on what reads paths, and elsewhere sees that they are refused.
func eachWithPaths(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Can(dialect.JSONPaths) {
			test(t, ctx, db)
			return
		}
		dossiers(ctx, t, db, `{}`)
		all := orm.Objects[Dossier](db)
		_, err := all.Filter(F("doc").JSON("a").Exists()).Count(ctx)
		require.ErrorIs(t, err, dialect.ErrUnsupported)
		_, err = all.Update(ctx, F("doc").JSON("a").Set(1))
		require.ErrorIs(t, err, dialect.ErrUnsupported)
	})
}

func dossiers(ctx context.Context, t *testing.T, db *orm.DB, docs ...string) []*Dossier {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Dossier)(nil)))
	rows := make([]*Dossier, len(docs))
	for i, d := range docs {
		rows[i] = &Dossier{Name: d}
		if d != "" {
			rows[i].Doc, rows[i].Plain = json.RawMessage(d), json.RawMessage(d)
		}
	}
	require.NoError(t, orm.Objects[Dossier](db).BulkCreate(ctx, rows))
	return rows
}

func same58(t *testing.T, where string, want, have Reading) {
	t.Helper()
	if have.Value != nil && want.Value != nil {
		a, b := decoded(t, string(want.Value)), decoded(t, string(have.Value))
		if n, ok := a.(json.Number); ok {
			x, _ := n.Float64()
			m, _ := b.(json.Number)
			y, err := m.Float64()
			require.NoError(t, err, where)
			require.Equal(t, x, y, where) //nolint:testifylint // exactly
			if strings.Trim(string(n), "-0123456789") == "" {
				require.Equal(t, n, m, where)
			}
		} else if !bytes.Contains(want.Value, []byte("e")) {
			require.Equal(t, a, b, where)
		}
		want.Value, have.Value = nil, nil
	}
	require.Equal(t, want, have, where)
}

func TestS58_PathsReadAlike(t *testing.T) {
	docs := []string{
		``, `null`, `{}`, `[]`, `5`, `"x"`, `true`, `[[["deep"]]]`, `[0, [1, [2]], {"0": "key", "a": [3]}]`,
		`{"a": 1, "b": {"c": [10, {"d": "x"}, null]}, "n": null, "t": true, "f": false}`,
		`{"0": "a key", "a": {"0": {"0": 7}}, "b": {"c": {"0": "no position"}}}`, `{"a": [], "b": "text", "n": [null]}`,
		`{"a": "text with \"quotes\", \\ and \u00e9\ud83c\udfa7\n\u0001 \u003ca\u003e", "b": {"c": "5"}}`, `{"a": "", "b": {"c": " x "}}`, `{"a": "null", "t": "true"}`,
	}
	for _, n := range []string{"0", "-1", "9007199254740993", "-9223372036854775808", "9223372036854775807", "18446744073709551615", "9223372036854775808", "-9223372036854775809",
		"1.0", "1.5", "-0.25", "1e2", "1e-2", "1.5e300", "9223372036854775807.0", "9.3e18", "0.1", "123456789.125"} {
		docs = append(docs, `{"a": `+n+`}`)
	}
	paths := [][]any{
		{}, {"a"}, {"b"}, {"n"}, {"t"}, {"f"}, {"0"}, {0}, {1}, {2}, {0, 0}, {0, 0, 0}, {1, 0}, {1, 1, 0}, {2, "0"}, {2, "a", 0}, {"a", 0}, {"a", "0"}, {"a", "0", "0"}, {"a", 0, 0},
		{"b", "c"}, {"b", "c", 0}, {"b", "c", 1}, {"b", "c", 1, "d"}, {"b", "c", 2}, {"b", "c", 3}, {"b", "c", "0"}, {"b", "c", 0, 0}, {"n", 0}, {"t", 0}, {"n", "x"}, {""}, {"a", ""},
	}
	eachWithPaths(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		stored := docs
		if db.Server().Engine == dialect.MySQL { // which refuses to store numbers that it would change
			stored = nil
			for _, d := range docs {
				if !strings.Contains(d, "-9223372036854775809") && !strings.Contains(d, "9223372036854775807.0") {
					stored = append(stored, d)
				}
			}
		}
		rows := dossiers(ctx, t, db, stored...)
		for _, column := range []string{"doc", "plain"} {
			for _, path := range paths {
				at := F(column).JSON(path...)
				got, err := orm.Select[struct {
					ID int64
					Reading
				}](ctx, orm.Objects[Dossier](db).OrderBy("id"), F("id"), at.As("value"), at.Text().As("text"), at.Int().As("whole"), at.Float().As("float"),
					at.Bool().As("truth"), at.Type().As("type"), at.Len().As("len"), query.Case().When(at.Exists(), true).Else(false).As("there"))
				require.NoError(t, err, path)
				require.Len(t, got, len(rows))
				for i, row := range got {
					want := Reading{}
					if rows[i].Name != "" {
						want = readingOf(decoded(t, rows[i].Name), path)
					}
					same58(t, fmt.Sprint(column, " ", path, " of ", rows[i].Name), want, row.Reading)
				}
			}
		}
	})
}
