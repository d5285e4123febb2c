package queries

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_rank() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	perCustomer := query.Partition(query.F("customer_id")).OrderBy("-total")
	ranked := query.Select(orm.Objects[Order](db),
		query.F("id"), query.F("customer.name"), query.F("total"), query.RowNumber().Over(perCustomer).As("place"))
	list, err := orm.Select[struct {
		Name  string
		Total int64
	}](ctx, ranked.Filter(query.F("place").Eq(1)).OrderBy("-total"), query.F("name"), query.F("total"))
	fmt.Println(list, err)
	// Output: [{Bo 40000} {Ada 4500} {Chi 2700}] <nil>
}

func Example_frame() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	byTime := query.Partition().OrderBy("placed", "id")
	list, err := orm.Select[struct {
		ID      int64
		Sum     int64
		OfThree float64
		Before  *int64
	}](ctx, orm.Objects[Order](db).OrderBy("placed", "id"),
		query.F("id"),
		query.Sum(query.F("total")).Over(byTime.Rows(query.Unbounded, 0)).As("sum"),
		query.Round(query.Avg(query.F("total")).Over(byTime.Rows(-2, 0)), 2).As("of_three"),
		query.Lag(query.F("id"), 1).Over(byTime).As("before"))
	for _, o := range list {
		fmt.Println(o.ID, o.Sum, o.OfThree, o.Before != nil)
	}
	fmt.Println(err)
	// Output:
	// 1 3400 3400 false
	// 2 7900 3950 true
	// 3 47900 15966.67 true
	// 4 50600 15733.33 true
	// 5 51600 14566.67 true
	// <nil>
}
