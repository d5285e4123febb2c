package queries

import (
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/query"
)

// conds draws up to most conditions.
func (g *gen) conds(s *scope, depth, most int) []cond {
	list := make([]cond, g.n(most+1))
	for i := range list {
		list[i] = g.cond(s, depth)
	}
	return list
}

func (g *gen) cond(s *scope, depth int) cond {
	if depth > 0 {
		shape := g.n(10)
		if s.flat && shape > 3 {
			return g.comparison(s, depth)
		}
		switch shape {
		case 1:
			a, b := g.cond(s, depth-1), g.cond(s, depth-1)
			return cond{query.And(a, b), func(e *env) bool { return a.eval(e) && b.eval(e) }, "And(" + a.text + ", " + b.text + ")"}
		case 2:
			a, b := g.cond(s, depth-1), g.cond(s, depth-1)
			return cond{query.Or(a, b), func(e *env) bool { return a.eval(e) || b.eval(e) }, "Or(" + a.text + ", " + b.text + ")"}
		case 3:
			a := g.cond(s, depth-1)
			return cond{query.Not(a), func(e *env) bool { return !a.eval(e) }, "Not(" + a.text + ")"}
		case 4, 5:
			if s.table != nil {
				if c, ok := g.quantified(s, depth); ok {
					return c
				}
			}
		case 6:
			q := g.subQuery(s, depth-1)
			if q.uneven { // which Exists refuses (S32)
				break
			}
			return cond{query.Exists(q.query), func(e *env) bool { return len(q.rows(e)) > 0 }, "Exists(" + q.text + ")"}
		case 7:
			return g.among(s, depth)
		}
	}
	return g.comparison(s, depth)
}

func (g *gen) quantified(s *scope, depth int) (cond, bool) {
	path, target, find, ok := g.manyPath(s.table)
	if !ok {
		return cond{}, false
	}
	conds := g.conds(&scope{columns: g.w.columnsOf(target), table: target, outer: s}, depth-1, 2)
	matching := func(e *env) (found, all int) {
		rows := find(e.record)
		for _, r := range rows {
			if holds(conds, &env{record: r, outer: e}) {
				found++
			}
		}
		return found, len(rows)
	}
	said := fmt.Sprintf("(%s, %s)", path, textOf(conds))
	switch g.n(3) {
	case 0:
		return cond{query.Any(path, queries(conds)...), func(e *env) bool { n, _ := matching(e); return n > 0 }, "Any" + said}, true
	case 1:
		return cond{query.None(path, queries(conds)...), func(e *env) bool { n, _ := matching(e); return n == 0 }, "None" + said}, true
	}
	return cond{query.Every(path, queries(conds)...), func(e *env) bool { n, all := matching(e); return n == all }, "Every" + said}, true
}

// among is In and NotIn of a sub-select, in which NULL equals nothing.
func (g *gen) among(s *scope, depth int) cond {
	k := choose(g, []kind{whole, whole, text})
	e, around, shape := g.expr(s, k, 0), s, noLimit
	if g.maybe(4) {
		around = nil
	}
	q := g.shaped(around, []string{g.name("v")}, []kind{k}, depth-1, shape)
	in := func(at *env) bool {
		v := e.eval(at)
		return slices.ContainsFunc(q.rows(at), func(r result) bool { return equal(v, r.values[0]) })
	}
	if g.maybe(2) {
		return cond{e.NotIn(q.query), func(at *env) bool { return !in(at) }, e.text + ".NotIn(" + q.text + ")"}
	}
	return cond{e.In(q.query), in, e.text + ".In(" + q.text + ")"}
}

// comparison compares with an expression, or with values.
func (g *gen) comparison(s *scope, depth int) cond {
	k := choose(g, []kind{whole, whole, whole, text, text, floating, truth})
	e := g.expr(s, k, depth)
	if k == truth {
		v := g.maybe(2)
		return cond{e.Eq(v), func(at *env) bool { return equal(e.eval(at), v) }, fmt.Sprintf("%s.Eq(%v)", e.text, v)}
	}
	if g.maybe(3) {
		return g.compared(s, e, depth)
	}
	v := g.constant(k)
	test := func(name string, c query.Cond, ok func(int) bool) cond {
		return cond{c, func(at *env) bool { got := e.eval(at); return got != nil && ok(compare(got, v)) }, fmt.Sprintf("%s.%s(%#v)", e.text, name, v)}
	}
	switch g.n(11) {
	case 0:
		return test("Eq", e.Eq(v), func(n int) bool { return n == 0 })
	case 1:
		return cond{e.Ne(v), func(at *env) bool { return !equal(e.eval(at), v) }, fmt.Sprintf("%s.Ne(%#v)", e.text, v)}
	case 2:
		return test("Lt", e.Lt(v), func(n int) bool { return n < 0 })
	case 3:
		return test("Le", e.Le(v), func(n int) bool { return n <= 0 })
	case 4:
		return test("Gt", e.Gt(v), func(n int) bool { return n > 0 })
	case 5:
		return test("Ge", e.Ge(v), func(n int) bool { return n >= 0 })
	case 6:
		return cond{e.IsNull(), func(at *env) bool { return e.eval(at) == nil }, e.text + ".IsNull()"}
	case 7:
		return cond{e.IsNotNull(), func(at *env) bool { return e.eval(at) != nil }, e.text + ".IsNotNull()"}
	case 8:
		high := g.constant(k)
		return cond{e.Between(v, high), func(at *env) bool {
			got := e.eval(at)
			return got != nil && compare(got, v) >= 0 && compare(got, high) <= 0
		}, fmt.Sprintf("%s.Between(%#v, %#v)", e.text, v, high)}
	}
	if k == floating {
		return test("Gt", e.Gt(v), func(n int) bool { return n > 0 })
	}
	list := []any{v, g.constant(k)}
	if g.maybe(2) {
		list = append(list, nil)
	}
	in := func(at *env) bool {
		got := e.eval(at)
		return slices.ContainsFunc(list, func(v any) bool { return v == nil && got == nil || equal(got, v) })
	}
	if g.maybe(2) {
		return cond{e.NotIn(list...), func(at *env) bool { return !in(at) }, fmt.Sprintf("%s.NotIn(%#v)", e.text, list)}
	}
	return cond{e.In(list...), in, fmt.Sprintf("%s.In(%#v)", e.text, list)}
}

// compared compares two expressions: where one is NULL only Ne holds.
func (g *gen) compared(s *scope, e expr, depth int) cond {
	o := g.expr(s, e.kind, depth-1)
	test := func(name string, c query.Cond, ok func(int) bool) cond {
		return cond{c, func(at *env) bool {
			a, b := e.eval(at), o.eval(at)
			return a != nil && b != nil && ok(compare(a, b))
		}, e.text + "." + name + "(" + o.text + ")"}
	}
	switch g.n(6) {
	case 0:
		return cond{e.Ne(o), func(at *env) bool { return !equal(e.eval(at), o.eval(at)) }, e.text + ".Ne(" + o.text + ")"}
	case 1:
		return test("Lt", e.Lt(o), func(n int) bool { return n < 0 })
	case 2:
		return test("Ge", e.Ge(o), func(n int) bool { return n >= 0 })
	}
	return test("Eq", e.Eq(o), func(n int) bool { return n == 0 })
}

// constant is a value that is bound.
func (g *gen) constant(k kind) value {
	switch k {
	case text: // where nothing but values is compared, MySQL and MariaDB do it by the connection's collation
		return choose(g, []string{"", "a", "b", "ab"})
	case floating:
		return float64(small().Draw(g.t, "quarters")) / 4
	case truth:
		return g.maybe(2)
	}
	return small().Draw(g.t, "number")
}
