package queries

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_create() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	eve := &Customer{Name: "Eve", Email: "eve@example.org"}
	err := orm.Objects[Customer](db).Create(ctx, eve)
	fmt.Println(eve.ID, err)
	sent()
	err = orm.Objects[Customer](db).Create(ctx, &Customer{Name: "Eve", Email: "eve@example.org"})
	fmt.Println(errors.Is(err, dialect.ErrUniqueViolation))
	// Output:
	// 5 <nil>
	// INSERT INTO customers (name, email, city) VALUES (?, ?, ?) RETURNING id
	// true
}

func Example_bulkCreate() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	products := []*Product{{Name: "ink", Price: 700}, {Name: "ruler", Price: 300}, {Name: "chair", Price: 15000}}
	err := orm.Objects[Product](db).BulkCreate(ctx, products)
	fmt.Println(products[2].ID, err)
	sent()
	// Output:
	// 7 <nil>
	// INSERT INTO products (name, price, stock) VALUES (?, ?, ?), … RETURNING id
}

func Example_onConflict() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	delivery := []*Product{{Name: "pen", Price: 260, Stock: 100}, {Name: "ink", Price: 700, Stock: 20}}
	more := query.Set("stock", query.F("stock").Add(query.Excluded("stock")))
	err := orm.Objects[Product](db).BulkCreate(ctx, delivery, query.OnConflict("name").Update("price").Set(more))
	fmt.Println(delivery[0].ID, delivery[0].Price, delivery[0].Stock, err)
	sent()
	// Output:
	// 1 260 140 <nil>
	// INSERT INTO products (name, price, stock) VALUES (?, ?, ?), … ON CONFLICT (name) DO UPDATE SET stock = (products.stock + excluded.stock), price = excluded.price RETURNING id, stock
}

func Example_save() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	orders := orm.Objects[Order](db)
	order, err := orders.Find(ctx, 1)
	check(err)
	order.State = "sent"
	fmt.Println(orders.Save(ctx, order, "state"))
	sent()
	// Output:
	// <nil>
	// SELECT … FROM orders WHERE orders.id = ? LIMIT ?
	// UPDATE orders SET state = ? WHERE orders.id = ?
}

func Example_bulkSave() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	products := orm.Objects[Product](db)
	list, err := products.OrderBy("id").All(ctx)
	check(err)
	for _, p := range list {
		p.Price += 50
	}
	forget()
	fmt.Println(products.BulkSave(ctx, list, "price"))
	sent()
	// Output:
	// <nil>
	// BEGIN IMMEDIATE
	// UPDATE products SET price = CASE products.id WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? END WHERE products.id IN (?, ?, ?, ?)
	// COMMIT
}

func Example_update() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	n, err := orm.Objects[Product](db).
		Filter(query.F("stock").Gt(0), query.F("price").Lt(1000)).
		Update(ctx, query.Set("price", query.F("price").Mul(11).Div(10)), query.Set("stock", query.F("stock").Sub(1)))
	fmt.Println(n, err)
	sent()
	// Output:
	// 2 <nil>
	// UPDATE products SET price = ((products.price * ?) / ?), stock = (products.stock - ?) WHERE products.stock > ? AND products.price < ?
}

func Example_updateFrom() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	ofLines := query.SumOf("lines", query.F("quantity").Mul(query.F("price")))
	n, err := orm.Objects[Order](db).Update(ctx, query.Set("total", query.Coalesce(ofLines, query.Value(0))))
	fmt.Println(n, err)
	sent()
	// Output:
	// 5 <nil>
	// UPDATE orders SET total = COALESCE((SELECT SUM((lines.quantity * lines.price)) FROM lines WHERE lines.order_id = orders.id), ?)
}

func Example_delete() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	n, err := orm.Objects[Line](db).Filter(query.F("order.state").Eq("new"), query.F("quantity").Gt(3)).Delete(ctx)
	fmt.Println(n, err)
	sent()
	// Output:
	// 1 <nil>
	// DELETE FROM lines WHERE lines.quantity > ? AND EXISTS (SELECT 1 FROM (SELECT 1) AS matching INNER JOIN orders AS order ON order.id = lines.order_id WHERE order.state = ?)
}

func Example_claim() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	mine, err := orm.Objects[Order](db).
		Filter(query.F("state").Eq("paid")).
		OrderBy("placed").
		Limit(1).
		SelectForUpdate(orm.SkipLocked).
		UpdateReturning(ctx, query.Set("state", "packing"))
	fmt.Println(mine, mine[0].State, err)
	sent()
	// Output:
	// [#1] packing <nil>
	// UPDATE orders SET state = ? WHERE (id) IN (SELECT orders.id FROM orders WHERE orders.state = ? ORDER BY orders.placed ASC LIMIT ?) RETURNING …
}

func Example_getOrCreate() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	for range 2 {
		tag := &Tag{Name: "new"}
		created, err := orm.Objects[Tag](db).GetOrCreate(ctx, tag, "name")
		fmt.Println(tag.ID, created, err)
	}
	row := &Product{Name: "pen", Price: 240, Stock: 41}
	created, err := orm.Objects[Product](db).UpdateOrCreate(ctx, row, "name")
	fmt.Println(row.ID, created, err)
	// Output:
	// 5 true <nil>
	// 5 false <nil>
	// 1 false <nil>
}

func Example_block() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	err := atomic.Do(ctx, db, func(ctx context.Context) error {
		pen, err := orm.Objects[Product](db).Filter(query.F("name").Eq("pen")).SelectForUpdate().Get(ctx)
		if err != nil {
			return err
		}
		if pen.Stock < 4 {
			return errors.New("too few pens")
		}
		pen.Stock -= 4
		if err := orm.Objects[Product](db).Save(ctx, pen); err != nil {
			return err
		}
		return atomic.OnCommit(ctx, db, func(context.Context) error {
			fmt.Println("4 pens are on their way")
			return nil
		})
	})
	fmt.Println(err)
	sent()
	// Output:
	// 4 pens are on their way
	// <nil>
	// BEGIN IMMEDIATE
	// SELECT … FROM products WHERE products.name = ? LIMIT ?
	// UPDATE products SET name = ?, price = ?, stock = ? WHERE products.id = ?
	// COMMIT
}
