package orm_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/mysql"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Numbered does not say that the server counts its key up, and the table of a migration does.
type Numbered struct {
	bun.BaseModel `bun:"table:numbered"`
	ID            int64  `bun:",pk"`
	Name          string `bun:"type:varchar(20)"`
}

// Counting is the same table, of a model that says it.
type Counting struct {
	bun.BaseModel `bun:"table:numbered"`
	models.AutoID
	Name string `bun:"type:varchar(20)"`
}

var numbered = map[string]string{
	dialect.MySQL:    "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_0900_bin NOT NULL",
	dialect.MariaDB:  "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_nopad_bin NOT NULL",
	dialect.Postgres: "id bigserial PRIMARY KEY, name varchar(20) NOT NULL",
	dialect.SQLite:   "id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(20) NOT NULL",
}

// opened is the database in two ways: by Open, and as a pool of the application's.
func opened(t *testing.T, at testserver.Database, mode string) []*orm.DB {
	t.Helper()
	dsn := at.DSN
	if mode != "" {
		dsn += "?sql_mode=%27" + mode + "%27"
	}
	pool, err := sql.Open("mysql", at.DSN+"?parseTime=true&clientFoundRows=true&charset=utf8mb4&time_zone=%27%2B00:00%27&autocommit=1&sql_mode=%27STRICT_TRANS_TABLES,"+mode+"%27")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	var list []*orm.DB
	for _, source := range []dialect.Source{mysql.Open(dsn), mysql.From(pool)} {
		db, err := orm.Open(t.Context(), source)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		require.Equal(t, mode == "", db.Server().CountsZero)
		list = append(list, db)
	}
	return list
}

// Where MySQL and MariaDB would store another key than 0, it is refused.
func TestS20_AKeyOfZeroThatWouldBeAnother(t *testing.T) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		for i, db := range opened(t, at, "") {
			if i == 0 {
				require.NoError(t, orm.CreateTables(ctx, db, (*Seat)(nil)))
				_, err := db.Exec(ctx, "CREATE TABLE numbered ("+numbered[db.Server().Engine]+")")
				require.NoError(t, err)
			}
			all := orm.Objects[Numbered](db)
			for range 2 {
				_, got := all.GetOrCreate(ctx, &Numbered{Name: "a"}, "id")
				_, updated := all.UpdateOrCreate(ctx, &Numbered{Name: "a"}, "id")
				for _, err := range []error{
					got, updated,
					all.Create(ctx, &Numbered{Name: "a"}),
					all.BulkCreate(ctx, []*Numbered{{ID: 1, Name: "a"}, {Name: "a"}}),
					all.BulkCreate(ctx, []*Numbered{{Name: "a"}}, query.OnConflict("id").Update("name")),
					atomic.Do(ctx, db, func(ctx context.Context) error { return all.Create(ctx, &Numbered{Name: "a"}) }),
				} {
					var refused *query.ValueError
					require.ErrorAs(t, err, &refused)
					require.Equal(t, "Numbered.id", refused.Field)
					require.ErrorContains(t, err, "NO_AUTO_VALUE_ON_ZERO")
				}
				require.ErrorIs(t, all.Save(ctx, &Numbered{Name: "a"}), orm.ErrNotFound)
			}
			n, err := all.Count(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
			require.NoError(t, all.Create(ctx, &Numbered{ID: 7, Name: "a"}))
			require.NoError(t, orm.Objects[Counting](db).Create(ctx, &Counting{Name: "b"}))
			require.NoError(t, orm.Objects[Seat](db).Create(ctx, &Seat{Room: "a"}), "nobody counts its number")
			buns := &Counting{Name: "c"}
			_, err = db.Bun().NewInsert().Model(buns).Exec(ctx)
			require.NoError(t, err)
			require.NotZero(t, buns.ID)
			for _, table := range []string{"numbered", "seat"} {
				_, err = db.Exec(ctx, "DELETE FROM "+table)
				require.NoError(t, err)
			}
		}
	}, testserver.MySQL, testserver.MariaDB)
}

func TestS20_AKeyOfZero(t *testing.T) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		if at.Engine != testserver.MySQL && at.Engine != testserver.MariaDB {
			db := open(t, at)
			_, err := db.Exec(t.Context(), "CREATE TABLE numbered ("+numbered[db.Server().Engine]+")")
			require.NoError(t, err)
			keysOfZero(t.Context(), t, db)
			return
		}
		for i, db := range opened(t, at, "NO_AUTO_VALUE_ON_ZERO") {
			if i == 0 {
				_, err := db.Exec(t.Context(), "CREATE TABLE numbered ("+numbered[db.Server().Engine]+")")
				require.NoError(t, err)
			}
			keysOfZero(t.Context(), t, db)
		}
	})
}

func keysOfZero(ctx context.Context, t *testing.T, db *orm.DB) {
	t.Helper()
	all := orm.Objects[Numbered](db)
	named := func(name string) {
		t.Helper()
		got, err := all.All(ctx)
		require.NoError(t, err)
		require.Equal(t, []*Numbered{{Name: name}}, got)
	}
	require.NoError(t, all.Create(ctx, &Numbered{Name: "a"}))
	named("a")
	require.ErrorIs(t, all.Create(ctx, &Numbered{Name: "b"}), dialect.ErrUniqueViolation)
	for range 2 {
		require.NoError(t, all.BulkCreate(ctx, []*Numbered{{Name: "b"}}, query.OnConflict("id").Update("name")))
		named("b")
	}
	created, err := all.GetOrCreate(ctx, &Numbered{Name: "c"}, "id")
	require.NoError(t, err)
	require.False(t, created)
	created, err = all.UpdateOrCreate(ctx, &Numbered{Name: "c"}, "id")
	require.NoError(t, err)
	require.False(t, created)
	named("c")
	require.NoError(t, all.Save(ctx, &Numbered{Name: "d"}))
	named("d")
	require.NoError(t, all.BulkSave(ctx, []*Numbered{{Name: "e"}}))
	named("e")
	require.NoError(t, all.DeleteRow(ctx, &Numbered{}))
	require.NoError(t, all.BulkCreate(ctx, []*Numbered{{Name: "f"}}))
	named("f")

	counting := &Counting{Name: "g"} // left to the server
	require.NoError(t, orm.Objects[Counting](db).Create(ctx, counting))
	require.NotZero(t, counting.ID)
	more := []*Counting{{Name: "h"}, {Name: "i"}}
	require.NoError(t, orm.Objects[Counting](db).BulkCreate(ctx, more))
	require.Equal(t, counting.ID+2, more[1].ID)
	_, err = db.Exec(ctx, "DELETE FROM numbered")
	require.NoError(t, err)
}

func TestS26_CheckFindsWhatTheServerCounts(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, err := db.Exec(ctx, "CREATE TABLE numbered ("+numbered[db.Server().Engine]+")")
		require.NoError(t, err)
		require.NoError(t, orm.Check(ctx, db, (*Counting)(nil)))
		err = orm.Check(ctx, db, (*Numbered)(nil))
		if db.Server().Engine == dialect.SQLite { // every INTEGER PRIMARY KEY is counted
			require.NoError(t, err)
			return
		}
		var differs *orm.CheckError
		require.ErrorAs(t, err, &differs)
		require.Len(t, differs.Differences, 1)
		require.Equal(t, orm.AutoIncrement, differs.Differences[0].Kind)
		require.Equal(t, "id", differs.Differences[0].Column)
	})
}

// A key that is NULL is none: some servers would make one that the row does not have.
func TestS20_AKeyThatIsNULL(t *testing.T) {
	type Pointed struct {
		bun.BaseModel `bun:"table:numbered"`
		ID            *int64 `bun:",pk"`
		Name          string `bun:"type:varchar(20)"`
	}
	type Zeroed struct {
		bun.BaseModel `bun:"table:numbered"`
		ID            int64  `bun:",pk,nullzero"`
		Name          string `bun:"type:varchar(20)"`
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, err := db.Exec(ctx, "CREATE TABLE numbered ("+numbered[db.Server().Engine]+")")
		require.NoError(t, err)
		seven := int64(7)
		pointed, zeroed := orm.Objects[Pointed](db), orm.Objects[Zeroed](db)
		_, byName := pointed.GetOrCreate(ctx, &Pointed{Name: "a"}, "name")
		for _, err := range []error{
			byName, pointed.Create(ctx, &Pointed{Name: "a"}), zeroed.Create(ctx, &Zeroed{Name: "a"}),
			pointed.BulkCreate(ctx, []*Pointed{{ID: &seven, Name: "a"}, {Name: "a"}}), zeroed.BulkCreate(ctx, []*Zeroed{{ID: 7, Name: "a"}, {Name: "a"}}),
			pointed.BulkCreate(ctx, []*Pointed{{Name: "a"}}, query.OnConflict("id").DoNothing()),
		} {
			var refused *query.ValueError
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, "is NULL, which no key is")
		}
		n, err := pointed.Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, pointed.Create(ctx, &Pointed{ID: &seven, Name: "a"}))
		require.NoError(t, zeroed.Save(ctx, &Zeroed{ID: 7, Name: "b"}))
	})
}
