package render

import "github.com/holdfast-go/holdfast/internal/ast"

// Exists renders a statement that yields a row if there is any.
func (m *Model) Exists(s *ast.Select) (Text, error) {
	if len(s.Locks) > 0 && s.Distinct {
		return Text{}, errDistinctLocked
	}
	one := anyRow(s)
	t, joins, err := m.query('E', &one, 256, existsOf)
	counts := s.Distinct && s.Offset != 0 && len(s.Group) == 0                           // what DISTINCT leaves
	if err == nil && counts && (len(m.PKs) == 0 || len(joins) > 0 || len(s.Joins) > 0) { // there may be equal rows
		one.Distinct = true
		return m.over(&one, ast.Output{Of: ast.One{}, Name: "one"})
	}
	return t, err
}

func existsOf(m *Model, one *ast.Select) func(*writer) []*Join {
	return func(w *writer) []*Join {
		w.behindCommon(func() {
			w.enter(one, m, nil, "")
			w.one(one)
		})
		return w.scope.joins
	}
}

// anyRow is s without what makes no difference to whether there is a row, where none is
// there twice.
func anyRow(s *ast.Select) ast.Select {
	one := *s
	if s.Limit == nil || *s.Limit > 1 {
		one.Limit = new(int64)
		*one.Limit = 1
	}
	one.Order, one.Distinct = nil, false
	return one
}

// one writes a SELECT of nothing: that there are rows is all that matters.
func (w *writer) one(s *ast.Select) {
	w.related(s.Related)
	w.groups(s, nil)
	w.string("SELECT 1")
	w.tail(s)
	w.scope.checkGrouped(w)
}

// Count renders a statement that counts the rows.
func (m *Model) Count(s *ast.Select) (Text, error) {
	if len(s.Locks) > 0 {
		return Text{}, errNoAggregate
	}
	plain := *s
	plain.Order = nil // as many rows in any order
	if s.Limit == nil && s.Offset == 0 && !s.Distinct && len(s.Group) == 0 {
		t, _, err := m.query('N', &plain, 256, countOf)
		return t, err
	}
	if !s.Distinct {
		plain.Outputs = []ast.Output{{Of: ast.One{}, Name: "one"}}
	}
	return m.over(&plain, ast.Output{Of: ast.Aggregate{Func: ast.Count}})
}

// over renders a SELECT from s, whose rows are known only when it is whole.
func (m *Model) over(s *ast.Select, put ast.Output) (Text, error) {
	whole := *s
	whole.From = ast.Table{Model: m.Type}
	return m.models.written(256, func(w *writer) {
		w.fromName = "counted"
		w.statement(&ast.Select{From: &whole, Outputs: []ast.Output{put}})
	})
}

func countOf(m *Model, s *ast.Select) func(*writer) []*Join {
	return func(w *writer) []*Join {
		w.behindCommon(func() { w.aggregated(s, m, ast.Aggregate{Func: ast.Count}) })
		return nil
	}
}
