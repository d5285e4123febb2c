package render

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// clause is what may stand in the part of a SELECT that is being written, and what
// was found in those before it.
type clause struct {
	aggregates bool // aggregate functions are allowed here
	windows    bool // and functions over a window
	naming     bool // and names of outputs
	watch      bool // columns have one value for each group only if they are grouped by
	inside     int  // how many aggregate functions are around what is being written

	distinct   bool // rows that are put out twice are left out
	having     bool // HAVING is being written
	overWindow bool // the next aggregate is computed over a window
	aggregated bool // one was written, or a Raw that may hold one
	windowed   bool // a function over a window was
	hasWindow  bool // one stands anywhere in the SELECT
	texts      bool // so was a StringAgg
	outputs    []output
	groups     []string // what is grouped by, as it is written
	bare       string   // a column that is not grouped by, of those that were watched
}

// reads notes a column that is written where each group has one row.
func (s *scope) reads(c found) {
	if !s.watch || s.inside > 0 || s.bare != "" || slices.Contains(s.groups, c.table+"."+c.column) {
		return
	}
	s.bare = c.column
	if c.field != nil {
		s.bare = c.field.Name
	}
}

// hidden reports whether MySQL and MariaDB may not find c in HAVING: it is grouped by
// together with a column of the same name of another table, of which they look at the
// first only, or it is of a sub-select, which they take apart first, and do not know any
// more what is a constant there. The least of the group's one value is the same.
func (s *scope) hidden(c found) bool {
	if !s.having || s.inside > 0 {
		return false
	}
	return c.field == nil || s.groupedAs(c.column, c.table+"."+c.column)
}

// groupedAs reports whether a column of that name is grouped by that is not own. MySQL and
// MariaDB know no capitals in names of columns.
func (s *scope) groupedAs(name, own string) bool {
	return slices.ContainsFunc(s.groups, func(g string) bool {
		return strings.HasSuffix(strings.ToLower(g), "."+strings.ToLower(name)) && g != own
	})
}

// checkGrouped refuses a column that has several values in a group. MySQL, by its
// sql_mode, and SQLite would show any of them.
func (s *scope) checkGrouped(w *writer) {
	if s.bare != "" && (s.aggregated || len(s.groups) > 0) {
		w.fail(&query.FieldError{Model: s.name(), Name: s.bare, Reason: "has several values in a group: name it in GroupBy, or put an aggregate around it"})
	}
}

// groups finds what is grouped by: columns, also under the name with which they are
// put out, and outputs that are computed from each row.
func (w *writer) groups(s *ast.Select, outputs []output) {
	sc := w.scope
	for _, name := range s.Group {
		i := slices.IndexFunc(outputs, func(o output) bool { return o.name == name })
		c, err := sc.find(ast.Column{Path: name})
		if i >= 0 && outputs[i].column != nil {
			if err != nil {
				c, err = *outputs[i].column, nil
			}
			i = -1
		}
		switch {
		case i >= 0 && err == nil:
			w.fail(ambiguous(sc, name))
		case i >= 0:
			outputs[i].grouped = true
			sc.groups = append(sc.groups, strconv.Itoa(i+1)) // a position: values in two places are not the same to a server
		case err != nil:
			w.fail(err)
		case c.computed != nil:
			w.fail(&query.FieldError{Model: sc.name(), Name: name, Reason: "is computed: put it out under another name to group by it"})
		default:
			w.sameness("grouped by", c.kind)
			sc.groups = append(sc.groups, c.table+"."+c.column)
		}
	}
	if len(s.Having) > 0 && len(s.Group) == 0 {
		w.fail(errors.New("a condition of Having without GroupBy: there are no groups"))
	}
}

func ambiguous(s *scope, name string) error {
	return &query.FieldError{Model: s.name(), Name: name, Reason: "is a column and also what is put out under that name: call that otherwise"}
}

// sameness refuses what not every engine finds equal alike.
func (w *writer) sameness(what string, k kind) {
	if (k.Kind == column.JSON || k.Kind == column.Array) && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " cannot be " + what + ": not every engine tells which are equal"})
	}
}

// grouping writes GROUP BY and HAVING.
func (w *writer) grouping(s *ast.Select) {
	sc := w.scope
	for i, g := range sc.groups {
		if i == 0 {
			w.string(" GROUP BY ")
		} else {
			w.string(", ")
		}
		w.string(g)
	}
	for _, o := range sc.outputs {
		if o.grouped {
			w.sameness("grouped by", o.kind)
		}
	}
	sc.aggregates, sc.watch, sc.naming, sc.having = true, true, true, true
	for i, c := range s.Having {
		if i == 0 {
			w.string(" HAVING ")
		} else {
			w.string(opAnd)
		}
		w.cond(c)
	}
	sc.aggregates, sc.watch, sc.naming, sc.having = false, false, false, false
}

// output is the output that n names and that is no column of this name, where names
// of outputs may stand.
func (s *scope) output(n ast.Node) *output {
	c, ok := n.(ast.Column)
	if !ok || !s.naming {
		return nil
	}
	for i := range s.outputs {
		if o := &s.outputs[i]; o.name == c.Path {
			switch at, err := s.find(n); {
			case err != nil:
				return o
			case o.column == nil || *o.column != at:
				return &output{name: o.name, of: ast.Missing{}} // two things of that name
			}
			return nil
		}
	}
	return nil
}

// again writes once more what is put out.
func (w *writer) again(o *output) kind {
	if _, both := o.of.(ast.Missing); both {
		w.fail(ambiguous(w.scope, o.name))
		return kind{}
	}
	if o.column != nil {
		return w.found(w.scope, *o.column)
	}
	if o.windowed && !w.scope.windows {
		w.fail(fmt.Errorf("%s is computed over a window, which is not yet there: filter what a sub-select puts out", o.name))
	}
	w.nullable = w.nullable || o.nullable
	sc := w.scope
	switch {
	case w.aliases && sc.having && sc.inside == 0 && !sc.groupedAs(sc.quoted(o.name), ""):
		w.string(sc.quoted(o.name))
	case w.aliases && o.grouped && sc.inside == 0:
		w.string("MIN(") // of the group's one value: the server does not see that it is grouped by
		w.put(part{o.text, o.args})
		w.byte(')')
	case w.aliases && sc.having:
		return w.anew(o.of)
	default:
		w.repeat(o)
	}
	return o.kind
}

// repeat writes what is put out as it stands there.
func (w *writer) repeat(o *output) {
	if w.numbered {
		w.string(o.text)
		return
	}
	w.put(part{o.text, o.args})
}

// anew writes what is put out where columns that it names may be hidden.
func (w *writer) anew(n ast.Node) kind {
	sc := w.scope
	sc.naming = false
	defer func() { sc.naming = true }()
	return w.node(n)
}

// ordersSelected refuses to order what DISTINCT leaves by what it has not looked
// at: one row that is left may stand for several.
func (w *writer) ordersSelected(orders []ast.Order) {
	for _, o := range orders {
		c, err := w.scope.find(o.By)
		switch {
		case err != nil:
			w.fail(fmt.Errorf("a Distinct query is ordered by columns that it selects, and not by what is computed: %w", err))
		case c.join != nil && !c.join.Selected:
			w.fail(&query.FieldError{Model: w.scope.root.Name, Name: c.join.Path + "." + c.field.Name,
				Reason: "orders a Distinct query that does not select it; add Related(" + strconv.Quote(c.join.Path) + ")"})
		}
	}
}

// ordersOutputs is the same for a SELECT with outputs of its own.
func (w *writer) ordersOutputs(orders []ast.Order) {
	sc := w.scope
	for _, o := range orders {
		sc.naming = true
		named := sc.output(o.By) != nil
		sc.naming = false
		c, err := sc.find(o.By)
		if !named && (err != nil || !slices.ContainsFunc(sc.outputs, func(have output) bool { return have.column != nil && *have.column == c })) {
			w.fail(errors.New("a Distinct query is ordered by what it puts out: one row that is left may stand for several"))
		}
	}
}

// distinctValues refuses JSON in what DISTINCT compares, unless the key of the row stands beside
// it: 1 and 1.0 are one value for some engines, and two for others.
func (w *writer) distinctValues(outputs []Output) {
	keys := 0
	for _, o := range outputs {
		if f := o.Type.field; f != nil && f.IsPK && w.scope.root != nil && slices.Contains(w.scope.root.PKs, f) {
			keys++
		}
	}
	if keys > 0 && keys == len(w.scope.root.PKs) {
		return
	}
	for _, o := range outputs {
		if o.Type.Kind == column.JSON {
			w.sameness("put out by a Distinct query", o.Type)
		}
	}
}

// lockableOutputs refuses to lock rows of which each stands for several, or for none
// (rule L6).
func (w *writer) lockableOutputs(s *ast.Select) {
	if len(s.Locks) > 0 && (w.scope.root == nil || len(s.Group) > 0 || len(s.Joins) > 0) {
		w.fail(fmt.Errorf("%w: only rows of a table can be locked, not those of a group or of a sub-select", ErrLockOptions))
	}
}
