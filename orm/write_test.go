package orm_test

import (
	"context"
	"database/sql"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestSave(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 2)
		a := rows[0]
		created := a.CreatedAt
		a.Text, a.Speed, a.CreatedAt = "new", 2, start
		path := "x.wav"
		a.Path = &path
		require.NoError(t, orm.Objects[Audio](db).Save(ctx, a))
		got, err := orm.Objects[Audio](db).Filter(F("id").Eq(a.ID)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, created, got.CreatedAt, "Save never writes it")
		require.Equal(t, a.UpdatedAt, got.UpdatedAt)
		require.Equal(t, "new", got.Text)
		require.Equal(t, "x.wav", *got.Path)

		require.NoError(t, orm.Objects[Audio](db).Save(ctx, got), "the same values again")
		got.Text, got.Speed, got.Path = "only this", 9, nil
		require.NoError(t, orm.Objects[Audio](db).Save(ctx, got, "text", "path"))
		again, err := orm.Objects[Audio](db).Filter(F("id").Eq(a.ID)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "only this", again.Text)
		require.Nil(t, again.Path)
		require.InDelta(t, 2, again.Speed, 0)
		require.True(t, again.UpdatedAt.After(a.UpdatedAt) || again.UpdatedAt.Equal(got.UpdatedAt))

		_, err = orm.Objects[Audio](db).Filter(F("id").Eq(a.ID)).Delete(ctx)
		require.NoError(t, err)
		require.ErrorIs(t, orm.Objects[Audio](db).Save(ctx, a), orm.ErrNotFound)
		require.ErrorContains(t, orm.Objects[Audio](db).Save(ctx, &Audio{}), "no primary key")
		var fe *query.FieldError
		require.ErrorAs(t, orm.Objects[Audio](db).Save(ctx, rows[1], "txt"), &fe)
		require.Contains(t, fe.Choices, "text")
	})
}

// B6: who forgets ErrStale does not commit the rest.
func TestAStaleRowMarksTheBlock(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		from, to := &Document{Title: "a"}, &Document{Title: "b"}
		require.NoError(t, orm.Objects[Document](db).BulkCreate(ctx, []*Document{from, to}))
		from.Version--
		transfer := func(save func(ctx context.Context) error) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error {
				_ = save(ctx)
				to.Hits++
				return orm.Objects[Document](db).Save(ctx, to)
			})
		}
		err := transfer(func(ctx context.Context) error { return orm.Objects[Document](db).Save(ctx, from) })
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.ErrorIs(t, err, orm.ErrStale)
		require.NoError(t, transfer(func(ctx context.Context) error {
			return atomic.Do(ctx, db, func(ctx context.Context) error { return orm.Objects[Document](db).Save(ctx, from) })
		}), "a nested block is there for it")
	})
}

func TestVersionFindsStaleRows(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		d := &Document{Title: "a"}
		require.NoError(t, orm.Objects[Document](db).Create(ctx, d))
		mine, err := orm.Objects[Document](db).Get(ctx)
		require.NoError(t, err)
		theirs := *mine
		theirs.Title = "theirs"
		require.NoError(t, orm.Objects[Document](db).Save(ctx, &theirs))
		require.EqualValues(t, 2, theirs.Version)
		mine.Title = "mine"
		err = orm.Objects[Document](db).Save(ctx, mine)
		require.ErrorIs(t, err, orm.ErrStale)
		require.EqualValues(t, 1, mine.Version)

		n, err := orm.Objects[Document](db).Update(ctx, query.Set("hits", F("hits").Add(1)))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.ErrorIs(t, orm.Objects[Document](db).Save(ctx, &theirs), orm.ErrStale, "Update counts too")
		got, err := orm.Objects[Document](db).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, "theirs", got.Title)
		require.Equal(t, 4, got.Hits)
		require.EqualValues(t, 3, got.Version)
	})
}

func TestS07_UpdateCountsTheRowsThatMatched(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 4)
		odd := orm.Objects[Audio](db).Filter(F("is_audio_required").Eq(false))
		for range 2 {
			n, err := odd.Update(ctx, query.Set("text", "same"), query.Set("updated_at", start))
			require.NoError(t, err)
			require.EqualValues(t, 2, n)
		}
		res, err := db.Exec(ctx, "UPDATE audio SET text = ? WHERE text = ?", "same", "same")
		require.NoError(t, err)
		n, err := res.RowsAffected()
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
	})
}

func TestUpdateWithExpressions(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 3)
		all := orm.Objects[Audio](db)
		n, err := all.Filter(F("project.name").Eq("Radio"), F("index").Gt(0)).Update(ctx,
			query.Set("speed", F("speed").Add(F("index")).Mul(0.5)),
			query.Set("user_id", F("index").Add(100)),
			query.Set("index", F("user_id")), // as it was before
			query.Set("path", "p"))
		if db.Server().Engine == dialect.MySQL || db.Server().Engine == dialect.MariaDB {
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			require.ErrorContains(t, err, "exchanging")
			n, err = all.Filter(F("project.name").Eq("Radio"), F("index").Gt(0)).Update(ctx,
				query.Set("user_id", F("index").Add(100)),
				query.Set("index", 7),
				query.Set("speed", F("speed").Add(F("index")).Mul(0.5)),
				query.Set("path", "p"))
		}
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		got, err := all.OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{0, 7, 7}, indexes(got))
		require.Equal(t, rows[0], got[0])
		require.EqualValues(t, 102, got[2].UserID)
		require.InDelta(t, 1.5, got[2].Speed, 0)
		require.True(t, got[2].UpdatedAt.After(rows[2].UpdatedAt))

		n, err = all.Filter(F("project.owner.name").Eq("Ada"), F("speed").Gt(1)).Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		for _, bad := range []orm.QuerySet[Audio]{all.Limit(1), all.Offset(1), all.Distinct(), all.SelectForUpdate()} {
			_, err = bad.Update(ctx, query.Set("text", ""))
			require.Error(t, err)
			_, err = bad.Delete(ctx)
			require.Error(t, err)
		}
		_, err = all.Update(ctx)
		require.ErrorContains(t, err, "without an assignment")
		_, err = all.Update(ctx, query.Set("text", F("project.name")))
		require.ErrorContains(t, err, "another table")
	})
}

// Who waited for the row looks at it again, although the condition that it no
// longer meets stands beside one on another table.
func TestARowIsClaimedOnceOverARelation(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		committed := atomic.Isolation(sql.LevelReadCommitted)
		if db.Server().Engine == dialect.SQLite { // it has no such level
			committed = atomic.Name("second")
		}
		_, rows := studio(ctx, t, db, 6)
		claim := func(ctx context.Context, q orm.QuerySet[Audio]) (int64, error) {
			return q.Update(ctx, query.Set("is_audio_required", false))
		}
		for i, second := range []func(ctx context.Context, q orm.QuerySet[Audio]) (int64, error){
			claim,
			func(ctx context.Context, q orm.QuerySet[Audio]) (int64, error) { return q.Delete(ctx) },
			func(ctx context.Context, q orm.QuerySet[Audio]) (int64, error) {
				return atomic.Value(ctx, db, func(ctx context.Context) (int64, error) { return claim(ctx, q) }, committed)
			},
		} {
			q := orm.Objects[Audio](db).Filter(F("id").Eq(rows[2*i].ID), F("is_audio_required").Eq(true), F("project.name").Eq("Radio"))
			type result struct {
				n   int64
				err error
			}
			done := make(chan result, 1)
			require.NoError(t, atomic.Do(ctx, db, func(in context.Context) error {
				n, err := claim(in, q)
				require.NoError(t, err)
				require.EqualValues(t, 1, n)
				go func() {
					n, err := second(ctx, q)
					done <- result{n, err}
				}()
				// Either order is right; where the wait can be seen, it is waited for.
				if db.Server().Can(dialect.LockWaits) {
					require.Eventually(t, func() bool {
						if len(done) > 0 { // it did not wait, and must have found nothing
							return true
						}
						waits, err := orm.LockWaits(ctx, db)
						return err == nil && len(waits) > 0
					}, 20*time.Second, 250*time.Millisecond) // MariaDB makes its list anew after a tenth of a second without a question
				}
				return nil
			}, committed))
			got := <-done
			require.NoError(t, got.err)
			require.Zero(t, got.n)
		}
		left, err := orm.Objects[Audio](db).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 6, left)
	})
}

func TestUpdateAndDeleteOverARelationToItself(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Parent)(nil)))
		top := &Parent{Name: "top"}
		require.NoError(t, orm.Objects[Parent](db).Create(ctx, top))
		require.NoError(t, orm.Objects[Parent](db).Create(ctx, &Parent{Name: "low", ParentID: &top.ID}))
		low := orm.Objects[Parent](db).Filter(F("parent.name").Eq("top"), F("name").Ne("other"))
		n, err := low.Update(ctx, query.Set("name", "lower"))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		n, err = low.Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestRawTextSeesTheRowAsItWas(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 1)
		all := orm.Objects[Audio](db)
		_, err := all.Update(ctx, query.Set("user_id", 100), query.Set("speed", query.Raw("speed + user_id")))
		require.NoError(t, err)
		got, err := all.Get(ctx)
		require.NoError(t, err)
		require.InDelta(t, 8, got.Speed, 0)
		require.EqualValues(t, 100, got.UserID)
	})
}

// Servers round in ways of their own, and SQLite would keep the fraction, so
// that the row could not be read any more.
func TestAFractionIsNotAssignedToAnInteger(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		studio(ctx, t, db, 1)
		all := orm.Objects[Audio](db)
		half := 0.5
		for _, bad := range []any{1.5, float32(2.5), &half, math.NaN(), math.Inf(1), -1e30} {
			_, err := all.Update(ctx, query.Set("index", bad))
			var ve *query.ValueError
			require.ErrorAs(t, err, &ve, "%v", bad)
			require.Equal(t, "Audio.index", ve.Field)
		}
		_, err := all.Update(ctx, query.Set("index", 4.0), query.Set("speed", 0.5))
		require.NoError(t, err)
		got, err := all.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, 4, got.Index)
	})
}
