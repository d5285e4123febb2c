package tpch

import (
	"github.com/uptrace/bun"

	"github.com/holdfast-go/holdfast/models"
)

// Region is a continent.
type Region struct {
	bun.BaseModel `bun:"table:region"`
	Key           int64  `bun:"r_regionkey,pk"`
	Name          string `bun:"r_name"`
	Comment       string `bun:"r_comment"`
}

// Nation is a country.
type Nation struct {
	bun.BaseModel `bun:"table:nation"`
	Key           int64  `bun:"n_nationkey,pk"`
	Name          string `bun:"n_name"`
	RegionKey     int64  `bun:"n_regionkey"`
	Comment       string `bun:"n_comment"`

	Region *Region `bun:"rel:belongs-to,join:n_regionkey=r_regionkey"`
}

// Supplier sells parts.
type Supplier struct {
	bun.BaseModel `bun:"table:supplier"`
	Key           int64  `bun:"s_suppkey,pk"`
	Name          string `bun:"s_name"`
	Address       string `bun:"s_address"`
	NationKey     int64  `bun:"s_nationkey"`
	Phone         string `bun:"s_phone"`
	Balance       int64  `bun:"s_acctbal"` // cents
	Comment       string `bun:"s_comment"`

	Nation *Nation     `bun:"rel:belongs-to,join:s_nationkey=n_nationkey"`
	Parts  []*PartSupp `bun:"rel:has-many,join:s_suppkey=ps_suppkey"`
}

// Customer orders parts.
type Customer struct {
	bun.BaseModel `bun:"table:customer"`
	Key           int64  `bun:"c_custkey,pk"`
	Name          string `bun:"c_name"`
	Address       string `bun:"c_address"`
	NationKey     int64  `bun:"c_nationkey"`
	Phone         string `bun:"c_phone"`
	Balance       int64  `bun:"c_acctbal"` // cents
	Segment       string `bun:"c_mktsegment"`
	Comment       string `bun:"c_comment"`

	Nation *Nation  `bun:"rel:belongs-to,join:c_nationkey=n_nationkey"`
	Orders []*Order `bun:"rel:has-many,join:c_custkey=o_custkey"`
}

// Part is what is sold.
type Part struct {
	bun.BaseModel `bun:"table:part"`
	Key           int64  `bun:"p_partkey,pk"`
	Name          string `bun:"p_name"`
	Manufacturer  string `bun:"p_mfgr"`
	Brand         string `bun:"p_brand"`
	Type          string `bun:"p_type"`
	Size          int64  `bun:"p_size"`
	Container     string `bun:"p_container"`
	RetailPrice   int64  `bun:"p_retailprice"` // cents
	Comment       string `bun:"p_comment"`

	Suppliers []*PartSupp `bun:"rel:has-many,join:p_partkey=ps_partkey"`
}

// PartSupp is a part that a supplier has.
type PartSupp struct {
	bun.BaseModel `bun:"table:partsupp"`
	PartKey       int64  `bun:"ps_partkey,pk"`
	SupplierKey   int64  `bun:"ps_suppkey,pk"`
	Available     int64  `bun:"ps_availqty"`
	Cost          int64  `bun:"ps_supplycost"` // cents
	Comment       string `bun:"ps_comment"`

	Part     *Part     `bun:"rel:belongs-to,join:ps_partkey=p_partkey"`
	Supplier *Supplier `bun:"rel:belongs-to,join:ps_suppkey=s_suppkey"`
}

// Order is a customer's.
type Order struct {
	bun.BaseModel `bun:"table:orders"`
	Key           int64       `bun:"o_orderkey,pk"`
	CustomerKey   int64       `bun:"o_custkey"`
	Status        string      `bun:"o_orderstatus"`
	TotalPrice    int64       `bun:"o_totalprice"` // cents
	Date          models.Date `bun:"o_orderdate"`
	Priority      string      `bun:"o_orderpriority"`
	Clerk         string      `bun:"o_clerk"`
	ShipPriority  int64       `bun:"o_shippriority"`
	Comment       string      `bun:"o_comment"`

	Customer *Customer   `bun:"rel:belongs-to,join:o_custkey=c_custkey"`
	Lines    []*LineItem `bun:"rel:has-many,join:o_orderkey=l_orderkey"`
}

// LineItem is one part of an order.
type LineItem struct {
	bun.BaseModel `bun:"table:lineitem"`
	OrderKey      int64       `bun:"l_orderkey,pk"`
	Number        int64       `bun:"l_linenumber,pk"`
	PartKey       int64       `bun:"l_partkey"`
	SupplierKey   int64       `bun:"l_suppkey"`
	Quantity      int64       `bun:"l_quantity"`
	Price         int64       `bun:"l_extendedprice"` // cents
	Discount      int64       `bun:"l_discount"`      // per cent
	Tax           int64       `bun:"l_tax"`           // per cent
	ReturnFlag    string      `bun:"l_returnflag"`
	Status        string      `bun:"l_linestatus"`
	ShipDate      models.Date `bun:"l_shipdate"`
	CommitDate    models.Date `bun:"l_commitdate"`
	ReceiptDate   models.Date `bun:"l_receiptdate"`
	Instructions  string      `bun:"l_shipinstruct"`
	Mode          string      `bun:"l_shipmode"`
	Comment       string      `bun:"l_comment"`

	Order    *Order    `bun:"rel:belongs-to,join:l_orderkey=o_orderkey"`
	Part     *Part     `bun:"rel:belongs-to,join:l_partkey=p_partkey"`
	Supplier *Supplier `bun:"rel:belongs-to,join:l_suppkey=s_suppkey"`
	PartSupp *PartSupp `bun:"rel:belongs-to,join:l_partkey=ps_partkey,join:l_suppkey=ps_suppkey"`
}
