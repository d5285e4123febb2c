package render_test

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// Every is a row with a column of each kind, of which some take fewer values than
// their fields.
type Every struct {
	bun.BaseModel `bun:"table:every"`
	ID            int64 `bun:",pk,autoincrement"`
	Small         int16
	Whole         int `bun:"type:smallint"`
	Large         uint64
	Narrow        float32
	Real          float64
	Price         string `bun:"type:decimal(8,2)"`
	Text          string
	Latin         string `bun:"type:varchar(20) character set latin1"`
	Maybe         *string
	Bytes         []byte
	Yes           bool
	At            time.Time
	Day           string         `bun:"type:date"`
	Clock         string         `bun:"type:time"`
	Doc           map[string]any `bun:"type:json"`
	ProjectID     *int64
	Project       *Project `bun:"rel:belongs-to,join:project_id=id"`
}

var everyColumns = []string{"id", "small", "whole", "large", "narrow", "real", "price", "text", "latin", "maybe", "bytes", "yes", "at", "day", "clock", "doc",
	"project_id", "project.name", "project.owner.name", "nothing"}

var everyField = query.Column(func(e *Every) *time.Time { return &e.At })

// anyValue is a value that fits some of the columns, and is refused, or settles the
// condition, beside others.
func anyValue(t *rapid.T) any {
	text, n := "x", int64(7)
	return rapid.SampledFrom([]any{
		nil, 0, 7, int64(-3), int64(40000), int64(math.MaxInt64), uint64(math.MaxUint64), int16(300), 1.5, 2.0, math.NaN(), math.Inf(1), float32(0.1), 1e300,
		"", "x", "é", "Ω", "12.30", "abc", "2026-01-02", "12:30:00", "12:30:00.5", []byte("x"), []byte(nil), true, false,
		time.Time{}, time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("", 3600)), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		(*string)(nil), &text, (*int64)(nil), &n, map[string]any{"a": 1.0}, []int{1}, query.F("small"), query.F("text"), query.Value(5), query.F("small").Add(1),
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	}).Draw(t, "value")
}

// A draft is a statement whose values are still to be drawn.
type draft func(t *rapid.T) query.Cond

func anyDraft(t *rapid.T, deep int) draft {
	kinds := []string{"compare", "compare", "in", "typed"}
	if deep > 0 {
		kinds = append(kinds, "and", "or", "not")
	}
	column := query.F(rapid.SampledFrom(everyColumns).Draw(t, "column"))
	several := func() []draft {
		list := make([]draft, rapid.IntRange(0, 3).Draw(t, "conditions"))
		for i := range list {
			list[i] = anyDraft(t, deep-1)
		}
		return list
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
	case "in":
		n, negate := rapid.IntRange(0, 3).Draw(t, "values"), rapid.Bool().Draw(t, "negate")
		return func(t *rapid.T) query.Cond {
			values := make([]any, n)
			for i := range values {
				values[i] = anyValue(t)
			}
			if negate {
				return column.NotIn(values...)
			}
			return column.In(values...)
		}
	case "and", "or":
		list := several()
		return func(t *rapid.T) query.Cond {
			if kind == "and" {
				return query.And(drawn(t, list)...)
			}
			return query.Or(drawn(t, list)...)
		}
	case "not":
		of := anyDraft(t, deep-1)
		return func(t *rapid.T) query.Cond { return query.Not(of(t)) }
	case "typed":
		return func(t *rapid.T) query.Cond {
			return everyField.Gt(time.Date(2026, 1, rapid.IntRange(1, 28).Draw(t, "day"), 0, 0, 0, 0, time.UTC))
		}
	}
	op := rapid.SampledFrom([]func(query.Expr, any) query.Cond{query.Expr.Eq, query.Expr.Ne, query.Expr.Lt, query.Expr.Le, query.Expr.Gt, query.Expr.Ge}).Draw(t, "operator")
	return func(t *rapid.T) query.Cond { return op(column, anyValue(t)) }
}

func drawn(t *rapid.T, list []draft) []query.Cond {
	conds := make([]query.Cond, len(list))
	for i := range conds {
		conds[i] = list[i](t)
	}
	return conds
}

// anyRead is a SELECT but for its conditions.
func anyRead(t *rapid.T) ast.Select {
	s := ast.Select{Distinct: rapid.Bool().Draw(t, "distinct"), Related: rapid.SampledFrom([][]string{nil, nil, {"project"}, {"project.owner"}}).Draw(t, "related")}
	for range rapid.IntRange(0, 2).Draw(t, "criteria") {
		by := query.F(rapid.SampledFrom(everyColumns).Draw(t, "by"))
		s.Order = append(s.Order, rapid.SampledFrom([]query.Order{by.Asc(), by.Desc(), by.Asc().NullsLast()}).Draw(t, "order").Node())
	}
	if rapid.Bool().Draw(t, "locked") {
		s.Locks = []*ast.Lock{{Waiting: rapid.SampledFrom([]ast.Waiting{ast.WaitForever, ast.WaitSkip, ast.WaitNever, ast.WaitLimited}).Draw(t, "waiting"),
			Wait: rapid.SampledFrom([]time.Duration{time.Second, 2 * time.Second}).Draw(t, "wait"), Of: rapid.SampledFrom([][]string{nil, {"self"}}).Draw(t, "of")}}
	}
	return s
}

// anyOutputs is what a SELECT puts out of its own, and what it is grouped by.
func anyOutputs(t *rapid.T) (outputs []ast.Output, group []string) {
	for i := range rapid.IntRange(0, 3).Draw(t, "outputs") {
		e := query.F(rapid.SampledFrom(everyColumns).Draw(t, "output"))
		of := rapid.SampledFrom([]query.Operand{e, e, query.Count(), query.Count(e), query.Count(e).Distinct(), query.Max(e), query.Sum(e), query.Avg(e), query.Min(e).Where(query.F("id").Gt(1)),
			query.StringAgg(query.F("text"), ","), e.Add(1)}).Draw(t, "of")
		outputs = append(outputs, ast.Output{Of: of.Node(), Name: rapid.SampledFrom([]string{"", "a", "b", "c" + strconv.Itoa(i)}).Draw(t, "name")})
	}
	if rapid.Bool().Draw(t, "grouped") {
		group = append(group, rapid.SampledFrom(append([]string{"a", "b"}, everyColumns...)).Draw(t, "group"))
	}
	return outputs, group
}

func everyRow(t *rapid.T) Every {
	text := rapid.SampledFrom([]string{"", "x", "é", "Ω"}).Draw(t, "text")
	row := Every{Whole: rapid.SampledFrom([]int{0, 5, 40000}).Draw(t, "whole"), Real: rapid.SampledFrom([]float64{0, 1.5, math.NaN()}).Draw(t, "real"),
		Price: rapid.SampledFrom([]string{"", "1.5", "1.555"}).Draw(t, "price"), Text: text, Latin: text, Day: "2026-01-02", Clock: "12:30:00"}
	if rapid.Bool().Draw(t, "at") {
		row.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	}
	if rapid.Bool().Draw(t, "maybe") {
		row.Maybe = &text
	}
	return row
}

// said is all that comes of rendering a statement.
func said(t render.Text, err error) string {
	return fmt.Sprintf("%s %#v %v %v", t.SQL, t.Args, t.Raw, err)
}

// A statement of a shape that is kept is the same as one that is written: its text,
// its values and what is refused.
func TestS65_KeptIsWhatIsWritten(t *testing.T) {
	for _, s := range engines {
		t.Run(s.Engine, func(t *testing.T) {
			kept, written := everyModel(t, s), everyModel(t, s)
			rapid.Check(t, func(t *rapid.T) {
				kept.Forget()
				list := make([]draft, rapid.IntRange(0, 3).Draw(t, "conditions"))
				for i := range list {
					list[i] = anyDraft(t, 2)
				}
				read := anyRead(t)
				limited, offset := rapid.Bool().Draw(t, "limited"), rapid.Bool().Draw(t, "offset")
				outputs, group := anyOutputs(t)
				sets := rapid.SliceOfN(rapid.SampledFrom(everyColumns[:16]), 0, 3).Draw(t, "sets")
				for range 4 {
					q := read
					q.Where = nodes(drawn(t, list))
					if limited {
						n := rapid.Int64Range(-1, 3).Draw(t, "limit")
						q.Limit = &n
					}
					if offset {
						q.Offset = rapid.Int64Range(-1, 3).Draw(t, "from")
					}
					rows := rapid.SliceOfN(rapid.Custom(everyRow), 1, 2).Draw(t, "rows")
					set := make([]any, len(sets))
					for i := range set {
						set[i] = anyValue(t)
					}
					for name, run := range map[string]func(*render.Model) string{
						"rows": func(m *render.Model) string {
							text, joins, err := m.Rows(&q)
							return fmt.Sprint(said(text, err), len(joins))
						},
						"select": func(m *render.Model) string {
							put := q
							put.From, put.Outputs, put.Group = ast.Table{Model: m.Type}, outputs, group
							text, of, err := m.Select(&put)
							return fmt.Sprint(said(text, err), puts(of))
						},
						"exists": func(m *render.Model) string { return said(m.Exists(&q)) },
						"count":  func(m *render.Model) string { return said(m.Count(&q)) },
						"update": func(m *render.Model) string {
							u := &render.Update{Model: m, Where: q.Where}
							for i, name := range sets {
								a, err := m.Assignment(query.Set(name, set[i]).Node())
								if err != nil {
									return err.Error()
								}
								u.Set = append(u.Set, a)
							}
							return said(u.Render())
						},
						"delete": func(m *render.Model) string { return said((&render.Delete{Model: m, Where: q.Where}).Render()) },
						"insert": func(m *render.Model) string {
							i := &render.Insert{Model: m, Fields: m.Fields[1:]}
							for k := range rows {
								i.Rows = append(i.Rows, reflect.ValueOf(&rows[k]).Elem())
							}
							return said(i.Render())
						},
					} {
						written.Forget()
						want := run(written)
						require.Equal(t, want, run(kept), name)
						require.Equal(t, want, run(kept), name+" again")
					}
				}
			})
		})
	}
}

// puts is what is known of what is put out.
func puts(of *render.Outputs) string {
	var b strings.Builder
	for _, o := range of.List {
		fmt.Fprintf(&b, "%s %v %v, ", o.Name, o.Type.Type, o.Nullable)
	}
	return b.String()
}

func everyModel(t require.TestingT, s dialect.Server) *render.Model {
	models, err := render.NewModels(s, schemaOf(s.Engine))
	require.NoError(t, err)
	m, err := models.Of(reflect.TypeFor[Every]())
	require.NoError(t, err)
	return m
}

// same reports whether two texts are one in memory.
func same(a, b string) bool { return unsafe.StringData(a) == unsafe.StringData(b) }

// The everyday statements are kept, and what their values decide is not.
func TestS65_WhatIsKept(t *testing.T) {
	F := query.F
	m := everyModel(t, engines[0])
	rows := func(conds ...query.Cond) string {
		text, _, err := m.Rows(&ast.Select{Where: nodes(conds)})
		require.NoError(t, err)
		return text.SQL
	}
	assert.True(t, same(rows(F("id").Eq(1)), rows(F("id").Eq(2))))
	assert.True(t, same(rows(F("id").In(1, 2)), rows(F("id").In(3, 4))))
	assert.True(t, same(rows(everyField.Gt(time.Now())), rows(everyField.Gt(time.Now()))))
	assert.True(t, same(rows(query.Or(F("text").Eq("a"), F("real").Lt(1.5))), rows(query.Or(F("text").Eq("b"), F("real").Lt(2.5)))))
	outputs := func(most int, outputs ...query.Operand) string {
		tree := query.Select(objects[Every](F("id").Gt(most)).group("small"), outputs...).Tree()
		text, _, err := m.Select(tree)
		require.NoError(t, err)
		return text.SQL
	}
	assert.True(t, same(outputs(1, F("small"), query.Count().As("n")), outputs(2, F("small"), query.Count().As("n"))))
	assert.False(t, same(outputs(1, F("small"), query.Count().As("n")), outputs(1, F("small"), query.Count().As("m"))), "another name")
	assert.False(t, same(rows(F("id").In(1, 2)), rows(F("id").In(1))), "another number of values")
	assert.False(t, same(rows(F("maybe").Eq("x")), rows(F("maybe").Eq(nil))), "NULL")
	assert.False(t, same(rows(F("price").Lt("1.5")), rows(F("price").Lt("1.5"))), "a decimal number is written by its digits")
	assert.False(t, same(rows(query.Raw("id = ?", 1)), rows(query.Raw("id = ?", 1))), "the caller's own text")
}

// What is kept is bounded, and what is used stays.
func TestS65_KeptIsBounded(t *testing.T) {
	m := everyModel(t, engines[0])
	text := func(names ...string) string {
		s := &ast.Select{Related: []string{"project"}}
		for _, name := range names {
			s.Order = append(s.Order, query.OrderBy(name).Node())
		}
		text, _, err := m.Rows(s)
		require.NoError(t, err)
		return text.SQL
	}
	used, unused := text("text"), text("day")
	columns := everyColumns[:15]
	for i := range 8_000 {
		text(columns[i%15], columns[i/15%15], columns[i/225%15], columns[i/3375%15])
		require.True(t, same(used, text("text")), i)
	}
	require.False(t, same(unused, text("day")))
}

// Statements that are nearly alike do not get each other's texts, nor a value the text
// that another one needs.
func TestS65_NearlyAlike(t *testing.T) {
	F := query.F
	limit, other := int64(3), int64(4)
	lock := func(l ast.Lock) ast.Select { return ast.Select{Locks: []*ast.Lock{&l}} }
	where := func(conds ...query.Cond) ast.Select { return ast.Select{Where: nodes(conds)} }
	by := func(orders ...query.Order) (s ast.Select) {
		for _, o := range orders {
			s.Order = append(s.Order, o.Node())
		}
		return s
	}
	reads := []ast.Select{
		{}, {Distinct: true}, {Limit: &limit}, {Offset: 3}, {Limit: &limit, Offset: 3}, {Limit: &other}, {Related: []string{"project"}}, {Related: []string{"project.owner"}},
		lock(ast.Lock{}), lock(ast.Lock{Strength: ast.ForShare}), lock(ast.Lock{Waiting: ast.WaitSkip}), lock(ast.Lock{Waiting: ast.WaitNever}),
		lock(ast.Lock{Waiting: ast.WaitLimited, Wait: time.Second}), lock(ast.Lock{Waiting: ast.WaitLimited, Wait: 2 * time.Second}), lock(ast.Lock{Of: []string{"self"}}),
		by(F("text").Asc()), by(F("text").Desc()), by(F("maybe").Asc()), by(F("maybe").Asc().NullsLast()), by(F("maybe").Asc().NullsFirst()),
		by(F("text").Asc(), F("day").Asc()), by(F("day").Asc(), F("text").Asc()),
		where(F("id").In(1)), where(F("id").NotIn(1)), where(F("id").In(1, 2)), where(F("id").Eq(1)), where(F("id").Ne(1)), where(F("id").Eq(1), F("small").Eq(1)),
		where(query.Or(F("id").Eq(1), F("small").Eq(1))), where(query.And(F("id").Eq(1), F("small").Eq(1))), where(query.And(F("id").Eq(1)), F("small").Eq(1)),
		where(query.Not(F("id").Eq(1))), where(F("maybe").Eq("x")), where(F("maybe").Eq(nil)), where(F("maybe").Eq((*string)(nil))), where(F("maybe").Ne("x")),
		where(F("latin").Eq("x")), where(F("latin").Eq("Ω")), where(F("latin").Ne("Ω")), where(F("latin").In("x", "y")), where(F("latin").In("x", "Ω")),
		where(F("small").Lt(3)), where(F("small").Lt(40000)), where(F("small").Lt(2.5)), where(F("small").Eq(2.5)), where(F("real").Eq(int64(math.MaxInt64))),
		where(F("price").Eq("1.50")), where(F("price").Eq("1.555")), where(F("at").Gt(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))), where(F("at").Gt(time.Time{})),
		where(F("day").Eq("2026-01-02")), where(F("project.name").Eq("x"), F("text").Eq("y")), where(F("text").Eq("x"), F("project.name").Eq("y")),
	}
	sets := []query.Assignment{query.Set("text", "x"), query.Set("text", "y"), query.Set("latin", "x"), query.Set("latin", "Ω"), query.Set("at", time.Now()), query.Set("at", time.Time{}),
		query.Set("maybe", "x"), query.Set("maybe", nil), query.Set("small", 3), query.Set("small", 40000), query.Set("price", "1.5"), query.Set("price", "1.555"), query.Set("small", F("whole"))}
	for _, s := range engines {
		kept, written := everyModel(t, s), everyModel(t, s)
		agree := func(name string, run func(*render.Model) string) {
			written.Forget()
			require.Equal(t, run(written), run(kept), "%s on %s", name, s.Engine)
		}
		for range 2 {
			for i := range reads {
				agree(fmt.Sprint("read ", i), func(m *render.Model) string {
					text, joins, err := m.Rows(&reads[i])
					return fmt.Sprint(said(text, err), len(joins))
				})
				agree(fmt.Sprint("exists ", i), func(m *render.Model) string { return said(m.Exists(&reads[i])) })
				agree(fmt.Sprint("count ", i), func(m *render.Model) string { return said(m.Count(&reads[i])) })
				agree(fmt.Sprint("delete ", i), func(m *render.Model) string { return said((&render.Delete{Model: m, Where: reads[i].Where}).Render()) })
			}
			for i, set := range sets {
				agree(fmt.Sprint("update ", i), func(m *render.Model) string {
					a, err := m.Assignment(set.Node())
					require.NoError(t, err)
					return said((&render.Update{Model: m, Set: []render.Assignment{a}, Where: reads[22].Where}).Render())
				})
			}
		}
	}
}
