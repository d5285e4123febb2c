package orm_test

import (
	"context"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Line is a row as applications have them.
type Line struct {
	bun.BaseModel   `bun:"table:line"`
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

func line() *Line {
	return &Line{CreatedAt: start, UpdatedAt: start, ProjectID: 700, UserID: 900, Index: 300,
		Text: "The quick brown fox jumps over the lazy dog.", Speed: 1.25, Path: "out/7/3.wav", IsAudioRequired: true}
}

var lineRow = []driver.Value{int64(1), start, start, int64(700), int64(900), int64(300), "The quick brown fox", 1.25, "out/7/3.wav", true}

// costs are the everyday statements.
var costs = []struct {
	name string
	rows int
	run  func(ctx context.Context, db *orm.DB, lines orm.QuerySet[Line], i int) error
}{
	{"Create", 0, func(ctx context.Context, _ *orm.DB, lines orm.QuerySet[Line], _ int) error {
		return lines.Create(ctx, line())
	}},
	{"Save", 0, func(ctx context.Context, _ *orm.DB, lines orm.QuerySet[Line], i int) error {
		row := line()
		row.ID = int64(i%1000) + 1
		return lines.Save(ctx, row)
	}},
	{"Find", 1, func(ctx context.Context, _ *orm.DB, lines orm.QuerySet[Line], i int) error {
		_, err := lines.Find(ctx, int64(i%1000)+1)
		return err
	}},
	{"Get", 1, func(ctx context.Context, _ *orm.DB, lines orm.QuerySet[Line], i int) error {
		_, err := lines.Filter(query.F("id").Eq(int64(i%1000) + 1)).Get(ctx)
		return err
	}},
	{"All of 50", 50, func(ctx context.Context, _ *orm.DB, lines orm.QuerySet[Line], i int) error {
		_, err := lines.Filter(query.F("project_id").Eq(int64(700)), query.F("index").Gt(i)).OrderBy("-updated_at", "id").Limit(50).All(ctx)
		return err
	}},
	{"Update", 0, func(ctx context.Context, _ *orm.DB, lines orm.QuerySet[Line], i int) error {
		_, err := lines.Filter(query.F("id").Eq(int64(i%1000)+1)).Update(ctx, query.Set("text", "other"))
		return err
	}},
	{"Lock and Save", 1, func(ctx context.Context, db *orm.DB, lines orm.QuerySet[Line], i int) error {
		return atomic.Do(ctx, db, func(ctx context.Context) error {
			row, err := lines.Filter(query.F("id").Eq(int64(i%1000) + 1)).SelectForUpdate().Get(ctx)
			if err != nil {
				return err
			}
			row.Index++
			return lines.Save(ctx, row)
		})
	}},
}

// BenchmarkLibrary is what the library adds to a statement: everything but the
// driver, the network and the server.
func BenchmarkLibrary(b *testing.B) {
	for _, engine := range []string{dialect.MySQL, dialect.Postgres} {
		for _, c := range costs {
			b.Run(engine+"/"+c.name, func(b *testing.B) {
				at := &silent{server: servers[engine], row: lineRow, rows: c.rows}
				if engine == dialect.Postgres && c.name == "Create" {
					at.row, at.rows = lineRow[:1], 1
				}
				db := openSilent(b, at)
				lines := orm.Objects[Line](db)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := c.run(b.Context(), db, lines, i); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// What the library allocates for the everyday statements, the values of the row
// included. The drivers add their own.
func TestS65_Allocations(t *testing.T) {
	most := map[string]float64{"Create": 30, "Save": 21, "Find": 22, "Get": 22, "All of 50": 90, "Update": 16, "Lock and Save": 56}
	for _, engine := range []string{dialect.MySQL, dialect.MariaDB, dialect.Postgres, dialect.SQLite} {
		for _, c := range costs {
			at := &silent{server: servers[engine], row: lineRow, rows: c.rows}
			if c.name == "Create" && (engine != dialect.MySQL) {
				at.row, at.rows = lineRow[:1], 1
			}
			db := openSilent(t, at)
			lines := orm.Objects[Line](db)
			n := testing.AllocsPerRun(200, func() { require.NoError(t, c.run(t.Context(), db, lines, 1000)) })
			assert.LessOrEqual(t, n, most[c.name], "%s on %s", c.name, engine)
		}
	}
}
