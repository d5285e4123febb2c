package queries

import (
	"context"
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/query"
)

// pages draws a query that is read page by page, from both ends, and from somewhere
// to somewhere else.
func pages(g *gen) program {
	t := choose(g, g.w.tables)
	columns := g.w.columnsOf(t)
	s := &scope{columns: columns, table: t}
	conds := g.conds(s, 2, 1)
	set := t.open(g.db).filter(queries(conds)...).(rowSet)
	said := t.name + ".Filter(" + textOf(conds) + ")"
	var orders []query.Order
	var by []criterion
	var keys []named
	for range g.n(4) {
		c := choose(g, columns[:len(t.columns)])
		if slices.ContainsFunc(keys, func(have named) bool { return have.name == c.name }) {
			continue
		}
		o, at, text := g.criterion(c.expr())
		orders, by, keys, said = append(orders, o), append(by, at), append(keys, c), said+".OrderBy("+text+")"
	}
	if len(orders) > 0 {
		set = set.order(orders...)
	}
	last := criterion{} // the key is added in the direction of the one before it
	if len(by) > 0 {
		last.desc = by[len(by)-1].desc
	}
	by, keys = append(by, last), append(keys, columns[0])
	size, byCursor := 1+g.n(3), g.maybe(2)
	from, to := g.n(8), g.n(8)
	said += fmt.Sprintf(" in pages of %d, by cursor %v, and from the row %d to %d", size, byCursor, from, to)

	return program{said, func(ctx context.Context) string {
		var list []result
		for _, e := range rowsOf(t, nil) {
			if holds(conds, e) {
				r := result{values: []value{e.record.v["id"]}}
				for _, k := range keys {
					r.keys = append(r.keys, k.get(e))
				}
				list = append(list, r)
			}
		}
		list = ordered(list, func(r result) []value { return r.keys }, by)
		whole := make([]model, len(list))
		for _, before := range []bool{false, true} {
			var row model
			for turn := 0; ; turn++ {
				at, err := set.past(row, before, byCursor)
				if err != nil {
					return err.Error()
				}
				at = at.limit(size)
				got, err := at.all(ctx)
				if err != nil {
					return err.Error() + "\n" + at.sql(ctx)
				}
				begin := min(turn*size, len(list))
				end := min(begin+size, len(list))
				if before {
					begin, end = len(list)-end, len(list)-begin
				}
				if diff := compareRows(list[begin:end], by, keysOf(got)); diff != "" {
					return fmt.Sprintf("page %d, before %v: %s%s", turn, before, diff, at.sql(ctx))
				}
				if len(got) == 0 {
					break
				}
				copy(whole[begin:end], got)
				if row = got[len(got)-1]; before {
					row = got[0]
				}
			}
		}
		if from >= len(list) || to >= len(list) {
			return ""
		}
		at, err := set.past(whole[from], false, byCursor)
		if err == nil {
			at, err = at.past(whole[to], true, byCursor)
		}
		if err != nil {
			return err.Error()
		}
		got, err := at.all(ctx)
		if err != nil {
			return err.Error() + "\n" + at.sql(ctx)
		}
		if diff := compareRows(list[from+1:max(to, from+1)], by, keysOf(got)); diff != "" {
			return fmt.Sprintf("from %d to %d: %s%s", from, to, diff, at.sql(ctx))
		}
		return ""
	}}
}

// keysOf is the primary keys of rows.
func keysOf(rows []model) [][]value {
	list := make([][]value, len(rows))
	for i, r := range rows {
		list[i] = r.values()[:1]
	}
	return list
}
