package query

import (
	"errors"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Query is what can be read from: an orm.QuerySet, or a [Selection].
type Query interface {
	// Tree is for the library's own packages: a seam, without promises.
	Tree() *ast.Select
}

// Output is an expression with the name under which a query puts it out.
type Output struct{ node ast.Output }

// Node is for the library's own packages: a seam, without promises.
func (o Output) Node() ast.Node { return o.node }

// As names what a query puts out: Count().As("n"). A name is made of letters, digits
// and _. A column that is put out has its own name, and needs no other.
func (e Expr) As(name string) Output { return Output{ast.Output{Of: e.node, Name: name}} }

// Selection is a query that puts out values instead of whole rows. It is read with
// orm.Select, or is a part of another query: a value, where it has one row with one
// output, what [Expr.In] and [Exists] look in, and what another Selection reads
// from. Like a QuerySet it is immutable.
//
// Its methods go one after the other: Filter, GroupBy and Join see what was put out
// before, and only the rows that a Limit in front of them has left.
type Selection struct{ tree ast.Select }

// Select puts out values for each row of q, or for each group if q has GroupBy, or
// for all of its rows if they are aggregates:
//
//	perRoom := query.Select(bookings.GroupBy("room_id"), query.F("room_id"), query.Count().As("n"))
//	busy := perRoom.Filter(query.F("n").Gt(3)).OrderBy("-n")
//
// OrderBy and Having of a q that is an orm.QuerySet may name the outputs. A [Selection]
// is ordered by what it has put out itself: order what Select returns.
func Select(q Query, outputs ...Operand) Selection {
	s := selected(q)
	if len(s.Outputs) > 0 {
		s = around(s)
	}
	s.Outputs = make([]ast.Output, len(outputs))
	for i, o := range outputs {
		var n ast.Node
		if o != nil {
			n = o.Node()
		}
		if named, ok := n.(ast.Output); ok {
			s.Outputs[i] = named
		} else {
			s.Outputs[i] = ast.Output{Of: n}
		}
	}
	if len(outputs) == 0 && s.Err == nil {
		s.Err = errors.New("query.Select without anything to put out")
	}
	return Selection{s}
}

// Tree is for the library's own packages: a seam, without promises.
func (s Selection) Tree() *ast.Select { return &s.tree }

// Node is for the library's own packages: a seam, without promises.
func (s Selection) Node() ast.Node { return &s.tree }

// Expr is the one value that s puts out, for arithmetic and for a name of its own:
// Select(bookings, Count()).Expr().As("n").
func (s Selection) Expr() Expr { return Expr{&s.tree} }

// Filter keeps the rows for which all conditions hold. They name what the selection
// puts out.
func (s Selection) Filter(conds ...Cond) Selection {
	t := s.open()
	t.Where = ast.Conditions(slices.Clip(t.Where), conds)
	return Selection{t}
}

// GroupBy puts rows with equal values together, for aggregates in a Select around.
func (s Selection) GroupBy(names ...string) Selection {
	t := s.open()
	t.Order, t.Backward, t.Group = nil, false, names
	return Selection{t}
}

// Having keeps the groups for which all conditions hold.
func (s Selection) Having(conds ...Cond) Selection {
	s.tree.Having = ast.Conditions(slices.Clip(s.tree.Having), conds)
	return s
}

// Join puts the rows of another query beside each row, those for which all conditions
// hold. Its outputs are called name.output:
//
//	.Join("top", perRoom, query.F("room_id").Eq(query.F("top.room_id")))
//
// A row that finds several comes several times, and one that finds none not at all.
func (s Selection) Join(name string, q Query, on ...Cond) Selection {
	t := s.open()
	t.Joins = append(slices.Clip(t.Joins), ast.Join{Name: name, Of: tree(q), On: ast.Conditions(nil, on)})
	return Selection{t}
}

// LeftJoin is Join, but a row that finds none stays, with NULL for what the other
// would have put out.
func (s Selection) LeftJoin(name string, q Query, on ...Cond) Selection {
	s = s.Join(name, q, on...)
	s.tree.Joins[len(s.tree.Joins)-1].Left = true
	return s
}

// OrderBy orders by what is put out, "-n" for descending. It replaces an earlier
// ordering.
func (s Selection) OrderBy(names ...string) Selection {
	orders := make([]Order, len(names))
	for i, name := range names {
		orders[i] = OrderBy(name)
	}
	return s.OrderByExpr(orders...)
}

// OrderByExpr is OrderBy for expressions.
func (s Selection) OrderByExpr(orders ...Order) Selection {
	s.tree.Order, s.tree.Backward = orderNodes(orders), false
	return s
}

// Limit keeps at most n rows.
func (s Selection) Limit(n int) Selection {
	limit := int64(n)
	s.tree.Limit = &limit
	return s
}

// Offset leaves out the first n rows.
func (s Selection) Offset(n int) Selection {
	s.tree.Offset = int64(n)
	return s
}

// Distinct keeps one of several equal rows.
func (s Selection) Distinct() Selection {
	s.tree.Distinct = true
	return s
}

// open is the selection as something that can be filtered: what it puts out already
// is read from.
func (s Selection) open() ast.Select {
	t := s.tree
	if len(t.Outputs) > 0 || len(t.Group) > 0 || t.Limit != nil || t.Offset != 0 || t.Distinct {
		return around(t)
	}
	return t
}

// around reads from s, in its order if that is one of what it puts out: a server need not
// keep the order of a sub-select, and MariaDB does not.
func around(s ast.Select) ast.Select {
	t := ast.Select{Database: s.Database, Err: s.Err, Replica: s.Replica}
	if len(s.Order) > 0 && len(s.Outputs) > 0 && !slices.ContainsFunc(s.Order, func(o ast.Order) bool { return !puts(s.Outputs, o.By) }) {
		t.Order, t.Backward = s.Order, s.Backward
		if s.Limit == nil && s.Offset == 0 {
			s.Order, s.Backward = nil, false
		}
	}
	t.From = &s
	return t
}

// puts reports whether n is the name of an output.
func puts(outputs []ast.Output, n ast.Node) bool {
	name, ok := n.(ast.Column)
	return ok && slices.ContainsFunc(outputs, func(o ast.Output) bool {
		column, _ := o.Of.(ast.Column)
		return o.Name == name.Path || o.Name == "" && column.Path == name.Path && !strings.Contains(name.Path, ".")
	})
}

// selected is the tree of q, to be gone on from.
func selected(q Query) ast.Select {
	if t := tree(q); t != nil {
		return *t
	}
	return ast.Select{Err: errNoQuery}
}

var errNoQuery = errors.New("a query is nil: begin with orm.Objects")

func tree(q Query) *ast.Select {
	if q == nil {
		return nil
	}
	return q.Tree()
}

func orderNodes(orders []Order) []ast.Order {
	nodes := make([]ast.Order, len(orders))
	for i, o := range orders {
		nodes[i] = o.node
	}
	return nodes
}
