package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// A key by a default, which is another on each engine.
type (
	tokenHere struct {
		bun.BaseModel `bun:"table:tokens"`
		ID            string `bun:"type:char(36),pk,default:(uuid())"`
		Name          string `bun:"type:varchar(20),unique"`
	}
	tokenPostgres struct {
		bun.BaseModel `bun:"table:tokens"`
		ID            string `bun:"type:uuid,pk,default:gen_random_uuid()"`
		Name          string `bun:"type:varchar(20),unique"`
	}
	tokenSQLite struct {
		bun.BaseModel `bun:"table:tokens"`
		ID            string `bun:",pk,default:(hex(randomblob(16)))"`
		Name          string `bun:"type:varchar(20),unique"`
	}
)

func TestS23_AKeyThatTheServerMakes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		switch db.Server().Engine {
		case dialect.Postgres:
			keysByDefault(ctx, t, db, func(name string) *tokenPostgres { return &tokenPostgres{Name: name} }, func(r *tokenPostgres) *string { return &r.ID })
		case dialect.SQLite:
			keysByDefault(ctx, t, db, func(name string) *tokenSQLite { return &tokenSQLite{Name: name} }, func(r *tokenSQLite) *string { return &r.ID })
		default:
			keysByDefault(ctx, t, db, func(name string) *tokenHere { return &tokenHere{Name: name} }, func(r *tokenHere) *string { return &r.ID })
		}
	})
}

func keysByDefault[T any](ctx context.Context, t *testing.T, db *orm.DB, row func(name string) *T, key func(*T) *string) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*T)(nil)))
	all := orm.Objects[T](db)
	a, b := row("a"), row("b")
	if db.Server().Engine == dialect.MySQL { // which does not return it
		_, err := all.GetOrCreate(ctx, row("a"), "name")
		for _, err := range []error{err, all.Create(ctx, a), all.BulkCreate(ctx, []*T{a, b})} {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, "models.UUID")
		}
		n, err := all.Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		*key(a), *key(b) = "01957c1e-0000-7000-8000-000000000001", "01957c1e-0000-7000-8000-000000000002"
	}
	require.NoError(t, all.Create(ctx, a))
	require.NotEmpty(t, *key(a))
	if e := db.Server().Engine; e == dialect.Postgres || e == dialect.SQLite {
		require.NoError(t, all.BulkCreate(ctx, []*T{row("b")}))
		require.NoError(t, all.BulkCreate(ctx, []*T{b}, query.OnConflict("name").Update("name")), "it is read by its name")
	} else {
		require.NoError(t, all.BulkCreate(ctx, []*T{b}))
	}
	require.NotEmpty(t, *key(b))
	for _, r := range []*T{a, b} {
		got, err := all.Find(ctx, *key(r))
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
}
