package orm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type Document struct {
	models.UUID
	models.Versioned
	models.Timestamps
	Title string `bun:",unique"`
	State string `bun:",notnull,nullzero,default:'draft'"`
	Hits  int    `bun:",notnull,nullzero,default:3"`
}

func withDocuments(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Document)(nil)))
		test(t, ctx, db)
	})
}

func TestCreateFillsInWhatTheServerGives(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		d := &Document{Title: "a"}
		require.NoError(t, orm.Objects[Document](db).Create(ctx, d))
		require.NotZero(t, d.ID)
		require.EqualValues(t, 1, d.Version)
		require.WithinDuration(t, time.Now(), d.CreatedAt, time.Minute)
		require.Equal(t, "draft", d.State)
		require.Equal(t, 3, d.Hits)
		got, err := orm.Objects[Document](db).Filter(F("id").Eq(d.ID)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, d, got)

		a := &Audio{ProjectID: 1}
		err = orm.Objects[Audio](db).Create(ctx, a)
		require.ErrorIs(t, err, dialect.ErrForeignKeyViolation)
		require.ErrorContains(t, err, "orm: Audio.Create: ")
		require.Zero(t, a.ID)

		require.ErrorIs(t, orm.Objects[Document](db).Create(ctx, &Document{Title: "a"}), dialect.ErrUniqueViolation)
		require.ErrorContains(t, orm.Objects[Document](db).Create(ctx, nil), "Document.Create: the row is nil")
		require.Error(t, orm.Objects[Document](db).Filter(F("title").Eq("a")).Create(ctx, &Document{}))
	})
}

func TestCreateKeepsAnExplicitKey(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		o := &Owner{Name: "x"}
		o.ID = 50
		require.NoError(t, orm.Objects[Owner](db).Create(ctx, o))
		got, err := orm.Objects[Owner](db).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, o, got)
	})
}

func TestBulkCreateOfMixedRows(t *testing.T) {
	withDocuments(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.Objects[Document](db).BulkCreate(ctx, nil))
		docs := []*Document{{Title: "a"}, {Title: "b", State: "done", Hits: 9}, {Title: "c", Hits: 5}, {Title: "d"}}
		require.NoError(t, orm.Objects[Document](db).BulkCreate(ctx, docs))
		got, err := orm.Objects[Document](db).OrderBy("title").All(ctx)
		require.NoError(t, err)
		require.Equal(t, docs, got)

		owners := make([]*Owner, 2500) // several statements
		for i := range owners {
			owners[i] = &Owner{Name: fmt.Sprint(i)}
			if i%1000 == 7 {
				owners[i].ID = int64(1_000_000 + i)
			}
		}
		require.NoError(t, orm.Objects[Owner](db).BulkCreate(ctx, owners))
		for _, o := range owners {
			require.NotZero(t, o.ID)
		}
		all, err := orm.Objects[Owner](db).All(ctx)
		require.NoError(t, err)
		require.ElementsMatch(t, owners, all)
	})
}

func TestBulkCreateTakesFewStatements(t *testing.T) {
	db := open(t, testserver.New(t, testserver.SQLite))
	owners := make([]*Owner, 2500)
	for i := range owners {
		owners[i] = &Owner{}
		if i%100 == 0 {
			owners[i].ID = int64(i + 1)
		}
	}
	require.Equal(t, []int{25, 1000, 1000, 475}, orm.BatchSizes(orm.Objects[Owner](db), owners))
	owners[1].Name = strings.Repeat("x", 3<<20)
	owners[3].Name = strings.Repeat("x", 3<<20)
	require.Equal(t, []int{25, 2, 1000, 1000, 473}, orm.BatchSizes(orm.Objects[Owner](db), owners))
	wide := make([]*Everything, 3000)
	for i := range wide {
		wide[i] = &Everything{}
	}
	for _, n := range orm.BatchSizes(orm.Objects[Everything](db), wide) {
		require.LessOrEqual(t, n*18, 32766)
	}
}

func TestKeysAreCountedAsTheServerCounts(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		at.DSN += "?auto_increment_increment=7&auto_increment_offset=3"
		ctx, db := t.Context(), open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*Owner)(nil)))
		owners := []*Owner{{Name: "a"}, {Name: "b"}, {Name: "c"}}
		require.NoError(t, orm.Objects[Owner](db).BulkCreate(ctx, owners))
		got, err := orm.Objects[Owner](db).OrderBy("id").All(ctx)
		require.NoError(t, err)
		require.Equal(t, owners, got)
		require.EqualValues(t, 17, got[2].ID)
	}, testserver.MySQL, testserver.MariaDB)
}

func TestS09_BulkCreateIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		projects := make([]*Project, 1500)
		for i := range projects {
			projects[i] = &Project{Name: fmt.Sprint(i % 1400)} // the second statement violates
		}
		err := orm.Objects[Project](db).BulkCreate(ctx, projects)
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
		n, err := orm.Objects[Project](db).Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		for _, p := range projects {
			require.Zero(t, p.ID, "a key that no row has may be that of another row soon")
		}
		twice := []*Project{{Name: "a"}, {Name: "b"}, {Name: "a"}}
		require.ErrorIs(t, orm.Objects[Project](db).BulkCreate(ctx, twice), dialect.ErrUniqueViolation)
		require.Equal(t, []*Project{{Name: "a"}, {Name: "b"}, {Name: "a"}}, twice)

		inBlock(ctx, t, db, func(ctx context.Context) {
			require.NoError(t, orm.Objects[Project](db).Create(ctx, &Project{Name: "kept"}))
			require.Error(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				return orm.Objects[Project](db).BulkCreate(ctx, projects)
			}))
			n, err := orm.Objects[Project](db).Count(ctx)
			require.NoError(t, err, "the block around it goes on, as after any failure in a nested one")
			require.EqualValues(t, 1, n)
		})
		err = atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, orm.Objects[Project](db).Create(ctx, &Project{Name: "forgotten"}))
			_ = orm.Objects[Project](db).BulkCreate(ctx, projects)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired, "it marks the block that it was called in (rule B6)")
		require.ErrorIs(t, err, dialect.ErrUniqueViolation)
	})
}

func TestAFailedBlockKeepsNothing(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		sentinel := errors.New("no")
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			studio(ctx, t, db, 3)
			return sentinel
		})
		require.ErrorIs(t, err, sentinel)
		n, err := orm.Objects[Audio](db).Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

type pointing struct {
	models.AutoID
	*models.Timestamps
	Name string
}

func TestAMixinIsEmbeddedByValue(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		const want = "model orm_test.pointing embeds a pointer, *models.Timestamps: embed models.Timestamps itself"
		require.ErrorContains(t, orm.CreateTables(ctx, db, (*pointing)(nil)), want)
		all := orm.Objects[pointing](db)
		require.ErrorContains(t, all.Create(ctx, &pointing{}), want)
		require.ErrorContains(t, all.BulkCreate(ctx, []*pointing{{}}), want)
		_, err := all.Update(ctx, query.Set("name", "x"))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, all.Err(), want)
	})
}

// What Create says of a rollback.
func TestAKeyOutlivesItsRow(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		ghost, other := &Owner{Name: "ghost"}, &Owner{Name: "other"}
		require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
			require.NoError(t, orm.Objects[Owner](db).Create(ctx, ghost))
			return atomic.Rollback
		}))
		require.NotZero(t, ghost.ID)
		require.NoError(t, orm.Objects[Owner](db).Create(ctx, other))
		if db.Server().Engine == dialect.SQLite {
			require.Equal(t, other.ID, ghost.ID)
		} else {
			require.NotEqual(t, other.ID, ghost.ID)
		}
	})
}
