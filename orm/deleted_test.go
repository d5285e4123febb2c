package orm_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Rack struct {
	bun.BaseModel `bun:"table:rack"`
	models.AutoID
	models.SoftDelete
	Name  string
	Books []*Book `bun:"rel:has-many,join:id=rack_id"`
}

type Book struct {
	bun.BaseModel `bun:"table:book"`
	models.AutoID
	models.Timestamps
	models.Versioned
	Title     string `bun:"type:varchar(100),unique"`
	Pages     int64
	RackID    int64
	Rack      *Rack      `bun:"rel:belongs-to,join:rack_id=id"`
	DeletedAt *time.Time `bun:",soft_delete"`
	Topics    []*Topic   `bun:"m2m:book_topic,join:Book=Topic"`
	Others    int64      `bun:",scanonly,nullzero"`
}

type Topic struct {
	bun.BaseModel `bun:"table:topic"`
	models.AutoID
	Name      string
	DeletedAt bun.NullTime `bun:",soft_delete"`
	Books     []*Book      `bun:"m2m:book_topic,join:Topic=Book"`
}

type BookTopic struct {
	bun.BaseModel `bun:"table:book_topic"`
	BookID        int64        `bun:",pk"`
	TopicID       int64        `bun:",pk"`
	DeletedAt     sql.NullTime `bun:",soft_delete"`
	Book          *Book        `bun:"rel:belongs-to,join:book_id=id"`
	Topic         *Topic       `bun:"rel:belongs-to,join:topic_id=id"`
}

// library has the racks "up" and "down", which is deleted. The books "a" and "c" stand on "up", "b", which
// is deleted, too, and "d" on "down". "a" has the topics "x", "y", which is deleted, and "z", whose link is; "b" has "x".
func library(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db, ctx := open(t, at), t.Context()
		require.NoError(t, orm.CreateTables(ctx, db, (*BookTopic)(nil), (*Book)(nil), (*Rack)(nil), (*Topic)(nil)))
		racks := []*Rack{{Name: "up"}, {Name: "down"}}
		require.NoError(t, orm.Objects[Rack](db).BulkCreate(ctx, racks))
		books := []*Book{{Title: "a", Pages: 10, RackID: racks[0].ID}, {Title: "b", Pages: 20, RackID: racks[0].ID},
			{Title: "c", Pages: 30, RackID: racks[0].ID}, {Title: "d", Pages: 40, RackID: racks[1].ID}}
		require.NoError(t, orm.Objects[Book](db).BulkCreate(ctx, books))
		topics := []*Topic{{Name: "x"}, {Name: "y"}, {Name: "z"}}
		require.NoError(t, orm.Objects[Topic](db).BulkCreate(ctx, topics))
		links := []*BookTopic{}
		for _, topic := range topics {
			links = append(links, &BookTopic{BookID: books[0].ID, TopicID: topic.ID})
		}
		links = append(links, &BookTopic{BookID: books[1].ID, TopicID: topics[0].ID})
		require.NoError(t, orm.Objects[BookTopic](db).BulkCreate(ctx, links))
		require.NoError(t, orm.Objects[Rack](db).DeleteRow(ctx, racks[1]))
		require.NoError(t, orm.Objects[Book](db).DeleteRow(ctx, books[1]))
		require.NoError(t, orm.Objects[Topic](db).DeleteRow(ctx, topics[1]))
		require.NoError(t, orm.Objects[BookTopic](db).DeleteRow(ctx, links[2]))
		test(t, ctx, db)
	})
}

func titles(ctx context.Context, t *testing.T, q orm.QuerySet[Book]) string {
	t.Helper()
	rows, err := q.OrderBy("title").All(ctx)
	require.NoError(t, err)
	return joined(rows)
}

func joined(rows []*Book) string {
	all := ""
	for _, r := range rows {
		all += r.Title
	}
	return all
}

// Every method reads the same rows.
func TestS60_DeletedRowsAreLeftOut(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		b, err := books.OnlyDeleted().Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "b", b.Title)
		for _, c := range []struct {
			q    orm.QuerySet[Book]
			want string
			b    bool // is among them
		}{{books, "acd", false}, {books.WithDeleted(), "abcd", true}, {books.OnlyDeleted(), "b", true},
			{books.OnlyDeleted().WithDeleted(), "abcd", true}, {books.WithDeleted().OnlyDeleted(), "b", true},
			{books.Filter(query.Or(F("title").Eq("b"), F("title").Eq("d"))), "d", false}} {
			q := c.q.OrderBy("title")
			require.Equal(t, c.want, titles(ctx, t, q))
			n, err := q.Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, len(c.want), n)
			n, err = q.Limit(3).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, min(3, len(c.want)), n)
			first, err := q.First(ctx)
			require.NoError(t, err)
			require.Equal(t, c.want[:1], first.Title)
			found, err := q.Filter(F("title").Eq("b")).Exists(ctx)
			require.NoError(t, err)
			require.Equal(t, c.b, found)
			_, err = q.Find(ctx, b.ID)
			_, getErr := q.Filter(F("id").Eq(b.ID)).Get(ctx)
			many, manyErr := orm.FindMany(ctx, q, []int64{b.ID})
			require.NoError(t, manyErr)
			if c.b {
				require.NoError(t, err)
				require.NoError(t, getErr)
				require.Len(t, many, 1)
			} else {
				require.ErrorIs(t, err, orm.ErrNotFound)
				require.ErrorIs(t, getErr, orm.ErrNotFound)
				require.Empty(t, many)
			}
			rows := []*Book{}
			for row, err := range q.Iterate(ctx) {
				require.NoError(t, err)
				rows = append(rows, row)
			}
			require.Equal(t, c.want, joined(rows))
			list, err := orm.Select[string](ctx, q, F("title"))
			require.NoError(t, err)
			require.Len(t, list, len(c.want))
			total, err := orm.Aggregate[int64](ctx, q, query.Count())
			require.NoError(t, err)
			require.EqualValues(t, len(c.want), total)
			list, err = orm.Select[string](ctx, query.Select(q, F("title")).Filter(F("title").Ge("")))
			require.NoError(t, err)
			require.Len(t, list, len(c.want))
			page := ""
			var last *Book
			for {
				rows, err := q.After(last).Limit(2).All(ctx)
				require.NoError(t, err)
				if len(rows) == 0 {
					break
				}
				page += joined(rows)
				last = rows[len(rows)-1]
			}
			require.Equal(t, c.want, page)
			cursor, err := q.Cursor(b) // a row that is not among them has a place all the same
			require.NoError(t, err)
			rows, err = q.AfterCursor(cursor).All(ctx)
			require.NoError(t, err)
			require.Equal(t, after(c.want, "b"), joined(rows))
			list, err = orm.Select[string](ctx, query.With("some", query.Select(q, F("title"))))
			require.NoError(t, err)
			require.Len(t, list, len(c.want))
			list, err = orm.Select[string](ctx, query.UnionAll(query.Select(q, F("title")), query.Select(q, F("title"))))
			require.NoError(t, err)
			require.Len(t, list, 2*len(c.want))
			inside, err := orm.Objects[Topic](db).WithDeleted().Filter(query.Exists(q.Filter(F("title").Eq("b")))).Exists(ctx)
			require.NoError(t, err)
			require.Equal(t, c.b, inside)
			require.Equal(t, c.want, titles(ctx, t, books.WithDeleted().Filter(F("id").In(query.Select(q, F("id"))))))
			inBlock(ctx, t, db, func(ctx context.Context) {
				rows, err := q.SelectForUpdate().All(ctx)
				require.NoError(t, err)
				require.Equal(t, c.want, joined(rows))
			})
			sum, err := orm.Select[int64](ctx, q.GroupBy("rack_id").OrderBy("rack_id"), query.Count().As("n"))
			require.NoError(t, err)
			require.NotEmpty(t, sum)
		}
		// What is written by hand is the application's own.
		all, err := orm.Scan[string](ctx, db, "SELECT title FROM book")
		require.NoError(t, err)
		require.Len(t, all, 4)
	})
}

func after(list, title string) string {
	rest := ""
	for _, r := range list {
		if string(r) > title {
			rest += string(r)
		}
	}
	return rest
}

// A live row whose related row is deleted is there; the related row is not.
func TestS60_RelationsLeaveDeletedRowsOut(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books := orm.Objects[Book](db)
		d, err := books.Related("rack").Filter(F("title").Eq("d")).Get(ctx)
		require.NoError(t, err)
		require.Nil(t, d.Rack)
		d, err = books.Related("rack").WithDeleted("rack").Filter(F("title").Eq("d")).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "down", d.Rack.Name)
		require.WithinDuration(t, time.Now(), d.Rack.DeletedAt, time.Minute)

		require.Equal(t, "ac", titles(ctx, t, books.Filter(F("rack.name").Eq("up"))))
		require.Equal(t, "d", titles(ctx, t, books.Exclude(F("rack.name").Eq("up"))))
		require.Equal(t, "", titles(ctx, t, books.Filter(F("rack.name").Eq("down"))))
		require.Equal(t, "d", titles(ctx, t, books.WithDeleted("rack").Filter(F("rack.name").Eq("down"))))
		require.Equal(t, "d", titles(ctx, t, books.Filter(F("rack.id").IsNull())))
		require.Equal(t, "ab", titles(ctx, t, books.WithDeleted("self", "rack").Filter(F("rack.name").Eq("up"), F("title").Lt("c"))))
		n, err := books.Filter(F("rack.name").Eq("down")).Update(ctx, query.Set("pages", 1))
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = books.WithDeleted("rack").Filter(F("rack.name").Eq("down")).Update(ctx, query.Set("pages", 41))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)

		// What may be missing is not locked, nor is it waited for.
		_, err = books.Related("rack").SelectForUpdate().All(ctx)
		require.ErrorIs(t, err, orm.ErrLockOptions)
		inBlock(ctx, t, db, func(ctx context.Context) {
			rows, err := books.WithDeleted("rack").Related("rack").SelectForUpdate().All(ctx)
			require.NoError(t, err)
			require.Len(t, rows, 3)
		})
	})
}

func TestS60_ManyRowsLeaveDeletedOnesOut(t *testing.T) {
	library(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		books, racks, topics := orm.Objects[Book](db), orm.Objects[Rack](db), orm.Objects[Topic](db)
		names := func(q orm.QuerySet[Rack]) (all string) {
			rows, err := q.OrderBy("name").All(ctx)
			require.NoError(t, err)
			for _, r := range rows {
				all += r.Name + " "
			}
			return all
		}
		require.Equal(t, "up ", names(racks.Filter(query.Any("books"))))
		require.Equal(t, "", names(racks.Filter(query.Any("books", F("title").Eq("b")))))
		require.Equal(t, "up ", names(racks.WithDeleted("books").Filter(query.Any("books", F("title").Eq("b")))))
		require.Equal(t, "up ", names(racks.Filter(query.None("books", F("title").Eq("b")))))
		require.Equal(t, "up ", names(racks.Filter(query.Every("books", F("title").Ne("b")))))
		require.Equal(t, "down up ", names(racks.WithDeleted().Filter(query.Any("books"))))
		require.Equal(t, "", names(racks.WithDeleted().Filter(query.None("books"))))

		// Over several tables, each in its own right: a topic, its link, a book.
		require.Equal(t, "a", titles(ctx, t, books.Filter(query.Any("topics", F("name").Eq("x")))))
		require.Equal(t, "", titles(ctx, t, books.Filter(query.Any("topics", F("name").In("y", "z")))))
		require.Equal(t, "a", titles(ctx, t, books.WithDeleted("topics").Filter(query.Any("topics", F("name").Eq("y")))))
		require.Equal(t, "", titles(ctx, t, books.WithDeleted("topics").Filter(query.Any("topics", F("name").Eq("z")))), "a link that is deleted is none")
		require.Equal(t, "up ", names(racks.Filter(query.Any("books.topics", F("name").Eq("x")))))
		require.Equal(t, "", names(racks.Filter(query.Any("books.topics", F("name").Eq("y")))))
		require.Equal(t, "up ", names(racks.WithDeleted("books.topics").Filter(query.Any("books.topics", F("name").Eq("y")))))
		require.Equal(t, "up ", names(racks.WithDeleted("books.topics").Filter(query.Any("books", query.Any("topics", F("name").Eq("y"))))))

		counts, err := orm.Select[int64](ctx, racks.WithDeleted().OrderBy("-name"), query.CountOf("books").As("n"))
		require.NoError(t, err)
		require.Equal(t, []int64{2, 1}, counts)
		counts, err = orm.Select[int64](ctx, racks.WithDeleted("books"), query.SumOf("books", F("pages")).As("n"))
		require.NoError(t, err)
		require.Equal(t, []int64{60}, counts)
		a, err := books.Annotate("others", query.CountOf("topics")).Filter(F("title").Eq("a")).Get(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, a.Others)

		up, err := racks.Prefetch("books", func(r orm.Related) orm.Related { return r.OrderBy("title") }).Prefetch("books.topics").Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "ac", joined(up.Books))
		require.Len(t, up.Books[0].Topics, 1)
		require.Empty(t, up.Books[1].Topics)
		up, err = racks.Prefetch("books", func(r orm.Related) orm.Related { return r.WithDeleted().Limit(2).OrderBy("title") }).
			Prefetch("books.topics", func(r orm.Related) orm.Related { return r.OnlyDeleted() }).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "ab", joined(up.Books))
		require.Len(t, up.Books[0].Topics, 1)
		require.Equal(t, "y", up.Books[0].Topics[0].Name)
		x, err := topics.Filter(F("name").Eq("x")).Prefetch("books", func(r orm.Related) orm.Related { return r.WithDeleted().Related("rack").OrderBy("title") }).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "ab", joined(x.Books))
		require.Equal(t, "up", x.Books[0].Rack.Name)
		// Rows that are deleted themselves have related rows as others do.
		b, err := books.OnlyDeleted().Related("rack").Prefetch("topics").Prefetch("rack.books").Get(ctx)
		require.NoError(t, err)
		require.Len(t, b.Topics, 1)
		require.Len(t, b.Rack.Books, 2)
	})
}
