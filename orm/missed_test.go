package orm_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// A Parchment is marked when it is deleted.
type Parchment struct {
	bun.BaseModel `bun:"table:parchment"`
	models.AutoID
	models.SoftDelete
	Text string
}

// redundant makes the trigger that spares writes which change nothing.
func redundant(ctx context.Context, t *testing.T, db *orm.DB, table, same string) {
	t.Helper()
	text := "CREATE TRIGGER same_" + table + " BEFORE UPDATE ON " + table + " WHEN " + same + " BEGIN SELECT RAISE(IGNORE); END"
	switch db.Server().Engine {
	case dialect.MariaDB:
		text = "CREATE TRIGGER same_" + table + " BEFORE UPDATE ON " + table + " FOR EACH ROW BEGIN IF " + same + " THEN SIGNAL SQLSTATE '02TRG'; END IF; END"
	case dialect.Postgres:
		text = "CREATE TRIGGER same_" + table + " BEFORE UPDATE ON " + table + " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
	}
	_, err := db.Exec(ctx, text)
	require.NoError(t, err)
}

const sameText = "NEW.id = OLD.id AND NEW.name = OLD.name AND NEW.text = OLD.text"

// A write that is spared since the row is as it was to be is done.
func TestS07_AWriteThatChangesNothingAndIsSpared(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		redundant(ctx, t, db, "leaf", sameText)
		redundant(ctx, t, db, "twig", sameText)
		leaves, twigs := orm.Objects[Leaf](db), orm.Objects[Twig](db)
		leaf, other, twig := &Leaf{Name: "a", Text: "t"}, &Leaf{Name: "b"}, &Twig{Name: "a", Text: "t"}
		require.NoError(t, leaves.BulkCreate(ctx, []*Leaf{leaf, other}))
		require.NoError(t, twigs.Create(ctx, twig))
		redundant(ctx, t, db, "sprig", "NEW.id = OLD.id AND NEW.text = OLD.text")
		sprigs, sprig := orm.Objects[Sprig](db), &Sprig{Text: "t"}
		require.NoError(t, sprigs.Create(ctx, sprig))
		missing := &Leaf{Name: "nobody"}
		require.NoError(t, missing.NewKey())
		absent := &Twig{Name: "nobody"}
		absent.ID = 77777
		for _, run := range []func(ctx context.Context) error{
			func(ctx context.Context) error { return leaves.Save(ctx, leaf) },
			func(ctx context.Context) error { return leaves.Save(ctx, leaf, "text") },
			func(ctx context.Context) error { return leaves.BulkSave(ctx, []*Leaf{leaf}) },
			func(ctx context.Context) error {
				other.Text += "."
				return leaves.BulkSave(ctx, []*Leaf{leaf, other})
			},
			func(ctx context.Context) error {
				same := &Leaf{Name: "a", Text: "t"}
				created, err := leaves.UpdateOrCreate(ctx, same, "name")
				require.False(t, created)
				require.Equal(t, leaf, same)
				return err
			},
			func(ctx context.Context) error {
				rows := []*Twig{{Name: "a", Text: "t"}}
				err := twigs.BulkCreate(ctx, rows, query.OnConflict("name").Update())
				require.Equal(t, twig, rows[0], "%v", err)
				return err
			},
			func(ctx context.Context) error {
				return sprigs.BulkCreate(ctx, []*Sprig{{UUID: sprig.UUID, Text: "t"}}, query.OnConflict("id").Update())
			},
		} {
			require.NoError(t, run(ctx))
			require.NoError(t, atomic.Do(ctx, db, run))
		}
		for _, run := range []func(ctx context.Context) error{
			func(ctx context.Context) error { return leaves.Save(ctx, missing) },
			func(ctx context.Context) error { return leaves.BulkSave(ctx, []*Leaf{leaf, missing}) },
			func(ctx context.Context) error { return leaves.DeleteRow(ctx, missing) },
			func(ctx context.Context) error { return twigs.Save(ctx, absent) },
		} {
			require.ErrorIs(t, run(ctx), orm.ErrNotFound)
			require.ErrorIs(t, atomic.Do(ctx, db, run), orm.ErrNotFound)
		}
		// What an upsert computes nobody knows, and a count is of what was written.
		notKept(t, twigs.BulkCreate(ctx, []*Twig{{Name: "a", Text: "t"}}, query.OnConflict("name").Set(query.Set("text", query.Concat(F("text"), "")))), 1, 0, true)
		n, err := twigs.Update(ctx, query.Set("text", "t"))
		require.NoError(t, err)
		require.Zero(t, n)
		list, err := twigs.UpdateReturning(ctx, query.Set("text", "t"))
		if db.Server().Engine == dialect.MariaDB { // it cannot return what it updates
			notKept(t, err, 1, 0, false)
		} else {
			require.NoError(t, err)
			require.Empty(t, list)
		}
	})
}

// A row that is there is not said to be missing.
func TestS07_AWriteThatIsPassedOver(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		leaves, twigs, boughs := orm.Objects[Leaf](db), orm.Objects[Twig](db), orm.Objects[Bough](db)
		require.NoError(t, orm.CreateTables(ctx, db, (*Parchment)(nil)))
		parchments := orm.Objects[Parchment](db)
		leaf, twig, bough, parchment := &Leaf{Name: "a"}, &Twig{Name: "a"}, &Bough{Name: "a"}, &Parchment{Text: "a"}
		free, freed := &Bough{Name: "free"}, &Twig{Name: "free"}
		require.NoError(t, leaves.Create(ctx, leaf))
		require.NoError(t, twigs.BulkCreate(ctx, []*Twig{twig, freed}))
		require.NoError(t, boughs.BulkCreate(ctx, []*Bough{bough, free}))
		require.NoError(t, parchments.Create(ctx, parchment))
		for _, table := range []string{"leaf", "twig", "bough"} {
			for _, event := range []string{"UPDATE", "DELETE"} {
				passOver(ctx, t, db, event, table, "OLD.name = 'a'")
			}
		}
		passOver(ctx, t, db, "UPDATE", "parchment", "OLD.text = 'a'")
		for name, c := range map[string]struct {
			run        func(ctx context.Context) error
			sent, kept int
			own        bool
		}{
			"Save":              {func(ctx context.Context) error { return leaves.Save(ctx, &Leaf{UUID: leaf.UUID, Name: "b"}) }, 1, 0, false},
			"Save of a version": {func(ctx context.Context) error { row := *bough; return boughs.Save(ctx, &row) }, 1, 0, false},
			"BulkSave": {func(ctx context.Context) error {
				return twigs.BulkSave(ctx, []*Twig{{AutoID: twig.AutoID, Name: "b"}, freed})
			}, 2, 1, true},
			"BulkSave of versions":   {func(ctx context.Context) error { return boughs.BulkSave(ctx, []*Bough{bough, free}) }, 2, 1, true},
			"DeleteRow":              {func(ctx context.Context) error { return leaves.DeleteRow(ctx, leaf) }, 1, 0, false},
			"DeleteRow of a version": {func(ctx context.Context) error { return boughs.DeleteRow(ctx, bough) }, 1, 0, false},
			"DeleteRow that marks":   {func(ctx context.Context) error { return parchments.DeleteRow(ctx, parchment) }, 1, 0, false},
			"an upsert": {func(ctx context.Context) error {
				return twigs.BulkCreate(ctx, []*Twig{{Name: "a", Text: "b"}}, query.OnConflict("name").Update())
			}, 1, 0, false},
			"UpdateOrCreate": {func(ctx context.Context) error {
				_, err := twigs.UpdateOrCreate(ctx, &Twig{Name: "a", Text: "b"}, "name")
				return err
			}, 1, 0, true},
		} {
			notKept(t, c.run(ctx), c.sent, c.kept, !c.own)
			err := atomic.Do(ctx, db, func(ctx context.Context) error {
				notKept(t, c.run(ctx), c.sent, c.kept, false)
				return nil
			})
			require.ErrorIs(t, err, atomic.ErrRollbackRequired, name)
			require.NotErrorIs(t, err, orm.ErrNotFound, name)
			require.NotErrorIs(t, err, orm.ErrStale, name)
		}
		stale := *bough
		stale.Version = 7
		require.ErrorIs(t, boughs.Save(ctx, &stale), orm.ErrStale)
		require.ErrorIs(t, boughs.BulkSave(ctx, []*Bough{&stale, free}), orm.ErrStale)
		require.ErrorIs(t, boughs.DeleteRow(ctx, &stale), orm.ErrStale)

		// Of several rows those are counted, and returned, that were written.
		for _, all := range []orm.QuerySet[Twig]{twigs, twigs.OrderBy("name"), twigs.OrderBy("id").Limit(5)} {
			list, err := all.UpdateReturning(ctx, query.Set("text", ""))
			if db.Server().Engine == dialect.MariaDB { // it cannot return what it updates, nor say which it has not
				notKept(t, err, 2, 1, false)
			} else {
				require.NoError(t, err)
				require.Equal(t, []*Twig{freed}, list)
			}
			err = atomic.Do(ctx, db, func(ctx context.Context) error {
				list, err := all.DeleteReturning(ctx)
				require.NoError(t, err)
				require.Equal(t, []*Twig{freed}, list)
				return atomic.Rollback
			})
			require.NoError(t, err)
		}
		n, err := twigs.Update(ctx, query.Set("text", ""))
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		n, err = twigs.Delete(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

// The write that leaves a row as it is may be spared; its lock is not.
func TestS39_SetLinksOfARowWhoseWriteIsSpared(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		c, all, ofA, ofB := hallAndPerks(ctx, t, db)
		passOver(ctx, t, db, "UPDATE", "hall", "NEW.name = OLD.name")
		set := func(perks ...*Perk) func(ctx context.Context) error {
			return func(ctx context.Context) error { return orm.SetLinks(ctx, db, c, "perks", perks...) }
		}
		require.NoError(t, set(all, ofA)(ctx))
		require.Equal(t, "all, of a", perksOf(ctx, t, db, "c"))
		require.NoError(t, atomic.Do(ctx, db, set(ofB)))
		require.Equal(t, "of b", perksOf(ctx, t, db, "c"))
		require.ErrorIs(t, orm.SetLinks(ctx, db, &Hall{AutoID: models.AutoID{ID: 77777}}, "perks", all), orm.ErrNotFound)

		// Of two the second waits for the first, and has the last word.
		if db.Server().Engine == dialect.Postgres {
			done := make(chan error, 1)
			require.NoError(t, atomic.Do(ctx, db, func(inner context.Context) error {
				if err := set(all)(inner); err != nil {
					return err
				}
				go func() { done <- set(ofA)(ctx) }()
				require.Eventually(t, func() bool {
					waiting := 0
					return db.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting) == nil && waiting == 1
				}, 30*time.Second, time.Millisecond)
				return nil
			}))
			require.NoError(t, <-done)
			require.Equal(t, "of a", perksOf(ctx, t, db, "c"))
		}
	})
}

// SetLinks makes exactly these links, or says that it has not.
func TestS39_LinksThatATriggerPassesOver(t *testing.T) {
	passing(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		c, all, ofA, ofB := hallAndPerks(ctx, t, db)
		require.NoError(t, orm.SetLinks(ctx, db, c, "perks", all, ofA))
		table := "hall_perk"
		passOver(ctx, t, db, "DELETE", table, fmt.Sprint("OLD.perk_id = ", ofA.ID))
		passOver(ctx, t, db, "INSERT", table, fmt.Sprint("NEW.perk_id = ", ofB.ID))
		notKept(t, orm.SetLinks(ctx, db, c, "perks", all), 1, 0, false)
		notKept(t, orm.SetLinks(ctx, db, c, "perks", all, ofA, ofB), 1, 0, false)
		err := atomic.Do(ctx, db, func(ctx context.Context) error {
			notKept(t, orm.SetLinks(ctx, db, c, "perks", ofB), 3, 1, false)
			return nil
		})
		require.ErrorIs(t, err, atomic.ErrRollbackRequired)
		require.Equal(t, "all, of a", perksOf(ctx, t, db, "c"))
		n, err := orm.Unlink(ctx, db, c, "perks", all, ofA)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}
