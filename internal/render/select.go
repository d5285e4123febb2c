package render

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// Select is a SELECT over one model and the related tables that it needs.
type Select struct {
	Model    *Model
	Related  []string // paths of relations whose columns are read too
	Where    []ast.Node
	Order    []ast.Order
	Limit    *int64
	Offset   int64
	Distinct bool
	Locks    []*ast.Lock
}

// Render returns the statement, and the joined tables whose columns follow
// those of the model, in their order.
func (s *Select) Render() (Text, []*Join, error) {
	w := newWriter(s.Model, 128+len(s.Model.list))
	joins := w.related(s.Related)
	w.string("SELECT ")
	if s.Distinct {
		w.string("DISTINCT ")
	}
	w.string(s.Model.list)
	for _, j := range joins {
		for _, f := range j.Model.Fields {
			w.string(", ")
			w.output(j, f)
		}
	}
	w.nullable = false
	if s.Distinct {
		w.ordersSelected(s.Order)
	}
	s.tail(w)
	t, err := w.text()
	return t, joins, err
}

// RenderExists returns a statement that yields a row if there is any.
func (s *Select) RenderExists() (Text, error) {
	w := newWriter(s.Model, 256)
	w.related(s.Related)
	w.string("SELECT 1")
	one := *s
	if s.Limit == nil || *s.Limit > 1 {
		one.Limit = new(int64)
		*one.Limit = 1
	}
	one.Order = nil
	w.unlockable(s)
	one.Distinct = false
	one.tail(w)
	return w.text()
}

// RenderCount returns a statement that counts the rows.
func (s *Select) RenderCount() (Text, error) {
	w := newWriter(s.Model, 256)
	joins := w.related(s.Related)
	if len(s.Locks) > 0 {
		w.fail(errNoAggregate)
	}
	if s.Limit == nil && s.Offset == 0 && !s.Distinct {
		w.string("SELECT COUNT(*)")
		plain := *s
		plain.Order = nil
		plain.tail(w)
		return w.text()
	}
	w.string("SELECT COUNT(*) FROM (SELECT ")
	switch {
	case s.Distinct && len(joins) > 0:
		w.numberedColumns(joins)
	case s.Distinct:
		w.string("DISTINCT " + s.Model.list)
	default:
		w.string("1 AS one")
	}
	plain := *s
	plain.Order = nil // as many rows in any order
	plain.tail(w)
	w.string(") AS counted")
	return w.text()
}

// numberedColumns writes the columns of a DISTINCT query with names of their own:
// tables have columns of the same name, which a sub-select must not.
func (w *writer) numberedColumns(joins []*Join) {
	n := 0
	write := func(j *Join, f *Field) {
		if n++; n > 1 {
			w.string(", ")
		}
		w.column(j, f)
		w.string(" AS c" + strconv.Itoa(n))
	}
	w.string("DISTINCT ")
	for _, f := range w.scope.root.Fields {
		write(nil, f)
	}
	for _, j := range joins {
		for _, f := range j.Model.Fields {
			write(j, f)
		}
	}
}

// ordersSelected refuses to order what DISTINCT leaves by what it has not looked
// at: one row that is left may stand for several.
func (w *writer) ordersSelected(orders []ast.Order) {
	for _, o := range orders {
		j, f, err := w.scope.reference(o.By)
		switch {
		case err != nil:
			w.fail(fmt.Errorf("a Distinct query is ordered by columns that it selects, and not by what is computed: %w", err))
		case j != nil && !j.Selected:
			w.fail(&query.FieldError{Model: w.scope.root.Name, Name: j.Path + "." + f.Name,
				Reason: "orders a Distinct query that does not select it; add Related(" + strconv.Quote(j.Path) + ")"})
		}
	}
}

var errNoAggregate = fmt.Errorf("%w: a count or another aggregate has no rows to lock", ErrLockOptions)

// RenderAggregate returns a statement that computes e over the rows.
func (s *Select) RenderAggregate(e ast.Node) (Text, error) {
	w := newWriter(s.Model, 256)
	w.related(s.Related)
	switch {
	case len(s.Locks) > 0:
		w.fail(errNoAggregate)
	case s.Limit != nil || s.Offset != 0 || s.Distinct:
		w.fail(errors.New("an aggregate cannot be computed over Limit, Offset or Distinct"))
	}
	if w.err != nil {
		return w.text()
	}
	w.string("SELECT ")
	w.aggregates = true
	w.node(e)
	w.aggregates = false
	if !w.aggregated && !w.raw && w.err == nil {
		w.fail(errors.New("not an aggregate: a column alone has a value for each row; use query.Count, Sum, Min, Max, Avg or Raw"))
	}
	plain := *s
	plain.Order = nil
	plain.tail(w)
	return w.text()
}

// related joins the tables whose columns are read.
func (w *writer) related(paths []string) []*Join {
	for _, path := range paths {
		j, err := w.scope.join(path)
		if err != nil {
			w.fail(err)
			return nil
		}
		for ; j != nil; j = j.Parent {
			j.Selected = true
		}
	}
	joins := make([]*Join, 0, len(w.scope.joins))
	for _, j := range w.scope.joins {
		if j.Selected {
			joins = append(joins, j)
		}
	}
	return joins
}

// tail writes everything after the select list. The joins that the conditions
// turn out to need go in front of them; they bind no values.
func (s *Select) tail(w *writer) {
	w.string(" FROM ")
	w.string(string(s.Model.Table.SQLName))
	at := len(w.buf)
	w.where(s.Where)
	w.orderBy(s.Order)
	s.limit(w)
	if len(w.scope.joins) > 0 {
		rest := string(w.buf[at:])
		w.buf = w.buf[:at]
		w.joins()
		w.string(rest)
	}
	w.unlockable(s)
	if err := CheckLocks(s.Locks); err != nil {
		w.fail(err)
	}
	w.locks(s.Locks)
}

func (s *Select) limit(w *writer) {
	switch {
	case s.Limit != nil && *s.Limit < 0:
		w.fail(fmt.Errorf("Limit(%d) is negative", *s.Limit))
	case s.Offset < 0:
		w.fail(fmt.Errorf("Offset(%d) is negative", s.Offset))
	case s.Limit != nil:
		w.string(" LIMIT ")
		w.bind(*s.Limit)
	case s.Offset > 0:
		w.string(" LIMIT " + w.noLimit)
	}
	if s.Offset > 0 {
		w.string(" OFFSET ")
		w.bind(s.Offset)
	}
}

// Columns is a SELECT of some columns of a model.
type Columns struct {
	Model  *Model
	Fields []*Field
	Where  []ast.Node
}

// Render returns the statement.
func (s *Columns) Render() (Text, error) {
	w := newWriter(s.Model, 256)
	w.string("SELECT ")
	for i, f := range s.Fields {
		if i > 0 {
			w.string(", ")
		}
		w.output(nil, f)
	}
	w.nullable = false
	(&Select{Model: s.Model, Where: s.Where}).tail(w)
	return w.text()
}

// unlockable refuses to lock what a DISTINCT query returns (rule L6).
func (w *writer) unlockable(s *Select) {
	if len(s.Locks) > 0 && s.Distinct {
		w.fail(fmt.Errorf("%w: a row of a DISTINCT query may stand for several, so it cannot be locked", ErrLockOptions))
	}
}
