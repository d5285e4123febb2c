package queries

import (
	"context"

	"github.com/holdfast-go/holdfast/orm"
	"github.com/holdfast-go/holdfast/query"
)

// source is a QuerySet or a Selection as it is built.
type source interface {
	filter(...query.Cond) source
	join(left bool, name string, q query.Query, on query.Cond) source
	group(names ...string) source
	having(...query.Cond) source
	query() query.Query
}

// rowSet is a QuerySet of one of the models.
type rowSet interface {
	source
	exclude(...query.Cond) rowSet
	annotate(query.Operand) rowSet
	related(path string) rowSet
	prefetch(path string, refine func(orm.Related) orm.Related) rowSet
	order(...query.Order) rowSet
	limit(int) rowSet
	offset(int) rowSet
	distinct() rowSet
	past(m model, before, byCursor bool) (rowSet, error)
	all(context.Context) ([]model, error)
	count(context.Context) (int64, error)
	exists(context.Context) (bool, error)
	sql(context.Context) string
}

type setOf[T any] struct{ q orm.QuerySet[T] }

func opened[T any](db *orm.DB) rowSet { return setOf[T]{orm.Objects[T](db)} }

func (s setOf[T]) filter(c ...query.Cond) source { return setOf[T]{s.q.Filter(c...)} }
func (s setOf[T]) group(names ...string) source  { return setOf[T]{s.q.GroupBy(names...)} }
func (s setOf[T]) having(c ...query.Cond) source { return setOf[T]{s.q.Having(c...)} }
func (s setOf[T]) query() query.Query            { return s.q }

func (s setOf[T]) join(left bool, name string, q query.Query, on query.Cond) source {
	if left {
		return setOf[T]{s.q.LeftJoin(name, q, on)}
	}
	return setOf[T]{s.q.Join(name, q, on)}
}

func (s setOf[T]) exclude(c ...query.Cond) rowSet  { return setOf[T]{s.q.Exclude(c...)} }
func (s setOf[T]) annotate(e query.Operand) rowSet { return setOf[T]{s.q.Annotate("noted", e)} }
func (s setOf[T]) related(path string) rowSet      { return setOf[T]{s.q.Related(path)} }
func (s setOf[T]) order(o ...query.Order) rowSet   { return setOf[T]{s.q.OrderByExpr(o...)} }
func (s setOf[T]) limit(n int) rowSet              { return setOf[T]{s.q.Limit(n)} }
func (s setOf[T]) offset(n int) rowSet             { return setOf[T]{s.q.Offset(n)} }
func (s setOf[T]) distinct() rowSet                { return setOf[T]{s.q.Distinct()} }

func (s setOf[T]) prefetch(path string, refine func(orm.Related) orm.Related) rowSet {
	if refine == nil {
		return setOf[T]{s.q.Prefetch(path)}
	}
	return setOf[T]{s.q.Prefetch(path, refine)}
}

func (s setOf[T]) past(m model, before, byCursor bool) (rowSet, error) {
	var row *T
	if m != nil {
		row = any(m).(*T)
	}
	cursor := ""
	if byCursor && row != nil {
		var err error
		if cursor, err = s.q.Cursor(row); err != nil {
			return nil, err
		}
	}
	switch {
	case byCursor && before:
		return setOf[T]{s.q.BeforeCursor(cursor)}, nil
	case byCursor:
		return setOf[T]{s.q.AfterCursor(cursor)}, nil
	case before:
		return setOf[T]{s.q.Before(row)}, nil
	}
	return setOf[T]{s.q.After(row)}, nil
}

func (s setOf[T]) all(ctx context.Context) ([]model, error) {
	rows, err := s.q.All(ctx)
	models := make([]model, len(rows))
	for i, r := range rows {
		models[i] = any(r).(model)
	}
	return models, err
}

func (s setOf[T]) count(ctx context.Context) (int64, error) { return s.q.Count(ctx) }
func (s setOf[T]) exists(ctx context.Context) (bool, error) { return s.q.Exists(ctx) }

func (s setOf[T]) sql(ctx context.Context) string { return statement(s.q.SQL(ctx)) }

type selection struct{ query.Selection }

func (s selection) filter(c ...query.Cond) source { return selection{s.Selection.Filter(c...)} }
func (s selection) group(names ...string) source  { return selection{s.GroupBy(names...)} }
func (s selection) having(c ...query.Cond) source { return selection{s.Having(c...)} }
func (s selection) query() query.Query            { return s.Selection }

func (s selection) join(left bool, name string, q query.Query, on query.Cond) source {
	if left {
		return selection{s.LeftJoin(name, q, on)}
	}
	return selection{s.Join(name, q, on)}
}
