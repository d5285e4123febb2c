package render_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// readings are the statements that one condition stands in.
func readings(m *render.Model, c query.Cond) map[string]func() (render.Text, error) {
	s := &ast.Select{Where: nodes([]query.Cond{c})}
	return map[string]func() (render.Text, error){
		"rows": func() (render.Text, error) {
			t, _, err := m.Rows(s)
			return t, err
		},
		"exists": func() (render.Text, error) { return m.Exists(s) },
		"count":  func() (render.Text, error) { return m.Count(s) },
		"update": func() (render.Text, error) {
			a, err := m.Assignment(query.Set("small", 1).Node())
			if err != nil {
				return render.Text{}, err
			}
			return (&render.Update{Model: m, Set: []render.Assignment{a}, Where: s.Where}).Render()
		},
		"delete": func() (render.Text, error) { return (&render.Delete{Model: m, Where: s.Where}).Render() },
	}
}

// latin is a server that says a column is of a character set that no tag names.
type latin struct{}

func (latin) Of(*render.Field) string   { return "latin1" }
func (latin) Holds(string, string) bool { return false }

// A text beyond ASCII may have to be written otherwise once the server tells of the
// column's character set: it never comes from what is kept for another text.
func TestS65_ATextBeyondASCIIIsWrittenAnew(t *testing.T) {
	F := query.F
	for _, s := range engines {
		m := everyModel(t, s)
		mysql := s.Engine == dialect.MySQL || s.Engine == dialect.MariaDB
		for _, of := range []func(string) query.Cond{
			func(v string) query.Cond { return F("text").Eq(v) },
			func(v string) query.Cond { return F("text").Ne(v) },
			func(v string) query.Cond { return F("text").In("x", v) },
			func(v string) query.Cond { return F("maybe").Eq(&v) },
			func(v string) query.Cond { return query.Or(F("id").Eq(1), F("text").Eq(v)) },
		} {
			for name := range readings(m, of("abc")) {
				run := func(v string) render.Text {
					text, err := readings(m, of(v))[name]()
					require.NoError(t, err)
					return text
				}
				m.Forget()
				first, again := run("abc"), run("xyz")
				require.True(t, same(first.SQL, again.SQL), "%s on %s", name, s.Engine)
				require.Nil(t, again.Again)
				for range 2 {
					beyond := run("🎧")
					require.Equal(t, !mysql, same(first.SQL, beyond.SQL), "%s on %s", name, s.Engine)
					require.Equal(t, mysql, beyond.Again != nil, "%s on %s", name, s.Engine)
					if !mysql {
						continue
					}
					told, err := beyond.Again(latin{})
					require.NoError(t, err)
					require.NotEqual(t, beyond.SQL, told.SQL)
					require.NotContains(t, fmt.Sprint(told.Args...), "🎧")
				}
				require.True(t, same(first.SQL, run("abc").SQL), "what is kept stays")

				m.Forget() // and the other way round
				run("🎧")
				require.Nil(t, run("abc").Again)
				require.True(t, same(run("abc").SQL, run("x").SQL), "%s on %s", name, s.Engine)
			}
		}
	}
}

// MariaDB before 10.11 stops to compare a text at a NUL: it is refused, whatever is kept.
func TestS65_ATextThatEndsAtANULIsRefused(t *testing.T) {
	for minor, refused := range map[int]bool{5: true, 6: true, 11: false} {
		m := everyModel(t, dialect.Server{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 10, Minor: minor}})
		of := func(v string) []query.Cond {
			return []query.Cond{query.F("text").Eq(v), query.F("text").In("x", v), query.Not(query.F("maybe").Eq(v))}
		}
		for i := range of("") {
			for name := range readings(m, of("")[i]) {
				for _, v := range []string{"a", "b", "a\x00", "a", "\x00", "a\x00b"} {
					_, err := readings(m, of(v)[i])[name]()
					var ve *query.ValueError
					require.Equal(t, refused && strings.Contains(v, "\x00"), errors.As(err, &ve), "%s of %q on 10.%d", name, v, minor)
				}
			}
		}
		a, err := m.Assignment(query.Set("text", "a\x00").Node())
		require.NoError(t, err)
		for range 2 {
			_, err = (&render.Update{Model: m, Set: []render.Assignment{a}}).Render()
			require.Equal(t, refused, err != nil)
			row := reflect.ValueOf(&Every{Day: "2026-01-02", Clock: "12:30:00", Price: "1", Text: "a"}).Elem()
			insert := &render.Insert{Model: m, Fields: m.Fields[1:], Rows: []reflect.Value{row}}
			_, err = insert.Render()
			require.NoError(t, err)
			row.FieldByName("Text").SetString("a\x00")
			_, err = insert.Render()
			require.Equal(t, refused, err != nil)
		}
	}
}

// tells is a value that asks for its text when it is bound.
type tells struct {
	v   any
	err error
}

func (v tells) Value() (driver.Value, error) { return v.v, v.err }

// A value that is none, is refused, or is bound by its own method is met behind
// others of its shape.
func TestS65_ValuesOfEveryKindBehindOthers(t *testing.T) {
	text, none := "x", (*tells)(nil)
	pointed := &text
	values := []any{
		"x", &text, &pointed, (*string)(nil), nil, sql.NullString{}, sql.NullString{String: "x", Valid: true}, sql.Null[string]{}, sql.Null[string]{V: "y", Valid: true},
		sql.Null[int64]{V: 3, Valid: true}, sql.NullTime{}, sql.NullTime{Valid: true}, tells{"x", nil}, tells{nil, nil}, tells{int64(3), nil}, tells{"", errors.New("no")}, none,
		3, uint64(math.MaxUint64), uint64(1 << 63), int64(math.MinInt64), int8(-1), time.Time{}, time.Unix(0, 0), math.Inf(-1), math.Copysign(0, -1), true, []byte{}, []byte(nil), "a\x00", "é",
		[]string{"a"}, struct{}{}, func() {}, query.F("id"), query.Value(nil), map[string]any(nil),
	}
	columns := []string{"id", "small", "large", "real", "text", "latin", "maybe", "bytes", "yes", "at", "day", "clock", "price", "doc", "project.id", "project.name"}
	of := func(column string, v any) []query.Cond {
		c := query.F(column)
		return []query.Cond{c.Eq(v), c.Ne(v), c.Lt(v), c.Ge(v), c.In(v), c.NotIn(v, "x"), query.Not(c.Gt(v))}
	}
	old := dialect.Server{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 10, Minor: 5}}
	// What a value decides, it decides in its condition: where that stands, only the first
	// of them is asked.
	in := func(m *render.Model, i int, c query.Cond) map[string]func() (render.Text, error) {
		all := readings(m, c)
		if i == 0 {
			return all
		}
		return map[string]func() (render.Text, error){"rows": all["rows"]}
	}
	for _, s := range append(engines[:len(engines):len(engines)], old) {
		kept, written := everyModel(t, s), everyModel(t, s)
		var want []map[string]string
		for again := range 2 { // the second time behind all the others
			n := 0
			for _, column := range columns {
				for _, v := range values {
					for i, c := range of(column, v) {
						if again == 0 {
							anew := map[string]string{}
							for name, run := range in(written, i, c) {
								written.Forget()
								anew[name] = said(run())
							}
							want = append(want, anew)
						}
						for name, run := range in(kept, i, c) {
							if got := said(run()); got != want[n][name] { // tens of thousands of times
								require.Equal(t, want[n][name], got, "%s %s %d of %T on %s", name, column, i, v, s)
							}
						}
						n++
					}
				}
			}
		}
	}
}

// Lists up to the longest that is kept, and longer ones.
func TestS65_ListsOfAllLengths(t *testing.T) {
	kept, written := everyModel(t, engines[2]), everyModel(t, engines[2])
	for range 2 {
		for _, n := range []int{0, 1, 2, 63, 64, 65, 127, 128, 129, 1000} {
			list := make([]any, n)
			for i := range list {
				list[i] = i
			}
			for _, c := range []query.Cond{query.F("id").In(list...), query.F("id").NotIn(list...)} {
				for name, run := range readings(kept, c) {
					written.Forget()
					require.Equal(t, said(readings(written, c)[name]()), said(run()), "%s of %d", name, n)
				}
			}
		}
	}
}

// Databases of other servers keep their own, also of one type.
func TestS65_EachDatabaseKeepsItsOwn(t *testing.T) {
	models := make([]*render.Model, len(engines))
	for i, s := range engines {
		models[i] = everyModel(t, s)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	run := func(m *render.Model) string {
		text, _, err := m.Rows(&ast.Select{Where: nodes([]query.Cond{query.F("at").Gt(at), query.F("small").Ne(3), query.F("latin").Eq("x")})})
		require.NoError(t, err)
		return text.SQL
	}
	var first []string
	for _, m := range models {
		first = append(first, run(m))
	}
	assert.NotEqual(t, first[0], first[2])
	for i, m := range models {
		assert.True(t, same(first[i], run(m)))
	}
}

// Hundreds of goroutines read, keep and forget at once.
func TestS65_ManyAtOnce(t *testing.T) {
	m, written := everyModel(t, engines[0]), everyModel(t, engines[0])
	conds := []query.Cond{query.F("id").Eq(1), query.F("text").Eq("é"), query.F("text").Eq("e"), query.F("project.name").Eq("x"), query.F("large").Lt(uint64(math.MaxUint64)), query.F("maybe").Eq(nil)}
	var want []string
	for _, c := range conds {
		want = append(want, said(readings(written, c)["rows"]()))
	}
	var all sync.WaitGroup
	for g := range 200 {
		all.Go(func() {
			for i := range 60 {
				k := (g + i) % len(conds)
				assert.Equal(t, want[k], said(readings(m, conds[k])["rows"]()))
				if (g*60+i)%500 == 0 {
					m.Forget()
				}
			}
		})
	}
	all.Wait()
}

// A program whose shapes are ever new holds on to no more than the bound: the
// longest lists are what takes the most beside its text.
func TestS65_EverNewShapesTakeBoundedMemory(t *testing.T) {
	m := everyModel(t, engines[0])
	list := make([]any, 40)
	for i := range list {
		list[i] = i
	}
	used := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := used()
	for i := range 6_000 {
		s := &ast.Select{Where: nodes([]query.Cond{query.F("id").In(list...), query.F("small").In(list...)})}
		for _, by := range []int{i % 15, i / 15 % 15, i / 225 % 15, i / 3375} {
			s.Order = append(s.Order, query.OrderBy(everyColumns[by]).Node())
		}
		_, _, err := m.Rows(s)
		require.NoError(t, err)
	}
	after := used()
	require.Less(t, after-min(after, before), uint64(4<<20))
	runtime.KeepAlive(m)
}
