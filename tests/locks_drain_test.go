package tests

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

type Job struct {
	bun.BaseModel `bun:"table:job"`
	models.AutoID
	Taken int
}

const (
	drainWorkers = 16
	drainRows    = 10_000
	drainBatch   = 10
)

// Sixteen workers take ten thousand rows in batches of ten: each row exactly
// once, none is left, and no worker ever waits for another one.
func TestL01_DrainWithSkipLocked(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, at testdb.Database) {
		// A server of its own, whose counts are of this test alone.
		own := testdb.NewServer(t, at.Engine, countWaits(at.Engine)...).New(t)
		db, err := orm.Open(t.Context(), testdb.Source(own.Engine, own.DSN), orm.MaxOpenConns(drainWorkers+4), orm.MaxIdleConns(drainWorkers+4))
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		if !db.Server().Can(dialect.SkipLocked) {
			require.ErrorIs(t, orm.Objects[Job](db).SelectForUpdate(orm.SkipLocked).Err(), dialect.ErrUnsupported)
			return
		}
		require.NoError(t, orm.CreateTables(t.Context(), db, (*Job)(nil)))
		fill(t, db)
		oneWait(t, db, own)

		var before, after rowWaits
		for _, way := range []struct {
			name string
			take func(ctx context.Context, db *orm.DB, batch []*Job) (int64, error)
		}{
			{"delete", deleteEach},
			{"update", updateAll},
		} {
			before = rowWaitsOf(t, own)
			taken := drain(t, db, way.take)
			after = rowWaitsOf(t, own)
			assert.Zero(t, after.all-before.all-(after.updated-before.updated), "%s: waits for a row that somebody else has", way.name)
			assert.Len(t, taken, drainRows)
			for id, times := range taken {
				require.Equal(t, 1, times, "%s: row %d", way.name, id)
			}
			if way.name == "delete" {
				assert.Zero(t, after.updated-before.updated)
				left, err := orm.Objects[Job](db).Count(t.Context())
				require.NoError(t, err)
				assert.Zero(t, left, "rows left")
				fill(t, db)
			}
		}
		wrong, err := orm.Objects[Job](db).Filter(query.F("taken").Ne(1)).Count(t.Context())
		require.NoError(t, err)
		assert.Zero(t, wrong, "rows that were not updated exactly once")
	}, testdb.Servers()...)
}

func fill(t *testing.T, db *orm.DB) {
	t.Helper()
	jobs := make([]*Job, drainRows)
	for i := range jobs {
		jobs[i] = &Job{}
	}
	require.NoError(t, orm.Objects[Job](db).BulkCreate(t.Context(), jobs))
}

// deleteEach deletes row by row. In a table that is nearly empty MySQL reads all
// of it for an IN, and then waits for rows that are none of its business.
func deleteEach(ctx context.Context, db *orm.DB, batch []*Job) (n int64, err error) {
	for _, job := range batch {
		one, err := orm.Objects[Job](db).Filter(query.F("id").Eq(job.ID)).Delete(ctx)
		if err != nil {
			return n, err
		}
		n += one
	}
	return n, nil
}

func updateAll(ctx context.Context, db *orm.DB, batch []*Job) (int64, error) {
	ids := make([]any, len(batch))
	for i, job := range batch {
		ids[i] = job.ID
	}
	return orm.Objects[Job](db).Filter(query.F("id").In(ids...)).Update(ctx, query.Set("taken", query.F("taken").Add(1)))
}

// drain returns how often each row was taken, by the workers' own account.
func drain(t *testing.T, db *orm.DB, take func(context.Context, *orm.DB, []*Job) (int64, error)) map[int64]int {
	t.Helper()
	var mu sync.Mutex
	taken := map[int64]int{}
	next := orm.Objects[Job](db).Filter(query.F("taken").Eq(0)).OrderBy("id").Limit(drainBatch).SelectForUpdate(orm.SkipLocked)
	worker := func(ctx context.Context) error {
		for {
			var batch []*Job
			err := atomic.Do(ctx, db, func(ctx context.Context) (err error) {
				if batch, err = next.All(ctx); err != nil || len(batch) == 0 {
					return err
				}
				n, err := take(ctx, db, batch)
				if err == nil && n != int64(len(batch)) {
					err = fmt.Errorf("took %d of %d rows", n, len(batch))
				}
				return err
			})
			if err != nil || len(batch) == 0 {
				return err
			}
			mu.Lock()
			for _, job := range batch {
				taken[job.ID]++
			}
			mu.Unlock()
		}
	}
	ended := make(chan error)
	for range drainWorkers {
		go func() { ended <- worker(t.Context()) }()
	}
	for range drainWorkers {
		assert.NoError(t, <-ended)
	}
	return taken
}

// countWaits has PostgreSQL write down each wait for a lock that takes longer
// than a millisecond. InnoDB counts by itself.
func countWaits(engine testdb.Engine) []testdb.Option {
	if engine != testdb.Postgres {
		return nil
	}
	return []testdb.Option{testdb.Flags("-c", "log_lock_waits=on", "-c", "deadlock_timeout=1ms", "-c", "logging_collector=on", "-c", "log_line_prefix=%d ",
		"-c", "log_rotation_age=0", "-c", "log_rotation_size=0")} // one file, also at midnight
}

// rowWaits are the waits for a row since the server was started.
type rowWaits struct {
	all int
	// updated are those that PostgreSQL makes in spite of SKIP LOCKED: when a
	// row that the statement has just begun to lock turns out to have been
	// updated meanwhile, it locks the newer version too, and whoever is before
	// it there, for the same reason, is waited for (heap_lock_updated_tuple in
	// its source, which knows no SKIP LOCKED). Rows that are deleted have no
	// newer version.
	updated int
}

var rowWait = regexp.MustCompile(`still waiting for \w+ on (?:tuple|transaction).*\n.*DETAIL:.*\n.*CONTEXT:  (.*)`)

func rowWaitsOf(t *testing.T, db testdb.Database) (n rowWaits) {
	t.Helper()
	if db.Engine == testdb.Postgres {
		var log string
		require.NoError(t, db.Admin.QueryRowContext(t.Context(), "SELECT pg_read_file(pg_current_logfile())").Scan(&log))
		for _, wait := range rowWait.FindAllStringSubmatch(log, -1) {
			n.all++
			if strings.HasPrefix(wait[1], "while locking updated version") {
				n.updated++
			}
		}
		return n
	}
	var name string
	require.NoError(t, db.Admin.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'").Scan(&name, &n.all))
	return n
}

// oneWait makes one wait for a row, so that the count is known to count.
func oneWait(t *testing.T, db *orm.DB, own testdb.Database) {
	t.Helper()
	s := &studio{Database: own, DB: db, t: t}
	r := s.rival("UPDATE job SET taken = 0 WHERE id = 1")
	done := make(chan error, 1)
	go func() {
		done <- atomic.Do(t.Context(), db, func(ctx context.Context) error {
			_, err := orm.Objects[Job](db).Filter(query.F("id").Eq(1)).SelectForUpdate().Get(ctx)
			return err
		})
	}()
	s.waits(1)
	eventually(t, "the wait is counted", func() bool { return rowWaitsOf(t, own).all > 0 })
	r.end()
	require.NoError(t, soon(t, "the row", done))
}
