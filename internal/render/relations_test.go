package render_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

type Room struct {
	bun.BaseModel `bun:"table:room"`
	ID            int64      `bun:",pk"`
	Bookings      []*Booking `bun:"rel:has-many,join:id=room_id"`
	Tags          []Tag      `bun:"m2m:room_tag,join:Room=Tag"`
	Texts         []*Noted   `bun:"rel:has-many,join:id=text"`
	Notes         []*Noted   `bun:"rel:has-many,join:id=of_id,join:type=of_type,polymorphic"`
	Some          []*Noted   `bun:"rel:has-many,join:id=of_id,join_on:text = 'x'"`
}

type Booking struct {
	bun.BaseModel `bun:"table:booking"`
	ID            int64 `bun:",pk"`
	RoomID        *int64
	Price         int64
	Room          *Room      `bun:"rel:belongs-to,join:room_id=id"`
	Next          []*Booking `bun:"rel:has-many,join:id=price"`
}

type Tag struct {
	bun.BaseModel `bun:"table:tag"`
	ID            int64 `bun:",pk"`
	Name          string
}

type RoomTag struct {
	bun.BaseModel `bun:"table:room_tag"`
	RoomID        int64 `bun:",pk"`
	TagID         int64 `bun:",pk"`
	Room          *Room `bun:"rel:belongs-to,join:room_id=id"`
	Tag           *Tag  `bun:"rel:belongs-to,join:tag_id=id"`
}

type Noted struct {
	bun.BaseModel `bun:"table:noted"`
	ID            int64 `bun:",pk"`
	OfID          int64
	OfType        string
	Text          string
}

// withLinks are the models of s, of which the table between rooms and tags is known.
func withLinks(t *testing.T, s dialect.Server) *render.Models {
	t.Helper()
	models := modelsOf(t, s)
	_, err := models.Of(reflect.TypeFor[RoomTag]())
	require.NoError(t, err)
	return models
}

// A model whose table between is not known says how to make it known, each time, and is
// whole once that is done.
func TestS37_ATableBetweenThatIsNotKnown(t *testing.T) {
	for _, s := range engines {
		models := modelsOf(t, s)
		tagged := query.Select(objects[Room](query.Any("tags"), query.Any("bookings")), query.F("id"))
		for range 2 {
			_, _, err := models.Select(tagged.Tree())
			require.ErrorContains(t, err, "field Tags: the table between, room_tag, is not known yet: its model stands in front")
		}
		_, err := models.Of(reflect.TypeFor[RoomTag]())
		require.NoError(t, err)
		_, _, err = models.Select(tagged.Tree())
		require.NoError(t, err)
	}
}

func TestS37_ManyRowsAreAskedInSubSelects(t *testing.T) {
	F := query.F
	rooms, bookings := objects[Room], objects[Booking]
	for _, c := range []struct {
		name string
		q    query.Query
		pg   string
	}{
		{"any", query.Select(rooms(query.Any("bookings", F("price").Gt(3))), F("id")),
			"SELECT room.id FROM room WHERE EXISTS (SELECT 1 FROM booking WHERE booking.room_id = room.id AND booking.price > $1)"},
		{"none", query.Select(rooms(query.None("bookings")), F("id")),
			"SELECT room.id FROM room WHERE NOT EXISTS (SELECT 1 FROM booking WHERE booking.room_id = room.id)"},
		{"every", query.Select(rooms(query.Every("bookings", F("price").Gt(3), F("room_id").Gt(1))), F("id")),
			"SELECT room.id FROM room WHERE NOT EXISTS (SELECT 1 FROM booking WHERE booking.room_id = room.id AND " +
				"((booking.price > $1 AND booking.room_id > $2)) IS NOT TRUE)"},
		{"over a table between", query.Select(rooms(query.Any("tags", F("name").Eq("x"))), F("id")),
			"SELECT room.id FROM room WHERE EXISTS (SELECT 1 FROM tag WHERE " +
				"tag.id IN (SELECT room_tag.tag_id FROM room_tag WHERE room_tag.room_id = room.id) AND tag.name = $1)"},
		{"over one row first", query.Select(bookings(query.Any("room.tags", F("id").Lt(query.Outer("price")))), F("id")),
			"SELECT booking.id FROM booking LEFT JOIN room AS room ON room.id = booking.room_id WHERE EXISTS (SELECT 1 FROM tag WHERE " +
				"tag.id IN (SELECT room_tag.tag_id FROM room_tag WHERE room_tag.room_id = room.id) AND tag.id < booking.price)"},
		{"to its own table, twice", query.Select(bookings(query.Any("next.next")), F("id")),
			"SELECT booking.id FROM booking WHERE EXISTS (SELECT 1 FROM booking AS booking_2 WHERE " +
				"booking_2.price IN (SELECT booking_3.id FROM booking AS booking_3 WHERE booking_3.price = booking.id))"},
		{"of one kind", query.Select(rooms(query.Any("notes")), F("id")),
			"SELECT room.id FROM room WHERE EXISTS (SELECT 1 FROM noted WHERE noted.of_id = room.id AND noted.of_type = $1)"},
		{"aggregates", query.Select(rooms(), query.CountOf("bookings", F("price").Gt(0)).As("n"), query.SumOf("bookings.next", F("price")).As("s")).OrderBy("-n"),
			"SELECT (SELECT COUNT(*) FROM booking WHERE booking.room_id = room.id AND booking.price > $1) AS n, " +
				"(SELECT SUM(booking.price) FROM booking WHERE booking.price IN (SELECT booking_2.id FROM booking AS booking_2 WHERE booking_2.room_id = room.id)) AS s " +
				"FROM room ORDER BY n DESC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := engines[2]
			text, _, err := withLinks(t, s).Select(c.q.Tree())
			require.NoError(t, err)
			require.Equal(t, c.pg, unquoted(s.Engine, text.SQL))
			for _, s := range engines {
				_, _, err := withLinks(t, s).Select(c.q.Tree())
				require.NoError(t, err, s.Engine)
			}
		})
	}
}

func TestS37_PathsThatLeadToNoRows(t *testing.T) {
	models := withLinks(t, engines[3])
	for _, c := range []struct {
		cond query.Cond
		want string
	}{
		{query.Any("booking"), `Room has no field "booking"; choices are id, bookings`},
		{query.Any("id"), `Room: field "id" is a column, not a relation`},
		{query.Any("bookings.price"), `Booking: field "price" is a column, not a relation`},
		{query.Any(""), `Room has no field ""`},
		{query.Any("texts"), "cannot stand beside an integer"},
		{query.Any("some"), "is tagged join_on, which is not supported"},
		{query.Any("bookings", query.F("bookings").Eq(1)), `Booking has no field "bookings"`},
		{query.Any("bookings", nil), "nil"},
		{query.CountOf("bookings").Eq("x"), "cannot stand beside an integer"},
		{query.SumOf("bookings", nil).Eq(1), "an expression is empty"},
	} {
		_, _, err := models.Select(query.Select(objects[Room](c.cond), query.F("id")).Tree())
		require.ErrorContains(t, err, c.want)
	}
	_, _, err := models.Select(query.Select(objects[Booking](query.Any("room")), query.F("id")).Tree())
	require.ErrorContains(t, err, `leads to one row and not to many: name a column of it, as in query.F("room.id")`)
	_, _, err = models.Select(query.Select(objects[Room](), query.F("id")).Filter(query.Any("bookings")).Tree())
	require.ErrorContains(t, err, "is no relation: a sub-select has only what it puts out")
}

// What is asked about other rows stands beside the row that is changed, where a
// server that had to wait for it sees its new version.
func TestS37_InWhatChanges(t *testing.T) {
	conds := []query.Cond{query.F("price").Gt(1), query.Any("next", query.F("price").Eq(2))}
	want := map[string]string{
		dialect.Postgres: "DELETE FROM booking WHERE booking.price > $1 AND EXISTS (SELECT 1 FROM booking AS booking_2 WHERE booking_2.price = booking.id AND booking_2.price = $2)",
		dialect.MySQL: "DELETE FROM booking WHERE booking.price > ? AND (booking.id) IN (SELECT id FROM (SELECT booking.id FROM booking WHERE booking.price > ? AND " +
			"EXISTS (SELECT 1 FROM booking AS booking_2 WHERE booking_2.price = booking.id AND booking_2.price = ?)) AS matching)",
	}
	onEach(t, want, func(t *testing.T, s dialect.Server) (render.Text, error) {
		m, err := withLinks(t, s).Of(reflect.TypeFor[Booking]())
		require.NoError(t, err)
		return (&render.Delete{Model: m, Where: nodes(conds)}).Render()
	})
	for _, s := range engines {
		m, err := withLinks(t, s).Of(reflect.TypeFor[Booking]())
		require.NoError(t, err)
		set, err := m.Assignment(ast.Assignment{Column: ast.Column{Path: "price"}, Value: query.CountOf("next").Node()})
		require.NoError(t, err)
		_, err = (&render.Update{Model: m, Set: []render.Assignment{set}}).Render()
		if s.Engine == dialect.MySQL || s.Engine == dialect.MariaDB {
			require.ErrorContains(t, err, "cannot read the table that a statement changes")
			continue
		}
		require.NoError(t, err)
	}
}
