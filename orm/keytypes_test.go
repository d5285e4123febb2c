package orm_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type (
	textKey string
	rank    int16
	ticket  struct{ series, number string } // has a Value method, and says nothing of its column
	parcel  struct{ ticket }
)

func (k ticket) Value() (driver.Value, error) { return k.series + "_" + k.number, nil }

func (k *ticket) Scan(src any) error {
	switch s := src.(type) {
	case string:
		k.series, k.number = s[:1], s[2:]
	case []byte:
		k.series, k.number = string(s[:1]), string(s[2:])
	default:
		return errors.New("no ticket")
	}
	return nil
}

// rest is what the rows below have beside their keys.
type rest struct {
	Name string
	models.Versioned
}

func (r *rest) label() *string { return &r.Name }

type labelled[T any] interface {
	*T
	label() *string
}

type (
	byDate struct {
		Key models.Date `bun:",pk"`
		rest
	}
	byDay struct {
		Key time.Time `bun:"type:date,pk"`
		rest
	}
	byClock struct {
		Key string `bun:"type:time,pk"`
		rest
	}
	byTime struct {
		Key time.Time `bun:",pk"`
		rest
	}
	byUUID struct {
		Key uuid.UUID `bun:",pk"`
		rest
	}
	byUUIDText struct {
		Key string `bun:"type:char(36),pk"`
		rest
	}
	byBytes struct {
		Key []byte `bun:",pk"`
		rest
	}
	byArray struct {
		Key [16]byte `bun:",pk"`
		rest
	}
	byBool struct {
		Key bool `bun:",pk"`
		rest
	}
	byDecimal struct {
		Key string `bun:"type:decimal(10,2),pk"`
		rest
	}
	byFloat struct {
		Key float64 `bun:",pk"`
		rest
	}
	byText struct {
		Key textKey `bun:"type:varchar(20),pk"`
		rest
	}
	byNumber struct {
		Key rank `bun:",pk"`
		rest
	}
	byPointer struct {
		Key *int64 `bun:",pk"`
		rest
	}
	byTicket struct {
		Key ticket `bun:"type:varchar(20),pk"`
		rest
	}
	// calendar is what a hotel has for each of its rooms and days.
	calendar struct {
		bun.BaseModel `bun:"table:calendar"`
		Room          int64       `bun:",pk"`
		Day           models.Date `bun:",pk"`
		rest
	}
	seating struct {
		bun.BaseModel `bun:"table:seating"`
		Seat          uuid.UUID `bun:",pk"`
		Paid          string    `bun:"type:decimal(10,2),pk"`
		At            time.Time `bun:",pk"`
		rest
	}
)

// Whatever the key is, each method that takes a row finds it by its key, and no other.
func TestS43_EveryTypeOfKey(t *testing.T) {
	day := func(i int) time.Time { return time.Date(2026, 3, i, 0, 0, 0, 0, time.UTC) }
	id := func(i int) uuid.UUID { return uuid.MustParse(fmt.Sprintf("01957c1e-0000-7000-8000-00000000000%d", i)) }
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		rowsByKey(ctx, t, db, func(r *byDate, i int) { r.Key = models.DateOf(day(i)) })
		rowsByKey(ctx, t, db, func(r *byDay, i int) { r.Key = day(i) })
		rowsByKey(ctx, t, db, func(r *byClock, i int) { r.Key = fmt.Sprintf("0%d:30:00", i) })
		rowsByKey(ctx, t, db, func(r *byTime, i int) { r.Key = start.Add(time.Duration(i) * time.Microsecond) })
		rowsByKey(ctx, t, db, func(r *byUUID, i int) { r.Key = id(i) })
		rowsByKey(ctx, t, db, func(r *byUUIDText, i int) { r.Key = id(i).String() })
		rowsByKey(ctx, t, db, func(r *byBytes, i int) { r.Key = []byte{0xff, byte(i)} })
		rowsByKey(ctx, t, db, func(r *byArray, i int) { r.Key = id(i) })
		rowsByKey(ctx, t, db, func(r *byBool, i int) { r.Key = i == 1 })
		rowsByKey(ctx, t, db, func(r *byDecimal, i int) { r.Key = fmt.Sprintf("%d.50", i) })
		rowsByKey(ctx, t, db, func(r *byFloat, i int) { r.Key = float64(i) + 0.1 })
		rowsByKey(ctx, t, db, func(r *byText, i int) { r.Key = textKey(fmt.Sprint("c", i)) })
		rowsByKey(ctx, t, db, func(r *byNumber, i int) { r.Key = rank(-i) })
		rowsByKey(ctx, t, db, func(r *byPointer, i int) { n := int64(i); r.Key = &n })
		rowsByKey(ctx, t, db, func(r *byTicket, i int) { r.Key = ticket{"a", fmt.Sprint(i)} })
		rowsByKey(ctx, t, db, func(r *calendar, i int) { r.Room, r.Day = 7, models.DateOf(day(i)) }, "room", "day")
		rowsByKey(ctx, t, db, func(r *seating, i int) { r.Seat, r.Paid, r.At = id(1), "2.50", day(i) }, "seat", "paid", "at")
	})
}

// A key of which the model does not say what it is, in a table that somebody else has made.
func TestS43_AKeyOfUnknownType(t *testing.T) {
	type posted struct {
		bun.BaseModel `bun:"table:posted"`
		Number        parcel `bun:",pk"`
		rest
	}
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, err := db.Exec(ctx, "CREATE TABLE posted (number VARCHAR(20) NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL, version BIGINT NOT NULL)")
		require.NoError(t, err)
		byKey(ctx, t, db, func(r *posted, i int) { r.Number = parcel{ticket{"a", fmt.Sprint(i)}} }, "number")
	})
}

func rowsByKey[T any, P labelled[T]](ctx context.Context, t *testing.T, db *orm.DB, key func(row *T, i int), names ...string) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*T)(nil)))
	byKey[T, P](ctx, t, db, key, names...)
}

func byKey[T any, P labelled[T]](ctx context.Context, t *testing.T, db *orm.DB, key func(row *T, i int), names ...string) {
	t.Helper()
	t.Run(fmt.Sprintf("%T", *new(T)), func(t *testing.T) {
		if len(names) == 0 {
			names = []string{"key"}
		}
		all := orm.Objects[T](db)
		row := func(i int, name string) *T {
			r := new(T)
			key(r, i)
			*P(r).label() = name
			return r
		}
		named := func(name string) int64 {
			n, err := all.Filter(F("name").Eq(name)).Count(ctx)
			require.NoError(t, err)
			return n
		}
		a, b := row(1, "a"), row(2, "b")
		require.NoError(t, all.Create(ctx, a))
		require.NoError(t, all.BulkCreate(ctx, []*T{b}))

		*P(a).label() = "saved"
		require.NoError(t, all.Save(ctx, a))
		require.EqualValues(t, 1, named("saved"))
		*P(b).label() = "other"
		require.NoError(t, all.Refresh(ctx, b))
		require.Equal(t, "b", *P(b).label())
		inBlock(ctx, t, db, func(ctx context.Context) {
			*P(a).label() = "other"
			require.NoError(t, orm.Lock(ctx, db, a))
			require.Equal(t, "saved", *P(a).label())
		})
		*P(a).label(), *P(b).label() = "x", "y"
		require.NoError(t, all.BulkSave(ctx, []*T{a}))
		require.NoError(t, all.BulkSave(ctx, []*T{a, b}))
		require.EqualValues(t, 1, named("x"))
		require.EqualValues(t, 1, named("y"))

		changed, err := all.OrderBy("name").Limit(1).SelectForUpdate().UpdateReturning(ctx, query.Set("name", "z"))
		require.NoError(t, err)
		require.Len(t, changed, 1)
		require.NoError(t, all.Refresh(ctx, a))
		require.Equal(t, a, changed[0])

		for _, c := range []query.Conflict{query.OnConflict(names...).Update("name"), query.OnConflict(names...).DoNothing()} {
			require.NoError(t, all.BulkCreate(ctx, []*T{row(1, "up"), row(2, "up")}, c))
		}
		require.EqualValues(t, 2, named("up"))
		found := row(1, "")
		created, err := all.GetOrCreate(ctx, found, names...)
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, "up", *P(found).label())
		created, err = all.UpdateOrCreate(ctx, row(1, "over"), names...)
		require.NoError(t, err)
		require.False(t, created)
		require.EqualValues(t, 1, named("over"))

		require.NoError(t, all.Refresh(ctx, a))
		require.NoError(t, all.Refresh(ctx, b))
		gone, err := all.Filter(F("name").Eq("over")).Limit(1).DeleteReturning(ctx)
		require.NoError(t, err)
		require.Equal(t, []*T{a}, gone)
		require.NoError(t, all.DeleteRow(ctx, b))
		require.ErrorIs(t, all.DeleteRow(ctx, b), orm.ErrStale)
		n, err := all.Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}
