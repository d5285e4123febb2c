package queries

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_order() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	list, err := orm.Objects[Order](db).OrderBy("customer.name", "-placed").Limit(3).All(ctx)
	fmt.Println(list, err)
	sent()
	// Output:
	// [#2 #1 #5] <nil>
	// SELECT … FROM orders INNER JOIN customers AS customer ON customer.id = orders.customer_id ORDER BY customer.name ASC, orders.placed DESC LIMIT ?
}

func Example_nulls() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	customers := orm.Objects[Customer](db)
	list, err := customers.OrderBy("city", "name").All(ctx)
	fmt.Println(list, err)
	list, err = customers.OrderByExpr(query.F("city").Asc().NullsLast(), query.F("name").Asc()).All(ctx)
	fmt.Println(list, err)
	// Output:
	// [Chi Bo Dag Ada] <nil>
	// [Bo Dag Ada Chi] <nil>
}
