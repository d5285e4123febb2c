package render

import (
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Rows renders a SELECT of whole rows of m, and returns the joined tables whose
// columns follow those of the model, in their order.
func (m *Model) Rows(s *ast.Select) (Text, []*Join, error) {
	return m.query('R', s, 128+len(m.list), rowsOf)
}

func rowsOf(m *Model, s *ast.Select) func(*writer) []*Join {
	return func(w *writer) []*Join {
		if len(s.Group) > 0 || len(s.Having) > 0 {
			w.fail(errors.New("a grouped query has no whole rows: use orm.Select"))
		}
		var joins []*Join
		w.behindCommon(func() { joins = w.rows(s, m) })
		return joins
	}
}

func (w *writer) rows(s *ast.Select, m *Model) []*Join {
	w.enter(s, m, nil, "")
	joins := w.related(s.Related)
	w.string("SELECT ")
	if s.Distinct {
		w.scope.distinct = true
		w.string("DISTINCT ")
	}
	w.wholeRow(joins)
	if s.Distinct {
		w.ordersSelected(s.Order)
	}
	w.tail(s)
	return joins
}

// query is a SELECT of m, of its shape what is kept.
func (m *Model) query(statement byte, s *ast.Select, size int, write func(*Model, *ast.Select) func(*writer) []*Join) (Text, []*Join, error) {
	var sh shape
	sh.begin(statement, m)
	shaped := sh.query(m, s) && !sh.long
	t, k, found := m.models.again(&sh, shaped)
	if found {
		return t, k.joins, nil
	}
	return m.models.keeping(&sh, shaped && k == nil, size, write(m, s), func(_ *writer, again *shape) bool { return again.query(m, s) })
}

// wholeRow writes the columns of the model and of the relations that are read with
// it.
func (w *writer) wholeRow(joins []*Join) {
	sc := w.scope
	if len(sc.computed) == 0 && sc.alias == "" {
		w.string(sc.root.list)
	} else {
		w.computedRow()
	}
	for _, j := range joins {
		for _, f := range j.Model.Fields {
			w.string(", ")
			w.string(w.spelling.output(f, sc.qualifier(j)+"."+string(f.SQLName)))
		}
	}
	w.nullable = false
}

var errNoAggregate = fmt.Errorf("%w: a count or another aggregate has no rows to lock", ErrLockOptions)

// Aggregate renders a statement that computes e over the rows.
func (m *Model) Aggregate(s *ast.Select, e ast.Node) (Text, error) {
	return m.models.written(256, func(w *writer) { w.behindCommon(func() { w.aggregated(s, m, e) }) })
}

func (w *writer) aggregated(s *ast.Select, m *Model, e ast.Node) {
	w.enter(s, m, nil, "")
	w.related(s.Related)
	switch {
	case len(s.Locks) > 0:
		w.fail(errNoAggregate)
	case s.Limit != nil || s.Offset != 0 || s.Distinct || len(s.Group) > 0:
		w.fail(errors.New("an aggregate cannot be computed over Limit, Offset or Distinct, nor over GroupBy: aggregate what a query.Select puts out"))
	}
	if w.err != nil {
		return
	}
	w.string("SELECT ")
	w.scope.aggregates, w.scope.watch = true, true
	w.node(e)
	w.scope.aggregates, w.scope.watch = false, false
	if !w.scope.aggregated && !w.raw && w.err == nil {
		w.fail(errors.New("not an aggregate: a column alone has a value for each row; use query.Count, Sum, Min, Max, Avg or Raw"))
	}
	w.scope.checkGrouped(w)
	plain := *s
	plain.Order = nil
	w.tail(&plain)
}

// Select renders a SELECT with outputs of its own.
func (ms *Models) Select(s *ast.Select) (Text, *Outputs, error) {
	var sh shape
	shaped := false
	if from, ok := s.From.(ast.Table); ok && len(s.Outputs) > 0 {
		if m, err := ms.Of(from.Model); err == nil {
			sh.begin('S', m)
			shaped = sh.selection(m, s) && !sh.long
		}
	}
	t, k, found := ms.again(&sh, shaped)
	if found {
		return t, k.put, nil
	}
	put := &Outputs{}
	t, _, err := ms.keeping(&sh, shaped && k == nil, 256, func(w *writer) []*Join {
		put.List = w.statement(s)
		w.puts = put
		return nil
	}, func(w *writer, again *shape) bool { return again.selection(w.scope.root, s) })
	return t, put, err
}

// Columns renders a SELECT of some columns of rows of m, deleted ones too.
func (m *Model) Columns(fields []*Field, where []ast.Node) (Text, error) {
	s := &ast.Select{From: ast.Table{Model: m.Type}, Where: where, Outputs: make([]ast.Output, len(fields)), Deleted: ast.WithDeleted}
	for i, f := range fields {
		s.Outputs[i].Of = ast.Column{Path: f.Name}
	}
	t, _, err := m.models.Select(s)
	return t, err
}

// statement writes a SELECT that stands by itself.
func (w *writer) statement(s *ast.Select) (outputs []Output) {
	named := w.fromName
	w.behindCommon(func() {
		w.fromName = named
		w.enter(s, nil, nil, "")
		outputs = w.selection(s, false)
	})
	return outputs
}

// inner writes a SELECT within another statement, in parentheses that stand there
// already.
func (w *writer) inner(s *ast.Select, around *scope, apart string) ([]Output, *scope) {
	at := w.scope
	if len(s.Locks) > 0 {
		w.fail(fmt.Errorf("%w: a sub-select locks no rows", ErrLockOptions))
	}
	if s.Database != nil && w.database != nil && s.Database != w.database {
		w.fail(errors.New("a sub-select is of another database"))
	}
	nullable := w.nullable
	sc := w.enter(s, nil, around, apart)
	outputs := w.selection(s, true)
	if around != nil {
		around.inner = nil
	}
	w.scope, w.nullable = at, nullable
	return outputs, sc
}

// selection writes a SELECT with its outputs, whose scope has begun.
func (w *writer) selection(s *ast.Select, nested bool) []Output {
	if s.Err != nil {
		w.fail(s.Err)
	}
	if w.err != nil {
		return nil
	}
	w.scope.distinct = s.Distinct
	outputs := w.outputsOf(s)
	w.lockableOutputs(s)
	w.groups(s, outputs)
	w.string("SELECT ")
	if s.Distinct {
		w.string("DISTINCT ")
	}
	described := w.putOut(outputs, nested)
	if w.scope.aggregated && len(s.Group) == 0 && (s.Limit != nil || s.Offset != 0) {
		w.fail(errors.New("an aggregate over Limit or Offset is of all rows: aggregate what a query.Select with the limit puts out"))
	}
	if s.Distinct {
		w.ordersOutputs(s.Order)
		w.distinctTexts(s)
		w.distinctValues(described)
	}
	if w.scope.aggregated && len(s.Group) == 0 && len(s.Order) > 0 { // of one row
		plain := *s
		plain.Order = nil
		s = &plain
	}
	w.tail(s)
	w.scope.checkGrouped(w)
	return described
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
func (w *writer) tail(s *ast.Select) {
	w.string(" FROM ")
	w.table()
	at := len(w.buf)
	for _, b := range w.scope.beside {
		w.put(part{b.text, b.args})
	}
	w.chosen(s)
	w.grouping(s)
	w.orderBy(s.Order)
	w.limit(s)
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

// chosen writes the conditions of s, as those of a statement that writes where a lock is
// not to reach the tables of relations.
func (w *writer) chosen(s *ast.Select) {
	conds := w.scope.root.stored(s.Where, s.Deleted)
	at, args := len(w.buf), len(w.args)
	w.where(conds)
	if len(s.Locks) == 0 || !s.Locks[0].Apart || len(w.scope.joins) == 0 {
		return
	}
	w.buf, w.args = w.buf[:at], w.args[:args]
	w.matching(conds)
	w.scope.joins = nil // they stand within
}

// table writes what is read, without what is joined to it.
func (w *writer) table() {
	sc := w.scope
	if sc.root != nil {
		w.with.reads(sc.root)
	}
	switch {
	case sc.root == nil:
		w.put(part{sc.source.text, sc.source.args})
		w.string(" AS " + sc.quoted(sc.source.alias))
	case sc.alias != "":
		w.string(string(sc.root.Table.SQLName) + " AS " + sc.quoted(sc.alias))
	default:
		w.string(string(sc.root.Table.SQLName))
	}
}

func (w *writer) limit(s *ast.Select) {
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

// unlockable refuses to lock what is no row of a table, or goes by rows that are not locked (rule L6).
func (w *writer) unlockable(s *ast.Select) {
	switch {
	case len(s.Locks) == 0:
	case s.Distinct:
		w.fail(errDistinctLocked)
	case w.scope.aggregated:
		w.fail(errNoAggregate)
	case w.scope.hasWindow:
		w.fail(errWindowLocked)
	}
}

var (
	errDistinctLocked = fmt.Errorf("%w: a row of a DISTINCT query may stand for several, so it cannot be locked", ErrLockOptions)
	errWindowLocked   = fmt.Errorf("%w: a function over a window goes by all rows, also by those that are not locked: lock the rows in a query without it", ErrLockOptions)
)
