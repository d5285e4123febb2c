package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/internal/testserver"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
)

type (
	Painting struct {
		models.AutoID
		Name   string
		Motifs []*Motif `bun:"m2m:painting_motifs,join:Painting=Motif"`
	}
	Motif struct {
		models.AutoID
		Name      string
		Paintings []*Painting `bun:"m2m:painting_motifs,join:Motif=Painting"`
	}
	PaintingMotif struct {
		bun.BaseModel `bun:"table:painting_motifs"`
		PaintingID    int64     `bun:",pk"`
		MotifID       int64     `bun:",pk"`
		DeletedAt     time.Time `bun:",soft_delete,nullzero"`
		Painting      *Painting `bun:"rel:belongs-to,join:painting_id=id"`
		Motif         *Motif    `bun:"rel:belongs-to,join:motif_id=id"`
	}
	// EveryPaintingMotif is another model of the same table, which links as well.
	EveryPaintingMotif struct {
		bun.BaseModel `bun:"table:painting_motifs"`
		PaintingID    int64     `bun:",pk"`
		MotifID       int64     `bun:",pk"`
		Painting      *Painting `bun:"rel:belongs-to,join:painting_id=id"`
		Motif         *Motif    `bun:"rel:belongs-to,join:motif_id=id"`
	}
	// PaintingMotifKeys is one that does not.
	PaintingMotifKeys struct {
		bun.BaseModel `bun:"table:painting_motifs"`
		PaintingID    int64 `bun:",pk"`
		MotifID       int64 `bun:",pk"`
	}
)

// gallery has a painting with two motifs, of which one is linked by a row that is marked as
// deleted. opened opens the database once more, as a program does that starts again.
func gallery(t *testing.T, test func(t *testing.T, ctx context.Context, opened func(registered ...any) *orm.DB)) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db := open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*PaintingMotif)(nil), (*Painting)(nil), (*Motif)(nil)))
		painting, motifs := &Painting{Name: "Flora"}, []*Motif{{Name: "herbs"}, {Name: "trees"}}
		require.NoError(t, orm.Objects[Painting](db).Create(ctx, painting))
		require.NoError(t, orm.Objects[Motif](db).BulkCreate(ctx, motifs))
		require.NoError(t, orm.Link(ctx, db, painting, "motifs", motifs...))
		_, err := orm.Unlink(ctx, db, painting, "motifs", motifs[1])
		require.NoError(t, err)
		test(t, ctx, func(registered ...any) *orm.DB {
			db := open(t, at)
			db.Bun().RegisterModel(registered...)
			return db
		})
	})
}

func motifsOf(ctx context.Context, db *orm.DB) ([]string, error) {
	painting, err := orm.Objects[Painting](db).Prefetch("motifs").Get(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, motif := range painting.Motifs {
		names = append(names, motif.Name)
	}
	return names, nil
}

// A struct for an answer may be called like the table between: bun would take it for the
// model of that table, or not, by chance.
func TestS30_AnAnswerIsNoTable(t *testing.T) {
	asked := []func(ctx context.Context, db *orm.DB) error{
		func(ctx context.Context, db *orm.DB) error {
			type PaintingMotif struct {
				Name string
				N    int64
			}
			_, err := orm.Select[PaintingMotif](ctx, orm.Objects[Motif](db), F("name"), F("id").As("n"))
			return err
		},
		func(ctx context.Context, db *orm.DB) error {
			type PaintingMotif struct{ Name string }
			_, err := orm.Scan[PaintingMotif](ctx, db, "SELECT name FROM motifs")
			return err
		},
		func(ctx context.Context, db *orm.DB) error {
			type PaintingMotif struct{ ID int64 }
			for _, err := range orm.IterateScan[PaintingMotif](ctx, db, "SELECT id FROM motifs") {
				if err != nil {
					return err
				}
			}
			return nil
		},
		func(ctx context.Context, db *orm.DB) error {
			_, err := orm.Scan[EveryPaintingMotif](ctx, db, "SELECT painting_id, motif_id FROM painting_motifs")
			return err
		},
	}
	gallery(t, func(t *testing.T, ctx context.Context, opened func(...any) *orm.DB) {
		for range 3 { // the order of a map is another each time
			db := opened((*PaintingMotif)(nil))
			for _, ask := range asked {
				require.NoError(t, ask(ctx, db))
			}
			motifs, err := motifsOf(ctx, db)
			require.NoError(t, err)
			require.Equal(t, []string{"herbs"}, motifs)
		}
		db := opened() // nor does it make the table known
		for _, ask := range asked[1:3] {
			require.NoError(t, ask(ctx, db))
		}
		_, err := motifsOf(ctx, db)
		require.ErrorContains(t, err, "the table between, painting_motifs, is not known yet")
		paintings, err := orm.Scan[Painting](ctx, opened((*PaintingMotif)(nil)), "SELECT id, name FROM paintings")
		require.NoError(t, err)
		require.Equal(t, "Flora", paintings[0].Name)
	})
}

// Several structs may stand for the table between. The one by which rows are linked is the
// one that leads to both sides, and of several the one that was registered, whatever was
// asked first.
func TestS37_WhichModelIsBetween(t *testing.T) {
	gallery(t, func(t *testing.T, ctx context.Context, opened func(...any) *orm.DB) {
		keys := func(db *orm.DB) {
			list, err := orm.Objects[PaintingMotifKeys](db).All(ctx)
			require.NoError(t, err)
			require.Len(t, list, 2)
		}
		every := func(db *orm.DB) {
			list, err := orm.Objects[EveryPaintingMotif](db).Filter(F("motif.name").Ne("")).All(ctx)
			require.NoError(t, err)
			require.Len(t, list, 2)
		}
		living := func(db *orm.DB) {
			motifs, err := motifsOf(ctx, db)
			require.NoError(t, err)
			require.Equal(t, []string{"herbs"}, motifs)
		}
		for _, order := range [][]func(*orm.DB){{keys, every, living}, {every, living, keys}, {living, every, keys}} {
			db := opened((*PaintingMotif)(nil))
			for _, ask := range order {
				ask(db)
			}
			living(db)
			n, err := orm.Objects[Motif](db).Filter(F("name").Eq("trees")).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 1, n)
		}

		// CreateTables registers too.
		db := opened()
		every(db)
		require.NoError(t, orm.CreateTables(ctx, db, (*PaintingMotif)(nil)))
		every(db)
		living(db)

		// One that does not link is none, until one that does is known.
		db = opened()
		keys(db)
		for range 2 {
			_, err := motifsOf(ctx, db)
			require.ErrorContains(t, err, "is not known yet by a model with the fields Painting and Motif")
			require.ErrorContains(t, err, "orm_test.PaintingMotifKeys")
		}
		db.Bun().RegisterModel((*PaintingMotif)(nil))
		living(db)

		// Where nothing tells which one is meant it is an error, each time.
		for _, db := range []*orm.DB{opened((*EveryPaintingMotif)(nil), (*PaintingMotif)(nil)), opened((*PaintingMotif)(nil), (*EveryPaintingMotif)(nil))} {
			for range 2 {
				_, err := motifsOf(ctx, db)
				require.ErrorContains(t, err, "orm_test.EveryPaintingMotif, orm_test.PaintingMotif stand for painting_motifs alike")
			}
			keys(db)
		}
	})
}

// What several models have embedded leads to one of them.
type (
	Penned struct {
		WriterID *int64
		Writer   *Writer `bun:"rel:belongs-to,join:writer_id=id"`
		Note     string
	}
	Writer struct {
		models.AutoID
		Penned
		Name string
	}
	Leaflet struct {
		models.AutoID
		Penned
		Title string
	}
)

// bun leaves out what stands behind the relation, in the model that comes second.
func TestS02_NoColumnIsLostByWhatWasAskedFirst(t *testing.T) {
	t.Parallel()
	testserver.Each(t, func(t *testing.T, at testserver.Database) {
		ctx := t.Context()
		db := open(t, at)
		require.NoError(t, orm.CreateTables(ctx, db, (*Writer)(nil), (*Leaflet)(nil)))
		for _, essayFirst := range []bool{false, true} {
			db := open(t, at)
			if essayFirst {
				_, err := orm.Objects[Leaflet](db).Filter(F("writer.note").Eq("x")).All(ctx)
				require.NoError(t, err)
			}
			writer := &Writer{Name: "Ada", Penned: Penned{Note: "first"}}
			require.NoError(t, orm.Objects[Writer](db).Create(ctx, writer))
			leaflet := &Leaflet{Title: "On engines", Penned: Penned{WriterID: &writer.ID, Note: "second"}}
			require.NoError(t, orm.Objects[Leaflet](db).Create(ctx, leaflet))
			got, err := orm.Objects[Leaflet](db).Related("writer.writer").Filter(F("writer.note").Eq("first"), F("id").Eq(leaflet.ID)).Get(ctx)
			require.NoError(t, err)
			require.Equal(t, "first", got.Writer.Note)
			require.Equal(t, "second", got.Note)
		}
	})
}
