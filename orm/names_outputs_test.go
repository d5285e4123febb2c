package orm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// nameSale refers to a bill, which alone has a total.
type nameSale struct {
	bun.BaseModel `bun:"table:sale"`
	ID            int64 `bun:",pk"`
	BillID        *int64
	Price         int64
	Rank          *int64
	Bill          *nameBill `bun:"rel:belongs-to,join:bill_id=id"`
}

type nameBill struct {
	bun.BaseModel `bun:"table:bill"`
	ID            int64 `bun:",pk"`
	Total         int64
	Due           *int64
	Money         *string `bun:"type:decimal(5,2)"`
}

func nameSales(ctx context.Context, t *testing.T, db *orm.DB) orm.QuerySet[nameSale] {
	three, nine, hundred, none := int64(3), "9.00", "100.00", "0.00"
	id := func(n int64) *int64 { return &n }
	require.NoError(t, orm.Objects[nameBill](db).BulkCreate(ctx, []*nameBill{
		{ID: 1, Total: 30, Money: &nine}, {ID: 2, Total: 50, Due: &three, Money: &hundred}, {ID: 3, Total: 0, Money: &none}}))
	require.NoError(t, orm.Objects[nameSale](db).BulkCreate(ctx, []*nameSale{
		{ID: 1, BillID: id(1), Price: 10}, {ID: 2, BillID: id(1), Price: 20, Rank: &three}, {ID: 3, BillID: id(2), Price: 20}, {ID: 4, BillID: id(3), Price: 1}, {ID: 5, Price: 7}}))
	return orm.Objects[nameSale](db)
}

// TestS30_HavingMeansWhatIsPutOut: and not a column of another table that is grouped by.
func TestS30_HavingMeansWhatIsPutOut(t *testing.T) {
	nameBed(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		type row struct{ Of, Stated, Total int64 }
		q := nameSales(ctx, t, db).Filter(F("bill_id").Ne(nil))
		for _, groups := range [][]string{{"bill.id", "bill.total"}, {"bill.id", "stated"}} {
			rows, err := orm.Select[row](ctx, q.GroupBy(groups...).Having(F("total").Ne(F("stated"))).OrderBy("-of"),
				F("bill.id").As("of"), F("bill.total").As("stated"), query.Sum(F("price")).As("total"))
			require.NoError(t, err)
			require.Equal(t, []row{{3, 0, 1}, {2, 50, 20}}, rows)
			rows, err = orm.Select[row](ctx, q.GroupBy(groups...).Having(F("total").Gt(11)).OrderBy("of"),
				F("bill.id").As("of"), F("bill.total").As("stated"), F("bill.total").Sub(F("bill.id").Mul(12)).As("total"))
			require.NoError(t, err)
			require.Equal(t, []row{{1, 30, 18}, {2, 50, 26}}, rows)
		}
		// What is grouped by itself, and is computed.
		rows, err := orm.Select[row](ctx, q.GroupBy("bill.id", "bill.total", "total").Having(F("total").Lt(11), query.Max(F("total")).Gt(1)).OrderByExpr(F("total").Mul(-1).Asc()),
			F("bill.id").As("of"), F("bill.total").As("stated"), F("price").Add(F("bill.id").Mul(2)).As("total"))
		require.NoError(t, err)
		require.Equal(t, []row{{3, 0, 7}}, rows)
	}, (*nameSale)(nil), (*nameBill)(nil))
}

// TestS57_NullOfWhatIsPutOut: under the name that a column of another table has.
func TestS57_NullOfWhatIsPutOut(t *testing.T) {
	nameBed(t, func(t *testing.T, ctx context.Context, db *orm.DB) {
		q := nameSales(ctx, t, db)
		type row struct {
			ID    int64
			Total *int64
		}
		ids := func(q orm.QuerySet[nameSale], of query.Output) (list []int64) {
			t.Helper()
			rows, err := orm.Select[row](ctx, q, F("id"), of)
			require.NoError(t, err)
			for _, r := range rows {
				list = append(list, r.ID)
			}
			return list
		}
		total := query.NullIf(F("bill.total"), 0).As("total")
		require.Equal(t, []int64{1, 2, 3, 4, 5}, ids(q.OrderByExpr(F("total").Asc().NullsLast(), F("id").Asc()), total))
		require.Equal(t, []int64{4, 5, 3, 1, 2}, ids(q.OrderByExpr(F("total").Desc().NullsFirst(), F("id").Asc()), total))
		counts := query.Select(orm.Objects[nameBill](db), F("id"), query.NullIf(F("total"), 0).As("total"))
		beside := q.LeftJoin("counts", counts, F("counts.id").Eq(F("bill_id")))
		require.Equal(t, []int64{3, 1, 2, 4, 5}, ids(beside.OrderByExpr(F("total").Asc().NullsLast(), F("id").Asc()), query.NullIf(query.Coalesce(F("counts.total"), query.Value(99)).Mul(-1), -99).As("total")))

		// Within an expression, a window, and a query over groups.
		require.Equal(t, []int64{3, 1, 2, 4, 5}, ids(q.OrderByExpr(F("total").Mul(2).Asc().NullsLast(), F("id").Asc()), query.NullIf(F("bill.total").Mul(-1), 0).As("total")))
		require.Equal(t, []int64{4, 5, 3, 1, 2}, ids(q.OrderByExpr(query.RowNumber().Over(query.Window{}.OrderBy("total", "id")).Asc()), query.NullIf(F("bill.total").Mul(-1), 0).As("total")))
		for _, groups := range [][]string{{"id", "total"}, {"id", "bill.total"}} {
			require.Equal(t, []int64{3, 1, 2, 4, 5}, ids(q.GroupBy(groups...).OrderByExpr(F("total").Asc().NullsLast(), F("id").Asc()), query.NullIf(F("bill.total").Mul(-1), 0).As("total")))
		}
		require.Equal(t, []int64{5, 4, 1, 2, 3}, ids(q.GroupBy("id").OrderByExpr(F("total").Desc().NullsFirst(), F("id").Asc()), query.Max(query.Coalesce(query.NullIf(F("bill.total").Mul(-1), 5), query.NullIf(F("price"), 7))).As("total")))

		// Of decimals, which SQLite orders as numbers.
		type priced struct {
			ID    int64
			Money *string
		}
		rows, err := orm.Select[priced](ctx, q.OrderByExpr(F("money").Asc(), F("id").Asc()), F("id"), query.NullIf(F("bill.money"), "9.00").As("money"))
		require.NoError(t, err)
		var list []int64
		for _, r := range rows {
			list = append(list, r.ID)
		}
		require.Equal(t, []int64{1, 2, 5, 4, 3}, list)

		// Of rows that are Distinct MySQL can place it by names alone.
		distinct := query.Select(q, total).Distinct().OrderByExpr(F("total").Asc().NullsLast())
		got, err := orm.Select[*int64](ctx, distinct)
		if e := db.Server().Engine; e == dialect.MySQL || e == dialect.MariaDB {
			var field *query.FieldError
			require.ErrorAs(t, err, &field)
			return
		}
		require.NoError(t, err)
		require.Len(t, got, 3)
		require.Nil(t, got[2])
	}, (*nameSale)(nil), (*nameBill)(nil))
}
