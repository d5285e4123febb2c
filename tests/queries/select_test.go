package queries

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/query"
)

// reading is a query that puts out values.
type reading struct {
	query query.Query
	names []string
	kinds []kind
	rows  func(outer *env) []result
	by    []criterion
	text  string
	// uneven: it has groups and an Offset, over which servers do not agree in EXISTS.
	uneven bool
}

// result is a row of it, and what it is ordered by.
type result struct{ values, keys []value }

// base is what a SELECT reads: a source and what its rows are.
type base struct {
	source
	scope *scope
	rows  func(outer *env) []*env
	text  string
}

// The shapes of a SELECT.
const (
	anyShape = iota
	oneRow   // at most
	noLimit  // nor windows
)

// selection draws a query that puts out values of these kinds under these names.
func (g *gen) selection(outer *scope, names []string, kinds []kind, depth int) reading {
	return g.shaped(outer, names, kinds, depth, anyShape)
}

func (g *gen) shaped(outer *scope, names []string, kinds []kind, depth, shape int) reading {
	depth = max(depth, 0)
	b := g.base(outer, depth)
	for depth > 0 && g.maybe(3) {
		b = g.joined(b, depth)
	}
	conds := g.conds(b.scope, depth, 2)
	b.source = b.filter(queries(conds)...)
	said := b.text
	if len(conds) > 0 {
		said += ".Filter(" + textOf(conds) + ")"
	}
	filtered := func(o *env) []*env {
		rows := slices.DeleteFunc(b.rows(o), func(e *env) bool { return !holds(conds, e) })
		for _, e := range rows {
			e.all = rows
		}
		return rows
	}
	s := &selecting{gen: g, base: b, outer: outer, names: names, kinds: kinds, depth: depth, said: said, rowsOf: filtered, scope: b.scope}
	switch n := g.n(6); {
	case n == 0 && !slices.Contains(kinds, truth):
		s.whole()
		return s.reading()
	case n < 3:
		s.inGroups = true
		s.grouped()
	default:
		s.plain(shape != noLimit) // MySQL takes no windows in what In looks in
	}
	s.finish(shape)
	return s.reading()
}

// selecting is a SELECT that is being put together.
type selecting struct {
	*gen
	base
	outer    *scope
	names    []string
	kinds    []kind
	depth    int
	said     string
	scope    *scope            // of what is put out
	rowsOf   func(*env) []*env // rows, or groups
	outputs  []expr
	order    []query.Order
	keys     []func(*env) value
	by       []criterion
	inGroups bool
	distinct bool
	limit    int // -1: none
	offset   int
	built    query.Selection
}

// whole is aggregates over all rows.
func (s *selecting) whole() {
	rows := s.rowsOf
	s.rowsOf = func(o *env) []*env { return []*env{{outer: o, group: rows(o)}} }
	rowsScope := *s.base.scope
	if s.gen.plain { // MySQL counts a NULL that a sub-select yields
		rowsScope.flat, rowsScope.outer = true, nil
	}
	s.scope = &scope{outer: s.outer, rows: &rowsScope}
	for i, k := range s.kinds {
		if i == 0 {
			s.outputs = append(s.outputs, s.aggregate(s.scope, k, s.depth))
		} else {
			s.outputs = append(s.outputs, s.expr(s.scope, k, s.depth-1))
		}
	}
	s.limit = -1
	s.build()
}

func (s *selecting) plain(windows bool) {
	if s.gen.plain { // MariaDB does not order by what it puts out of the row around
		own := *s.scope
		own.outer = nil
		s.scope = &own
	}
	for _, k := range s.kinds {
		if windows && s.depth > 0 && k != truth && s.maybe(4) {
			s.outputs = append(s.outputs, s.window(s.scope, k, s.depth-1))
		} else {
			s.outputs = append(s.outputs, s.expr(s.scope, k, s.depth-1))
		}
	}
}

// grouped puts rows together that are equal in columns, or in what is put out.
func (s *selecting) grouped() {
	var keys []func(*env) value
	var names []string
	inner := s.base.scope
	// What is around is named in Filter alone, and aggregates have no sub-selects:
	// MySQL and MariaDB do not find columns elsewhere in a grouped sub-select.
	within, own := *inner, *inner
	within.outer, within.flat = nil, true
	own.outer, own.flat = nil, s.gen.plain
	s.scope = &scope{rows: &within}
	for range 1 + s.n(2) {
		c := choose(s.gen, inner.columns)
		if slices.Contains(names, c.name) {
			continue
		}
		names, keys = append(names, c.name), append(keys, c.get)
		s.scope.columns = append(s.scope.columns, c)
	}
	for i, k := range s.kinds {
		if s.maybe(5) {
			e := s.expr(&own, k, s.depth-1)
			names, keys = append(names, s.names[i]), append(keys, e.eval)
			s.outputs = append(s.outputs, e)
			continue
		}
		s.outputs = append(s.outputs, s.expr(s.scope, k, s.depth-1))
	}
	s.source = s.group(names...)
	s.said += ".GroupBy(" + strings.Join(names, ", ") + ")"
	rows := s.rowsOf
	having := &scope{rows: &within, columns: slices.Concat(s.scope.columns, s.named())}
	conds := s.conds(having, s.depth-1, 2)
	if len(conds) > 0 {
		s.source = s.having(queries(conds)...)
		s.said += ".Having(" + textOf(conds) + ")"
	}
	s.rowsOf = func(o *env) []*env {
		var groups []*env
		at := map[string]*env{}
		for _, e := range rows(o) {
			list := make([]value, len(keys))
			for i, k := range keys {
				list[i] = k(e)
			}
			k := spelled(list)
			if at[k] == nil {
				first := *e
				at[k] = &first
				groups = append(groups, at[k])
			}
			at[k].group = append(at[k].group, e)
		}
		return slices.DeleteFunc(groups, func(e *env) bool { return !holds(conds, e) })
	}
}

// named is the outputs, for what comes behind them.
func (s *selecting) named() []named {
	list := make([]named, len(s.outputs))
	for i, e := range s.outputs {
		list[i] = named{s.names[i], s.kinds[i], e.eval, true}
	}
	return list
}

// finish orders and limits.
func (s *selecting) finish(shape int) {
	s.distinct = s.maybe(5)
	if s.gen.texts && s.inGroups {
		s.distinct = false
	}
	s.limit = -1
	if shape == oneRow {
		s.limit = 1
	} else if shape != noLimit && s.maybe(4) {
		s.limit, s.offset = s.n(4), s.n(3)
	}
	if s.distinct && (s.gen.plain || s.names[0] != "a") {
		s.offset = 0 // MariaDB passes over it if all rows are equal, and Exists refuses it
	}
	orders := s.n(3)
	if s.gen.plain && s.limit < 0 && s.names[0] != "a" { // it orders nothing there, and they may not find its names
		orders = 0
	}
	for range orders {
		if s.distinct || s.maybe(2) {
			s.orderBy(choose(s.gen, s.named()).expr())
		} else {
			s.orderBy(s.expr(s.scope, choose(s.gen, []kind{whole, text}), s.depth-1))
		}
	}
	if s.limit >= 0 {
		for _, o := range s.named() {
			s.orderBy(o.expr())
		}
	}
	s.build()
}

func (s *selecting) orderBy(e expr) {
	o, c, said := s.criterion(e)
	if len(s.order) == 0 {
		s.said += "|OrderBy"
	}
	s.order, s.by, s.keys, s.said = append(s.order, o), append(s.by, c), append(s.keys, e.eval), s.said+"("+said+")"
}

// criterion orders by e.
func (g *gen) criterion(e expr) (query.Order, criterion, string) {
	o, c, said := e.Asc(), criterion{}, e.text+".Asc()"
	if g.maybe(2) {
		o, c.desc, said = e.Desc(), true, e.text+".Desc()"
	}
	switch g.n(5) {
	case 1:
		return o.NullsFirst(), criterion{c.desc, -1}, said + ".NullsFirst()"
	case 2:
		return o.NullsLast(), criterion{c.desc, 1}, said + ".NullsLast()"
	}
	return o, c, said
}

func (s *selecting) build() {
	outputs := make([]query.Operand, len(s.outputs))
	texts := make([]string, len(s.outputs))
	for i, e := range s.outputs {
		outputs[i], texts[i] = output{e.As(s.names[i])}, e.text+" AS "+s.names[i]
	}
	s.said = "Select(" + s.said + ", " + strings.Join(texts, ", ") + ")"
	q := query.Select(s.query(), outputs...).OrderByExpr(s.order...)
	if s.distinct {
		q, s.said = q.Distinct(), s.said+".Distinct()"
	}
	if s.limit >= 0 {
		q, s.said = q.Limit(s.limit), fmt.Sprintf("%s.Limit(%d)", s.said, s.limit)
	}
	if s.offset > 0 {
		q, s.said = q.Offset(s.offset), fmt.Sprintf("%s.Offset(%d)", s.said, s.offset)
	}
	s.built = q
}

// output is an Output as an Operand.
type output struct{ query.Output }

func (s *selecting) reading() reading {
	r := reading{query: s.built, names: s.names, kinds: s.kinds, by: s.by, text: s.said, uneven: s.inGroups && s.offset > 0}
	outputs, keys, by, rows, once, limit, offset := s.outputs, s.keys, s.by, s.rowsOf, s.distinct, s.limit, s.offset
	r.rows = func(o *env) []result {
		var list []result
		seen := map[string]bool{}
		for _, e := range rows(o) {
			one := result{make([]value, len(outputs)), make([]value, len(keys))}
			for i, out := range outputs {
				one.values[i] = out.eval(e)
			}
			for i, k := range keys {
				one.keys[i] = k(e)
			}
			if k := spelled(one.values); !once || !seen[k] {
				seen[k] = true
				list = append(list, one)
			}
		}
		list = ordered(list, func(r result) []value { return r.keys }, by)
		return page(list, limit, offset)
	}
	return r
}

func ordered[E any](list []E, keys func(E) []value, by []criterion) []E {
	return slices.SortedStableFunc(slices.Values(list), func(a, b E) int { return compareBy(by, keys(a), keys(b)) })
}

// page is what Limit, which is negative for none, and Offset leave.
func page[E any](list []E, limit, offset int) []E {
	list = list[min(offset, len(list)):]
	if limit >= 0 {
		list = list[:min(limit, len(list))]
	}
	return list
}
