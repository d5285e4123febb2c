package orm_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

// seen is what values have been read from while a test has the turn.
var seen struct {
	turn  sync.Mutex
	list  []any
	write sync.Mutex
}

// seenValue is a value that keeps what it was bound as, and notes what it is read from.
type seenValue struct{ v any }

func (s seenValue) Value() (driver.Value, error) {
	if b, ok := s.v.([]byte); ok {
		return string(b), nil
	}
	return s.v, nil
}

func (s *seenValue) Scan(src any) error {
	if b, ok := src.([]byte); ok {
		src = slices.Clone(b)
	}
	s.v = src
	seen.write.Lock()
	defer seen.write.Unlock()
	seen.list = append(seen.list, src)
	return nil
}

// Scanned has a column of each kind whose field reads it by a Scan of its own.
type Scanned struct {
	bun.BaseModel `bun:"table:scanned"`
	ID            int64     `bun:",pk"`
	Text          seenValue `bun:"type:varchar(40)"`
	Char          seenValue `bun:"type:char(8)"`
	Number        seenValue `bun:"type:bigint"`
	Small         seenValue `bun:"type:smallint"`
	Price         seenValue `bun:"type:decimal(10,2)"`
	F             seenValue `bun:"type:double precision"`
	Short         seenValue `bun:"type:float4"`
	Ok            seenValue `bun:"type:boolean"`
	At            seenValue `bun:"type:timestamp(6)"`
	Day           seenValue `bun:"type:date"`
	Clock         seenValue `bun:"type:time"`
	Fine          seenValue `bun:"type:time(6)"`
	Null          seenValue `bun:"type:varchar(40),nullzero"`
	Date          models.Date
	String        sql.NullString
	Time          sql.NullTime
}

// A cursor gives a field's Scan what the driver gives it for the column.
func TestS45_ACursorGivesWhatTheDriverGives(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		seen.turn.Lock()
		defer seen.turn.Unlock()
		require.NoError(t, orm.CreateTables(ctx, db, (*Scanned)(nil)))
		all := orm.Objects[Scanned](db)
		row := &Scanned{ID: 1, Text: seenValue{"abc"}, Char: seenValue{"abc"}, Number: seenValue{int64(1) << 40}, Small: seenValue{int64(7)}, Price: seenValue{"7.50"},
			F: seenValue{0.1}, Short: seenValue{0.5}, Ok: seenValue{true}, At: seenValue{start.Add(time.Microsecond)}, Day: seenValue{"2026-03-01"},
			Clock: seenValue{"15:04:05"}, Fine: seenValue{"15:04:05.5"}, Date: models.DateOf(start), String: sql.NullString{String: "x", Valid: true}, Time: sql.NullTime{Time: start, Valid: true}}
		require.NoError(t, all.Create(ctx, row))
		seen.list = nil
		_, err := all.Get(ctx)
		require.NoError(t, err)
		given := seen.list
		model := reflect.TypeFor[Scanned]()
		for i := 2; i < model.NumField(); i++ {
			name := strings.ToLower(model.Field(i).Name)
			q := all.OrderBy(name)
			cursor, err := q.Cursor(row)
			require.NoError(t, err, name)
			seen.list = nil
			require.NoError(t, q.AfterCursor(cursor).Err(), name)
			if model.Field(i).Type == reflect.TypeFor[seenValue]() && name != "null" {
				assert.Equal(t, given[:1], seen.list, name)
				given = given[1:]
			}
			for _, beside := range []orm.QuerySet[Scanned]{q.AfterCursor(cursor), q.BeforeCursor(cursor)} {
				n, err := beside.Count(ctx)
				require.NoError(t, err, name)
				assert.Zero(t, n, name)
			}
		}
	})
}

// grade is read in the way in which the driver of MySQL and MariaDB gives a text.
type grade string

func (g *grade) Scan(src any) error {
	*g = grade(src.([]byte))
	return nil
}

// degree is read in the way in which the others give it.
type degree string

func (d *degree) Scan(src any) error {
	*d = degree(src.(string))
	return nil
}

type graded[V any] struct {
	bun.BaseModel `bun:"table:graded"`
	ID            int64 `bun:",pk"`
	V             V     `bun:"type:varchar(40)"`
}

func TestS45_AScanThatKnowsOneType(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if engine := db.Server().Engine; engine == dialect.MySQL || engine == dialect.MariaDB {
			pages(ctx, t, db, []*graded[grade]{{ID: 1, V: "a"}, {ID: 2, V: "b"}, {ID: 3, V: "c"}})
		} else {
			pages(ctx, t, db, []*graded[degree]{{ID: 1, V: "a"}, {ID: 2, V: "b"}, {ID: 3, V: "c"}})
		}
	})
}

func pages[V any](ctx context.Context, t *testing.T, db *orm.DB, rows []*graded[V]) {
	t.Helper()
	require.NoError(t, orm.CreateTables(ctx, db, (*graded[V])(nil)))
	all := orm.Objects[graded[V]](db)
	require.NoError(t, all.BulkCreate(ctx, rows))
	q := all.OrderBy("v")
	cursor, err := q.Cursor(rows[0])
	require.NoError(t, err)
	got, err := q.AfterCursor(cursor).All(ctx)
	require.NoError(t, err)
	require.Equal(t, rows[1:], got)
}

// brittle panics for whatever it has not been written for.
type brittle string

func (b brittle) Value() (driver.Value, error) { return string(b), nil }

func (b *brittle) Scan(src any) error {
	*b = brittle(src.(string))
	return nil
}

// Without a key anybody makes a cursor, with any value for any column.
func TestS45_AMadeUpCursorPanicsNowhere(t *testing.T) {
	ctx := context.Background()
	db, err := orm.Open(ctx, sqlite.Open(":memory:"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	q := orm.Objects[graded[brittle]](db).OrderBy("v")
	cursor, err := q.Cursor(&graded[brittle]{ID: 1, V: "a"})
	require.NoError(t, err)
	require.NoError(t, q.AfterCursor(cursor).Err())
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	require.NoError(t, err)
	id := []byte{1, 2}
	values := raw[1 : len(raw)-8]
	require.Equal(t, append([]byte{5, 1, 'a'}, id...), values, "a text, and a number")
	for name, first := range map[string][]byte{
		"NULL": {0}, "an integer": {1, 2}, "an unsigned one": {2, 1}, "a float": {3, 0, 0, 0, 0, 0, 0, 0, 0}, "a bool": {4, 1}, "bytes": {6, 1, 'a'}, "a time": {7, 2},
	} {
		made := append(slices.Clone(first), id...)
		sum := sha256.Sum256(append(shapeOf("graded", "v", "id"), made...))
		text := base64.RawURLEncoding.EncodeToString(append(append([]byte{raw[0]}, made...), sum[:8]...))
		require.ErrorIs(t, q.AfterCursor(text).Err(), orm.ErrCursor, name)
		_, err := q.BeforeCursor(text).All(ctx)
		require.ErrorIs(t, err, orm.ErrCursor, name)
	}
}

// shapeOf is what a cursor is bound to, as whoever has read the library can compute it.
func shapeOf(table string, columns ...string) []byte {
	h := sha256.New()
	add := func(s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
	add("holdfast cursor")
	add(table)
	for _, c := range columns {
		add(c)
		add("false")
	}
	return h.Sum(nil)
}
