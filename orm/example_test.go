package orm_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
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

func Example() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// Several workers can run this at the same time: each gets songs of its own.
	claim := func(ctx context.Context) error {
		songs, err := orm.Objects[Song](db).
			Filter(query.F("played").Eq(0)).
			OrderBy("seconds").
			Limit(1).
			SelectForUpdate(orm.SkipLocked).
			All(ctx)
		if err != nil {
			return err
		}
		for _, song := range songs {
			fmt.Println("playing", song.Title)
			song.Played++
			if err := orm.Objects[Song](db).Save(ctx, song); err != nil {
				return err
			}
		}
		return nil
	}
	check(atomic.Do(ctx, db, claim))
	check(atomic.Do(ctx, db, claim))
	// Output:
	// playing Nested
	// playing Deadlock Blues
}

func ExampleOpen() {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.WithCommitTimeout(10*time.Second))
	check(err)
	defer db.Close()
	fmt.Println(db.Server().Product)
	// Output: SQLite
}

func ExampleDB_Exec() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// ? is the placeholder on every engine.
	res, err := db.Exec(ctx, "UPDATE songs SET played = 0 WHERE title LIKE ?", "%lock%")
	check(err)
	fmt.Println(res.RowsAffected())
	// Output: 2 <nil>
}

func ExampleDB_QueryRow() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	var songs, seconds int
	check(db.QueryRow(ctx, "SELECT COUNT(*), SUM(seconds) FROM songs WHERE played > ?", 0).Scan(&songs, &seconds))
	fmt.Println(songs, seconds)
	// Output: 3 530
}

func ExampleDB_Query() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	rows, err := db.Query(ctx, "SELECT title FROM songs WHERE seconds < ? ORDER BY title", 200)
	check(err)
	defer rows.Close()
	for rows.Next() {
		var title string
		check(rows.Scan(&title))
		fmt.Println(title)
	}
	check(rows.Err())
	// Output:
	// 100% Durable
	// Roll Me Back
}

func ExampleQuerySet_Filter() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	long := orm.Objects[Song](db).Filter(query.F("seconds").Ge(200))
	songs, err := long.Filter(query.F("band.name").StartsWith("The")).OrderBy("-seconds").All(ctx)
	check(err)
	for _, s := range songs {
		fmt.Println(s.Title)
	}
	// Output:
	// Deadlock Blues
	// Skip Locked
}

func ExampleQuerySet_Exclude() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// No song has a note: NULL is not "live", so Exclude keeps them all.
	n, err := orm.Objects[Song](db).Exclude(query.F("note").Eq("live")).Count(ctx)
	fmt.Println(n, err)
	// Output: 5 <nil>
}

func ExampleQuerySet_OrderBy() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	sort := "-duration" // as a user typed it
	_, err := orm.Objects[Song](db).OrderBy(sort).All(ctx)
	var unknown *query.FieldError
	if errors.As(err, &unknown) {
		fmt.Println(unknown)
	}
	// Output: Song has no field "duration"; choices are id, created_at, updated_at, band_id, title, seconds, played, note, band
}

func ExampleQuerySet_Related() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song, err := orm.Objects[Song](db).Related("band").OrderBy("band.name", "title").First(ctx)
	check(err)
	fmt.Println(song.Title, "by", song.Band.Name)
	// Output: 100% Durable by Savepoint
}

func ExampleQuerySet_Get() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song, err := orm.Objects[Song](db).Filter(query.F("title").Eq("Nested")).Get(ctx)
	check(err)
	fmt.Println(song.Seconds)
	_, err = orm.Objects[Song](db).Filter(query.F("title").Eq("Silence")).Get(ctx)
	fmt.Println(errors.Is(err, orm.ErrNotFound), err)
	// Output:
	// 240
	// true orm: Song.Get: no such row
}

func ExampleQuerySet_Iterate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	total := 0
	for song, err := range orm.Objects[Song](db).Iterate(ctx) {
		check(err)
		total += song.Seconds
	}
	fmt.Println(total)
	// Output: 1090
}

func ExampleAggregate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db).Filter(query.F("band.name").Eq("Savepoint"))
	average, err := orm.Aggregate[float64](ctx, songs, query.Avg(query.F("seconds")))
	fmt.Println(average, err)
	// Output: 190 <nil>
}

func ExampleQuerySet_Create() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	band := &Band{Name: "Phantom Read"}
	check(orm.Objects[Band](db).Create(ctx, band))
	fmt.Println(band.ID)
	err := orm.Objects[Band](db).Create(ctx, &Band{Name: "Phantom Read"})
	fmt.Println(errors.Is(err, dialect.ErrUniqueViolation))
	// Output:
	// 3
	// true
}

func ExampleQuerySet_BulkCreate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	bands := []*Band{{Name: "A"}, {Name: "B"}, {Name: "C"}}
	check(orm.Objects[Band](db).BulkCreate(ctx, bands))
	fmt.Println(bands[0].ID, bands[1].ID, bands[2].ID)
	// Output: 3 4 5
}

func ExampleQuerySet_Save() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	songs := orm.Objects[Song](db)
	song, err := songs.First(ctx)
	check(err)
	song.Title = "Skip Locked (live)"
	check(songs.Save(ctx, song))
	song.Seconds = 210
	check(songs.Save(ctx, song, "seconds")) // only this column
	again, err := songs.First(ctx)
	check(err)
	fmt.Println(again.Title, again.Seconds)
	// Output: Skip Locked (live) 210
}

func ExampleQuerySet_Update() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	n, err := orm.Objects[Song](db).Filter(query.F("played").Gt(0)).Update(ctx,
		query.Set("played", query.F("played").Add(1)),
		query.Set("note", "encore"))
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func ExampleQuerySet_Delete() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	n, err := orm.Objects[Song](db).Filter(query.F("band.name").Eq("The Waits")).Delete(ctx)
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleQuerySet_SelectForUpdate() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	locked := orm.Objects[Song](db).Filter(query.F("title").Eq("Nested")).SelectForUpdate(orm.Wait(time.Second))
	_, err := locked.Get(ctx)
	fmt.Println(errors.Is(err, atomic.ErrNotInBlock))
	err = atomic.Do(ctx, db, func(ctx context.Context) error {
		song, err := locked.Get(ctx)
		if errors.Is(err, dialect.ErrLockNotAvailable) {
			return err // somebody else has had it for a second
		}
		check(err)
		fmt.Println(song.Title, "is ours until the block ends")
		return nil
	})
	check(err)
	// Output:
	// true
	// Nested is ours until the block ends
}

func ExampleQuerySet_AlsoLock() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	// Leave out songs that somebody else has locked, but fail at once when
	// their band is.
	songs := orm.Objects[Song](db).Related("band").
		SelectForUpdate(orm.SkipLocked, orm.Of("self")).
		AlsoLock(orm.NoWait, orm.Of("band"))
	check(atomic.Do(ctx, db, func(ctx context.Context) error {
		all, err := songs.All(ctx)
		fmt.Println(len(all), err)
		return err
	}))
	// Output: 5 <nil>
}

func ExampleLock() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	song, err := orm.Objects[Song](db).First(ctx) // read some time ago
	check(err)
	_, err = orm.Objects[Song](db).Update(ctx, query.Set("played", 50))
	check(err)
	check(atomic.Do(ctx, db, func(ctx context.Context) error {
		if err := orm.Lock(ctx, db, song); err != nil {
			return err
		}
		fmt.Println(song.Played)
		return nil
	}))
	// Output: 50
}

func ExampleLockWaits() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	waits, err := orm.LockWaits(ctx, db)
	for _, w := range waits {
		fmt.Printf("%s waits for %s, which has a lock on %s for %s\n", w.Waiting.Block, w.Holding.Block, w.Table, w.Holding.Age)
	}
	fmt.Println(errors.Is(err, dialect.ErrUnsupported)) // SQLite does not know
	// Output: true
}

func ExampleQuerySet_SQL() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	text, values, err := orm.Objects[Band](db).Filter(query.F("name").In("A", "B")).OrderBy("-id").Limit(5).SQL(ctx)
	fmt.Println(text)
	fmt.Println(values, err)
	// Output:
	// SELECT "bands"."id", "bands"."name" FROM "bands" WHERE "bands"."name" IN (?, ?) ORDER BY "bands"."id" DESC LIMIT ?
	// [A B 5] <nil>
}

func ExampleQuerySet_Explain() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	plan, err := orm.Objects[Band](db).Filter(query.F("id").Eq(1)).Explain(ctx)
	check(err)
	fmt.Print(plan)
	// Output: SEARCH bands USING INTEGER PRIMARY KEY (rowid=?)
}

func ExampleCreateIndex() {
	ctx := context.Background()
	db := jukebox(ctx)
	defer db.Close()

	check(orm.CreateIndex(ctx, db, (*Song)(nil), "played", "-seconds"))
	plan, err := orm.Objects[Song](db).Filter(query.F("played").Eq(0)).Explain(ctx)
	check(err)
	fmt.Print(plan)
	// Output: SEARCH songs USING INDEX idx_songs_played_seconds (played=?)
}
