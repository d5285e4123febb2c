package orm_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Job is a row of a queue.
type Job struct {
	bun.BaseModel `bun:"table:job"`
	models.AutoID
	models.Timestamps
	models.Versioned
	Name     string
	State    string
	Priority *int64
	Worker   int64
	ParentID *int64
	Parent   *Job `bun:"rel:belongs-to,join:parent_id=id"`
}

func withJobs(t *testing.T, n int, test func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job)) {
	t.Helper()
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Job)(nil)))
		jobs := make([]*Job, n)
		for i := range jobs {
			jobs[i] = &Job{Name: fmt.Sprintf("job %03d", n-i), State: "ready"}
			if i%3 > 0 {
				p := int64(i % 3)
				jobs[i].Priority = &p
			}
		}
		require.NoError(t, orm.Objects[Job](db).BulkCreate(ctx, jobs))
		test(t, ctx, db, jobs)
	})
}

// claim is how a worker claims what nobody else has: by SKIP LOCKED, or waiting for it
// where the server has no such thing.
func claim(db *orm.DB) []orm.LockOption {
	if db.Server().Can(dialect.SkipLocked) {
		return []orm.LockOption{orm.SkipLocked}
	}
	return nil
}

func numbers(jobs []*Job, of []*Job) []int {
	at := map[int64]int{}
	for i, j := range of {
		at[j.ID] = i
	}
	list := make([]int, len(jobs))
	for i, j := range jobs {
		list[i] = at[j.ID]
	}
	return list
}

func TestS42_UpdateReturning(t *testing.T) {
	withJobs(t, 9, func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job) {
		queue := orm.Objects[Job](db)
		take := query.Set("state", "taken")
		for _, tt := range []struct {
			name string
			q    orm.QuerySet[Job]
			set  []query.Assignment
			want []int
		}{
			{"of a condition", queue.Filter(F("id").Gt(jobs[5].ID)).OrderBy("id"), []query.Assignment{take}, []int{6, 7, 8}},
			{"limited", queue.OrderBy("-id").Limit(2), []query.Assignment{take}, []int{8, 7}},
			{"limited, with an offset", queue.OrderBy("-id").Limit(2).Offset(3), []query.Assignment{take}, []int{5, 4}},
			{"by a column that is NULL in some", queue.OrderBy("-priority", "id").Limit(7), []query.Assignment{take}, []int{2, 5, 8, 1, 4, 7, 0}},
			{"by a text", queue.OrderBy("name").Limit(3), []query.Assignment{take}, []int{8, 7, 6}},
			{"by what is assigned", queue.OrderBy("priority", "-id").Limit(4), []query.Assignment{query.Set("priority", 9)}, []int{6, 3, 0, 7}},
			{"by something computed", queue.OrderByExpr(query.Coalesce(F("priority"), query.Value(7)).Desc(), F("id").Asc()).Limit(2), []query.Assignment{take}, []int{0, 3}},
			{"none", queue.Filter(F("id").Lt(0)).Limit(3), []query.Assignment{take}, []int{}},
		} {
			for _, lock := range []bool{false, true} {
				for _, block := range []bool{false, true} {
					name := fmt.Sprintf("%s, locks %t, block %t", tt.name, lock, block)
					before, err := queue.OrderBy("id").All(ctx)
					require.NoError(t, err)
					q := tt.q
					if lock {
						q = q.SelectForUpdate(claim(db)...)
					}
					rollback := fmt.Errorf("undone")
					var got, now []*Job
					run := func(ctx context.Context) error {
						got, err = q.UpdateReturning(ctx, tt.set...)
						require.NoError(t, err, name)
						now, err = queue.OrderBy("id").All(ctx)
						require.NoError(t, err, name)
						if block {
							return rollback
						}
						return nil
					}
					if block {
						require.ErrorIs(t, atomic.Do(ctx, db, run), rollback, name)
					} else {
						require.NoError(t, run(ctx), name)
					}
					require.Equal(t, tt.want, numbers(got, jobs), name)
					changed := map[int64]bool{}
					for _, job := range got {
						changed[job.ID] = true
						require.Equal(t, now[numbers([]*Job{job}, jobs)[0]], job, name)
					}
					for i, job := range now {
						if changed[job.ID] {
							require.Equal(t, before[i].Version+1, job.Version, name)
							require.False(t, job.UpdatedAt.Before(before[i].UpdatedAt), name)
						} else {
							require.Equal(t, before[i], job, name)
						}
					}
					_, err = queue.Update(ctx, query.Set("state", "ready"))
					require.NoError(t, err)
					for i, job := range jobs {
						_, err = queue.Filter(F("id").Eq(job.ID)).Update(ctx, query.Set("priority", jobs[i].Priority))
						require.NoError(t, err)
					}
				}
			}
		}
	})
}

// The condition leads over a relation.
func TestS42_UpdateReturningOverARelation(t *testing.T) {
	withJobs(t, 6, func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job) {
		queue := orm.Objects[Job](db)
		for i, job := range jobs[1:] {
			job.ParentID = &jobs[i].ID
			require.NoError(t, queue.Save(ctx, job, "parent_id"))
		}
		over := queue.Filter(F("parent.priority").Eq(1))
		for name, q := range map[string]orm.QuerySet[Job]{"whole": over.OrderBy("id"), "limited": over.OrderBy("id").Limit(5), "by the relation": over.OrderBy("parent.id")} {
			got, err := q.UpdateReturning(ctx, query.Set("worker", F("worker").Add(1)))
			if name == "by the relation" && !db.Server().Can(dialect.Of) { // a related row that may be missing cannot be locked
				require.ErrorIs(t, err, orm.ErrLockOptions, name)
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, []int{2, 5}, numbers(got, jobs), name)
		}
		got, err := over.OrderBy("-id").Limit(1).DeleteReturning(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{5}, numbers(got, jobs))
	})
}

func TestS42_DeleteReturning(t *testing.T) {
	withJobs(t, 12, func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job) {
		queue := orm.Objects[Job](db)
		there, err := queue.OrderBy("id").All(ctx)
		require.NoError(t, err)
		for _, tt := range []struct {
			name string
			q    orm.QuerySet[Job]
			want []int
		}{
			{"of a condition", queue.Filter(F("id").Gt(jobs[9].ID)).OrderBy("-id"), []int{11, 10}},
			{"limited", queue.OrderBy("priority", "id").Limit(3), []int{0, 3, 6}},
			{"claimed", queue.OrderBy("id").Limit(2).SelectForUpdate(claim(db)...), []int{1, 2}},
			{"by a text", queue.OrderBy("name").Limit(2), []int{9, 8}},
			{"none", queue.Filter(F("id").Lt(0)), []int{}},
			{"none possible", queue.Filter(F("id").In()), []int{}},
		} {
			got, err := tt.q.DeleteReturning(ctx)
			require.NoError(t, err, tt.name)
			require.Equal(t, tt.want, numbers(got, jobs), tt.name)
			for _, job := range got {
				require.Equal(t, there[numbers([]*Job{job}, jobs)[0]], job, tt.name)
				_, err := queue.Find(ctx, job.ID)
				require.ErrorIs(t, err, orm.ErrNotFound, tt.name)
			}
		}
		n, err := queue.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

func TestS42_ReturningRefuses(t *testing.T) {
	withJobs(t, 2, func(t *testing.T, ctx context.Context, db *orm.DB, _ []*Job) {
		queue := orm.Objects[Job](db)
		set := query.Set("state", "taken")
		var fe *query.FieldError
		for _, tt := range []struct {
			q    orm.QuerySet[Job]
			set  []query.Assignment
			want string
		}{
			{queue, nil, "without an assignment"},
			{queue, []query.Assignment{query.Set("id", 5)}, "is the primary key"},
			{queue.Distinct(), []query.Assignment{set}, "Distinct"},
			{queue.Related("parent"), []query.Assignment{set}, "Related"},
			{queue.Limit(-1), []query.Assignment{set}, "negative"},
		} {
			_, err := tt.q.UpdateReturning(ctx, tt.set...)
			require.ErrorContains(t, err, tt.want)
		}
		_, err := queue.UpdateReturning(ctx, query.Set("sate", 5))
		require.ErrorAs(t, err, &fe)
		_, err = queue.Filter(F("sate").Eq(1)).DeleteReturning(ctx)
		require.ErrorAs(t, err, &fe)
		_, err = queue.OrderBy("sate").DeleteReturning(ctx)
		require.ErrorAs(t, err, &fe)
		inBlock(ctx, t, db, func(ctx context.Context) {
			_, err := queue.SelectForUpdate(orm.Share).UpdateReturning(ctx, set)
			require.ErrorIs(t, err, orm.ErrLockOptions)
			_, err = queue.SelectForUpdate(orm.Share).DeleteReturning(ctx)
			require.ErrorIs(t, err, orm.ErrLockOptions)
		})
		n, err := queue.Filter(F("state").Eq("ready")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
	})
}

// A limit on the wait is kept outside a block too.
func TestS42_AClaimWaitsAsLongAsItSays(t *testing.T) {
	withJobs(t, 2, func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job) {
		if db.Server().Engine == dialect.SQLite {
			return // the block has the one lock that there is
		}
		queue, outside := orm.Objects[Job](db), ctx
		inBlock(ctx, t, db, func(ctx context.Context) {
			_, err := queue.Filter(F("id").Eq(jobs[0].ID)).SelectForUpdate().Get(ctx)
			require.NoError(t, err)
			for _, opt := range []orm.LockOption{orm.NoWait, orm.Wait(time.Second)} {
				_, err = queue.OrderBy("id").SelectForUpdate(opt).UpdateReturning(outside, query.Set("state", "taken"))
				require.ErrorIs(t, err, dialect.ErrLockNotAvailable)
			}
			got, err := queue.OrderBy("id").SelectForUpdate(orm.SkipLocked).UpdateReturning(outside, query.Set("state", "taken"))
			if !db.Server().Can(dialect.SkipLocked) {
				require.ErrorIs(t, err, dialect.ErrUnsupported)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []int{1}, numbers(got, jobs))
		})
	})
}

// Many workers empty a queue, and each row is claimed once.
func TestS42_EachRowIsClaimedOnce(t *testing.T) {
	const workers, atOnce = 16, 50
	all := testserver.Many(10_000)
	withJobs(t, all, func(t *testing.T, ctx context.Context, db *orm.DB, _ []*Job) {
		queue := orm.Objects[Job](db).Filter(F("state").Eq("ready")).OrderBy("id").Limit(atOnce).SelectForUpdate(claim(db)...)
		claimed := make([][]*Job, workers)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for {
					jobs, err := queue.UpdateReturning(ctx, query.Set("state", "taken"), query.Set("worker", F("worker").Add(w+1)))
					if err != nil {
						t.Error(err)
						return
					}
					if len(jobs) == 0 {
						return
					}
					claimed[w] = append(claimed[w], jobs...)
				}
			})
		}
		wg.Wait()
		seen := map[int64]bool{}
		for w, jobs := range claimed {
			for _, job := range jobs {
				require.False(t, seen[job.ID], "claimed twice")
				seen[job.ID] = true
				require.EqualValues(t, w+1, job.Worker)
				require.EqualValues(t, 2, job.Version)
			}
		}
		require.Len(t, seen, all)
		n, err := orm.Objects[Job](db).Filter(F("state").Eq("taken"), F("version").Eq(2)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, all, n)
	})
}

// Rows that are chosen by a lock on others would be chosen by two.
func TestS42_WhatIsWrittenIsLockedItself(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 2)
		q := orm.Objects[Audio](db).Filter(F("project.id").Gt(0)).OrderBy("id").Limit(1)
		_, err := q.SelectForUpdate(orm.Of("project")).UpdateReturning(ctx, query.Set("text", "taken"))
		require.ErrorIs(t, err, orm.ErrLockOptions)
		_, err = q.SelectForUpdate(orm.Of("project")).DeleteReturning(ctx)
		require.ErrorIs(t, err, orm.ErrLockOptions)
		if !db.Server().Can(dialect.Of) {
			return
		}
		for _, locked := range []orm.QuerySet[Audio]{
			q.SelectForUpdate(orm.Of("self")), q.SelectForUpdate(orm.Of("project", "self")),
			q.SelectForUpdate(orm.Of("project")).AlsoLock(orm.Of("self")),
		} {
			got, err := locked.UpdateReturning(ctx, query.Set("text", "taken"))
			require.NoError(t, err)
			require.Len(t, got, 1)
			require.Equal(t, rows[0].ID, got[0].ID)
		}
	})
}
