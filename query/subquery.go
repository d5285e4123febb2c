package query

import "github.com/holdfast-go/holdfast/internal/ast"

// Outer is a column of the row around a sub-select: of the query that the sub-select
// is a condition or a value of.
//
//	busy := rooms.Filter(query.Exists(bookings.Filter(query.F("room_id").Eq(query.Outer("id")))))
//
// A sub-select that is read from, joined or combined, or that In looks in by a Limit,
// cannot see it (rule S32).
func Outer(path string) Expr { return Expr{ast.Outer{Of: ast.Column{Path: path}}} }

// Exists holds where q has a row.
func Exists(q Query) Cond { return cond{ast.Exists{Of: tree(q)}} }

// Union is the rows of all queries, one of several equal ones, in no order. All put
// out as many values, of the same kinds, of which floating-point numbers and whole ones are
// two; names are those of the first. OrderBy and Limit are of the whole (rule S34).
func Union(first Query, more ...Query) Selection { return combine(ast.Union, first, more) }

// UnionAll is the rows of all queries.
func UnionAll(first Query, more ...Query) Selection { return combine(ast.UnionAll, first, more) }

// Intersect is the different rows that all queries have. MySQL has it since 8.0.31,
// MariaDB since 10.3; elsewhere it is dialect.ErrUnsupported.
func Intersect(first Query, more ...Query) Selection { return combine(ast.Intersect, first, more) }

// Except is the different rows of first that none of the others has. Servers have it
// where they have [Intersect].
func Except(first Query, more ...Query) Selection { return combine(ast.Except, first, more) }

func combine(op ast.SetOp, first Query, more []Query) Selection {
	c := &ast.Compound{Op: op, Of: []*ast.Select{tree(first)}}
	for _, q := range more {
		c.Of = append(c.Of, tree(q))
	}
	return from(c, c.Of...)
}

// With gives a query a name under which it stands once in the statement, however
// often it is read there (a common table expression, rule S35).
func With(name string, q Query) Selection { return from(&ast.CTE{Name: name, Of: tree(q)}, tree(q)) }

// Recursive begins with the rows of base, and goes on with those that step finds
// from the rows of the turn before, which self stands for, until it finds none. All
// of them are its rows:
//
//	tree := query.Recursive("tree", query.Select(folders.Filter(query.F("id").Eq(1)), query.F("id"), query.F("parent_id")),
//		func(self query.Selection) query.Query {
//			return query.Select(folders.Join("up", self, query.F("parent_id").Eq(query.F("up.id"))), query.F("id"), query.F("parent_id"))
//		})
//
// step joins self, once, and neither groups nor orders. Rows that lead back to
// themselves never end: MySQL gives up after cte_max_recursion_depth turns with an
// error, the others when ctx ends.
func Recursive(name string, base Query, step func(self Selection) Query) Selection {
	c := &ast.CTE{Name: name, Of: tree(base)}
	c.Step = func(self *ast.CTE) *ast.Select { return tree(step(from(self, tree(base)))) }
	return from(c, tree(base))
}

// from reads a source that is made of parts.
func from(source ast.Source, parts ...*ast.Select) Selection {
	s := ast.Select{From: source, Replica: true}
	for _, p := range parts {
		if p == nil {
			s.Err = errNoQuery
			continue
		}
		if s.Database == nil {
			s.Database = p.Database
		}
		s.Replica = s.Replica && p.Replica
	}
	return Selection{s}
}
