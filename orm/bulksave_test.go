package orm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestS41_BulkSave(t *testing.T) {
	withJobs(t, 250, func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job) {
		queue := orm.Objects[Job](db)
		rows := append([]*Job(nil), jobs...)
		rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for i, job := range jobs {
			job.Name, job.State = fmt.Sprintf("it's \\ %d", i), "same"
			job.Worker = int64(i)
			if job.Priority = nil; i%2 == 0 {
				job.Priority = &job.Worker
			}
		}
		require.NoError(t, queue.BulkSave(ctx, rows))
		got, err := queue.OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, jobs, got, "also the versions and the times")
		require.EqualValues(t, 2, got[0].Version)
		require.True(t, got[0].UpdatedAt.After(got[0].CreatedAt))

		for _, job := range jobs {
			job.Name, job.State = "left alone", fmt.Sprint("state ", job.ID%7)
		}
		require.NoError(t, queue.BulkSave(ctx, rows, "state"))
		got, err = queue.OrderBy("id").All(ctx)
		require.NoError(t, err)
		for i, job := range got {
			require.Equal(t, fmt.Sprintf("it's \\ %d", i), job.Name)
			require.Equal(t, jobs[i].State, job.State)
			require.EqualValues(t, 3, job.Version)
		}
		require.NoError(t, queue.BulkSave(ctx, nil))
		require.NoError(t, queue.BulkSave(ctx, jobs[:1]))
	})
}

func TestS41_BulkSaveIsAllOrNothing(t *testing.T) {
	withJobs(t, 150, func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job) {
		queue := orm.Objects[Job](db)
		before, err := queue.OrderBy("id").All(ctx)
		require.NoError(t, err)
		for _, job := range jobs {
			job.Name = "new"
		}
		nothing := func(want error, rows []*Job) {
			t.Helper()
			copies := make([]Job, len(rows))
			for i, job := range rows {
				copies[i] = *job
			}
			require.ErrorIs(t, queue.BulkSave(ctx, rows), want)
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				require.ErrorIs(t, queue.BulkSave(ctx, rows), want)
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired)
			for i, job := range rows {
				require.Equal(t, copies[i], *job)
			}
			now, err := queue.OrderBy("id").All(ctx)
			require.NoError(t, err)
			require.Equal(t, before, now)
		}
		jobs[140].Version++
		nothing(orm.ErrStale, jobs)
		jobs[140].Version--
		id := jobs[149].ID
		jobs[149].ID += 10
		nothing(orm.ErrStale, jobs)
		jobs[149].ID = id

		_, audios := studio(ctx, t, db, 120)
		audios[119].ID += 10
		for _, a := range audios {
			a.Text = "new"
		}
		require.ErrorIs(t, orm.Objects[Audio](db).BulkSave(ctx, audios), orm.ErrNotFound)
		n, err := orm.Objects[Audio](db).Filter(F("text").Eq("new")).Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)

		require.ErrorContains(t, queue.BulkSave(ctx, []*Job{jobs[0], jobs[1], jobs[0]}), "the rows 0 and 2 have the same key")
		require.ErrorContains(t, queue.BulkSave(ctx, []*Job{jobs[0], nil}), "row 1")
		require.ErrorContains(t, queue.BulkSave(ctx, []*Job{jobs[0], {}}), "row 1")
		var fe *query.FieldError
		require.ErrorAs(t, queue.BulkSave(ctx, jobs, "nme"), &fe)
		require.ErrorAs(t, queue.BulkSave(ctx, jobs, "id"), &fe)
	})
}

func TestS41_BulkSaveByAKeyOfTwoColumns(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Seat)(nil)))
		var seats []*Seat
		for i := range int64(120) {
			seats = append(seats, &Seat{Room: "a", Number: i}, &Seat{Room: "b", Number: i})
		}
		require.NoError(t, orm.Objects[Seat](db).BulkCreate(ctx, seats))
		for i, seat := range seats {
			seat.Taken = i%3 == 0
		}
		require.NoError(t, orm.Objects[Seat](db).BulkSave(ctx, seats))
		for _, seat := range seats {
			got, err := orm.Objects[Seat](db).Find(ctx, seat.Room, seat.Number)
			require.NoError(t, err)
			require.Equal(t, seat, got)
		}
	})
}

// Plain is a part of Job that nobody looks after.
type Plain struct {
	bun.BaseModel `bun:"table:job"`
	ID            int64 `bun:",pk,autoincrement"`
	Name, State   string
}

// Many save the same rows in different orders, and nobody hears of a deadlock.
func TestS41_BulkSaveByMany(t *testing.T) {
	withJobs(t, 40, func(t *testing.T, ctx context.Context, db *orm.DB, jobs []*Job) {
		_, err := db.Exec(ctx, "UPDATE job SET version = 1")
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				mine := make([]*Plain, len(jobs))
				for i, j := range rand.Perm(len(jobs)) {
					mine[i] = &Plain{ID: jobs[j].ID, Name: "x", State: fmt.Sprint(j)}
				}
				if err := orm.Objects[Plain](db).BulkSave(ctx, mine); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestS41_RoundTrips(t *testing.T) {
	eachCounted(t, func(t *testing.T, db *orm.DB, turns func(run func()) int) {
		ctx := context.Background()
		require.NoError(t, orm.CreateTables(ctx, db, (*Job)(nil)))
		jobs := make([]*Job, 200)
		for i := range jobs {
			jobs[i] = &Job{Name: fmt.Sprint(i)}
		}
		require.NoError(t, orm.Objects[Job](db).BulkCreate(ctx, jobs))
		save := func(n int) func() {
			return func() { require.NoError(t, orm.Objects[Job](db).BulkSave(ctx, jobs[:n])) }
		}
		require.Equal(t, 1, turns(save(1)))
		require.Equal(t, 2, turns(save(100)), "one statement and COMMIT")
		require.Equal(t, 3, turns(save(200)))
	})
}
