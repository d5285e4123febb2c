package queries

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/query"
)

// base draws what a SELECT reads.
func (g *gen) base(outer *scope, depth int) base {
	if depth > 0 {
		switch g.n(8) {
		case 1:
			return g.reads(g.some(depth-1), outer, nil)
		case 2:
			q := g.some(depth - 1)
			name := g.name("cte")
			with := query.With(name, q.query)
			b := g.reads(q, outer, &with)
			b.text = "With(" + name + ", " + q.text + ")"
			if g.maybe(2) {
				return g.joins(b, reading{query: with, names: q.names, kinds: q.kinds, rows: q.rows, text: name}, depth)
			}
			return b
		case 3:
			kinds := g.sameKinds()
			return g.reads(g.compound(g.fresh(kinds), kinds, depth-1), outer, nil)
		case 4:
			return g.tree(outer)
		}
	}
	t := choose(g, g.w.tables)
	columns := g.w.columnsOf(t)
	return base{source: t.open(g.db), scope: &scope{columns: columns, outer: outer, table: t, over: columns[:1]}, text: t.name,
		rows: func(o *env) []*env { return rowsOf(t, o) }}
}

func (g *gen) sameKinds() []kind {
	kinds := make([]kind, 1+g.n(2))
	for i := range kinds {
		kinds[i] = choose(g, []kind{whole, whole, text, floating})
	}
	return kinds
}

// fresh is a name for each of kinds.
func (g *gen) fresh(kinds []kind) []string {
	names := make([]string, len(kinds))
	for i := range names {
		names[i] = g.name("v")
	}
	return names
}

// some is a query with one or more outputs.
func (g *gen) some(depth int) reading {
	kinds := g.sameKinds()
	return g.selection(nil, g.fresh(kinds), kinds, depth)
}

// reads reads from another query.
func (g *gen) reads(q reading, outer *scope, as *query.Selection) base {
	if as == nil {
		s, isSelection := q.query.(query.Selection)
		if !isSelection {
			panic("a QuerySet is read from by itself")
		}
		s = s.Filter() // reads what it puts out
		as = &s
	}
	columns := make([]named, len(q.names))
	for i, name := range q.names {
		columns[i] = named{name, q.kinds[i], func(e *env) value { return e.values[name] }, false}
	}
	return base{source: selection{*as}, scope: &scope{columns: columns, outer: outer, over: columns}, text: "(" + q.text + ")",
		rows: func(o *env) []*env {
			var list []*env
			for _, r := range q.rows(nil) {
				list = append(list, &env{values: byName(q.names, r.values), outer: o})
			}
			return list
		}}
}

func byName(names []string, values []value) map[string]value {
	m := map[string]value{}
	for i, name := range names {
		m[name] = values[i]
	}
	return m
}

// joined puts the rows of another query beside those of b.
func (g *gen) joined(b base, depth int) base { return g.joins(b, g.some(depth-1), depth) }

func (g *gen) joins(b base, q reading, depth int) base {
	name, left := g.name("j"), g.maybe(2)
	beside := make([]named, len(q.names))
	for i, out := range q.names {
		beside[i] = named{name + "." + out, q.kinds[i], func(e *env) value { return e.beside[name][out] }, false}
	}
	s := *b.scope
	s.columns = append(append([]named{}, beside...), b.scope.columns...)
	s.over = append(append([]named{}, b.scope.over...), beside...)
	on := g.comparison(&s, 0)
	if own := b.scope.of(beside[0].kind); len(own) > 0 && !g.maybe(4) {
		x, y := choose(g, own).expr(), beside[0].expr()
		on = cond{x.Eq(y), func(e *env) bool { return equal(x.eval(e), y.eval(e)) }, x.text + ".Eq(" + y.text + ")"}
	}
	rows, verb := b.rows, "Join"
	if left {
		verb = "LeftJoin"
	}
	return base{source: b.join(left, name, q.query, on), scope: &s, text: fmt.Sprintf("%s.%s(%s, %s, %s)", b.text, verb, name, q.text, on.text),
		rows: func(o *env) []*env {
			var list []*env
			others := q.rows(nil)
			for _, e := range rows(o) {
				found := false
				with := func(values map[string]value) *env {
					both := *e
					both.beside = map[string]map[string]value{name: values}
					for k, v := range e.beside {
						both.beside[k] = v
					}
					return &both
				}
				for _, r := range others {
					if both := with(byName(q.names, r.values)); on.eval(both) {
						list, found = append(list, both), true
					}
				}
				if !found && left {
					list = append(list, with(nil))
				}
			}
			return list
		}}
}

// compound is the rows of several queries.
func (g *gen) compound(names []string, kinds []kind, depth int) reading {
	var parts []reading
	var more []query.Query
	var said []string
	for range 2 + g.n(2) {
		p := g.selection(nil, names, kinds, depth)
		names = g.fresh(kinds) // those of the first are those of the whole
		parts, more, said = append(parts, p), append(more, p.query), append(said, p.text)
	}
	name, put := "", func(query.Query, ...query.Query) query.Selection { return query.Selection{} }
	keep := func(in []int) int { return 0 } // how many of a row that is in the parts so many times
	switch g.n(4) {
	case 0:
		name, put, keep = "Union", query.Union, func([]int) int { return 1 }
	case 1:
		name, put, keep = "UnionAll", query.UnionAll, func(in []int) int {
			n := 0
			for _, i := range in {
				n += i
			}
			return n
		}
	case 2:
		name, put, keep = "Intersect", query.Intersect, func(in []int) int { return min(1, minOf(in)) }
	case 3:
		name, put, keep = "Except", query.Except, func(in []int) int {
			for _, i := range in[1:] {
				if i > 0 {
					return 0
				}
			}
			return min(1, in[0])
		}
	}
	return reading{query: put(more[0], more[1:]...), names: parts[0].names, kinds: kinds, text: name + "(" + strings.Join(said, ", ") + ")",
		rows: func(*env) []result {
			counts, of, order := map[string][]int{}, map[string]result{}, []string(nil)
			for i, p := range parts {
				for _, r := range p.rows(nil) {
					k := spelled(r.values)
					if counts[k] == nil {
						counts[k], of[k], order = make([]int, len(parts)), result{values: r.values}, append(order, k)
					}
					counts[k][i]++
				}
			}
			var list []result
			for _, k := range order {
				for range keep(counts[k]) {
					list = append(list, of[k])
				}
			}
			return list
		}}
}

func minOf(list []int) int {
	least := list[0]
	for _, n := range list {
		least = min(least, n)
	}
	return least
}

// tree goes from some teams up or down, and counts the steps.
func (g *gen) tree(outer *scope) base {
	team := g.w.table("Team")
	s := &scope{columns: g.w.columnsOf(team), table: team}
	begin, goOn := g.conds(s, 0, 1), g.conds(s, 0, 1)
	up := g.maybe(2)
	id, parent, steps, name := g.name("v"), g.name("v"), g.name("v"), g.name("tree")
	outputs := func(steps2 query.Expr) []query.Operand {
		return []query.Operand{output{query.F("id").As(id)}, output{query.F("parent_id").As(parent)}, output{steps2.As(steps)}}
	}
	first := query.Select(team.open(g.db).filter(queries(begin)...).query(), outputs(query.Value(int64(1)))...)
	q := query.Recursive(name, first, func(self query.Selection) query.Query {
		on := query.F("parent_id").Eq(query.F("up." + id))
		if up {
			on = query.F("id").Eq(query.F("up." + parent))
		}
		return query.Select(team.open(g.db).join(false, "up", self, on).filter(queries(goOn)...).query(), outputs(query.F("up."+steps).Add(1))...)
	})
	r := reading{query: q, names: []string{id, parent, steps}, kinds: []kind{whole, whole, whole},
		text: fmt.Sprintf("Recursive(%s, %s, from Team.Filter(%s), over Team.Filter(%s), up %v)", name, strings.Join([]string{id, parent, steps}, ", "), textOf(begin), textOf(goOn), up),
		rows: func(*env) []result {
			var list []result
			var last []*record
			for _, row := range team.rows {
				if holds(begin, &env{record: row}) {
					last = append(last, row)
				}
			}
			for n := int64(1); len(last) > 0; n++ {
				var next []*record
				for _, row := range last {
					list = append(list, result{values: []value{row.v["id"], row.v["parent_id"], n}})
					for _, other := range team.rows {
						is := equal(other.v["parent_id"], row.v["id"])
						if up {
							is = equal(other.v["id"], row.v["parent_id"])
						}
						if is && holds(goOn, &env{record: other}) {
							next = append(next, other)
						}
					}
				}
				last = next
			}
			return list
		}}
	return g.reads(r, outer, &q)
}

// subQuery is a query of which only matters whether there is a row.
func (g *gen) subQuery(s *scope, depth int) reading {
	if g.maybe(2) {
		return g.selection(s, []string{g.name("v")}, []kind{whole}, depth)
	}
	t := choose(g, g.w.tables)
	conds := g.conds(&scope{columns: g.w.columnsOf(t), table: t, outer: s}, depth, 2)
	return reading{query: t.open(g.db).filter(queries(conds)...).query(), text: t.name + ".Filter(" + textOf(conds) + ")",
		rows: func(o *env) []result {
			var list []result
			for _, e := range rowsOf(t, o) {
				if holds(conds, e) {
					list = append(list, result{})
				}
			}
			return list
		}}
}

// scalar is the value of a sub-select's one row, NULL without one.
func (g *gen) scalar(s *scope, k kind, depth int) expr {
	q := g.shaped(s, []string{g.name("v")}, []kind{k}, depth-1, oneRow)
	return expr{q.query.(query.Selection).Expr(), k, func(e *env) value {
		if rows := q.rows(e); len(rows) > 0 {
			return rows[0].values[0]
		}
		return nil
	}, "(" + q.text + ")"}
}
