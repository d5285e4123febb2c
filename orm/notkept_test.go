package orm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

type (
	// A Leaf has a key of its own: nothing is left to the server.
	Leaf struct {
		bun.BaseModel `bun:"table:leaf"`
		models.UUID
		Name string `bun:",unique"`
		Text string
	}
	// A Twig has a key of the server's.
	Twig struct {
		bun.BaseModel `bun:"table:twig"`
		models.AutoID
		Name string `bun:",unique"`
		Text string
	}
	// A Sprig has no other key than its own.
	Sprig struct {
		bun.BaseModel `bun:"table:sprig"`
		models.UUID
		Text string
	}
	// A Bough is looked after.
	Bough struct {
		bun.BaseModel `bun:"table:bough"`
		models.AutoID
		models.Versioned
		Name string `bun:",unique"`
		Text string
	}
)

// passing runs a test where a trigger can leave a row out without an error.
func passing(t *testing.T, test func(t *testing.T, ctx context.Context, db *orm.DB)) {
	t.Helper()
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		db := open(t, at)
		if server := db.Server(); server.Engine == dialect.MariaDB && !server.Version.AtLeast(11, 8, 0) {
			t.Skip("no trigger of MariaDB before 11.8 can leave a row out without an error (MDEV-34724)")
		}
		require.NoError(t, orm.CreateTables(t.Context(), db, (*Leaf)(nil), (*Twig)(nil), (*Sprig)(nil), (*Bough)(nil)))
		test(t, t.Context(), db)
	}, testserver.Postgres, testserver.SQLite, testserver.MariaDB)
}

// passOver makes a trigger that leaves rows out for which a condition on OLD or NEW holds.
func passOver(ctx context.Context, t *testing.T, db *orm.DB, event, table, condition string) {
	t.Helper()
	name := "pass_" + event + "_" + table
	text := fmt.Sprintf("CREATE TRIGGER %s BEFORE %s ON %s WHEN %s BEGIN SELECT RAISE(IGNORE); END", name, event, table, condition)
	switch db.Server().Engine {
	case dialect.MariaDB:
		text = fmt.Sprintf("CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW BEGIN IF %s THEN SIGNAL SQLSTATE '02TRG'; END IF; END", name, event, table, condition)
	case dialect.Postgres:
		_, err := db.Exec(ctx, fmt.Sprintf("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", name))
		require.NoError(t, err)
		text = fmt.Sprintf("CREATE TRIGGER %[1]s BEFORE %s ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %[1]s()", name, event, table, condition)
	}
	_, err := db.Exec(ctx, text)
	require.NoError(t, err)
}

// notKept is err as what it has to be.
func notKept(t *testing.T, err error, sent, kept int, written bool) {
	t.Helper()
	var short *orm.NotKeptError
	require.ErrorAs(t, err, &short)
	require.Equal(t, orm.NotKeptError{Sent: sent, Kept: kept, Written: written}, *short)
}

// nil is for rows that are there.
func TestS09_ARowThatATriggerHasPassedOver(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		for _, table := range []string{"leaf", "twig", "sprig", "bough"} {
			passOver(ctx, t, db, "INSERT", table, "NEW.text = 'x'")
		}
		leaves, twigs, sprigs, boughs := orm.Objects[Leaf](db), orm.Objects[Twig](db), orm.Objects[Sprig](db), orm.Objects[Bough](db)
		of := func(_ bool, err error) error { return err }
		for name, c := range map[string]struct {
			run  func(ctx context.Context) error
			sent int
			own  bool // it is a block of its own
		}{
			"Create with a key":    {func(ctx context.Context) error { return leaves.Create(ctx, &Leaf{Text: "x"}) }, 1, false},
			"Create without one":   {func(ctx context.Context) error { return twigs.Create(ctx, &Twig{Text: "x"}) }, 1, false},
			"Create with a column": {func(ctx context.Context) error { return boughs.Create(ctx, &Bough{Text: "x"}) }, 1, false},
			"BulkCreate with a key": {func(ctx context.Context) error {
				return leaves.BulkCreate(ctx, []*Leaf{{Name: "a"}, {Name: "b", Text: "x"}, {Name: "c"}})
			}, 3, false},
			"BulkCreate without one": {func(ctx context.Context) error {
				return twigs.BulkCreate(ctx, []*Twig{{Name: "a"}, {Name: "b", Text: "x"}, {Name: "c"}})
			}, 3, false},
			"BulkCreate of two statements": {func(ctx context.Context) error {
				return twigs.BulkCreate(ctx, []*Twig{{Name: "a"}, {Name: "b", Text: "x"}, {AutoID: models.AutoID{ID: 700}, Name: "c"}})
			}, 2, true},
			"an upsert": {func(ctx context.Context) error {
				return twigs.BulkCreate(ctx, []*Twig{{Name: "a"}, {Name: "b", Text: "x"}, {Name: "c"}}, query.OnConflict("name").Update())
			}, 3, false},
			"an upsert that returns nothing": {func(ctx context.Context) error {
				return sprigs.BulkCreate(ctx, []*Sprig{{Text: "a"}, {Text: "x"}, {Text: "c"}}, query.OnConflict("id").Update())
			}, 3, false},
			"GetOrCreate": {func(ctx context.Context) error {
				return of(leaves.GetOrCreate(ctx, &Leaf{Name: "b", Text: "x"}, "name"))
			}, 1, false},
			"UpdateOrCreate": {func(ctx context.Context) error {
				return of(twigs.UpdateOrCreate(ctx, &Twig{Name: "b", Text: "x"}, "name"))
			}, 1, true},
		} {
			kept := func() int {
				a, err := leaves.Count(ctx)
				require.NoError(t, err)
				b, err := twigs.Count(ctx)
				require.NoError(t, err)
				c, err := sprigs.Count(ctx)
				require.NoError(t, err)
				return int(a + b + c)
			}
			for _, inside := range []bool{false, true} {
				_, err := leaves.Delete(ctx)
				require.NoError(t, err)
				_, err = twigs.Delete(ctx)
				require.NoError(t, err)
				_, err = sprigs.Delete(ctx)
				require.NoError(t, err)
				wantKept := max(0, c.sent-1)
				if inside {
					err = atomic.Do(ctx, db, func(ctx context.Context) error {
						err := c.run(ctx)
						notKept(t, err, c.sent, wantKept, false)
						require.True(t, atomic.NeedsRollback(ctx, db), name)
						return nil
					})
					require.ErrorIs(t, err, atomic.ErrRollbackRequired, name)
					notKept(t, err, c.sent, wantKept, false)
					require.Zero(t, kept(), name)
					continue
				}
				err = c.run(ctx)
				notKept(t, err, c.sent, wantKept, !c.own)
				if c.own {
					require.NotContains(t, err.Error(), "is committed", name)
					require.Zero(t, kept(), name)
				} else {
					require.ErrorContains(t, err, "is committed", name)
					require.Equal(t, wantKept, kept(), name)
				}
			}
		}
	})
}

// Nobody knows which rows the keys belong to that came back.
func TestS09_KeysOfFewerRowsAreInNoStruct(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		passOver(ctx, t, db, "INSERT", "twig", "NEW.text = 'x'")
		twigs := orm.Objects[Twig](db)
		rows := []*Twig{{Name: "a"}, {Name: "b", Text: "x"}, {Name: "c"}}
		notKept(t, twigs.BulkCreate(ctx, rows), 3, 2, true)
		require.Equal(t, []*Twig{{Name: "a"}, {Name: "b", Text: "x"}, {Name: "c"}}, rows)
		notKept(t, twigs.BulkCreate(ctx, rows, query.OnConflict("name").Update()), 3, 2, true)
		require.Equal(t, []*Twig{{Name: "a"}, {Name: "b", Text: "x"}, {Name: "c"}}, rows)
		require.NoError(t, twigs.BulkCreate(ctx, []*Twig{rows[0], rows[2]}, query.OnConflict("name").Update()))
		for _, row := range []*Twig{rows[0], rows[2]} {
			there, err := twigs.Filter(F("name").Eq(row.Name)).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, there, row)
		}
	})
}

// Old partitions: the row is in another table, and the statement is told to have kept none.
func TestS09_ATriggerThatWritesElsewhere(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		_, err := db.Exec(ctx, "CREATE TABLE leaf_old (id "+map[string]string{dialect.Postgres: "uuid", dialect.SQLite: "text", dialect.MariaDB: "uuid"}[db.Server().Engine]+", name text, text text)")
		require.NoError(t, err)
		texts := []string{"CREATE TRIGGER elsewhere BEFORE INSERT ON leaf BEGIN INSERT INTO leaf_old VALUES (NEW.id, NEW.name, NEW.text); SELECT RAISE(IGNORE); END"}
		switch db.Server().Engine {
		case dialect.MariaDB:
			texts = []string{"CREATE TRIGGER elsewhere BEFORE INSERT ON leaf FOR EACH ROW BEGIN INSERT INTO leaf_old VALUES (NEW.id, NEW.name, NEW.text); SIGNAL SQLSTATE '02TRG'; END"}
		case dialect.Postgres:
			texts = []string{
				"CREATE FUNCTION elsewhere() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO leaf_old VALUES (NEW.id, NEW.name, NEW.text); RETURN NULL; END'",
				"CREATE TRIGGER elsewhere BEFORE INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION elsewhere()",
			}
		}
		for _, text := range texts {
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		there := func() (n int) {
			require.NoError(t, db.QueryRow(ctx, "SELECT count(*) FROM leaf_old").Scan(&n))
			return n
		}
		notKept(t, orm.Objects[Leaf](db).Create(ctx, &Leaf{Name: "a"}), 1, 0, true)
		require.Equal(t, 1, there(), "as Written says, though none was kept")
		err = atomic.Do(ctx, db, func(ctx context.Context) error { return orm.Objects[Leaf](db).Create(ctx, &Leaf{Name: "b"}) })
		notKept(t, err, 1, 0, false)
		require.Equal(t, 1, there())
		_, err = db.Exec(ctx, "INSERT INTO leaf (id, name, text) VALUES (?, 'c', '')", "0190a8ea-5d4e-7bbb-8d3e-2f1c2b3a4d5e")
		require.NoError(t, err, "what to do")
		require.Equal(t, 2, there())
	})
}

// SQLite does not count what the triggers of a view write.
func TestS09_RowsOfAView(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Leaf)(nil), (*Twig)(nil)))
		for _, text := range []string{"ALTER TABLE leaf RENAME TO leaves", "ALTER TABLE twig RENAME TO twigs",
			"CREATE VIEW leaf AS SELECT id, name, text FROM leaves", "CREATE VIEW twig AS SELECT id, name, text FROM twigs"} {
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		var texts []string
		switch db.Server().Engine {
		case dialect.SQLite:
			texts = []string{"CREATE TRIGGER l INSTEAD OF INSERT ON leaf BEGIN INSERT INTO leaves (id, name, text) VALUES (NEW.id, NEW.name, NEW.text); END"}
		case dialect.Postgres:
			texts = []string{
				"CREATE FUNCTION l() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO leaves (id, name, text) VALUES (NEW.id, NEW.name, NEW.text); RETURN NEW; END'",
				"CREATE TRIGGER l INSTEAD OF INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION l()",
				"CREATE FUNCTION w() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.text = ''x'' THEN RETURN NULL; END IF; " +
					"INSERT INTO twigs (name, text) VALUES (NEW.name, NEW.text) RETURNING id INTO NEW.id; RETURN NEW; END'",
				"CREATE TRIGGER w INSTEAD OF INSERT ON twig FOR EACH ROW EXECUTE FUNCTION w()",
			}
		}
		for _, text := range texts {
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		leaves, twigs := orm.Objects[Leaf](db), orm.Objects[Twig](db)
		for _, inside := range []bool{false, true} {
			all := []func(ctx context.Context) error{
				func(ctx context.Context) error { return leaves.Create(ctx, &Leaf{Name: fmt.Sprint(inside, "a")}) },
				func(ctx context.Context) error {
					return leaves.BulkCreate(ctx, []*Leaf{{Name: fmt.Sprint(inside, "b")}, {Name: fmt.Sprint(inside, "c")}})
				},
			}
			for _, run := range all {
				if inside {
					require.NoError(t, atomic.Do(ctx, db, run))
				} else {
					require.NoError(t, run(ctx))
				}
			}
		}
		n, err := leaves.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 6, n)
		if db.Server().Engine == dialect.SQLite {
			return // its view has no key to return
		}
		row := &Twig{Name: "a"}
		require.NoError(t, twigs.Create(ctx, row))
		there, err := twigs.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, there, row)
		if db.Server().Engine == dialect.Postgres {
			notKept(t, twigs.BulkCreate(ctx, []*Twig{{Name: "b"}, {Name: "c", Text: "x"}}), 2, 1, true)
		}
	})
}

// A key that passes over is no trigger, and does the same.
func TestS09_AKeyThatIsDeclaredToIgnore(t *testing.T) {
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx, db := t.Context(), open(t, at)
		_, err := db.Exec(ctx, "CREATE TABLE leaf (id text PRIMARY KEY, name text UNIQUE ON CONFLICT IGNORE, text text)")
		require.NoError(t, err)
		leaves := orm.Objects[Leaf](db)
		require.NoError(t, leaves.Create(ctx, &Leaf{Name: "a"}))
		notKept(t, leaves.Create(ctx, &Leaf{Name: "a"}), 1, 0, true)
		notKept(t, leaves.BulkCreate(ctx, []*Leaf{{Name: "a"}, {Name: "b"}}), 2, 1, true)
	}, testserver.SQLite)
}

// A row that was kept and cannot be read has told nobody that another was not.
func TestS09_FewerRowsOfWhichOneCannotBeRead(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Doubled)(nil)))
		passOver(ctx, t, db, "INSERT", "doubled", "NEW.number = 1")
		half := int64(4)
		rows := []*Doubled{{Number: 1, Half: &half}, {Number: 2, Half: &half}, {Number: 3}}
		err := orm.Objects[Doubled](db).BulkCreate(ctx, rows)
		notKept(t, err, 3, 2, true)
		var unread *orm.ScanError
		require.True(t, errors.As(err, &unread) && unread.Written)
		for _, row := range rows {
			require.Zero(t, row.ID)
			require.Zero(t, row.Twice)
		}
	})
}
