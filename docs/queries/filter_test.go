package queries

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_filter() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	orders := orm.Objects[Order](db)
	list, err := orders.Filter(query.F("state").Eq("paid"), query.F("total").Gt(5000)).All(ctx)
	fmt.Println(list, err)
	sent()
	// Output:
	// [#3] <nil>
	// SELECT … FROM orders WHERE orders.state = ? AND orders.total > ?
}

func Example_exclude() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	oslo := query.F("city").Eq("Oslo")
	in, err := orm.Objects[Customer](db).Filter(oslo).All(ctx)
	fmt.Println(in, err)
	out, err := orm.Objects[Customer](db).Exclude(oslo).All(ctx) // Chi, who has no city, too
	fmt.Println(out, err)
	sent()
	// Output:
	// [Bo Dag] <nil>
	// [Ada Chi] <nil>
	// SELECT … FROM customers WHERE customers.city = ?
	// SELECT … FROM customers WHERE ((customers.city = ?)) IS NOT TRUE
}

func Example_combine() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	state, total := query.F("state"), query.F("total")
	due := query.And(state.Eq("new"), total.Ge(2000))
	large := total.Gt(10000)
	list, err := orm.Objects[Order](db).Filter(query.Or(due, large), query.Not(state.Eq("sent"))).All(ctx)
	fmt.Println(list, err)
	sent()
	// Output:
	// [#3 #4] <nil>
	// SELECT … FROM orders WHERE ((orders.state = ? AND orders.total >= ?) OR orders.total > ?) AND NOT (orders.state = ?)
}

func Example_twoColumns() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	lines := orm.Objects[Line](db)
	cheaper, err := lines.Filter(query.F("price").Lt(query.F("product.price"))).All(ctx)
	fmt.Println(cheaper, err)
	sent()
	large, err := lines.Filter(query.F("quantity").Mul(query.F("price")).Ge(query.F("order.total").Div(2))).Count(ctx)
	fmt.Println(large, err)
	// Output:
	// [2x4000] <nil>
	// SELECT … FROM lines INNER JOIN products AS product ON product.id = lines.product_id WHERE lines.price < product.price
	// 5 <nil>
}

var Placed = query.Column(func(o *Order) *time.Time { return &o.Placed })

func Example_typed() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	list, err := orm.Objects[Order](db).Filter(Placed.Ge(at(time.March, 1, 0))).OrderByExpr(Placed.Desc()).All(ctx)
	fmt.Println(list, err)
	// Output: [#5 #4] <nil>
}
