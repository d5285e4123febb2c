package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// The columns of Watch, Sundial and Hourglass keep times that are coarser than the clock, each in
// its own way.
type (
	Watch struct {
		bun.BaseModel `bun:"table:watch"`
		models.AutoID
		models.Versioned
		Name   string    `bun:"type:varchar(40),unique"`
		Note   string    `bun:"type:varchar(40)"`
		Made   time.Time `bun:"type:timestamp(0)"`
		Turned time.Time `bun:"type:timestamp(3)"`
	}
	Sundial struct {
		bun.BaseModel `bun:"table:sundial"`
		models.AutoID
		Name   string    `bun:"type:varchar(40),unique"`
		Note   string    `bun:"type:varchar(40)"`
		Made   time.Time `bun:"type:date"`
		Turned time.Time `bun:"type:timestamp(0)"`
	}
	// A row that is deleted is marked as finely as it is changed coarsely.
	Hourglass struct {
		bun.BaseModel `bun:"table:hourglass"`
		models.AutoID
		Name      string `bun:"type:varchar(40),unique"`
		Note      string `bun:"type:varchar(40)"`
		Made      time.Time
		Turned    time.Time `bun:"type:timestamp(0)"`
		DeletedAt time.Time `bun:",soft_delete,nullzero"`
	}
)

func (w *Watch) TimestampFields() (created, updated *time.Time)     { return &w.Made, &w.Turned }
func (s *Sundial) TimestampFields() (created, updated *time.Time)   { return &s.Made, &s.Turned }
func (h *Hourglass) TimestampFields() (created, updated *time.Time) { return &h.Made, &h.Turned }

func TestS28_TheClockIsAsFineAsTheColumn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		byTheClock(ctx, t, db, func(name, note string) *Watch { return &Watch{Name: name, Note: note} })
		byTheClock(ctx, t, db, func(name, note string) *Sundial { return &Sundial{Name: name, Note: note} })
		byTheClock(ctx, t, db, func(name, note string) *Hourglass { return &Hourglass{Name: name, Note: note} })

		// A time that the application gives is refused as before (S20).
		var ve *query.ValueError
		watches, fine := orm.Objects[Watch](db), start.Add(1500*time.Microsecond)
		require.ErrorAs(t, watches.Create(ctx, &Watch{Name: "x", Made: fine}), &ve)
		require.ErrorAs(t, watches.Create(ctx, &Watch{Name: "x", Turned: fine}), &ve)
		_, err := watches.Update(ctx, query.Set("turned", fine))
		require.ErrorAs(t, err, &ve)
		_, err = watches.Update(ctx, query.Set("turned", query.Now()))
		require.ErrorAs(t, err, &ve)
	})
}

// byTheClock has rows written in every way in which the library gives the time. The structs hold
// what the database has.
func byTheClock[T any](ctx context.Context, t *testing.T, db *orm.DB, row func(name, note string) *T) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*T)(nil)))
	rows := orm.Objects[T](db)
	same := func(want *T, name string) {
		t.Helper()
		got, err := rows.Filter(F("name").Eq(name)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	a, b := row("a", "created"), row("b", "created in bulk")
	require.NoError(t, rows.Create(ctx, a))
	same(a, "a")
	require.NoError(t, rows.BulkCreate(ctx, []*T{b, row("c", "")}))
	same(b, "b")
	created, err := rows.GetOrCreate(ctx, row("d", ""), "name")
	require.NoError(t, err)
	require.True(t, created)
	require.NoError(t, rows.Save(ctx, a))
	same(a, "a")
	require.NoError(t, rows.Save(ctx, a, "note"))
	same(a, "a")
	require.NoError(t, rows.BulkSave(ctx, []*T{a, b}))
	same(a, "a")
	same(b, "b")
	_, err = rows.Update(ctx, query.Set("note", "updated"))
	require.NoError(t, err)
	list, err := rows.Filter(F("name").Eq("a")).UpdateReturning(ctx, query.Set("note", "returned"))
	require.NoError(t, err)
	same(list[0], "a")
	for _, c := range []query.Conflict{
		query.OnConflict("name").Update(), query.OnConflict("name").Update("note"), query.OnConflict("name").Set(query.Set("note", "set")),
	} {
		a, e := row("a", "upserted"), row("e", "")
		require.NoError(t, rows.BulkCreate(ctx, []*T{a, e}, c))
		same(a, "a")
		same(e, "e")
	}
	require.NoError(t, rows.BulkCreate(ctx, []*T{row("a", ""), row("f", "")}, query.OnConflict("name").DoNothing()))
	a = row("a", "over")
	created, err = rows.UpdateOrCreate(ctx, a, "name")
	require.NoError(t, err)
	require.False(t, created)
	same(a, "a")
	require.NoError(t, rows.DeleteRow(ctx, a))
	if _, marked := any(a).(*Hourglass); !marked {
		return
	}
	deleted, err := rows.WithDeleted().Filter(F("name").Eq("a")).Get(ctx)
	require.NoError(t, err)
	require.Equal(t, deleted, a)
	require.NoError(t, rows.RestoreRow(ctx, a))
	same(a, "a")
	n, err := rows.Filter(F("name").Eq("a")).Delete(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	n, err = rows.Restore(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	list, err = rows.Filter(F("name").Eq("a")).DeleteReturning(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
}

// Clock has the columns of models.Timestamps as somebody has made them who thinks of seconds.
type Clock struct {
	bun.BaseModel `bun:"table:clock"`
	models.AutoID
	CreatedAt time.Time `bun:"type:datetime,notnull,skipupdate"`
	UpdatedAt time.Time `bun:"type:datetime,notnull"`
}

// ZonedClock is Clock on PostgreSQL.
type ZonedClock struct {
	bun.BaseModel `bun:"table:clock"`
	models.AutoID
	CreatedAt time.Time `bun:"type:timestamptz(0),notnull,skipupdate"`
	UpdatedAt time.Time `bun:"type:timestamptz(0),notnull"`
}

func (c *Clock) TimestampFields() (created, updated *time.Time) { return &c.CreatedAt, &c.UpdatedAt }
func (c *ZonedClock) TimestampFields() (created, updated *time.Time) {
	return &c.CreatedAt, &c.UpdatedAt
}

func TestS28_TheClockOfWholeSeconds(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine == dialect.Postgres {
			wholeSeconds(ctx, t, db, func(c *ZonedClock) (created, updated time.Time) { return c.CreatedAt, c.UpdatedAt })
		} else {
			wholeSeconds(ctx, t, db, func(c *Clock) (created, updated time.Time) { return c.CreatedAt, c.UpdatedAt })
		}
	})
}

func wholeSeconds[T any](ctx context.Context, t *testing.T, db *orm.DB, times func(*T) (created, updated time.Time)) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*T)(nil)))
	rows, row := orm.Objects[T](db), new(T)
	require.NoError(t, rows.Create(ctx, row))
	require.NoError(t, rows.Save(ctx, row))
	got, err := rows.Get(ctx)
	require.NoError(t, err)
	require.Equal(t, got, row)
	created, updated := times(got)
	require.WithinDuration(t, time.Now(), created, time.Minute)
	require.False(t, updated.Before(created))
}
