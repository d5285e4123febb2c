package orm_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/feature"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func TestHandWrittenStatements(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, err := db.Exec(ctx, "INSERT INTO owners (name) VALUES (?), ('?')", "it's ? \\")
		require.NoError(t, err)
		rows, err := db.Query(ctx, "SELECT name FROM owners WHERE name <> ? ORDER BY name", "nobody")
		require.NoError(t, err)
		var names []string
		for rows.Next() {
			var name string
			require.NoError(t, rows.Scan(&name))
			names = append(names, name)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		require.Equal(t, []string{"?", "it's ? \\"}, names)

		var (
			n    int
			name *string
			raw  any
		)
		require.NoError(t, db.QueryRow(ctx, "SELECT COUNT(*), MAX(name), MIN(id) FROM owners WHERE name = ?", "?").Scan(&n, &name, &raw))
		require.Equal(t, 1, n)
		require.Equal(t, "?", *name)
		require.NoError(t, db.QueryRow(ctx, "SELECT COUNT(*), MAX(name), MIN(id) FROM owners WHERE 1 = 0").Scan(&n, &name, &raw))
		require.Nil(t, name)
		require.Nil(t, raw)

		var tooSmall int8
		err = db.QueryRow(ctx, "SELECT 300").Scan(&tooSmall)
		var se *orm.ScanError
		require.ErrorAs(t, err, &se)
		require.NotContains(t, err.Error(), "300")
		require.ErrorIs(t, db.QueryRow(ctx, "SELECT 1 FROM owners WHERE id = -1").Scan(&n), sql.ErrNoRows)
		require.ErrorContains(t, db.QueryRow(ctx, "SELECT 1").Scan(&n, &n), "2 destinations for 1")
		require.ErrorContains(t, db.QueryRow(ctx, "SELECT 1").Scan(n), "not a pointer")
		require.Error(t, db.QueryRow(ctx, "SELECT nonsense FROM owners").Err())
		_, err = db.Exec(ctx, "INSERT INTO owners (name) VALUES (?)", func() {})
		require.ErrorContains(t, err, "argument 1: a value of type func()")
	})
}

func TestHandWrittenStatementsBelongToTheBlock(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		undo := errors.New("undo")
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			_, err := db.Exec(ctx, "INSERT INTO owners (name) VALUES (?)", "a")
			require.NoError(t, err)
			_, err = db.SQL().ExecContext(ctx, "INSERT INTO owners (name) VALUES ('b')")
			require.NoError(t, err)
			_, err = db.Bun().NewInsert().Model(&Owner{Name: "c"}).Exec(ctx)
			require.NoError(t, err)
			n, err := db.Bun().NewSelect().Model((*Owner)(nil)).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 3, n)
			_, err = orm.Objects[Owner](db).Filter(query.Raw("name = ?", "c")).Get(ctx)
			require.NoError(t, err)
			require.NoError(t, atomic.Do(ctx, db, func(ctx context.Context) error {
				_, err := db.Exec(ctx, "COMMIT")
				require.ErrorIs(t, err, atomic.ErrTransactionControl)
				return nil
			}))
			return undo
		})
		require.ErrorIs(t, err, undo)
		n, err := orm.Objects[Owner](db).Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// A list in the place of one value would be a text that equals nothing.
func TestPartsAndListsAreNoArguments(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, rows := studio(ctx, t, db, 3)
		keys := []int64{rows[0].ID, rows[1].ID}
		for _, bad := range []any{keys, bun.List(keys), F("id"), F("id").Eq(1)} {
			var ve *query.ValueError
			_, err := db.Exec(ctx, "DELETE FROM audio WHERE id NOT IN (?)", bad)
			require.ErrorAs(t, err, &ve)
			require.ErrorContains(t, err, "argument 1")
			require.ErrorAs(t, db.QueryRow(ctx, "SELECT COUNT(*) FROM audio WHERE id IN (?)", bad).Err(), &ve)
		}
		n, err := orm.Objects[Audio](db).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

func TestBunKnowsTheServer(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		if db.Server().Engine != dialect.MariaDB { // of which bun says nothing
			require.True(t, db.Bun().HasFeature(feature.CTE))
		}
		first := db.Bun()
		require.Same(t, first, db.Bun(), "one for all")
	})
}

func TestB15_RawTextIsInspected(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		inBlock(ctx, t, db, func(ctx context.Context) {
			_, err := orm.Objects[Owner](db).Filter(query.Raw("1 = 1); DELETE FROM owners; SELECT (1")).All(ctx)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			if db.Server().Engine == dialect.Postgres { // where a script of the caller's own runs
				_, err = orm.Objects[Owner](db).Filter(query.Raw("1 = 1); DELETE FROM owners; SELECT (1")).Delete(ctx)
				require.ErrorIs(t, err, dialect.ErrUnsupported)
			}
		})
		if db.Server().Engine == dialect.Postgres {
			_, err := orm.Objects[Owner](db).Filter(query.Raw("1 = 1); DELETE FROM owners; SELECT (1")).All(ctx)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			_, err = orm.Objects[Owner](db).Filter(query.Raw("1 = 1); DELETE FROM owners; SELECT (1")).Delete(ctx)
			require.ErrorIs(t, err, dialect.ErrUnsupported)
			_, err = db.Exec(ctx, "CREATE TABLE scripted (id int); DROP TABLE scripted")
			require.NoError(t, err)
		}
	})
}

func TestA02_WithoutAutocommit(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		require.NoError(t, orm.CreateTables(ctx, open(t, at), (*Owner)(nil)))
		db := open(t, at, orm.WithAutocommit(false), orm.WithIsolation(sql.LevelSerializable), orm.WithCommitTimeout(time.Minute),
			orm.MaxOpenConns(3), orm.MaxIdleConns(2), orm.ConnMaxLifetime(time.Hour), orm.ConnMaxIdleTime(time.Hour))
		require.ErrorIs(t, orm.Objects[Owner](db).Create(ctx, &Owner{}), atomic.ErrNoSession)
		require.Equal(t, 3, block.Of(db).Database().Pool.Stats().MaxOpenConnections)
		sess, ctx, err := db.Session(ctx)
		require.NoError(t, err)
		require.NoError(t, orm.Objects[Owner](db).Create(ctx, &Owner{Name: "a"}))
		require.NoError(t, sess.Commit(ctx))
		require.NoError(t, sess.Close())
		n, err := orm.Objects[Owner](open(t, at)).Count(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestTablesAndIndexes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		for range 2 { // the second time nothing is left to do
			require.NoError(t, orm.CreateTables(ctx, db, (*Project)(nil), (*Owner)(nil)))
			require.NoError(t, orm.CreateIndex(ctx, db, (*Audio)(nil), "is_audio_required", "-updated_at"))
		}
		require.ErrorContains(t, orm.CreateIndex(ctx, db, (*Audio)(nil), "nope"), "choices are")
		require.Error(t, orm.CreateTables(ctx, db, nil))
		require.ErrorContains(t, orm.CreateTables(ctx, db, 5), "a model is a struct")
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			return orm.CreateTables(ctx, db, (*Item)(nil))
		})
		if e := db.Server().Engine; e == dialect.MySQL || e == dialect.MariaDB {
			require.ErrorIs(t, err, atomic.ErrTransactionControl)
		} else {
			require.NoError(t, err)
		}
	})
}

type Bad struct {
	ID   int64 `bun:",pk"`
	Chan chan int
}

type Dangling struct {
	ID    int64  `bun:",pk"`
	Owner *Owner `bun:"rel:belongs-to,join:owner_id=id"`
}

func TestModelsThatCannotWork(t *testing.T) {
	db := open(t, testserver.New(t, testserver.SQLite))
	require.ErrorContains(t, orm.Objects[Bad](db).Err(), "chan int cannot be stored")
	require.ErrorContains(t, orm.Objects[Dangling](db).Err(), "must have column owner_id")
	require.ErrorContains(t, orm.Objects[int](db).Err(), "orm: int.Err: a model is a struct")
	_, err := orm.Objects[Bad](db).First(t.Context())
	require.Error(t, err)
	require.Error(t, orm.Objects[Bad](db).Create(t.Context(), &Bad{}))
}

func TestQuerySetsAreImmutable(t *testing.T) {
	db := open(t, testserver.New(t, testserver.SQLite))
	base := orm.Objects[Audio](db).Filter(F("index").Eq(1)).Filter(F("index").Eq(2)).Filter(F("index").Eq(3)).Related("project")
	before, _, err := base.SQL(t.Context())
	require.NoError(t, err)
	a := base.Filter(F("text").Eq("a"))
	b := base.Filter(F("speed").Eq(1)).Exclude(F("id").Eq(1)).OrderBy("id").Limit(1).Offset(2).Distinct().Related("project.owner")
	_ = base.SelectForUpdate(orm.SkipLocked, orm.NoWait)
	_, _ = base.First(t.Context())
	sqlA, argsA, err := a.SQL(t.Context())
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(sqlA, `"audio"."text" = ?`), sqlA)
	require.Equal(t, []any{int64(1), int64(2), int64(3), "a"}, argsA)
	require.NoError(t, b.Err())
	after, _, err := base.SQL(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
}
