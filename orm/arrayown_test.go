package orm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
)

type elementRole string

// A list of a type of the application's own is sent as what it is made of.
func TestS20_ElementsOfTypesOfTheirOwn(t *testing.T) {
	t.Parallel()
	type RoleHolder struct {
		ID     int64          `bun:",pk,autoincrement"`
		Roles  []elementRole  `bun:"type:element_role[]"`
		Others []*elementRole `bun:"type:element_role[]"`
		Names  []elementRole  `bun:",array"`
		Levels []elementLevel `bun:"type:integer[]"`
		Small  []elementLevel `bun:"type:element_small[]"`
		Loud   []elementFlag  `bun:",array"`
	}
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx, db := t.Context(), open(t, at)
		for _, text := range []string{"CREATE TYPE element_role AS ENUM ('reader', 'writer')", "CREATE DOMAIN element_small AS smallint CHECK (VALUE < 10)"} {
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		require.NoError(t, orm.CreateTables(ctx, db, (*RoleHolder)(nil)))
		all := orm.Objects[RoleHolder](db)
		writer := elementRole("writer")
		row := &RoleHolder{Roles: []elementRole{"reader", "writer"}, Others: []*elementRole{&writer, nil}, Names: []elementRole{"x"}, Levels: []elementLevel{1, 2}, Small: []elementLevel{7}, Loud: []elementFlag{true}}
		require.NoError(t, all.Create(ctx, row))
		require.NoError(t, all.BulkCreate(ctx, []*RoleHolder{{Roles: []elementRole{}}}))
		got, err := all.Filter(F("roles").Eq(row.Roles), F("others").Eq(row.Others), F("levels").Eq(row.Levels), F("loud").Eq(row.Loud), F("small").Eq(row.Small)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, row, got)
		_, err = all.Filter(F("roles").Eq([]string{"reader", "writer"}), F("levels").Eq([]int{1, 2})).Get(ctx)
		require.NoError(t, err)
	}, testserver.Postgres)
}

type elementFlag bool
