package queries

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_related() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	lines, err := orm.Objects[Line](db).
		Filter(query.F("order.customer.city").Eq("Oslo")).
		Related("product", "order.customer").
		OrderBy("-price").
		Limit(1).
		All(ctx)
	for _, line := range lines {
		fmt.Println(line.Quantity, line.Product.Name, "for", line.Order.Customer.Name)
	}
	fmt.Println(err)
	sent()
	// Output:
	// 1 desk for Bo
	// <nil>
	// SELECT … FROM lines INNER JOIN products AS product ON product.id = lines.product_id INNER JOIN orders AS order ON order.id = lines.order_id INNER JOIN customers AS order__customer ON order__customer.id = order.customer_id WHERE order__customer.city = ? ORDER BY lines.price DESC LIMIT ?
}

func Example_prefetch() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	customers, err := orm.Objects[Customer](db).
		OrderBy("name").
		Prefetch("orders", func(r orm.Related) orm.Related { return r.OrderBy("-placed").Limit(1) }).
		Prefetch("orders.lines", func(r orm.Related) orm.Related { return r.Related("product").OrderBy("id") }).
		All(ctx)
	for _, c := range customers {
		fmt.Print(c.Name, ":")
		for _, o := range c.Orders {
			for _, l := range o.Lines {
				fmt.Print(" ", l.Quantity, " ", l.Product.Name)
			}
		}
		fmt.Println()
	}
	fmt.Println(len(forget()), "statements", err)
	// Output:
	// Ada: 1 lamp
	// Bo: 4 pen
	// Chi: 3 notebook
	// Dag:
	// 3 statements <nil>
}

func Example_any() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	late := query.And(query.F("state").Eq("new"), query.F("placed").Lt(at(time.March, 2, 12)))
	for _, cond := range []query.Cond{query.Any("orders", late), query.None("orders"), query.Every("orders", query.F("total").Lt(5000))} {
		list, err := orm.Objects[Customer](db).Filter(cond).OrderBy("name").All(ctx)
		fmt.Println(list, err)
	}
	// Output:
	// [Chi] <nil>
	// [Dag] <nil>
	// [Ada Chi Dag] <nil>
}

func Example_anyPath() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	list, err := orm.Objects[Customer](db).
		Filter(query.Any("orders.lines", query.F("product.name").Eq("pen"))).
		OrderBy("name").
		All(ctx)
	fmt.Println(list, err)
	sent()
	tagged, err := orm.Objects[Product](db).Filter(query.Any("tags", query.F("name").Eq("office"))).All(ctx)
	fmt.Println(tagged, err)
	// Output:
	// [Ada Bo] <nil>
	// SELECT … FROM customers WHERE EXISTS (SELECT 1 FROM lines INNER JOIN products AS product ON product.id = lines.product_id WHERE lines.order_id IN (SELECT orders.id FROM orders WHERE orders.customer_id = customers.id) AND product.name = ?) ORDER BY customers.name ASC
	// [pen lamp] <nil>
}

func Example_countOf() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	type Buyer struct {
		Name         string
		Orders, Open int64
		Spent        *int64
	}
	buyers, err := orm.Select[Buyer](ctx, orm.Objects[Customer](db).OrderBy("-orders", "name"),
		query.F("name"),
		query.CountOf("orders").As("orders"),
		query.CountOf("orders", query.F("state").Eq("new")).As("open"),
		query.SumOf("orders", query.F("total")).As("spent"))
	for _, b := range buyers {
		fmt.Println(b.Name, b.Orders, b.Open, b.Spent != nil)
	}
	fmt.Println(err)
	// Output:
	// Ada 2 0 true
	// Bo 2 1 true
	// Chi 1 1 true
	// Dag 0 0 false
	// <nil>
}

// Buyer is a Customer with what is computed for it.
type Buyer struct {
	bun.BaseModel `bun:"table:customers"`
	ID            int64 `bun:",pk"`
	Name          string
	Spent         int64    `bun:",scanonly"`
	Orders        []*Order `bun:"rel:has-many,join:id=customer_id"`
}

func Example_annotate() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	spent := query.Coalesce(query.SumOf("orders", query.F("total")), query.Value(0))
	buyers, err := orm.Objects[Buyer](db).
		Annotate("spent", spent).
		Filter(query.F("spent").Gt(5000)).
		OrderBy("-spent").
		All(ctx)
	for _, b := range buyers {
		fmt.Println(b.Name, b.Spent)
	}
	fmt.Println(err)
	// Output:
	// Bo 41000
	// Ada 7900
	// <nil>
}
