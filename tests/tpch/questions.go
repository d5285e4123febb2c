package tpch

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

var (
	// F, since a question is mostly columns.
	F = query.F

	// revenue is what a line brings in, in hundredths of a cent.
	revenue = F("l_extendedprice").Mul(query.Value(100).Sub(F("l_discount")))
	// charge is revenue with tax, in ten-thousandths of a cent.
	charge = revenue.Mul(query.Value(100).Add(F("l_tax")))
)

func date(year int, month time.Month, day int) models.Date {
	return models.Date{Year: year, Month: month, Day: day}
}

// within holds for the days from first on, and before end.
func within(column string, first, end models.Date) query.Cond {
	return query.And(F(column).Ge(first), F(column).Lt(end))
}

// Pricing is a line of question 1.
type Pricing struct {
	Flag, Status                            string
	Quantity, Price, Revenue, Charge        int64
	MeanQuantity, MeanPrice, MeanOfDiscount float64
	Lines                                   int64
}

// Q1 is the pricing summary report: what was billed, shipped and returned.
func Q1(ctx context.Context, db *orm.DB) ([]Pricing, error) {
	shipped := orm.Objects[LineItem](db).
		Filter(F("l_shipdate").Le(date(1998, time.September, 2))).
		GroupBy("flag", "status").
		OrderBy("flag", "status")
	return orm.Select[Pricing](ctx, shipped,
		F("l_returnflag").As("flag"),
		F("l_linestatus").As("status"),
		query.Sum(F("l_quantity")).As("quantity"),
		query.Sum(F("l_extendedprice")).As("price"),
		query.Sum(revenue).As("revenue"),
		query.Sum(charge).As("charge"),
		query.Avg(F("l_quantity")).As("mean_quantity"),
		query.Avg(F("l_extendedprice")).As("mean_price"),
		query.Avg(F("l_discount")).As("mean_of_discount"),
		query.Count().As("lines"))
}

// Offer is a line of question 2.
type Offer struct {
	Balance                                  int64
	Supplier, Nation                         string
	Part                                     int64
	Manufacturer, Address, Telephone, Remark string
}

// Q2 is the minimum cost supplier: for brass parts of size 15, the suppliers of
// Europe that ask least.
func Q2(ctx context.Context, db *orm.DB) ([]Offer, error) {
	european := orm.Objects[PartSupp](db).Filter(F("supplier.nation.region.r_name").Eq("EUROPE"))
	cheapest := query.Select(european.Filter(F("ps_partkey").Eq(query.Outer("ps_partkey"))), query.Min(F("ps_supplycost")))
	offers := european.
		Filter(F("part.p_size").Eq(15), F("part.p_type").EndsWith("BRASS"), F("ps_supplycost").Eq(cheapest)).
		OrderBy("-balance", "nation", "supplier.s_name", "ps_partkey").
		Limit(100)
	return orm.Select[Offer](ctx, offers,
		F("supplier.s_acctbal").As("balance"),
		F("supplier.s_name").As("supplier"),
		F("supplier.nation.n_name").As("nation"),
		F("ps_partkey").As("part"),
		F("part.p_mfgr").As("manufacturer"),
		F("supplier.s_address").As("address"),
		F("supplier.s_phone").As("telephone"),
		F("supplier.s_comment").As("remark"))
}

// Unshipped is a line of question 3.
type Unshipped struct {
	Order    int64 `bun:"l_orderkey"`
	Revenue  int64
	Date     models.Date
	Priority int64
}

// Q3 is the shipping priority: the unshipped orders that are worth most.
func Q3(ctx context.Context, db *orm.DB) ([]Unshipped, error) {
	day := date(1995, time.March, 15)
	unshipped := orm.Objects[LineItem](db).
		Filter(F("order.customer.c_mktsegment").Eq("BUILDING"), F("order.o_orderdate").Lt(day), F("l_shipdate").Gt(day)).
		GroupBy("l_orderkey", "date", "priority").
		OrderBy("-revenue", "date", "l_orderkey").
		Limit(10)
	return orm.Select[Unshipped](ctx, unshipped,
		F("l_orderkey"),
		query.Sum(revenue).As("revenue"),
		F("order.o_orderdate").As("date"),
		F("order.o_shippriority").As("priority"))
}

// Urgency is a line of question 4.
type Urgency struct {
	Priority string
	Orders   int64
}

// Q4 is the order priority checking: the orders of a quarter of which a line came
// late.
func Q4(ctx context.Context, db *orm.DB) ([]Urgency, error) {
	late := orm.Objects[LineItem](db).
		Filter(F("l_orderkey").Eq(query.Outer("o_orderkey")), F("l_commitdate").Lt(F("l_receiptdate")))
	orders := orm.Objects[Order](db).
		Filter(within("o_orderdate", date(1993, time.July, 1), date(1993, time.October, 1)), query.Exists(late)).
		GroupBy("priority").
		OrderBy("priority")
	return orm.Select[Urgency](ctx, orders, F("o_orderpriority").As("priority"), query.Count().As("orders"))
}

// Volume is a line of question 5.
type Volume struct {
	Nation  string
	Revenue int64
}

// Q5 is the local supplier volume: what customers of Asia bought from suppliers of
// their own nation.
func Q5(ctx context.Context, db *orm.DB) ([]Volume, error) {
	local := orm.Objects[LineItem](db).
		Filter(
			F("supplier.nation.region.r_name").Eq("ASIA"),
			F("supplier.s_nationkey").Eq(F("order.customer.c_nationkey")),
			within("order.o_orderdate", date(1994, time.January, 1), date(1995, time.January, 1))).
		GroupBy("nation").
		OrderBy("-revenue")
	return orm.Select[Volume](ctx, local, F("supplier.nation.n_name").As("nation"), query.Sum(revenue).As("revenue"))
}

// Q6 is the forecasting revenue change: what small discounts of a year cost, in
// hundredths of a cent.
func Q6(ctx context.Context, db *orm.DB) ([]int64, error) {
	discounted := orm.Objects[LineItem](db).
		Filter(
			within("l_shipdate", date(1994, time.January, 1), date(1995, time.January, 1)),
			F("l_discount").Between(5, 7),
			F("l_quantity").Lt(24))
	return orm.Select[int64](ctx, discounted, query.Sum(F("l_extendedprice").Mul(F("l_discount"))))
}

// Trade is a line of question 7.
type Trade struct {
	Seller, Buyer string
	Year          int64
	Revenue       int64
}

// Q7 is the volume shipping: what France and Germany sold to each other in two years.
func Q7(ctx context.Context, db *orm.DB) ([]Trade, error) {
	seller, buyer := F("supplier.nation.n_name"), F("order.customer.nation.n_name")
	between := orm.Objects[LineItem](db).
		Filter(
			within("l_shipdate", date(1995, time.January, 1), date(1997, time.January, 1)),
			query.Or(
				query.And(seller.Eq("FRANCE"), buyer.Eq("GERMANY")),
				query.And(seller.Eq("GERMANY"), buyer.Eq("FRANCE")))).
		GroupBy("seller", "buyer", "year").
		OrderBy("seller", "buyer", "year")
	return orm.Select[Trade](ctx, between,
		seller.As("seller"),
		buyer.As("buyer"),
		query.Year(F("l_shipdate")).As("year"),
		query.Sum(revenue).As("revenue"))
}

// Share is a line of question 8.
type Share struct {
	Year  int64
	Share float64
}

// Q8 is the national market share: how much of America's steel is from Brazil.
func Q8(ctx context.Context, db *orm.DB) ([]Share, error) {
	steel := orm.Objects[LineItem](db).
		Filter(
			F("order.customer.nation.region.r_name").Eq("AMERICA"),
			within("order.o_orderdate", date(1995, time.January, 1), date(1997, time.January, 1)),
			F("part.p_type").Eq("ECONOMY ANODIZED STEEL")).
		GroupBy("year").
		OrderBy("year")
	brazilian := query.Case().When(F("supplier.nation.n_name").Eq("BRAZIL"), revenue).Else(0)
	return orm.Select[Share](ctx, steel,
		query.Year(F("order.o_orderdate")).As("year"),
		query.Value(1.0).Mul(query.Sum(brazilian)).Div(query.Sum(revenue)).As("share"))
}

// Profit is a line of question 9.
type Profit struct {
	Nation string
	Year   int64
	Profit int64
}

// Q9 is the product type profit measure: what green parts earned, by the nation of
// their suppliers and year.
func Q9(ctx context.Context, db *orm.DB) ([]Profit, error) {
	green := orm.Objects[LineItem](db).
		Filter(F("part.p_name").Contains("green")).
		GroupBy("nation", "year").
		OrderBy("nation", "-year")
	cost := F("part_supp.ps_supplycost").Mul(F("l_quantity")).Mul(100)
	return orm.Select[Profit](ctx, green,
		F("supplier.nation.n_name").As("nation"),
		query.Year(F("order.o_orderdate")).As("year"),
		query.Sum(revenue.Sub(cost)).As("profit"))
}

// Returner is a line of question 10.
type Returner struct {
	Customer                           int64
	Name                               string
	Lost, Balance                      int64
	Nation, Address, Telephone, Remark string
}

// Q10 is the returned item reporting: the customers with whom most was lost to
// returned parts in a quarter.
func Q10(ctx context.Context, db *orm.DB) ([]Returner, error) {
	returned := orm.Objects[LineItem](db).
		Filter(within("order.o_orderdate", date(1993, time.October, 1), date(1994, time.January, 1)), F("l_returnflag").Eq("R")).
		GroupBy("customer", "name", "balance", "nation", "address", "telephone", "remark").
		OrderBy("-lost", "customer").
		Limit(20)
	return orm.Select[Returner](ctx, returned,
		F("order.o_custkey").As("customer"),
		F("order.customer.c_name").As("name"),
		query.Sum(revenue).As("lost"),
		F("order.customer.c_acctbal").As("balance"),
		F("order.customer.nation.n_name").As("nation"),
		F("order.customer.c_address").As("address"),
		F("order.customer.c_phone").As("telephone"),
		F("order.customer.c_comment").As("remark"))
}

// Stock is a line of question 11.
type Stock struct {
	Part  int64
	Worth int64
}

// Q11 is the important stock identification: the parts that make up more than a
// hundredth of what the suppliers of Germany have.
func Q11(ctx context.Context, db *orm.DB) ([]Stock, error) {
	german := orm.Objects[PartSupp](db).Filter(F("supplier.nation.n_name").Eq("GERMANY"))
	worth := query.Sum(F("ps_supplycost").Mul(F("ps_availqty")))
	important := german.
		GroupBy("ps_partkey").
		Having(worth.Mul(100).Gt(query.Select(german, worth))).
		OrderBy("-worth", "ps_partkey")
	return orm.Select[Stock](ctx, important, F("ps_partkey").As("part"), worth.As("worth"))
}
