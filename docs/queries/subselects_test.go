package queries

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_exists() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	lines := orm.Objects[Line](db).Filter(query.F("product_id").Eq(query.Outer("id")))
	neverSent := query.Not(query.Exists(lines.Filter(query.F("order.state").Eq("sent"))))
	list, err := orm.Objects[Product](db).Filter(neverSent).All(ctx)
	fmt.Println(list, err)
	sent()
	// Output:
	// [pen notebook desk] <nil>
	// SELECT … FROM products WHERE NOT (EXISTS (SELECT 1 FROM lines INNER JOIN orders AS order ON order.id = lines.order_id WHERE lines.product_id = products.id AND order.state = ?))
}

func Example_in() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	big := query.Select(orm.Objects[Order](db).OrderBy("-total").Limit(2), query.F("customer_id"))
	list, err := orm.Objects[Customer](db).Filter(query.F("id").In(big)).All(ctx)
	fmt.Println(list, err)
	sent()
	// Output:
	// [Ada Bo] <nil>
	// SELECT … FROM customers WHERE customers.id IN (SELECT sub.customer_id FROM (SELECT orders.customer_id FROM orders ORDER BY orders.total DESC LIMIT ?) AS sub)
}

func Example_scalar() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	orders := orm.Objects[Order](db)
	mean := query.Select(orders, query.Avg(query.F("total")))
	above, err := orders.Filter(query.F("total").Gt(mean)).All(ctx)
	fmt.Println(above, err)

	latest := query.Select(orders.Filter(query.F("customer_id").Eq(query.Outer("id"))).OrderBy("-placed").Limit(1), query.F("state"))
	list, err := orm.Select[struct {
		Name  string
		State *string
	}](ctx, orm.Objects[Customer](db).OrderBy("id").Limit(1), query.F("name"), latest.Expr().As("state"))
	fmt.Println(list[0].Name, *list[0].State, err)
	sent()
	// Output:
	// [#3] <nil>
	// Ada sent <nil>
	// SELECT … FROM orders WHERE CAST(orders.total AS REAL) > (SELECT AVG(orders_2.total) FROM orders AS orders_2)
	// SELECT customers.name, (SELECT orders.state FROM orders WHERE orders.customer_id = customers.id ORDER BY orders.placed DESC LIMIT ?) AS state FROM customers ORDER BY customers.id ASC LIMIT ?
}

func Example_join() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	sold := query.Select(orm.Objects[Line](db).GroupBy("product_id"), query.F("product_id"), query.Sum(query.F("quantity")).As("pieces"))
	list, err := orm.Select[struct {
		Name   string
		Pieces int64
	}](ctx, orm.Objects[Product](db).Join("sold", sold, query.F("id").Eq(query.F("sold.product_id"))).OrderBy("-pieces").Limit(2),
		query.F("name"), query.F("sold.pieces"))
	fmt.Println(list, err)
	sent()
	// Output:
	// [{pen 14} {notebook 4}] <nil>
	// SELECT products.name, sold.pieces FROM products INNER JOIN (SELECT lines.product_id, SUM(lines.quantity) AS pieces FROM lines GROUP BY lines.product_id) AS sold ON products.id = sold.product_id ORDER BY sold.pieces DESC LIMIT ?
}

func Example_union() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	cheap := query.Select(orm.Objects[Product](db).Filter(query.F("price").Lt(1000)), query.F("name"))
	gone := query.Select(orm.Objects[Product](db).Filter(query.F("stock").Eq(0)), query.F("name"))
	names, err := orm.Select[string](ctx, query.Union(cheap, gone).OrderBy("name"))
	fmt.Println(names, err)
	sent()
	// Output:
	// [desk notebook pen] <nil>
	// SELECT sub.name FROM (SELECT products.name FROM products WHERE products.price < ? UNION SELECT products.name FROM products WHERE products.stock = ?) AS sub ORDER BY sub.name ASC
}

func Example_selectionOfSelection() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	perCustomer := query.Select(orm.Objects[Order](db).GroupBy("customer_id"), query.F("customer_id"), query.Sum(query.F("total")).As("spent"))
	mean, err := orm.Select[float64](ctx, query.Select(perCustomer, query.Avg(query.F("spent"))))
	fmt.Println(mean, err)
	sent()
	// Output:
	// [17200] <nil>
	// SELECT AVG(sub.spent) FROM (SELECT orders.customer_id, SUM(orders.total) AS spent FROM orders GROUP BY orders.customer_id) AS sub
}

func Example_with() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	spent := query.With("spent", query.Select(orm.Objects[Order](db).GroupBy("customer_id"),
		query.F("customer_id"), query.Sum(query.F("total")).As("cents")))
	most := query.Select(spent, query.Max(query.F("cents")))
	best, err := orm.Select[int64](ctx, spent.Filter(query.F("cents").Eq(most)), query.F("customer_id"))
	fmt.Println(best, err)
	sent()
	// Output:
	// [2] <nil>
	// WITH spent AS (SELECT orders.customer_id, SUM(orders.total) AS cents FROM orders GROUP BY orders.customer_id) SELECT sub.customer_id FROM spent AS sub WHERE sub.cents = (SELECT MAX(sub_2.cents) FROM spent AS sub_2)
}

func Example_recursive() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	tags := orm.Objects[Tag](db)
	under := query.Recursive("under",
		query.Select(tags.Filter(query.F("name").Eq("office")), query.F("id"), query.F("name")),
		func(self query.Selection) query.Query {
			return query.Select(tags.Join("up", self, query.F("parent_id").Eq(query.F("up.id"))), query.F("id"), query.F("name"))
		})
	names, err := orm.Select[string](ctx, under.OrderBy("id"), query.F("name"))
	fmt.Println(names, err)
	sent()
	// Output:
	// [office paper squared] <nil>
	// WITH RECURSIVE under AS (SELECT tags.id, tags.name FROM tags WHERE tags.name = ? UNION ALL SELECT tags.id, tags.name FROM tags INNER JOIN under AS up ON tags.parent_id = up.id) SELECT sub.name FROM under AS sub ORDER BY sub.id ASC
}
