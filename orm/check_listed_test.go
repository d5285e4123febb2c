package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

type Listing struct {
	bun.BaseModel `bun:"table:listing"`
	models.AutoID
	Free   string
	Short  string `bun:"type:varchar(10)"`
	Same   string `bun:"type:enum('a','it''s')"`
	Fewer  string `bun:"type:enum('a')"`
	More   string `bun:"type:enum('a','B')"`
	Text   string `bun:"type:enum('abc','it''s')"`
	Narrow string `bun:"type:enum('abc','it''s')"`
	Set    string `bun:"type:set('a','c')"`
	Turned string `bun:"type:set('c','a')"`
	Year   uint16
	Small  uint8
	Good   int16 `bun:"type:year"`
	Wide   int16 `bun:"type:year"`
	Float  float64
	Places float64 `bun:"type:double(10,2)"`
	Fine   float64 `bun:"type:double(10,3)"`
	Above  float64
	Price  string `bun:"type:decimal(10,2)"`
}

// What such a column would refuse, or take for another value, is told when a program starts.
func TestS26_CheckFindsListsYearsAndPlaces(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		collation := map[string]string{dialect.MySQL: "utf8mb4_0900_bin", dialect.MariaDB: "utf8mb4_nopad_bin"}[db.Server().Engine]
		if collation == "" {
			return
		}
		_, err := db.Exec(ctx, "CREATE TABLE listing (id BIGINT AUTO_INCREMENT PRIMARY KEY, free ENUM('a','b') NOT NULL, short SET('a','b') NOT NULL, same ENUM('a','it''s') NOT NULL, "+
			"fewer ENUM('b','a') NOT NULL, more ENUM('a','b') NOT NULL, text VARCHAR(4) NOT NULL, narrow VARCHAR(3) NOT NULL, `set` SET('a','b','c') NOT NULL, turned SET('a','b','c') NOT NULL, "+
			"year YEAR NOT NULL, small YEAR NOT NULL, good YEAR NOT NULL, wide SMALLINT NOT NULL, `float` DOUBLE(10,2) NOT NULL, places DOUBLE(10,2) NOT NULL, fine DOUBLE(10,2) NOT NULL, "+
			"above DOUBLE UNSIGNED NOT NULL, price DECIMAL(10,2) UNSIGNED NOT NULL) COLLATE "+collation)
		require.NoError(t, err)
		var differs *orm.CheckError
		require.ErrorAs(t, orm.Check(ctx, db, (*Listing)(nil)), &differs)
		got := map[string]orm.DifferenceKind{}
		for _, d := range differs.Differences {
			got[d.Column] = d.Kind
		}
		want := map[string]orm.DifferenceKind{}
		for _, name := range []string{"free", "short", "more", "narrow", "turned", "year", "small", "float", "fine", "above", "price"} {
			want[name] = orm.TooNarrow
		}
		require.Equal(t, want, got)
	})
}

// SQLite knows no ENUM, and makes a number of the text 007 in such a column.
func TestS26_CheckFindsListsOfSQLite(t *testing.T) {
	type ticket struct {
		bun.BaseModel `bun:"table:ticket"`
		models.AutoID
		State string
		Kind  string `bun:"type:enum('007','char')"`
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine != dialect.SQLite {
			return
		}
		require.NoError(t, orm.CreateTables(ctx, db, (*ticket)(nil)))
		require.NoError(t, orm.Check(ctx, db, (*ticket)(nil)))
		row := &ticket{State: "1", Kind: "007"}
		require.NoError(t, orm.Objects[ticket](db).Create(ctx, row))
		got, err := orm.Objects[ticket](db).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, row, got)
		_, err = db.Exec(ctx, "DROP TABLE ticket")
		require.NoError(t, err)
		_, err = db.Exec(ctx, "CREATE TABLE ticket (id INTEGER PRIMARY KEY AUTOINCREMENT, state ENUM NOT NULL, kind ENUM NOT NULL)")
		require.NoError(t, err)
		var differs *orm.CheckError
		require.ErrorAs(t, orm.Check(ctx, db, (*ticket)(nil)), &differs)
		require.Len(t, differs.Differences, 2)
		require.Equal(t, orm.OtherType, differs.Differences[0].Kind)
		require.Equal(t, orm.OtherType, differs.Differences[1].Kind)
	})
}
