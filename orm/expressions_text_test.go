package orm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Phrase struct {
	models.AutoID
	S string
	P *string
}

func phrases(ctx context.Context, t *testing.T, db *orm.DB) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*Phrase)(nil)))
	var rows []*Phrase
	for i, s := range []string{"", "a", "abc", "aAbB", "xyxAxyx", "  two words  ", "\t tab\n", "😀한é", "e\u0301", "x😀y😀x", `back\slash'"`, "100% _sure_", "aaa", "\\x", "$1 ?"} {
		row := &Phrase{S: s}
		if i%3 != 1 {
			p := strings.ToUpper(s) + "x"
			row.P = &p
		}
		rows = append(rows, row)
	}
	require.NoError(t, orm.Objects[Phrase](db).BulkCreate(ctx, rows))
}

func slice(s string, start, length int) string {
	runes := []rune(s)
	if start < 0 {
		start = max(len(runes)+start, 0)
	} else {
		start = min(start-1, len(runes))
	}
	return string(runes[start:min(start+length, len(runes))])
}

func TestS53_TextsAreTheSame(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		phrases(ctx, t, db)
		s, p := F("s"), F("p")
		list := []computed[Phrase]{
			{"concat", query.Concat(s, " – '?", p), func(r *Phrase) any { return orNull(r.P, func(p string) string { return r.S + " – '?" + p }) }},
			{"concat of values", query.Concat("a", query.Value("b"), s), func(r *Phrase) any { return "ab" + r.S }},
			{"length", query.Length(s), func(r *Phrase) any { return utf8.RuneCountInString(r.S) }},
			{"length of NULL", query.Length(p).Add(1), func(r *Phrase) any {
				return orNull(r.P, func(p string) int { return utf8.RuneCountInString(p) + 1 })
			}},
			{"trim", query.Trim(s), func(r *Phrase) any { return strings.Trim(r.S, " ") }},
			{"trim left", query.TrimLeft(s, "x"), func(r *Phrase) any { return strings.TrimLeft(r.S, "x") }},
			{"trim right", query.TrimRight(s, "x"), func(r *Phrase) any { return strings.TrimRight(r.S, "x") }},
			{"trim NULL", query.Trim(p, "Xx"), func(r *Phrase) any { return orNull(r.P, func(p string) string { return strings.Trim(p, "Xx") }) }},
			{"replace", query.Replace(s, "x", "[?]"), func(r *Phrase) any { return strings.ReplaceAll(r.S, "x", "[?]") }},
			{"replace nothing", query.Replace(s, "", "z"), func(r *Phrase) any { return r.S }},
			{"remove", query.Replace(s, "aa", ""), func(r *Phrase) any { return strings.ReplaceAll(r.S, "aa", "") }},
			{"replace by another", query.Replace(p, "X", s), func(r *Phrase) any {
				return orNull(r.P, func(p string) string { return strings.ReplaceAll(p, "X", r.S) })
			}},
			{"nested", query.Length(query.Concat(query.Substr(s, 2), query.Trim(s))), func(r *Phrase) any {
				return utf8.RuneCountInString(slice(r.S, 2, 99) + strings.Trim(r.S, " "))
			}},
		}
		for _, set := range []string{"xy", "😀x", `\'"`, "] ", "^a-c", "\t\n ", "x"} {
			list = append(list, computed[Phrase]{fmt.Sprintf("trim %q", set), query.Trim(s, set), func(r *Phrase) any { return strings.Trim(r.S, set) }},
				computed[Phrase]{fmt.Sprintf("trim left %q", set), query.TrimLeft(s, set), func(r *Phrase) any { return strings.TrimLeft(r.S, set) }},
				computed[Phrase]{fmt.Sprintf("trim right %q", set), query.TrimRight(s, set), func(r *Phrase) any { return strings.TrimRight(r.S, set) }})
		}
		for _, start := range []int{1, 2, 5, 100, -1, -2, -100} {
			list = append(list, computed[Phrase]{fmt.Sprint("from ", start), query.Substr(s, start), func(r *Phrase) any { return slice(r.S, start, 99) }})
			for _, n := range []int{0, 1, 3, 100} {
				list = append(list, computed[Phrase]{fmt.Sprint(n, " from ", start), query.Substr(s, start, n), func(r *Phrase) any { return slice(r.S, start, n) }})
			}
		}
		same(ctx, t, db, func(r *Phrase) int64 { return r.ID }, list)
	})
}

func TestS53_WhatIsNoText(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		var value *query.ValueError
		text, index := F("text"), F("index")
		for name, e := range map[string]query.Expr{
			"number": query.Concat(text, 5), "column": query.Concat(text, index), "nil": query.Concat(text, nil), "length of a number": query.Length(index),
			"position": query.Substr(text, 0), "negative": query.Substr(text, 1, -1), "huge": query.Substr(text, 1<<40), "of a number": query.Substr(index, 1),
			"no set": query.Trim(text, ""), "trimmed number": query.Trim(index), "broken": query.Trim(text, "\xff"), "new": query.Replace(text, "a", 1), "old": query.Replace(text, index, "a"),
		} {
			_, err := orm.Objects[Audio](db).Filter(e.IsNull()).Count(ctx)
			require.ErrorAs(t, err, &value, name)
		}
	})
}
