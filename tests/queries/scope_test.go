package queries

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// gen draws a program over a world.
type gen struct {
	t      *rapid.T
	db     *orm.DB
	w      *world
	names  int
	groups bool // the server has frames of groups
	texts  bool // MariaDB refuses Distinct of StringAgg over groups (S56)
	whole  bool // older MariaDB has a range from a row on for one number only (S36)
	plain  bool // MySQL and MariaDB, which lose rows or names in some queries that are deeper
}

func generator(t *rapid.T, db *orm.DB, w *world) *gen {
	server := db.Server()
	mariadb := server.Engine == dialect.MariaDB
	return &gen{t: t, db: db, w: w, groups: server.Can(dialect.FrameGroups), texts: mariadb,
		whole: mariadb && !server.Version.AtLeast(10, 6, 0), plain: mariadb || server.Engine == dialect.MySQL}
}

// n draws a number from 0 to below n.
func (g *gen) n(n int) int { return rapid.IntRange(0, n-1).Draw(g.t, "choice") }

func (g *gen) maybe(oneIn int) bool { return g.n(oneIn) == 1 }

func choose[E any](g *gen, list []E) E { return list[g.n(len(list))] }

// name is one that is nowhere else.
func (g *gen) name(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

// scope is what can be named where an expression stands.
type scope struct {
	columns []named
	outer   *scope
	flat    bool    // no sub-select stands here, where one server or the other loses its way
	table   *table  // whose relations can be asked about; nil if none can
	rows    *scope  // of the rows that an aggregate is computed over; nil where there is none
	over    []named // what windows are ordered by for every row to have a place; nil where there is none
}

// named is what a name stands for.
type named struct {
	name string
	kind kind
	get  func(*env) value
	put  bool // it is an output, which Outer does not know
}

func (s *scope) of(k kind) (list []named) {
	for _, c := range s.columns {
		if c.kind == k {
			list = append(list, c)
		}
	}
	return list
}

// env is a row, or a group of them, with what is around it.
type env struct {
	record *record                     // of a table
	values map[string]value            // of a sub-select
	beside map[string]map[string]value // of what is joined, by its name
	outer  *env
	group  []*env // the rows of a group
	all    []*env // the rows that a window looks at
}

// expr is an expression, for the server and in Go.
type expr struct {
	query.Expr
	kind kind
	eval func(*env) value
	text string
}

// cond is a condition, for the server and in Go.
type cond struct {
	query.Cond
	eval func(*env) bool
	text string
}

func (c named) expr() expr {
	return expr{query.F(c.name), c.kind, c.get, "F(" + c.name + ")"}
}

func (c named) fromWithin() expr {
	return expr{query.Outer(c.name), c.kind, func(e *env) value { return c.get(e.outer) }, "Outer(" + c.name + ")"}
}

// columnsOf is the columns of a table, and those that paths of relations to one row
// lead to.
func (w *world) columnsOf(t *table) []named {
	var list []named
	var add func(t *table, prefix string, at func(*env) *record, depth int)
	add = func(t *table, prefix string, at func(*env) *record, depth int) {
		for _, c := range t.columns {
			list = append(list, named{prefix + c.name, c.kind, func(e *env) value {
				if r := at(e); r != nil {
					return r.v[c.name]
				}
				return nil
			}, false})
		}
		for _, r := range t.relations {
			if !r.many && depth > 0 {
				add(r.target, prefix+r.name+".", func(e *env) *record {
					if row := at(e); row != nil {
						if found := w.related(row, r); len(found) > 0 {
							return found[0]
						}
					}
					return nil
				}, depth-1)
			}
		}
	}
	add(t, "", func(e *env) *record { return e.record }, 2)
	return list
}

// rowsOf is the rows of a table.
func rowsOf(t *table, outer *env) []*env {
	list := make([]*env, len(t.rows))
	for i, r := range t.rows {
		list[i] = &env{record: r, outer: outer}
	}
	return list
}

// manyPath is a path of relations from t of which one at least leads to many rows,
// and the rows that it leads to, each once.
func (g *gen) manyPath(t *table) (path string, target *table, find func(*record) []*record, ok bool) {
	find = func(r *record) []*record { return []*record{r} }
	many, names := false, []string(nil)
	for range 3 {
		r := choose(g, t.relations)
		names, many, t = append(names, r.name), many || r.many, r.target
		before := find
		find = func(row *record) (list []*record) {
			seen := map[*record]bool{}
			for _, at := range before(row) {
				for _, next := range g.w.related(at, r) {
					if !seen[next] {
						seen[next] = true
						list = append(list, next)
					}
				}
			}
			return list
		}
		if many && !g.maybe(3) {
			break
		}
	}
	return strings.Join(names, "."), t, find, many
}

func holds(conds []cond, e *env) bool {
	for _, c := range conds {
		if !c.eval(e) {
			return false
		}
	}
	return true
}

func queries(conds []cond) []query.Cond {
	list := make([]query.Cond, len(conds))
	for i, c := range conds {
		list[i] = c.Cond
	}
	return list
}

func textOf(conds []cond) string {
	list := make([]string, len(conds))
	for i, c := range conds {
		list[i] = c.text
	}
	return strings.Join(list, ", ")
}

// statement is a text with its values, for reports.
func statement(text string, args []any, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %v", text, args)
}
