package queries

import (
	"context"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_raw() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	initials := query.Raw("substr(?, 1, 1) IN (?, ?)", query.F("name"), "A", "B")
	list, err := orm.Objects[Customer](db).Filter(initials).All(ctx)
	fmt.Println(list, err)
	sent()
	// Output:
	// [Ada Bo] <nil>
	// SELECT … FROM customers WHERE (substr(customers.name, 1, 1) IN (?, ?))
}

func Example_scan() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	type Sale struct {
		Product string
		Cents   int64
	}
	sales, err := orm.Scan[Sale](ctx, db, `
		SELECT p.name AS product, SUM(l.quantity * l.price) AS cents
		FROM lines l JOIN products p ON p.id = l.product_id
		WHERE l.quantity >= ?
		GROUP BY p.name ORDER BY cents DESC`, 2)
	fmt.Println(sales, err)
	// Output: [{lamp 8000} {pen 3500} {notebook 2700}] <nil>
}

func Example_databaseSQL() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		_, err := db.SQL().ExecContext(ctx, "UPDATE products SET stock = 0 WHERE name = ?", "lamp")
		return err
	})
	fmt.Println(err)
	sent()
	// Output:
	// <nil>
	// BEGIN IMMEDIATE
	// UPDATE products SET stock = 0 WHERE name = ?
	// COMMIT
}

func Example_refused() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	orders := orm.Objects[Order](db)
	_, err := orders.Filter(query.F("sate").Eq("paid")).All(ctx)
	fmt.Println(err)
	_, err = orders.Filter(query.F("total").Eq("many")).All(ctx)
	fmt.Println(err)
	_, err = orm.Select[struct{ State string }](ctx, orders, query.F("state"), query.F("total"))
	fmt.Println(err)
	_, err = orders.SelectForUpdate().All(ctx)
	fmt.Println(err)
	fmt.Println(len(forget()), "statements were sent")
	// Output:
	// orm: Order.All: Order has no field "sate"; choices are id, customer_id, state, placed, total, customer, lines
	// orm: Order.All: Order.total: a value of type string cannot stand beside an integer
	// orm: Select: struct { State string } does not fit the query: it has no field for total
	// orm: Order.All: holdfast: not in a block: a locking read holds its lock only to the end of its transaction; run it inside atomic.Do
	// 0 statements were sent
}

func Example_statement() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	paid := orm.Objects[Order](db).Filter(query.F("state").Eq("paid")).OrderBy("placed")
	text, values, err := paid.SQL(ctx)
	fmt.Println(text)
	fmt.Println(values, err)
	plan, err := paid.Explain(ctx)
	fmt.Print(plan)
	fmt.Println(err)
	// Output:
	// SELECT "orders"."id", "orders"."customer_id", "orders"."state", "orders"."placed", "orders"."total" FROM "orders" WHERE "orders"."state" = ? ORDER BY "orders"."placed" ASC
	// [paid] <nil>
	// SCAN orders
	// USE TEMP B-TREE FOR ORDER BY
	// <nil>
}
