package queries

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

func Example_selectStruct() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	list, err := orm.Select[struct {
		Name   string
		Placed models.Date
		Euros  int64
	}](ctx, orm.Objects[Order](db).Filter(query.F("state").Eq("paid")).OrderBy("-euros"),
		query.F("customer.name"),
		query.Cast[models.Date](query.F("placed")).As("placed"),
		query.F("total").Div(100).As("euros"))
	fmt.Println(list, err)
	// Output: [{Bo 2026-02-11 400} {Ada 2026-01-05 34}] <nil>
}

func Example_selectValue() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	names, err := orm.Select[string](ctx, orm.Objects[Product](db).OrderBy("name"), query.F("name"))
	fmt.Println(names, err)
	sent()
	// Output:
	// [desk lamp notebook pen] <nil>
	// SELECT products.name FROM products ORDER BY products.name ASC
}

func Example_group() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	type Buyer struct {
		Name   string
		Orders int
		Spent  int64
	}
	buyers, err := orm.Select[Buyer](ctx,
		orm.Objects[Order](db).GroupBy("customer.name").Having(query.Count().Gt(1)).OrderBy("-spent"),
		query.F("customer.name"), query.Count().As("orders"), query.Sum(query.F("total")).As("spent"))
	fmt.Println(buyers, err)
	sent()
	// Output:
	// [{Bo 2 41000} {Ada 2 7900}] <nil>
	// SELECT customer.name, COUNT(*) AS orders, SUM(orders.total) AS spent FROM orders INNER JOIN customers AS customer ON customer.id = orders.customer_id GROUP BY customer.name HAVING COUNT(*) > ? ORDER BY spent DESC
}

func Example_groupByMonth() {
	ctx := context.Background()
	db := shop(ctx)
	defer db.Close()

	type Month struct {
		Month  time.Time
		Buyers int
		Open   int
		Names  string
	}
	months, err := orm.Select[Month](ctx, orm.Objects[Order](db).GroupBy("month").OrderBy("month"),
		query.Truncate(query.F("placed"), query.Months).As("month"),
		query.CountDistinct(query.F("customer_id")).As("buyers"),
		query.Count().Where(query.F("state").Eq("new")).As("open"),
		query.StringAgg(query.F("customer.name"), ", ", query.F("customer.name").Asc()).As("names"))
	for _, m := range months {
		fmt.Println(m.Month.Format("2006-01"), m.Buyers, m.Open, m.Names)
	}
	fmt.Println(err)
	// Output:
	// 2026-01 1 0 Ada
	// 2026-02 2 0 Ada, Bo
	// 2026-03 2 2 Bo, Chi
	// <nil>
}
