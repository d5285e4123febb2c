package queries

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// rowsOfModels draws a query of whole rows, with what is read beside them.
func rowsOfModels(g *gen) program {
	t := choose(g, g.w.tables)
	columns := g.w.columnsOf(t)
	s := &scope{columns: columns, table: t, over: columns[:1]}
	b := base{source: t.open(g.db), scope: s, text: t.name, rows: func(o *env) []*env { return rowsOf(t, o) }}
	if g.maybe(6) {
		b = g.joined(b, 2)
	}
	set, said, s := b.source.(rowSet), b.text, b.scope

	noted := expr{eval: func(*env) value { return nil }}
	filtering := s
	if g.maybe(2) {
		windowed := g.maybe(4)
		if windowed {
			noted = g.window(s, whole, 1)
		} else {
			noted = g.expr(s, whole, 2)
		}
		set, said = set.annotate(noted), said+".Annotate("+noted.text+")"
		if !windowed { // its name stands for it
			with := *s
			with.columns = append([]named{{"noted", whole, noted.eval, true}}, s.columns...)
			filtering = &with
		}
	}
	conds, except := g.conds(filtering, 2, 2), g.conds(filtering, 1, 1)
	set = set.filter(queries(conds)...).(rowSet)
	said += ".Filter(" + textOf(conds) + ")"
	if len(except) > 0 {
		set, said = set.exclude(queries(except)...), said+".Exclude("+textOf(except)+")"
	}
	once := g.maybe(5)
	if once {
		set, said = set.distinct(), said+".Distinct()"
	}
	var beside []string // relations to one row
	for _, r := range t.relations {
		if !r.many && g.maybe(3) {
			beside = append(beside, r.name)
			set, said = set.related(r.name), said+".Related("+r.name+")"
		}
	}

	var orders []query.Order
	var by []criterion
	var keys []func(*env) value
	order := func(e expr) {
		o, c, text := g.criterion(e)
		orders, by, keys, said = append(orders, o), append(by, c), append(keys, e.eval), said+"|OrderBy("+text+")"
	}
	own := &scope{columns: columns[:len(t.columns)]}
	for range g.n(3) {
		k := choose(g, []kind{whole, text})
		switch {
		case once && len(own.of(k)) > 0:
			order(choose(g, own.of(k)).expr())
		case !once:
			order(g.expr(filtering, k, 1))
		}
	}
	limit, offset := -1, 0
	if g.maybe(4) && len(s.over) == 1 { // not joined
		order(columns[0].expr())
		limit, offset = g.n(4), g.n(2)
		set, said = set.limit(limit).offset(offset), fmt.Sprintf("%s.Limit(%d).Offset(%d)", said, limit, offset)
	}
	if len(orders) > 0 {
		set = set.order(orders...)
	}
	var more []*fetched
	for _, r := range t.relations {
		if r.many && g.maybe(2) {
			f := g.prefetch(r, 2)
			more = append(more, f)
			for _, p := range f.paths("") {
				set = set.prefetch(p.path, p.refine)
			}
			said += ".Prefetch(" + f.text + ")"
		}
	}

	return program{said, func(ctx context.Context) string {
		var list []result
		all := slices.DeleteFunc(b.rows(nil), func(e *env) bool { return !holds(conds, e) || len(except) > 0 && holds(except, e) })
		seen := map[string]bool{}
		for _, e := range all {
			e.all = all
		}
		for _, e := range all {
			r := result{keys: make([]value, len(keys))}
			for i, k := range keys {
				r.keys[i] = k(e)
			}
			r.values = []value{g.expected(e.record, noted.eval(e), beside, more)}
			if k := spelled(r.values); !once || !seen[k] {
				seen[k] = true
				list = append(list, r)
			}
		}
		list = page(ordered(list, func(r result) []value { return r.keys }, by), limit, offset)
		got, err := set.all(ctx)
		if err != nil {
			return err.Error() + "\n" + set.sql(ctx)
		}
		read := make([][]value, len(got))
		for i, m := range got {
			read[i] = []value{found(m, beside, more)}
		}
		if diff := compareRows(list, by, read); diff != "" {
			return diff + set.sql(ctx)
		}
		n, err := set.count(ctx)
		if err != nil || n != int64(len(list)) {
			return fmt.Sprintf("Count is %d: %v\n%s", n, err, set.sql(ctx))
		}
		if found, err := set.exists(ctx); err != nil || found != (len(list) > 0) {
			return fmt.Sprintf("Exists is %v: %v\n%s", found, err, set.sql(ctx))
		}
		return ""
	}}
}

// fetched is a relation that is prefetched.
type fetched struct {
	relation *relation
	refine   func(orm.Related) orm.Related
	rows     func(*record) []*record // those that are read, in order if it has one
	ordered  bool
	beside   []string
	next     []*fetched
	text     string
}

// step is one call of Prefetch.
type step struct {
	path   string
	refine func(orm.Related) orm.Related
}

func (g *gen) prefetch(r *relation, depth int) *fetched {
	columns := g.w.columnsOf(r.target)
	s := &scope{columns: columns, table: r.target}
	conds, except := g.conds(s, 1, 1), g.conds(s, 0, 1)
	f := &fetched{relation: r, text: r.name + ": Filter(" + textOf(conds) + "), Exclude(" + textOf(except) + ")"}
	var orders []query.Order
	var by []criterion
	var keys []expr
	order := func(e expr) {
		o, c, said := g.criterion(e)
		orders, by, keys, f.text = append(orders, o), append(by, c), append(keys, e), f.text+", OrderBy("+said+")"
	}
	for range g.n(3) {
		order(g.expr(s, choose(g, []kind{whole, text}), 1))
	}
	limit := -1
	if g.maybe(2) {
		limit = g.n(3)
		f.text += fmt.Sprintf(", Limit(%d)", limit)
	}
	f.ordered = limit >= 0 || len(orders) > 0
	if len(orders) > 0 && limit < 0 {
		order(columns[0].expr())
	}
	for _, one := range r.target.relations {
		if !one.many && g.maybe(3) {
			f.beside = append(f.beside, one.name)
		}
	}
	f.refine = func(r orm.Related) orm.Related {
		r = r.Filter(queries(conds)...)
		if len(except) > 0 {
			r = r.Exclude(queries(except)...)
		}
		if len(orders) > 0 {
			r = r.OrderByExpr(orders...)
		}
		if limit >= 0 {
			r = r.Limit(limit)
		}
		return r.Related(f.beside...)
	}
	if f.ordered { // by the key at last
		by, keys = append(by, criterion{}), append(keys, columns[0].expr())
	}
	f.rows = func(row *record) []*record {
		var list []*env
		for _, r := range g.w.related(row, f.relation) {
			if e := (&env{record: r}); holds(conds, e) && (len(except) == 0 || !holds(except, e)) {
				list = append(list, e)
			}
		}
		list = page(ordered(list, func(e *env) []value { return valuesOf(keys, e) }, by), limit, 0)
		rows := make([]*record, len(list))
		for i, e := range list {
			rows[i] = e.record
		}
		return rows
	}
	if depth > 1 {
		for _, next := range r.target.relations {
			if next.many && g.maybe(3) {
				f.next = append(f.next, g.prefetch(next, depth-1))
			}
		}
	}
	for _, n := range f.next {
		f.text += ", Prefetch(" + n.text + ")"
	}
	return f
}

func (f *fetched) paths(before string) []step {
	list := []step{{before + f.relation.name, f.refine}}
	for _, n := range f.next {
		list = append(list, n.paths(before+f.relation.name+".")...)
	}
	return list
}

// expected is a row with what is read beside it, as a text.
func (g *gen) expected(r *record, noted value, beside []string, more []*fetched) string {
	list := make([]value, 0, len(r.of.columns)+1)
	for _, c := range r.of.columns {
		list = append(list, r.v[c.name])
	}
	said := spelled(append(list, noted))
	for _, rel := range r.of.relations {
		if slices.Contains(beside, rel.name) {
			said += " " + rel.name + " {"
			if rows := g.w.related(r, rel); len(rows) > 0 {
				said += g.expected(rows[0], nil, nil, nil)
			}
			said += "}"
		}
	}
	for _, f := range more {
		var texts []string
		for _, row := range f.rows(r) {
			texts = append(texts, g.expected(row, nil, f.beside, f.next))
		}
		said += manyOf(f, texts)
	}
	return said
}

// found is the same for a row as it was read.
func found(m model, beside []string, more []*fetched) string {
	said := spelled(m.values())
	for _, name := range beside {
		said += " " + name + " {"
		if one := m.one(name); one != nil {
			said += found(one, nil, nil)
		}
		said += "}"
	}
	for _, f := range more {
		var texts []string
		rows := m.many(f.relation.name)
		if rows == nil {
			return said + " nil instead of rows"
		}
		for _, row := range rows {
			texts = append(texts, found(row, f.beside, f.next))
		}
		said += manyOf(f, texts)
	}
	return said
}

func manyOf(f *fetched, texts []string) string {
	if !f.ordered {
		slices.Sort(texts)
	}
	return " " + f.relation.name + " [" + strings.Join(texts, "; ") + "]"
}
