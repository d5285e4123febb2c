package tpch

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// Mode is a line of question 12.
type Mode struct {
	Mode              string
	Urgent, NotUrgent int64
}

// Q12 is the shipping modes and order priority: whether cheap modes bring urgent
// orders late.
func Q12(ctx context.Context, db *orm.DB) ([]Mode, error) {
	urgent := F("order.o_orderpriority").In("1-URGENT", "2-HIGH")
	late := orm.Objects[LineItem](db).
		Filter(
			F("l_shipmode").In("MAIL", "SHIP"),
			F("l_shipdate").Lt(F("l_commitdate")),
			F("l_commitdate").Lt(F("l_receiptdate")),
			within("l_receiptdate", date(1994, time.January, 1), date(1995, time.January, 1))).
		GroupBy("mode").
		OrderBy("mode")
	return orm.Select[Mode](ctx, late,
		F("l_shipmode").As("mode"),
		query.Count().Where(urgent).As("urgent"),
		query.Count().Where(query.Not(urgent)).As("not_urgent"))
}

// Distribution is a line of question 13.
type Distribution struct {
	Orders, Customers int64
}

// Q13 is the customer distribution: how many customers have how many orders,
// special requests aside.
func Q13(ctx context.Context, db *orm.DB) ([]Distribution, error) {
	orders := orm.Objects[Order](db).
		Filter(F("o_custkey").Eq(query.Outer("c_custkey"))).
		Exclude(F("o_comment").Like("%special%requests%"))
	perCustomer := query.Select(orm.Objects[Customer](db),
		F("c_custkey"), query.Select(orders, query.Count()).Expr().As("orders"))
	return orm.Select[Distribution](ctx, perCustomer.GroupBy("orders").OrderBy("-customers", "-orders"),
		F("orders"), query.Count().As("customers"))
}

// Q14 is the promotion effect: what promoted parts bring in, in per cent of the whole.
func Q14(ctx context.Context, db *orm.DB) ([]float64, error) {
	shipped := orm.Objects[LineItem](db).
		Filter(within("l_shipdate", date(1995, time.September, 1), date(1995, time.October, 1)))
	promoted := query.Sum(revenue).Where(F("part.p_type").StartsWith("PROMO"))
	return orm.Select[float64](ctx, shipped, query.Value(100.0).Mul(promoted).Div(query.Sum(revenue)))
}

// Seller is a line of question 15.
type Seller struct {
	Supplier                 int64
	Name, Address, Telephone string
	Total                    int64
}

// Q15 is the top supplier: who brought most in during a quarter.
func Q15(ctx context.Context, db *orm.DB) ([]Seller, error) {
	sales := query.With("sales", query.Select(
		orm.Objects[LineItem](db).
			Filter(within("l_shipdate", date(1996, time.January, 1), date(1996, time.April, 1))).
			GroupBy("l_suppkey"),
		F("l_suppkey"), query.Sum(revenue).As("total")))
	top := orm.Objects[Supplier](db).
		Join("sold", sales, F("s_suppkey").Eq(F("sold.l_suppkey"))).
		Filter(F("sold.total").Eq(query.Select(sales, query.Max(F("total"))))).
		OrderBy("s_suppkey")
	return orm.Select[Seller](ctx, top,
		F("s_suppkey").As("supplier"),
		F("s_name").As("name"),
		F("s_address").As("address"),
		F("s_phone").As("telephone"),
		F("sold.total"))
}

// Choice is a line of question 16.
type Choice struct {
	Brand, Type string
	Size        int64
	Suppliers   int64
}

// Q16 is the parts/supplier relationship: how many suppliers there are for parts,
// without those of whom customers complained.
func Q16(ctx context.Context, db *orm.DB) ([]Choice, error) {
	offered := orm.Objects[PartSupp](db).
		Filter(F("part.p_brand").Ne("Brand#45"), F("part.p_size").In(49, 14, 23, 45, 19, 3, 36, 9)).
		Exclude(F("part.p_type").StartsWith("MEDIUM POLISHED")).
		Exclude(F("supplier.s_comment").Like("%Customer%Complaints%")).
		GroupBy("brand", "type", "size").
		OrderBy("-suppliers", "brand", "type", "size")
	return orm.Select[Choice](ctx, offered,
		F("part.p_brand").As("brand"),
		F("part.p_type").As("type"),
		F("part.p_size").As("size"),
		query.CountDistinct(F("ps_suppkey")).As("suppliers"))
}

// Q17 is the small-quantity-order revenue: what a year's orders of a part bring in
// that are below a fifth of its mean quantity, in cents.
func Q17(ctx context.Context, db *orm.DB) ([]float64, error) {
	lines := orm.Objects[LineItem](db)
	mean := query.Select(lines.Filter(F("l_partkey").Eq(query.Outer("l_partkey"))), query.Avg(F("l_quantity")))
	small := lines.Filter(F("part.p_brand").Eq("Brand#23"), F("part.p_container").Eq("MED BOX"), F("l_quantity").Mul(5).Lt(mean))
	return orm.Select[float64](ctx, small, query.Sum(F("l_extendedprice")).Div(7.0))
}

// LargeOrder is a line of question 18.
type LargeOrder struct {
	Name            string
	Customer, Order int64
	Date            models.Date
	Total, Quantity int64
}

// Q18 is the large volume customer: the customers with orders of many pieces.
func Q18(ctx context.Context, db *orm.DB) ([]LargeOrder, error) {
	pieces := query.Sum(F("l_quantity"))
	large := query.Select(orm.Objects[LineItem](db).GroupBy("l_orderkey").Having(pieces.Gt(260)),
		F("l_orderkey"), pieces.As("pieces"))
	orders := orm.Objects[Order](db).
		Join("large", large, F("o_orderkey").Eq(F("large.l_orderkey"))).
		OrderBy("-o_totalprice", "o_orderdate", "o_orderkey").
		Limit(100)
	return orm.Select[LargeOrder](ctx, orders,
		F("customer.c_name").As("name"),
		F("o_custkey").As("customer"),
		F("o_orderkey").As("order"),
		F("o_orderdate").As("date"),
		F("o_totalprice").As("total"),
		F("large.pieces").As("quantity"))
}

// Q19 is the discounted revenue: what three kinds of parts bring in that are sent by
// air and delivered in person, in hundredths of a cent.
func Q19(ctx context.Context, db *orm.DB) ([]int64, error) {
	kind := func(brand string, containers []string, least, most, size int) query.Cond {
		return query.And(
			F("part.p_brand").Eq(brand),
			F("part.p_container").In(containers),
			F("l_quantity").Between(least, most),
			F("part.p_size").Between(1, size))
	}
	lines := orm.Objects[LineItem](db).
		Filter(
			F("l_shipmode").In("AIR", "REG AIR"),
			F("l_shipinstruct").Eq("DELIVER IN PERSON"),
			query.Or(
				kind("Brand#12", []string{"SM CASE", "SM BOX", "SM PACK", "SM PKG"}, 1, 11, 5),
				kind("Brand#23", []string{"MED BAG", "MED BOX", "MED PKG", "MED PACK"}, 10, 20, 10),
				kind("Brand#34", []string{"LG CASE", "LG BOX", "LG PACK", "LG PKG"}, 20, 30, 15)))
	return orm.Select[int64](ctx, lines, query.Sum(revenue))
}

// Place is a line of question 20.
type Place struct {
	Name, Address string
}

// Q20 is the potential part promotion: the suppliers of Canada that have more of a
// forest part than half of what a year shipped of it.
func Q20(ctx context.Context, db *orm.DB) ([]Place, error) {
	shipped := orm.Objects[LineItem](db).
		Filter(
			F("l_partkey").Eq(query.Outer("ps_partkey")),
			F("l_suppkey").Eq(query.Outer("ps_suppkey")),
			within("l_shipdate", date(1994, time.January, 1), date(1995, time.January, 1)))
	surplus := orm.Objects[PartSupp](db).
		Filter(
			F("part.p_name").StartsWith("forest"),
			F("ps_availqty").Mul(2).Gt(query.Select(shipped, query.Sum(F("l_quantity")))))
	suppliers := orm.Objects[Supplier](db).
		Filter(F("nation.n_name").Eq("CANADA"), F("s_suppkey").In(query.Select(surplus, F("ps_suppkey")))).
		OrderBy("s_name")
	return orm.Select[Place](ctx, suppliers, F("s_name").As("name"), F("s_address").As("address"))
}

// Delay is a line of question 21.
type Delay struct {
	Name    string
	Waiting int64
}

// Q21 is the suppliers who kept orders waiting: the suppliers of Saudi Arabia that
// alone were late, with orders that others were in time for.
func Q21(ctx context.Context, db *orm.DB) ([]Delay, error) {
	lines := orm.Objects[LineItem](db)
	isLate := F("l_receiptdate").Gt(F("l_commitdate"))
	others := lines.Filter(F("l_orderkey").Eq(query.Outer("l_orderkey")), F("l_suppkey").Ne(query.Outer("l_suppkey")))
	late := lines.
		Filter(F("supplier.nation.n_name").Eq("SAUDI ARABIA"), F("order.o_orderstatus").Eq("F"), isLate).
		Filter(query.Exists(others), query.Not(query.Exists(others.Filter(isLate)))).
		GroupBy("name").
		OrderBy("-waiting", "name").
		Limit(100)
	return orm.Select[Delay](ctx, late, F("supplier.s_name").As("name"), query.Count().As("waiting"))
}

// Prospect is a line of question 22.
type Prospect struct {
	Code               string
	Customers, Balance int64
}

// Q22 is the global sales opportunity: customers with more money than the mean who
// have never ordered, by the code of their country.
func Q22(ctx context.Context, db *orm.DB) ([]Prospect, error) {
	code := query.Substr(F("c_phone"), 1, 2)
	customers := orm.Objects[Customer](db).Filter(code.In("13", "31", "23", "29", "30", "18", "17"))
	mean := query.Select(customers.Filter(F("c_acctbal").Gt(0)), query.Avg(F("c_acctbal")))
	orders := orm.Objects[Order](db).Filter(F("o_custkey").Eq(query.Outer("c_custkey")))
	prospects := customers.
		Filter(F("c_acctbal").Gt(mean), query.Not(query.Exists(orders))).
		GroupBy("code").
		OrderBy("code")
	return orm.Select[Prospect](ctx, prospects, code.As("code"), query.Count().As("customers"), query.Sum(F("c_acctbal")).As("balance"))
}
