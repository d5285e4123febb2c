package orm_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Models with the methods of a mixin that return no column.
type (
	ownVersion struct {
		models.AutoID
		models.Versioned
		Balance int64
		Version int64 `json:"version"`
	}
	ownUpdated struct {
		models.AutoID
		models.Timestamps
		Balance   int64
		UpdatedAt time.Time `json:"updated_at"`
	}
	ownCreated struct {
		models.AutoID
		models.Timestamps
		Balance   int64
		CreatedAt time.Time
	}
	leftOut struct {
		models.AutoID
		models.Versioned `bun:"-"`
		Balance          int64
	}
	unstored struct {
		models.AutoID
		Balance int64
		Edition int64 `bun:"-"`
	}
	changedAlone struct {
		models.AutoID
		Balance int64
		Changed time.Time
	}
	pointedTo struct {
		models.AutoID
		Balance int64
		Written *time.Time
		Changed *time.Time
	}
	ofACopy struct {
		models.AutoID
		Balance int64
		Edition int64
	}
	filledIn struct {
		models.AutoID
		Balance int64
		Edition int64 `bun:",scanonly"`
	}
	edited    struct{ Edition int64 }
	revised   struct{ Revision int64 }
	ofTwoOnes struct {
		models.AutoID
		edited
		revised
		Balance int64
	}
)

func (r *unstored) VersionField() *int64                               { return &r.Edition }
func (r *changedAlone) TimestampFields() (created, updated *time.Time) { return nil, &r.Changed }
func (r *pointedTo) TimestampFields() (created, updated *time.Time)    { return r.Written, r.Changed }
func (r ofACopy) VersionField() *int64                                 { return &r.Edition }
func (r *filledIn) VersionField() *int64                               { return &r.Edition }
func (e *edited) VersionField() *int64                                 { return &e.Edition }
func (e *revised) VersionField() *int64                                { return &e.Revision }

// refused has a model refused by everything, and before anything is sent.
func refused[T any](ctx context.Context, t *testing.T, db *orm.DB, want ...string) {
	t.Helper()
	rows := orm.Objects[T](db)
	_, updated := rows.Update(ctx, query.Set("balance", 1))
	_, read := rows.All(ctx)
	for _, err := range []error{
		orm.CreateTables(ctx, db, new(T)), rows.Err(), rows.Create(ctx, new(T)), rows.BulkCreate(ctx, []*T{new(T)}), rows.Save(ctx, new(T)),
		rows.BulkSave(ctx, []*T{new(T)}), rows.DeleteRow(ctx, new(T)), updated, read,
	} {
		for _, text := range want {
			require.ErrorContains(t, err, text)
		}
	}
}

func TestS28_AFieldThatIsNoColumn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		refused[ownVersion](ctx, t, db, "ownVersion", "VersionField", "hides")
		refused[ownUpdated](ctx, t, db, "ownUpdated", "TimestampFields", "of the last change", "hides")
		refused[ownCreated](ctx, t, db, "ownCreated", "TimestampFields", "of creation", "hides")
		refused[leftOut](ctx, t, db, "leftOut", "VersionField", `tagged "-"`)
		refused[unstored](ctx, t, db, "unstored", "VersionField", `tagged "-"`)
		refused[changedAlone](ctx, t, db, "changedAlone", "TimestampFields", "of creation")
		refused[pointedTo](ctx, t, db, "pointedTo", "TimestampFields", "of creation")
		refused[ofACopy](ctx, t, db, "ofACopy", "VersionField")
		refused[filledIn](ctx, t, db, "filledIn", "VersionField", "scanonly")
		refused[ofTwoOnes](ctx, t, db, "ofTwoOnes", "VersionField", "several")
	})
}

type (
	// Purse writes what its mixin has once more, and says which is meant.
	Purse struct {
		bun.BaseModel `bun:"table:purse"`
		models.AutoID
		models.Versioned
		models.Timestamps
		Balance   int64
		Version   int64 `json:"version"`
		CreatedAt time.Time
		UpdatedAt time.Time
	}
	count int64
	// Ledger counts in a type of its own, and belongs to a row that is looked after too.
	Ledger struct {
		bun.BaseModel `bun:"table:ledger"`
		looked
		Balance int64
		Edition count
		PurseID int64
		Purse   *Purse `bun:"rel:belongs-to,join:purse_id=id"`
	}
	looked struct {
		models.AutoID
		models.Timestamps
	}
)

func (p *Purse) VersionField() *int64 { return &p.Version }
func (p *Purse) TimestampFields() (created, updated *time.Time) {
	return &p.CreatedAt, &p.UpdatedAt
}
func (l *Ledger) VersionField() *int64 { return (*int64)(&l.Edition) }

func TestS28_AFieldThatAMethodReturnsIsLookedAfter(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Purse)(nil), (*Ledger)(nil)))
		purses, ledgers := orm.Objects[Purse](db), orm.Objects[Ledger](db)
		purse := &Purse{Balance: 10}
		require.NoError(t, purses.Create(ctx, purse))
		his := *purse
		require.NoError(t, purses.Save(ctx, purse))
		require.ErrorIs(t, purses.Save(ctx, &his), orm.ErrStale)
		require.ErrorIs(t, purses.BulkSave(ctx, []*Purse{&his}), orm.ErrStale)
		require.ErrorIs(t, purses.DeleteRow(ctx, &his), orm.ErrStale)
		got, err := purses.Get(ctx)
		require.NoError(t, err)
		require.Equal(t, purse, got)
		require.EqualValues(t, 2, got.Version)
		require.False(t, got.CreatedAt.IsZero() || got.UpdatedAt.Before(got.CreatedAt))

		ledger := &Ledger{PurseID: purse.ID}
		require.NoError(t, ledgers.Create(ctx, ledger))
		hers := *ledger
		require.NoError(t, ledgers.Save(ctx, ledger))
		require.ErrorIs(t, ledgers.Save(ctx, &hers), orm.ErrStale)
		_, err = ledgers.Update(ctx, query.Set("balance", 3))
		require.NoError(t, err)
		require.ErrorIs(t, ledgers.Save(ctx, ledger), orm.ErrStale)
		read, err := ledgers.Related("purse").Get(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 3, read.Edition)
		require.Equal(t, got, read.Purse)
	})
}

type hiddenKey struct {
	bun.BaseModel `bun:"table:hidden_key"`
	models.UUID
	ID   uuid.UUID `bun:",pk" json:"id"`
	Name string
}

// The key would be that of all rows: zeros.
func TestS28_AKeyThatIsNoColumn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*hiddenKey)(nil)))
		rows := orm.Objects[hiddenKey](db)
		const want = "NewKey"
		require.ErrorContains(t, rows.Create(ctx, &hiddenKey{Name: "a"}), want)
		require.ErrorContains(t, rows.BulkCreate(ctx, []*hiddenKey{{Name: "a"}}), want)
		require.ErrorContains(t, rows.BulkCreate(ctx, []*hiddenKey{{Name: "a"}}, query.OnConflict("id").Update()), want)
		_, err := rows.GetOrCreate(ctx, &hiddenKey{Name: "a"}, "name")
		require.ErrorContains(t, err, want)
		n, err := rows.Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, rows.Create(ctx, &hiddenKey{ID: uuid.New(), Name: "given"}))
	})
}
