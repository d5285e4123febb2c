package orm_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	hf "github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
)

// contested is a row that somebody else creates at the worst moment: when it was
// looked for, and is about to be created.
type contested struct {
	bun.BaseModel `bun:"table:contested"`
	ID            int64  `bun:",pk,autoincrement"`
	Name          string `bun:",unique"`
	N             int

	meanwhile func() error
}

// NewKey is called before a row is created.
func (c *contested) NewKey() error {
	if c.meanwhile == nil {
		return nil
	}
	return c.meanwhile()
}

// onServers runs a test where two can write at the same time.
func onServers(t *testing.T, test func(t *testing.T, ctx context.Context, at testserver.Database, db *orm.DB)) {
	t.Helper()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db := open(t, at)
		require.NoError(t, orm.CreateTables(t.Context(), db, (*contested)(nil)))
		test(t, t.Context(), at, db)
	}, testserver.MySQL, testserver.MariaDB, testserver.Postgres)
}

// once creates theirs in between, the first time.
func once(ctx context.Context, db *orm.DB, theirs *contested) func() error {
	return sync.OnceValue(func() error { return orm.Objects[contested](db).Create(ctx, theirs) })
}

// A session's transaction survives a violated key, as a block does.
func TestA02_GetOrCreateInASession(t *testing.T) {
	onServers(t, func(t *testing.T, ctx context.Context, at testserver.Database, db *orm.DB) {
		off := open(t, at, orm.WithAutocommit(false), orm.WithIsolation(sql.LevelReadCommitted))
		sess, inner, err := off.Session(ctx)
		require.NoError(t, err)
		require.NoError(t, orm.Objects[contested](off).Create(inner, &contested{Name: "kept"}))
		theirs := &contested{Name: "a", N: 5}
		mine := &contested{Name: "a", meanwhile: once(ctx, db, theirs)}
		created, err := orm.Objects[contested](off).GetOrCreate(inner, mine, "name")
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, theirs.ID, mine.ID)
		require.Equal(t, 5, mine.N)
		theirs = &contested{Name: "b", N: 6}
		created, err = orm.Objects[contested](off).UpdateOrCreate(inner, &contested{Name: "b", N: 7, meanwhile: once(ctx, db, theirs)}, "name")
		require.NoError(t, err)
		require.False(t, created)
		require.NoError(t, sess.Commit(inner))
		require.NoError(t, sess.Close())
		n, err := orm.Objects[contested](db).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

// A row that is newer than the block's snapshot cannot be read, nor created: that
// is a serialization failure, and Retry repeats the block.
func TestB17_ARowNewerThanTheSnapshot(t *testing.T) {
	for _, level := range []sql.IsolationLevel{sql.LevelRepeatableRead, sql.LevelSerializable} {
		for what, write := range map[string]func(orm.QuerySet[contested], context.Context, *contested, ...string) (bool, error){
			"GetOrCreate": orm.QuerySet[contested].GetOrCreate, "UpdateOrCreate": orm.QuerySet[contested].UpdateOrCreate,
		} {
			t.Run(fmt.Sprint(what, " ", level), func(t *testing.T) {
				onServers(t, func(t *testing.T, ctx context.Context, _ testserver.Database, db *orm.DB) {
					objects := orm.Objects[contested](db)
					if db.Server().Engine != dialect.Postgres && level == sql.LevelSerializable {
						return // every read locks there: nobody can come in between
					}
					rival := once(ctx, db, &contested{Name: "a", N: 5})
					attempts := 0
					work := func(ctx context.Context) error {
						attempts++
						if _, err := objects.Filter(F("n").Eq(77)).Count(ctx); err != nil { // the snapshot
							return err
						}
						if err := rival(); err != nil {
							return err
						}
						created, err := write(objects, ctx, &contested{Name: "a", N: 6}, "name")
						assert.False(t, created)
						return err
					}
					require.NoError(t, hf.Do(ctx, db, work, hf.Isolation(level), hf.Retry(3)))
					if db.Server().Engine == dialect.Postgres {
						assert.Equal(t, 2, attempts)
					}
					// Another key that is violated is no such thing.
					err := hf.Do(ctx, db, func(ctx context.Context) error {
						_, err := write(objects, ctx, &contested{Name: "a", N: 99}, "n")
						return err
					}, hf.Isolation(level))
					require.ErrorIs(t, err, dialect.ErrUniqueViolation)
					require.NotErrorIs(t, err, dialect.ErrSerializationFailure)
				})
			})
		}
	}
}

// waiting waits until so many connections wait for a lock.
func waiting(ctx context.Context, t *testing.T, db *orm.DB, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		waits, err := orm.LockWaits(ctx, db)
		if !assert.NoError(t, err) {
			return true
		}
		ids := map[int64]bool{}
		for _, w := range waits {
			ids[w.Waiting.ConnectionID] = true
		}
		return len(ids) >= n
	}, 20*time.Second, 150*time.Millisecond)
}

// A block that begins with UpdateOrCreate has no snapshot that could be older
// than the row it waits for.
func TestS08_UpdateOrCreateAsTheFirstStatement(t *testing.T) {
	onServers(t, func(t *testing.T, ctx context.Context, _ testserver.Database, db *orm.DB) {
		objects := orm.Objects[contested](db)
		row := &contested{Name: "a", N: 1}
		require.NoError(t, objects.Create(ctx, row))
		done := make(chan error, 1)
		require.NoError(t, hf.Do(ctx, db, func(inner context.Context) error {
			row.N = 2
			if err := objects.Save(inner, row); err != nil {
				return err
			}
			go func() {
				done <- hf.Do(ctx, db, func(ctx context.Context) error {
					created, err := objects.UpdateOrCreate(ctx, &contested{Name: "a", N: 3}, "name")
					assert.False(t, created)
					return err
				})
			}()
			waiting(ctx, t, db, 1)
			return nil
		}))
		require.NoError(t, <-done)
		got, err := objects.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, 3, got.N)
	})
}

type greeting struct {
	bun.BaseModel `bun:"table:greeting"`
	ID            int64  `bun:",pk,autoincrement"`
	Name          string `bun:",unique"`
	Lang          string `bun:",notnull,nullzero,default:'en'"`
	Tone          string `bun:",nullzero,default:'dry'"`
	N             int
}

// What a row leaves to the server stays as it is in the row that is there.
func TestUpdateOrCreateLeavesDefaultsAlone(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*greeting)(nil)))
		objects := orm.Objects[greeting](db)
		for n := range 3 {
			row := &greeting{Name: "a", N: n}
			created, err := objects.UpdateOrCreate(ctx, row, "name")
			require.NoError(t, err)
			require.Equal(t, n == 0, created)
			require.Equal(t, &greeting{ID: 1, Name: "a", Lang: "en", Tone: "dry", N: n}, row)
			got, err := objects.Get(ctx)
			require.NoError(t, err)
			require.Equal(t, row, got)
		}
		row := &greeting{Name: "a", Lang: "eo", N: 9}
		_, err := objects.UpdateOrCreate(ctx, row, "name")
		require.NoError(t, err)
		require.Equal(t, "eo", row.Lang)
		require.Equal(t, "dry", row.Tone)
	})
}

// Several that wait for a key which is free then are victims of a deadlock on
// MySQL and MariaDB: what is a block of the library's own runs again.
func TestS09_AKeyThatBecameFree(t *testing.T) {
	type write func(orm.QuerySet[contested], context.Context, *contested, ...string) (bool, error)
	abandoned := errors.New("abandoned")
	create := func(ctx context.Context, db *orm.DB) error {
		if err := orm.Objects[contested](db).Create(ctx, &contested{Name: "a"}); err != nil {
			return err
		}
		return abandoned
	}
	for what, c := range map[string]struct {
		write write
		first func(ctx context.Context, db *orm.DB) error
	}{
		"GetOrCreate after a rollback":    {orm.QuerySet[contested].GetOrCreate, create},
		"UpdateOrCreate after a rollback": {orm.QuerySet[contested].UpdateOrCreate, create},
		"UpdateOrCreate after a deletion": {orm.QuerySet[contested].UpdateOrCreate, func(ctx context.Context, db *orm.DB) error {
			_, err := orm.Objects[contested](db).Delete(ctx)
			return err
		}},
	} {
		t.Run(what, func(t *testing.T) {
			onServers(t, func(t *testing.T, ctx context.Context, _ testserver.Database, db *orm.DB) {
				if strings.HasSuffix(what, "deletion") {
					require.NoError(t, orm.Objects[contested](db).Create(ctx, &contested{Name: "a"}))
				}
				var wg sync.WaitGroup
				var created atomic.Int32
				err := hf.Do(ctx, db, func(inner context.Context) error {
					err := c.first(inner, db)
					for i := range 3 {
						wg.Go(func() {
							mine, err := c.write(orm.Objects[contested](db), ctx, &contested{Name: "a", N: i}, "name")
							assert.NoError(t, err)
							if mine {
								created.Add(1)
							}
						})
					}
					waiting(ctx, t, db, 3)
					return err
				})
				if err != nil {
					require.ErrorIs(t, err, abandoned)
				}
				wg.Wait()
				assert.EqualValues(t, 1, created.Load())
			})
		})
	}
}
