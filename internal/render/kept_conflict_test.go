package render_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// everyUpsert is an INSERT of rows with these texts into some columns.
func everyUpsert(t *testing.T, m *render.Model, target []string, texts []string, sets ...query.Assignment) *render.Insert {
	t.Helper()
	c := &render.Conflict{}
	for _, name := range target {
		f, err := m.Field(name)
		require.NoError(t, err)
		c.Target = append(c.Target, f)
	}
	for _, set := range sets {
		a, err := m.Assignment(set.Node())
		require.NoError(t, err)
		c.Set = append(c.Set, a)
	}
	s := &render.Insert{Model: m, Conflict: c}
	for _, name := range []string{"id", "small", "text", "latin", "maybe"} {
		f, err := m.Field(name)
		require.NoError(t, err)
		s.Fields = append(s.Fields, f)
	}
	for i, text := range texts {
		s.Rows = append(s.Rows, reflect.ValueOf(&Every{ID: int64(i + 1), Text: text, Latin: text, Maybe: &text}).Elem())
	}
	return s
}

// What an INSERT does with rows that are there is a part of its shape.
func TestS65_AConflictIsKeptWithItsInsert(t *testing.T) {
	excluded := func(column, of string) query.Assignment { return query.Set(column, query.Excluded(of)) }
	conflicts := []struct {
		target []string
		sets   []query.Assignment
	}{
		{target: []string{"id"}}, {target: []string{"text"}}, {target: []string{"id", "text"}},
		{[]string{"id"}, []query.Assignment{excluded("text", "text")}},
		{[]string{"id"}, []query.Assignment{excluded("small", "small")}},
		{[]string{"id"}, []query.Assignment{excluded("text", "latin")}},
		{[]string{"id"}, []query.Assignment{excluded("text", "maybe")}},
		{[]string{"id"}, []query.Assignment{excluded("text", "text"), excluded("small", "small")}},
		{[]string{"id"}, []query.Assignment{excluded("small", "small"), excluded("text", "text")}},
		{[]string{"text"}, []query.Assignment{excluded("small", "small")}},
		{[]string{"id"}, []query.Assignment{excluded("text", "day")}},   // which the rows do not have
		{[]string{"id"}, []query.Assignment{excluded("small", "text")}}, // refused
		{[]string{"id"}, []query.Assignment{query.Set("text", "x")}},
		{[]string{"id"}, []query.Assignment{query.Set("text", "y")}},
		{[]string{"id"}, []query.Assignment{query.Set("small", query.F("small").Add(1))}},
		{[]string{"id"}, []query.Assignment{query.Set("small", query.F("small").Add(query.Excluded("small")))}},
	}
	for _, s := range engines {
		kept, written := everyModel(t, s), everyModel(t, s)
		for range 2 {
			for _, texts := range [][]string{{"a"}, {"b"}, {"a", "b"}, {"é", ""}, {"\x00"}} {
				for i, c := range conflicts {
					written.Forget()
					want := said(everyUpsert(t, written, c.target, texts, c.sets...).Render())
					require.Equal(t, want, said(everyUpsert(t, kept, c.target, texts, c.sets...).Render()), "%s: conflict %d, %d rows", s.Engine, i, len(texts))
				}
				plain := everyUpsert(t, kept, nil, texts)
				plain.Conflict = nil
				require.NotContains(t, said(plain.Render()), "CONFLICT")
				require.NotContains(t, said(plain.Render()), "DUPLICATE")
			}
		}
	}

	m := everyModel(t, engines[0])
	text := func(texts []string, sets ...query.Assignment) string {
		text, err := everyUpsert(t, m, []string{"id"}, texts, sets...).Render()
		require.NoError(t, err)
		return text.SQL
	}
	taken := []query.Assignment{excluded("text", "text"), excluded("small", "small")}
	assert.True(t, same(text([]string{"a", "b"}, taken...), text([]string{"c", "d"}, taken...)), fmt.Sprint("kept on ", engines[0].Engine))
	assert.False(t, same(text([]string{"a"}, query.Set("text", "x")), text([]string{"a"}, query.Set("text", "x"))), "a value of the caller's own")
}
