package queries

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/query"
)

// aggregate is computed over the rows of a group.
func (g *gen) aggregate(s *scope, k kind, depth int) expr {
	a := g.function(s.rows, k, depth)
	return expr{a.Expr, k, func(e *env) value { return a.over(e.group) }, a.text}
}

// function is an aggregate, with what it is over some rows.
type function struct {
	query.AggregateExpr
	over func(rows []*env) value
	text string
}

// function draws an aggregate with a result of kind k over rows of a scope.
func (g *gen) function(s *scope, k kind, depth int) function {
	depth = max(depth-1, 0)
	var q query.AggregateExpr
	var of expr
	name := "Count"
	f := choose(g, map[kind][]string{whole: {"Count", "CountOf", "Sum", "Min", "Max"}, text: {"Min", "Max", "StringAgg"}, floating: {"Avg", "Sum", "Max"}}[k])
	switch f {
	case "Count":
		one := func(*env) value { return int64(1) }
		q, of = query.Count(), expr{eval: one}
	case "CountOf":
		of = g.expr(s, choose(g, []kind{whole, text}), depth)
		q = query.Count(of)
	case "Sum":
		of, name = g.expr(s, k, depth), f
		q = query.Sum(of)
	case "Min":
		of, name = g.expr(s, k, depth), f
		q = query.Min(of)
	case "Max":
		of, name = g.expr(s, k, depth), f
		q = query.Max(of)
	case "Avg":
		of, name = g.expr(s, whole, depth), f
		q = query.Avg(of)
	case "StringAgg":
		of, name = g.expr(s, k, depth), f
		q = query.StringAgg(of, "-", of.Asc())
	}
	said := name + "(" + of.text + ")"
	once := f != "Count" && f != "StringAgg" && g.maybe(2)
	if once {
		q, said = q.Distinct(), said+".Distinct()"
	}
	var conds []cond
	if g.maybe(3) {
		conds = []cond{g.cond(s, depth)}
		q, said = q.Where(queries(conds)...), said+".Where("+textOf(conds)+")"
	}
	return function{q, func(rows []*env) value {
		var list []value
		for _, r := range rows {
			if holds(conds, r) {
				list = append(list, of.eval(r))
			}
		}
		if once {
			list = distinct(list)
		}
		if name == "StringAgg" {
			return joined(list)
		}
		return aggregated(name, list)
	}, said}
}

func joined(list []value) value {
	var texts []string
	for _, v := range ordered(list, func(v value) []value { return []value{v} }, []criterion{{}}) {
		if v != nil {
			texts = append(texts, v.(string))
		}
	}
	if texts == nil {
		return nil
	}
	return strings.Join(texts, "-")
}

// ofRelated is CountOf and its like.
func (g *gen) ofRelated(s *scope, k kind, depth int) (expr, bool) {
	if s.table == nil || k == text || k == truth {
		return expr{}, false
	}
	path, target, find, ok := g.manyPath(s.table)
	if !ok {
		return expr{}, false
	}
	inner := &scope{columns: g.w.columnsOf(target), table: target, outer: s}
	conds := g.conds(inner, depth-1, 1)
	of := g.leaf(&scope{columns: inner.columns}, whole)
	var q query.Expr
	name := "Avg"
	switch n := g.n(4); {
	case k == floating:
		q = query.AvgOf(path, of, queries(conds)...)
	case n == 0:
		name, q = "Sum", query.SumOf(path, of, queries(conds)...)
	case n == 1:
		name, q = "Min", query.MinOf(path, of, queries(conds)...)
	case n == 2:
		name, q = "Max", query.MaxOf(path, of, queries(conds)...)
	default:
		one := func(*env) value { return int64(1) }
		name, q, of = "Count", query.CountOf(path, queries(conds)...), expr{eval: one}
	}
	return expr{q, k, func(e *env) value {
		var list []value
		for _, r := range find(e.record) {
			if at := (&env{record: r, outer: e}); holds(conds, at) {
				list = append(list, of.eval(at))
			}
		}
		return aggregated(name, list)
	}, fmt.Sprintf("%sOf(%s, %s, %s)", name, path, of.text, textOf(conds))}, true
}
