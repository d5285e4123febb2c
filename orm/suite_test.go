package orm_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"go.uber.org/goleak"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/dialect/postgres"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

type Owner struct {
	models.AutoID
	Name string
}

type Project struct {
	bun.BaseModel `bun:"table:project"`
	models.AutoID
	Name    string `bun:",unique"`
	OwnerID *int64
	Owner   *Owner `bun:"rel:belongs-to,join:owner_id=id"`
}

type Audio struct {
	bun.BaseModel `bun:"table:audio"`
	models.AutoID
	models.Timestamps
	ProjectID       int64
	UserID          int64
	Index           int
	Text            string
	Speed           float64
	Path            *string
	IsAudioRequired bool
	Project         *Project `bun:"rel:belongs-to,join:project_id=id"`
}

func source(db testserver.Database) dialect.Source {
	switch db.Engine {
	case testserver.Postgres:
		return postgres.Open(db.DSN)
	case testserver.SQLite:
		// No test takes the power away, and no crowd of writers gives up on a busy machine.
		return sqlite.Open(db.DSN, sqlite.Pragma("synchronous", "OFF"), sqlite.BusyTimeout(time.Minute))
	}
	return mysql.Open(db.DSN)
}

// each runs a test on every engine, with the tables of the models above.
func each(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db := open(t, at)
		require.NoError(t, orm.CreateTables(t.Context(), db, (*Audio)(nil), (*Project)(nil), (*Owner)(nil)))
		test(t, t.Context(), db)
	})
}

func open(t testing.TB, at testserver.Database, opts ...orm.Option) *orm.DB {
	t.Helper()
	db, err := orm.Open(t.Context(), source(at), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// studio creates a project of Ada's with n audio rows, and one without owner or
// rows.
func studio(ctx context.Context, t testing.TB, db *orm.DB, n int) (*Project, []*Audio) {
	t.Helper()
	owner := &Owner{Name: "Ada"}
	require.NoError(t, orm.Objects[Owner](db).Create(ctx, owner))
	project := &Project{Name: "Radio", OwnerID: &owner.ID}
	require.NoError(t, orm.Objects[Project](db).BulkCreate(ctx, []*Project{project, {Name: "Empty"}}))
	rows := make([]*Audio, n)
	for i := range rows {
		rows[i] = &Audio{ProjectID: project.ID, UserID: 7, Index: i, Text: fmt.Sprintf("line %d", i), Speed: 1, IsAudioRequired: i%2 == 0}
	}
	require.NoError(t, orm.Objects[Audio](db).BulkCreate(ctx, rows))
	return project, rows
}

func indexes(rows []*Audio) []int {
	list := make([]int, len(rows))
	for i, r := range rows {
		list[i] = r.Index
	}
	return list
}

// inBlock runs fn in a block, for what needs one.
func inBlock(ctx context.Context, t testing.TB, db *orm.DB, fn func(ctx context.Context)) {
	t.Helper()
	require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
		fn(ctx)
		return nil
	}))
}

var (
	F     = query.F
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)
