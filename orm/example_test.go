package orm_test

import (
	"context"
	"log"

	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// Band and Song are the models of the examples.
type Band struct {
	models.AutoID
	Name string `bun:",unique"`
}

type Song struct {
	models.AutoID
	models.Timestamps
	BandID  int64
	Band    *Band `bun:"rel:belongs-to,join:band_id=id"`
	Title   string
	Seconds int
	Played  int
	Note    *string
}

// jukebox is a database in memory with two bands and five songs.
func jukebox(ctx context.Context) *orm.DB {
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	check(err)
	check(orm.CreateTables(ctx, db, (*Band)(nil), (*Song)(nil)))
	bands := []*Band{{Name: "The Waits"}, {Name: "Savepoint"}}
	check(orm.Objects[Band](db).BulkCreate(ctx, bands))
	check(orm.Objects[Song](db).BulkCreate(ctx, []*Song{
		{BandID: bands[0].ID, Title: "Skip Locked", Seconds: 200, Played: 3},
		{BandID: bands[0].ID, Title: "Deadlock Blues", Seconds: 320},
		{BandID: bands[1].ID, Title: "Roll Me Back", Seconds: 180, Played: 9},
		{BandID: bands[1].ID, Title: "Nested", Seconds: 240},
		{BandID: bands[1].ID, Title: "100% Durable", Seconds: 150, Played: 1},
	}))
	return db
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
