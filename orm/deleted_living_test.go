package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Ticket has keys that are unique among the rows that are not deleted.
type Ticket struct {
	bun.BaseModel `bun:"table:ticket"`
	models.AutoID
	models.SoftDelete
	Code string `bun:"type:varchar(20)"`
	Seat int64
	N    int64
}

func TestS63_AKeyOfTheLivingRows(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		require.NoError(t, orm.CreateTables(ctx, db, (*Ticket)(nil)))
		tickets := orm.Objects[Ticket](db)
		upsert := func(rows ...*Ticket) error { return tickets.BulkCreate(ctx, rows, query.OnConflict("code").Update()) }
		if e := db.Server().Engine; e == dialect.MySQL || e == dialect.MariaDB { // which have no such key, but one with a computed column
			_, err := db.Exec(ctx, "ALTER TABLE ticket ADD COLUMN living TINYINT AS (CASE WHEN deleted_at IS NULL THEN 1 END), ADD UNIQUE (code, living)")
			require.NoError(t, err)
			require.ErrorIs(t, upsert(&Ticket{Code: "a"}), dialect.ErrUnsupported)
			for n := range int64(2) {
				row := &Ticket{Code: "a", N: n}
				created, err := tickets.UpdateOrCreate(ctx, row, "code")
				require.NoError(t, err)
				require.Equal(t, n == 0, created)
			}
			return
		}
		for _, text := range []string{"CREATE UNIQUE INDEX ticket_code ON ticket (code) WHERE deleted_at IS NULL", "CREATE UNIQUE INDEX ticket_seat ON ticket (seat)"} {
			_, err := db.Exec(ctx, text)
			require.NoError(t, err)
		}
		living := func() *Ticket {
			t.Helper()
			row, err := tickets.Filter(F("code").Eq("a")).Get(ctx)
			require.NoError(t, err)
			return row
		}
		require.NoError(t, upsert(&Ticket{Code: "a", Seat: 1, N: 1}))
		first := living()
		require.NoError(t, upsert(&Ticket{Code: "a", Seat: 1, N: 2}, &Ticket{Code: "b", Seat: 2}))
		require.Equal(t, first.ID, living().ID)
		require.EqualValues(t, 2, living().N)
		require.NoError(t, tickets.BulkCreate(ctx, []*Ticket{{Code: "a", Seat: 9}}, query.OnConflict("code").DoNothing()))
		require.EqualValues(t, 1, living().Seat)
		require.NoError(t, tickets.BulkCreate(ctx, []*Ticket{{Code: "a", Seat: 9}}, query.OnConflict("code").Set(query.Set("n", F("n").Add(5)))))
		require.EqualValues(t, 7, living().N)

		// A deleted row holds no such key: there is a new one beside it.
		require.NoError(t, tickets.DeleteRow(ctx, living()))
		row := &Ticket{Code: "a", Seat: 3, N: 3}
		require.NoError(t, upsert(row))
		require.Equal(t, row, living())
		require.NotEqual(t, first.ID, row.ID)
		n, err := tickets.WithDeleted().Filter(F("code").Eq("a")).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.NoError(t, tickets.WithDeleted().BulkCreate(ctx, []*Ticket{{Code: "a", Seat: 3, N: 4}}, query.OnConflict("code").Update()))
		require.Equal(t, row.ID, living().ID)
		require.EqualValues(t, 4, living().N)

		// A key of all rows is held by the deleted one too.
		require.ErrorIs(t, tickets.BulkCreate(ctx, []*Ticket{{Code: "c", Seat: 1}}, query.OnConflict("seat").Update()), orm.ErrDeleted)
		require.NoError(t, tickets.BulkCreate(ctx, []*Ticket{{Code: "c", Seat: 3}}, query.OnConflict("seat").Update("code")))
		moved, err := tickets.Filter(F("code").Eq("c")).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, row.ID, moved.ID)
	})
}
