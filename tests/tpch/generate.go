package tpch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/models"
)

// Data is the content of all tables, parents first.
type Data struct {
	Regions   []*Region
	Nations   []*Nation
	Suppliers []*Supplier
	Customers []*Customer
	Parts     []*Part
	PartSupps []*PartSupp
	Orders    []*Order
	LineItems []*LineItem
}

// How many there are: a hundredth of scale 1. An order has one to seven lines.
const (
	suppliers = 100
	customers = 1500
	parts     = 2000
	orders    = 15000

	suppliersOfAPart = 4
)

// The words of the specification (clause 4.2), as far as a question asks for them.
var (
	regions = []string{"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"}
	nations = []struct {
		name   string
		region int64
	}{
		{"ALGERIA", 0}, {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1}, {"EGYPT", 4}, {"ETHIOPIA", 0}, {"FRANCE", 3},
		{"GERMANY", 3}, {"INDIA", 2}, {"INDONESIA", 2}, {"IRAN", 4}, {"IRAQ", 4}, {"JAPAN", 2}, {"JORDAN", 4}, {"KENYA", 0},
		{"MOROCCO", 0}, {"MOZAMBIQUE", 0}, {"PERU", 1}, {"CHINA", 2}, {"ROMANIA", 3}, {"SAUDI ARABIA", 4}, {"VIETNAM", 2},
		{"RUSSIA", 3}, {"UNITED KINGDOM", 3}, {"UNITED STATES", 1},
	}
	colours     = strings.Fields("almond antique aquamarine azure beige bisque black blue brown chocolate coral cream forest green honeydew ivory khaki lace lemon linen")
	finishes    = strings.Fields("STANDARD SMALL MEDIUM LARGE ECONOMY PROMO")
	treatments  = strings.Fields("ANODIZED BURNISHED PLATED POLISHED BRUSHED")
	metals      = strings.Fields("TIN NICKEL BRASS STEEL COPPER")
	containers  = []string{"SM CASE", "SM BOX", "SM PACK", "SM PKG", "MED BAG", "MED BOX", "MED PKG", "MED PACK", "LG CASE", "LG BOX", "LG PACK", "LG PKG"}
	segments    = strings.Fields("AUTOMOBILE BUILDING FURNITURE MACHINERY HOUSEHOLD")
	priorities  = []string{"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"}
	instruction = []string{"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"}
	modes       = []string{"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"}
)

var (
	firstOrder = models.Date{Year: 1992, Month: time.January, Day: 1}
	today      = models.Date{Year: 1995, Month: time.June, Day: 17}
)

const daysOfOrders = 2405 // the last is on 2 August 1998

type generator struct{ *rand.Rand }

// Generate makes the same data each time.
func Generate() *Data {
	g := generator{rand.New(rand.NewPCG(22, 8))}
	d := &Data{}
	for i, name := range regions {
		d.Regions = append(d.Regions, &Region{Key: int64(i), Name: name, Comment: g.comment()})
	}
	for i, n := range nations {
		d.Nations = append(d.Nations, &Nation{Key: int64(i), Name: n.name, RegionKey: n.region, Comment: g.comment()})
	}
	for key := range int64(suppliers) {
		d.Suppliers = append(d.Suppliers, g.supplier(key+1))
	}
	for key := range int64(customers) {
		d.Customers = append(d.Customers, g.customer(key+1))
	}
	for key := range int64(parts) {
		d.Parts = append(d.Parts, g.part(key+1))
		for nth := range int64(suppliersOfAPart) {
			d.PartSupps = append(d.PartSupps, &PartSupp{PartKey: key + 1, SupplierKey: supplierOf(key+1, nth),
				Available: g.between(1, 9999), Cost: g.between(100, 100000), Comment: g.comment()})
		}
	}
	for key := range int64(orders) {
		g.order(d, key*4+1) // keys with gaps, as orders have
	}
	return d
}

func (g generator) between(low, high int64) int64 { return low + g.Int64N(high-low+1) }

func pick[T any](g generator, list []T) T { return list[g.IntN(len(list))] }

func (g generator) comment() string {
	return pick(g, colours) + " " + pick(g, []string{"requests", "packages", "deposits", "accounts"}) + " " + pick(g, []string{"sleep", "wake", "haggle", "nag"})
}

func (g generator) phone(nation int64) string {
	return fmt.Sprintf("%d-%03d-%03d-%04d", nation+10, g.between(100, 999), g.between(100, 999), g.between(1000, 9999))
}

func (g generator) supplier(key int64) *Supplier {
	nation := g.Int64N(int64(len(nations)))
	s := &Supplier{Key: key, Name: fmt.Sprintf("Supplier#%09d", key), Address: g.comment(), NationKey: nation,
		Phone: g.phone(nation), Balance: g.between(-99999, 999999), Comment: g.comment()}
	if key%20 == 0 {
		s.Comment = "wake Customer often Complaints " + s.Comment
	}
	return s
}

func (g generator) customer(key int64) *Customer {
	nation := g.Int64N(int64(len(nations)))
	return &Customer{Key: key, Name: fmt.Sprintf("Customer#%09d", key), Address: g.comment(), NationKey: nation,
		Phone: g.phone(nation), Balance: g.between(-99999, 999999), Segment: pick(g, segments), Comment: g.comment()}
}

func (g generator) part(key int64) *Part {
	maker := g.between(1, 5)
	return &Part{Key: key, Name: pick(g, colours) + " " + pick(g, colours) + " " + pick(g, colours),
		Manufacturer: fmt.Sprintf("Manufacturer#%d", maker), Brand: fmt.Sprintf("Brand#%d%d", maker, g.between(1, 5)),
		Type: pick(g, finishes) + " " + pick(g, treatments) + " " + pick(g, metals), Size: g.between(1, 50), Container: pick(g, containers),
		RetailPrice: 90000 + (key/10)%20001 + 100*(key%1000), Comment: g.comment()}
}

// supplierOf is the nth supplier of a part: no two are the same.
func supplierOf(part, nth int64) int64 { return (part+nth*(suppliers/suppliersOfAPart))%suppliers + 1 }

func (g generator) order(d *Data, key int64) {
	customer := g.between(1, customers)
	if customer%3 == 0 { // a third have never ordered
		customer--
	}
	o := &Order{Key: key, CustomerKey: customer, Date: firstOrder.AddDays(int(g.Int64N(daysOfOrders + 1))), Priority: pick(g, priorities),
		Clerk: fmt.Sprintf("Clerk#%09d", g.between(1, 10)), Comment: g.comment()}
	if g.IntN(50) == 0 {
		o.Comment = "special " + o.Comment + " requests"
	}
	shipped := 0
	lines := g.between(1, 7)
	var total int64
	for number := range lines {
		l := g.line(o, number+1)
		if l.Status == "F" {
			shipped++
		}
		total += l.Price * (100 - l.Discount) * (100 + l.Tax)
		d.LineItems = append(d.LineItems, l)
	}
	o.TotalPrice = (total + 5000) / 10000
	switch shipped {
	case int(lines):
		o.Status = "F"
	case 0:
		o.Status = "O"
	default:
		o.Status = "P"
	}
	d.Orders = append(d.Orders, o)
}

func (g generator) line(o *Order, number int64) *LineItem {
	part := g.between(1, parts)
	l := &LineItem{OrderKey: o.Key, Number: number, PartKey: part, SupplierKey: supplierOf(part, g.Int64N(suppliersOfAPart)),
		Quantity: g.between(1, 50), Discount: g.between(0, 10), Tax: g.between(0, 8), ReturnFlag: "N", Status: "F",
		Instructions: pick(g, instruction), Mode: pick(g, modes), Comment: g.comment()}
	l.Price = l.Quantity * (90000 + (part/10)%20001 + 100*(part%1000))
	l.ShipDate = o.Date.AddDays(int(g.between(1, 121)))
	l.CommitDate = o.Date.AddDays(int(g.between(30, 90)))
	l.ReceiptDate = l.ShipDate.AddDays(int(g.between(1, 30)))
	if l.ReceiptDate.Compare(today) <= 0 {
		l.ReturnFlag = pick(g, []string{"R", "A"})
	}
	if l.ShipDate.Compare(today) > 0 {
		l.Status = "O"
	}
	return l
}
