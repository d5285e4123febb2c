package queries

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_oneRow() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	customers := orm.Objects[Customer](db)
	bo, err := customers.Find(ctx, 2)
	fmt.Println(bo, err)
	chi, err := customers.Filter(query.F("email").Eq("chi@example.org")).Get(ctx)
	fmt.Println(chi, err)
	_, err = customers.Filter(query.F("city").Eq("Oslo")).Get(ctx)
	fmt.Println(errors.Is(err, orm.ErrMultipleRows))
	_, err = customers.Filter(query.F("city").Eq("Rome")).First(ctx)
	fmt.Println(errors.Is(err, orm.ErrNotFound))
	sent()
	// Output:
	// Bo <nil>
	// Chi <nil>
	// true
	// true
	// SELECT … FROM customers WHERE customers.id = ? LIMIT ?
	// SELECT … FROM customers WHERE customers.email = ? LIMIT ?
	// SELECT … FROM customers WHERE customers.city = ? LIMIT ?
	// SELECT … FROM customers WHERE customers.city = ? ORDER BY customers.id ASC LIMIT ?
}

func Example_iterate() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	var cents int64
	for order, err := range orm.Objects[Order](db).OrderBy("id").Iterate(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		cents += order.Total
	}
	fmt.Println(cents)
	// Output: 51600
}

func Example_count() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	open := orm.Objects[Order](db).Filter(query.F("state").Eq("new"))
	n, err := open.Count(ctx)
	fmt.Println(n, err)
	there, err := open.Exists(ctx)
	fmt.Println(there, err)
	sum, err := orm.Aggregate[int64](ctx, open, query.Sum(query.F("total")))
	fmt.Println(sum, err)
	sent()
	// Output:
	// 2 <nil>
	// true <nil>
	// 3700 <nil>
	// SELECT COUNT(*) FROM orders WHERE orders.state = ?
	// SELECT 1 FROM orders WHERE orders.state = ? LIMIT ?
	// SELECT SUM(orders.total) FROM orders WHERE orders.state = ?
}
