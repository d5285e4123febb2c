package render_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

type Owner struct {
	ID   int64 `bun:",pk,autoincrement"`
	Name string
}

type Project struct {
	bun.BaseModel `bun:"table:project"`
	ID            int64 `bun:",pk,autoincrement"`
	Name          string
	OwnerID       *int64
	Owner         *Owner   `bun:"rel:belongs-to,join:owner_id=id"`
	Audio         []*Audio `bun:"rel:has-many,join:id=project_id"`
}

type Audio struct {
	bun.BaseModel   `bun:"table:audio"`
	ID              int64 `bun:",pk,autoincrement"`
	CreatedAt       time.Time
	UpdatedAt       time.Time
	ProjectID       int64
	UserID          int64
	Index           int
	Text            string
	Speed           float64
	Path            *string
	IsAudioRequired bool
	Project         *Project `bun:"rel:belongs-to,join:project_id=id"`
}

// engines are the servers that statements are rendered for, the newest of each.
var engines = []dialect.Server{
	{Engine: dialect.MySQL, Product: "MySQL", Version: dialect.Version{Major: 9, Minor: 7}},
	{Engine: dialect.MariaDB, Product: "MariaDB", Version: dialect.Version{Major: 11, Minor: 8}},
	{Engine: dialect.Postgres, Product: "PostgreSQL", Version: dialect.Version{Major: 18}},
	{Engine: dialect.SQLite, Product: "SQLite", Version: dialect.Version{Major: 3, Minor: 50}},
}

func schemaOf(engine string) schema.Dialect {
	switch engine {
	case dialect.Postgres:
		return pgdialect.New()
	case dialect.SQLite:
		return sqlitedialect.New()
	}
	return mysqldialect.New()
}

func modelOf[T any](t testing.TB, s dialect.Server) *render.Model {
	t.Helper()
	models, err := render.NewModels(s, schemaOf(s.Engine))
	require.NoError(t, err)
	m, err := models.Of(reflect.TypeFor[T]())
	require.NoError(t, err)
	return m
}

// where renders the part of a SELECT of audio rows that a condition is
// responsible for.
func where(t testing.TB, s dialect.Server, conds ...query.Cond) (string, []any) {
	t.Helper()
	st, err := modelOf[Audio](t, s).Count(&ast.Select{Where: nodes(conds)})
	require.NoError(t, err)
	return st.SQL, st.Args
}

func whereError(t testing.TB, conds ...query.Cond) error {
	t.Helper()
	var err error
	for _, s := range engines {
		_, err = modelOf[Audio](t, s).Count(&ast.Select{Where: nodes(conds)})
		require.Error(t, err, s.Engine)
	}
	return err
}

func nodes(conds []query.Cond) []ast.Node { return ast.Conditions(nil, conds) }

func orders(list []query.Order) []ast.Order {
	nodes := make([]ast.Order, len(list))
	for i, o := range list {
		nodes[i] = o.Node()
	}
	return nodes
}

// update renders an UPDATE of audio rows.
func update(t testing.TB, s dialect.Server, set []query.Assignment, conds ...query.Cond) (render.Text, error) {
	t.Helper()
	u := &render.Update{Model: modelOf[Audio](t, s), Where: nodes(conds)}
	for _, a := range set {
		assignment, err := u.Model.Assignment(a.Node())
		if err != nil {
			return render.Text{}, err
		}
		u.Set = append(u.Set, assignment)
	}
	return u.Render()
}
