package render

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

type Audio struct {
	bun.BaseModel   `bun:"table:audio,alias:audio"`
	ID              int64 `bun:",pk,autoincrement"`
	CreatedAt       time.Time
	UpdatedAt       time.Time
	ProjectID       int64
	UserID          int64
	Index           int
	Text            string
	Speed           float64
	Path            string
	IsAudioRequired bool
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

func sample() *Audio {
	return &Audio{CreatedAt: now, UpdatedAt: now, ProjectID: 7, UserID: 9, Index: 3,
		Text: "The quick brown fox jumps over the lazy dog.", Speed: 1.25, Path: "out/7/3.wav", IsAudioRequired: true}
}

// way is one way of rendering the two statements: the claim of ten rows, and
// an INSERT.
type way struct {
	name   string
	claim  func() (string, []any, error)
	insert func(rows []*Audio) (string, []any, error)
}

func ways(tb testing.TB) []way {
	literal, bound := bun.NewDB(nil, offline{mysqldialect.New()}), bun.NewDB(nil, newCapturing(mysqldialect.New()))
	models, err := render.NewModels(dialect.Server{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 9, Minor: 7}}, mysqldialect.New())
	if err != nil {
		tb.Fatal(err)
	}
	bunClaim := func(db *bun.DB, v any) *bun.SelectQuery {
		return db.NewSelect().Model(&[]*Audio{}).Where("audio.is_audio_required = ?", v).
			OrderExpr("audio.updated_at ASC").Limit(10).For("UPDATE SKIP LOCKED")
	}
	gen := func(d *binding) schema.QueryGen { return schema.NewQueryGen(d) }
	return []way{
		{"bun",
			func() (string, []any, error) {
				b, err := bunClaim(literal, true).AppendQuery(literal.QueryGen(), nil)
				return string(b), nil, err
			},
			func(rows []*Audio) (string, []any, error) {
				b, err := literal.NewInsert().Model(&rows).AppendQuery(literal.QueryGen(), nil)
				return string(b), nil, err
			}},
		{"bun with placeholders",
			func() (string, []any, error) {
				d := &binding{Dialect: bound.Dialect()}
				b, err := bunClaim(bound, value{true}).AppendQuery(gen(d), nil)
				return string(b), d.args, err
			},
			func(rows []*Audio) (string, []any, error) {
				d := &binding{Dialect: bound.Dialect()}
				b, err := bound.NewInsert().Model(&rows).AppendQuery(gen(d), nil)
				return string(b), d.args, err
			}},
		{"holdfast",
			func() (string, []any, error) {
				m, err := models.Of(reflect.TypeFor[Audio]())
				if err != nil {
					return "", nil, err
				}
				limit := int64(10)
				t, _, err := m.Rows(&ast.Select{Where: []ast.Node{query.F("is_audio_required").Eq(true).Condition()},
					Order: []ast.Order{query.OrderBy("updated_at").Node()}, Limit: &limit, Locks: []*ast.Lock{{Waiting: ast.WaitSkip}}})
				return t.SQL, t.Args, err
			},
			func(rows []*Audio) (string, []any, error) {
				m, err := models.Of(reflect.TypeFor[Audio]())
				if err != nil {
					return "", nil, err
				}
				structs := make([]reflect.Value, len(rows))
				for i, r := range rows {
					structs[i] = reflect.ValueOf(r).Elem()
				}
				t, err := (&render.Insert{Model: m, Fields: m.Fields[1:], Rows: structs}).Render()
				return t.SQL, t.Args, err
			}},
	}
}

var sink string

func bench(b *testing.B, render func(w way) (string, []any, error)) {
	for _, w := range ways(b) {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				text, _, err := render(w)
				if err != nil {
					b.Fatal(err)
				}
				sink = text
			}
		})
	}
}

func BenchmarkClaim(b *testing.B) {
	bench(b, func(w way) (string, []any, error) { return w.claim() })
}

func BenchmarkInsert(b *testing.B) {
	rows := []*Audio{sample()}
	bench(b, func(w way) (string, []any, error) { return w.insert(rows) })
}

func BenchmarkInsert100(b *testing.B) {
	rows := make([]*Audio, 100)
	for i := range rows {
		rows[i] = sample()
	}
	bench(b, func(w way) (string, []any, error) { return w.insert(rows) })
}

// The ways are only comparable if they say the same.
func TestWaysAgree(t *testing.T) {
	for _, w := range ways(t) {
		text, args, err := w.claim()
		if err != nil || !strings.Contains(text, "FOR UPDATE SKIP LOCKED") || w.name != "bun" && len(args) == 0 {
			t.Errorf("%s: %s %v %v", w.name, text, args, err)
		}
		text, args, err = w.insert([]*Audio{sample()})
		if err != nil || w.name != "bun" && len(args) != 9 {
			t.Errorf("%s: %s %v %v", w.name, text, args, err)
		}
	}
}

// offline is bun's MySQL dialect without the question for the server's version.
type offline struct{ schema.Dialect }

func (offline) Init(*sql.DB) {}
