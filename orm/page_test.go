package orm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/dialect/sqlite"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Entry is a row of a list that is paged through.
type Entry struct {
	bun.BaseModel `bun:"table:entry"`
	models.AutoID
	Rank  *int64
	Group string     `bun:"type:varchar(20)"`
	Seen  *time.Time `bun:"type:timestamp(6)"`
	At    time.Time
	Ratio float64
	Price string `bun:"type:decimal(10,2)"`
}

func withEntries(t *testing.T, n int, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Entry)(nil)))
		rows := make([]*Entry, n)
		for i := range rows {
			rows[i] = entry()
		}
		require.NoError(t, orm.Objects[Entry](db).BulkCreate(ctx, rows))
		test(t, ctx, db)
	})
}

// entry has few different values, so that there are ties.
func entry() *Entry {
	e := &Entry{
		Group: fmt.Sprint("Grp ", string(rune('A'+rand.N(3))), string(rune('a'+rand.N(2)))), At: start.Add(time.Duration(rand.N(5)) * time.Microsecond),
		Ratio: float64(rand.N(4)) / 3, Price: fmt.Sprintf("%d.%d0", rand.N(12), rand.N(3)),
	}
	if n := rand.N(int64(5)); n > 0 {
		e.Rank = &n
	}
	if rand.N(3) > 0 {
		at := start.Add(time.Duration(rand.N(3)) * time.Hour)
		e.Seen = &at
	}
	return e
}

func keysOf(rows []*Entry) []int64 {
	list := make([]int64, len(rows))
	for i, r := range rows {
		list[i] = r.ID
	}
	return list
}

var orders = [][]string{
	{}, {"-id"}, {"rank"}, {"-rank"}, {"group", "at"}, {"-group", "-at"}, {"group", "-at"}, {"-at", "rank"}, {"rank", "-seen", "group"},
	{"-seen", "-rank"}, {"ratio", "-price"}, {"price", "ratio", "-seen"}, {"-price"}, {"at", "id", "rank"}, {"at", "at"},
}

// Pages of any size, forward and backward, by rows and by cursors, are the whole.
func TestS44_PagesAreTheWhole(t *testing.T) {
	withEntries(t, 30, func(t *testing.T, ctx context.Context, db *orm.DB) {
		for _, names := range orders {
			all := orm.Objects[Entry](db).OrderBy(names...)
			key := "id"
			if len(names) > 0 && strings.HasPrefix(names[len(names)-1], "-") {
				key = "-id"
			}
			whole, err := orm.Objects[Entry](db).OrderBy(append(append([]string{}, names...), key)...).All(ctx)
			require.NoError(t, err)
			want := keysOf(whole)
			for _, size := range []int{1, 7, 30} {
				name := fmt.Sprint(names, " by ", size)
				var forward, backward []int64
				var last *Entry
				cursor := ""
				for {
					page, err := all.After(last).Limit(size).All(ctx)
					require.NoError(t, err, name)
					same, err := all.AfterCursor(cursor).Limit(size).All(ctx)
					require.NoError(t, err, name)
					require.Equal(t, page, same, name)
					if len(page) == 0 {
						break
					}
					forward, last = append(forward, keysOf(page)...), page[len(page)-1]
					cursor, err = all.Cursor(last)
					require.NoError(t, err)
				}
				require.Equal(t, want, forward, name)
				last, cursor = nil, ""
				for {
					page, err := all.Before(last).Limit(size).All(ctx)
					require.NoError(t, err, name)
					same, err := all.BeforeCursor(cursor).Limit(size).All(ctx)
					require.NoError(t, err, name)
					require.Equal(t, page, same, name)
					if len(page) == 0 {
						break
					}
					backward, last = append(keysOf(page), backward...), page[0]
					cursor, err = all.Cursor(last)
					require.NoError(t, err)
				}
				require.Equal(t, want, backward, name)
			}
			// Between two rows, in whichever order it is said.
			from, to := whole[10], whole[20]
			for _, q := range []orm.QuerySet[Entry]{all.After(from).Before(to), all.Before(to).After(from)} {
				got, err := q.All(ctx)
				require.NoError(t, err)
				require.Equal(t, want[11:20], keysOf(got), "%v", names)
				n, err := q.Count(ctx)
				require.NoError(t, err)
				require.EqualValues(t, 9, n)
			}
			next, err := all.After(from).First(ctx)
			require.NoError(t, err)
			require.Equal(t, want[11], next.ID)
			previous, err := all.Before(from).First(ctx)
			require.NoError(t, err)
			require.Equal(t, want[9], previous.ID)
		}
	})
}

func TestS44_PagingRefuses(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 3)
		audios := orm.Objects[Audio](db)
		require.ErrorContains(t, audios.After(rows[0]).OrderBy("index").Err(), "OrderBy stands in front")
		require.Error(t, audios.OrderBy("project.name").After(nil).Err(), "of another table")
		require.Error(t, audios.OrderByExpr(query.Lower(F("text")).Asc()).After(nil).Err(), "computed")
		require.Error(t, audios.OrderBy("idx").After(rows[0]).Err())
		require.Error(t, audios.OrderBy("path.x").Before(rows[0]).Err())
		for _, err := range audios.Before(rows[0]).Iterate(ctx) {
			require.ErrorContains(t, err, "All")
		}
		_, err := audios.Before(rows[0]).DeleteReturning(ctx)
		require.ErrorContains(t, err, "All")
		seen := 0
		for _, err := range audios.After(rows[0]).Iterate(ctx) {
			require.NoError(t, err)
			seen++
		}
		require.Equal(t, 2, seen)
	})
}

// While others insert and delete in front and behind, each row that stays is
// visited once.
func TestS44_PagingWhileOthersWrite(t *testing.T) {
	withEntries(t, testserver.Many(10_000), func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Entry](db)
		before, err := all.All(ctx)
		require.NoError(t, err)
		stays := map[int64]bool{}
		var goes []int64
		for i, e := range before {
			if i%3 == 0 {
				goes = append(goes, e.ID)
			} else {
				stays[e.ID] = true
			}
		}
		done := make(chan struct{})
		var others sync.WaitGroup
		for w := range 3 {
			others.Go(func() {
				for i := w; ; i += 3 {
					select {
					case <-done:
						return
					default:
					}
					if err := all.Create(ctx, entry()); err != nil {
						t.Error(err)
						return
					}
					if i < len(goes) {
						if _, err := all.Filter(F("id").Eq(goes[i])).Delete(ctx); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		visited := map[int64]int{}
		var last *Entry
		for {
			page, err := all.OrderBy("-rank", "group").After(last).Limit(100).All(ctx)
			if err != nil {
				t.Error(err)
			}
			if err != nil || len(page) == 0 {
				break
			}
			for _, e := range page {
				visited[e.ID]++
			}
			last = page[len(page)-1]
		}
		close(done)
		others.Wait()
		for id := range stays {
			require.Equal(t, 1, visited[id])
		}
		for id, n := range visited {
			require.Equal(t, 1, n, "%d", id)
		}
	})
}

// analyzeEntries tells the server how many rows there are: what has an index is a
// matter of cost.
func analyzeEntries(ctx context.Context, db *orm.DB) {
	db.QueryRow(ctx, map[string]string{dialect.SQLite: "ANALYZE", dialect.Postgres: "ANALYZE entry", dialect.MySQL: "ANALYZE TABLE entry", dialect.MariaDB: "ANALYZE TABLE entry"}[db.Server().Engine])
}

// The condition is one that an index serves.
func TestS44_AnIndexServesAPage(t *testing.T) {
	withEntries(t, 3000, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateIndex(ctx, db, (*Entry)(nil), "at", "id"))
		analyzeEntries(ctx, db)
		rows, err := orm.Objects[Entry](db).Filter(F("rank").IsNotNull()).Limit(1).All(ctx)
		require.NoError(t, err)
		rows[0].At = start.Add(3 * time.Microsecond)
		for order, index := range map[string]string{"at": "idx_entry_at_id", "-at": "idx_entry_at_id"} {
			plan, err := orm.Objects[Entry](db).OrderBy(order).After(rows[0]).Limit(10).Explain(ctx)
			require.NoError(t, err)
			require.Contains(t, plan, index, order)
		}
	})
}

func TestS24_AnIndexServesAnOrderWithNULL(t *testing.T) {
	withEntries(t, 3000, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateIndex(ctx, db, (*Entry)(nil), "rank", "id"))
		require.NoError(t, orm.CreateIndex(ctx, db, (*Entry)(nil), "-seen", "id"))
		analyzeEntries(ctx, db)
		for _, order := range [][]string{{"rank", "id"}, {"-rank", "-id"}, {"-seen", "id"}, {"seen", "-id"}} {
			if strings.HasSuffix(order[0], "seen") && db.Server().Engine == dialect.MariaDB && !db.Server().Version.AtLeast(10, 8, 0) {
				continue // it has no descending indexes
			}
			plan, err := orm.Objects[Entry](db).OrderBy(order...).Limit(10).Explain(ctx)
			require.NoError(t, err)
			require.Contains(t, plan, "idx_entry_", order)
			for _, sort := range []string{"Sort", "filesort", "TEMP B-TREE"} {
				require.NotContains(t, plan, sort, order)
			}
		}
	})
}

func TestS45_Cursors(t *testing.T) {
	withEntries(t, 5, func(t *testing.T, ctx context.Context, db *orm.DB) {
		all := orm.Objects[Entry](db)
		rows, err := all.OrderBy("id").All(ctx)
		require.NoError(t, err)
		cursor, err := all.OrderBy("group").Cursor(rows[2])
		require.NoError(t, err)
		q := all.OrderBy("group")
		require.NoError(t, q.AfterCursor(cursor).Err())
		require.NoError(t, q.Filter(F("ratio").Gt(0)).BeforeCursor(cursor).Err(), "the conditions may be others")
		back, err := q.Before(nil).Cursor(rows[2])
		require.NoError(t, err)
		require.Equal(t, cursor, back)
		for name, other := range map[string]orm.QuerySet[Entry]{"another column": all.OrderBy("at"), "another direction": all.OrderBy("-group"), "one more": all.OrderBy("group", "at"), "none": all} {
			require.ErrorIs(t, other.AfterCursor(cursor).Err(), orm.ErrCursor, name)
			_, err := other.BeforeCursor(cursor).All(ctx)
			require.ErrorIs(t, err, orm.ErrCursor, name)
		}
		require.ErrorIs(t, orm.Objects[Audio](db).AfterCursor(cursor).Err(), orm.ErrCursor)
		for i := range cursor {
			for _, c := range []string{"", "A", "_", "=", "é", "\x00"} {
				require.ErrorIs(t, q.AfterCursor(cursor[:i]+c+cursor[i:]+"A").Err(), orm.ErrCursor)
				if changed := cursor[:i] + c + cursor[i+1:]; changed != cursor {
					require.ErrorIs(t, q.AfterCursor(changed).Err(), orm.ErrCursor)
				}
			}
		}
		_, err = q.Cursor(nil)
		require.Error(t, err)
		_, err = all.OrderBy("grp").Cursor(rows[0])
		require.Error(t, err)
	})
}

func TestS45_ASealedCursor(t *testing.T) {
	ctx := context.Background()
	with := func(keys ...string) *orm.DB {
		var opts []orm.Option
		if len(keys) > 0 {
			var old [][]byte
			for _, key := range keys[1:] {
				old = append(old, []byte(key))
			}
			opts = append(opts, orm.CursorKey([]byte(keys[0]), old...))
		}
		db, err := orm.Open(ctx, sqlite.Open(":memory:"), opts...)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db
	}
	const a, b = "a key of the program", "a key that came later"
	cursor := func(db *orm.DB) string {
		text, err := orm.Objects[Entry](db).OrderBy("group").Cursor(&Entry{Group: "a secret group"})
		require.NoError(t, err)
		return text
	}
	read := func(db *orm.DB, text string) error {
		return orm.Objects[Entry](db).OrderBy("group").AfterCursor(text).Err()
	}
	plain, first, second, both := with(), with(a), with(b), with(b, a)
	require.NoError(t, read(plain, cursor(plain)))
	require.NoError(t, read(first, cursor(first)))
	require.NoError(t, read(both, cursor(first)))
	require.NoError(t, read(second, cursor(both)))
	require.ErrorIs(t, read(second, cursor(first)), orm.ErrCursor)
	require.ErrorIs(t, read(first, cursor(plain)), orm.ErrCursor, "anybody can make one without a key")
	require.ErrorIs(t, read(plain, cursor(first)), orm.ErrCursor)
	require.ErrorIs(t, orm.Objects[Entry](first).OrderBy("-group").AfterCursor(cursor(first)).Err(), orm.ErrCursor)
	again := cursor(first)
	require.NotEqual(t, cursor(first), again, "each is sealed anew")
	require.NotContains(t, cursor(first), "YSBzZWNyZXQ")
	_, err := orm.Open(ctx, sqlite.Open(":memory:"), orm.CursorKey([]byte("short")))
	require.ErrorContains(t, err, "16")
}

// Whatever comes back from a URL is a place or an error.
func FuzzS45_Cursor(f *testing.F) {
	db, err := orm.Open(f.Context(), sqlite.Open(":memory:"))
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, db.Close()) })
	require.NoError(f, orm.CreateTables(f.Context(), db, (*Entry)(nil)))
	q := orm.Objects[Entry](db).OrderBy("rank", "-group", "seen", "price")
	seed, err := q.Cursor(entry())
	require.NoError(f, err)
	f.Add(seed)
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := q.AfterCursor(cursor).Limit(1).All(t.Context())
		if err != nil {
			require.ErrorIs(t, err, orm.ErrCursor)
		}
	})
}
