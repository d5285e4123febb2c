package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/query"
)

// Tree is for the library's own packages: a seam, without promises.
func (q QuerySet[T]) Tree() *ast.Select {
	return q.set.tree()
}

func (q set[P]) tree() *ast.Select {
	s := q.spec
	s.Err = q.err
	s.Backward, s.Replica = q.backward, q.replica
	if q.model != nil {
		s.From = ast.Table{Model: q.model.Type}
	}
	return &s
}

// GroupBy puts rows with equal values together, for aggregates that [Select] puts
// out. It names columns, also over relations, or what Select puts out of each row, by
// its name. What is neither grouped by nor within an aggregate has several values in
// a group, and is refused on every engine.
func (q QuerySet[T]) GroupBy(names ...string) QuerySet[T] {
	q.set.spec.Group = names
	return q
}

// Having keeps the groups for which all conditions hold. They name aggregates, what
// is grouped by, and what Select puts out.
func (q QuerySet[T]) Having(conds ...query.Cond) QuerySet[T] {
	q.set.spec.Having = ast.Conditions(q.set.spec.Having[:len(q.set.spec.Having):len(q.set.spec.Having)], conds)
	return q
}

// Annotate fills a field of T that is tagged scanonly with what e is for each row,
// in place of a column of that name (rule S33). Filter, OrderBy and later annotations then mean e by that name too,
// unless it is computed over a window, by which rows are only ordered. A table does
// not need the column: give a struct to rows that are always annotated.
//
//	type Rated struct {
//		bun.BaseModel `bun:"table:room"`
//		ID            int64  `bun:",pk"`
//		Bookings      int64  `bun:",scanonly"`
//	}
//
//	orm.Objects[Rated](db).Annotate("bookings", query.Select(bookings.Filter(query.F("room_id").Eq(query.Outer("id"))), query.Count()))
func (q QuerySet[T]) Annotate(name string, e query.Operand) QuerySet[T] {
	return QuerySet[T]{q.set.annotate(name, e)}
}

func (q set[P]) annotate(name string, e query.Operand) set[P] {
	o := ast.Output{Name: name}
	if e != nil {
		o.Of = e.Node()
	}
	kept := make([]ast.Output, 0, len(q.spec.Computed)+1)
	for _, c := range q.spec.Computed {
		if c.Name != name {
			kept = append(kept, c)
		}
	}
	q.spec.Computed = append(kept, o)
	return q
}

// Join puts the rows of another query beside those of this one, for conditions and
// for what [Select] puts out, which call its outputs name.output. A row that finds
// several comes several times, and one that finds none not at all.
func (q QuerySet[T]) Join(name string, other query.Query, on ...query.Cond) QuerySet[T] {
	return QuerySet[T]{q.set.join(ast.Join{Name: name}, other, on)}
}

// LeftJoin is Join, but a row that finds none stays, with NULL for what the other
// would have put out.
func (q QuerySet[T]) LeftJoin(name string, other query.Query, on ...query.Cond) QuerySet[T] {
	return QuerySet[T]{q.set.join(ast.Join{Name: name, Left: true}, other, on)}
}

func (q set[P]) join(j ast.Join, other query.Query, on []query.Cond) set[P] {
	if other == nil {
		q.keep(fmt.Errorf("the query that is joined as %q is nil", j.Name))
		return q
	}
	j.Of, j.On = other.Tree(), ast.Conditions(nil, on)
	q.spec.Joins = appended(q.spec.Joins, []ast.Join{j})
	return q
}

// Select reads what q puts out, for each row, for each group if q has GroupBy, or for
// all rows if the outputs are aggregates:
//
//	rows, err := orm.Select[struct{ RoomID, N int64 }](ctx, bookings.GroupBy("room_id").OrderBy("-n"),
//		query.F("room_id"), query.Count().As("n"))
//
// R is a struct whose columns are called like the outputs, each of them and no other,
// or for a single output its type, such as int64 or *time.Time. Without outputs it
// reads those of q, a [query.Selection]. What a field cannot hold the kind of is
// refused before anything is sent (rule S30). Rows of a q with [QuerySet.Before] come in its
// order, as All returns them.
func Select[R any](ctx context.Context, q query.Query, outputs ...query.Operand) ([]R, error) {
	list := []R{}
	tree := treeOf(q, outputs)
	db, st, reader, err := selection[R](tree)
	if err == nil {
		err = db.executor.Query(ctx, st, func(rows driver.Rows) error {
			list = list[:0]
			return eachResult(rows, reader, func(r R) bool { list = append(list, r); return true })
		})
	}
	if err != nil {
		return nil, db.failedSelect(ctx, "Select", err)
	}
	if tree.Backward {
		slices.Reverse(list)
	}
	return list, nil
}

// IterateSelect is [Select] row by row, as the server sends them. What is said of
// [QuerySet.Iterate] holds for it.
func IterateSelect[R any](ctx context.Context, q query.Query, outputs ...query.Operand) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		tree := treeOf(q, outputs)
		db, st, reader, err := selection[R](tree)
		if err == nil && tree.Backward {
			err = errBackward
		}
		iterate(ctx, db, "IterateSelect", st, reader, err, yield)
	}
}

// treeOf is q with what it puts out, nil if there is no query.
func treeOf(q query.Query, outputs []query.Operand) *ast.Select {
	var tree *ast.Select
	if q != nil {
		tree = q.Tree()
	}
	if tree != nil && len(outputs) > 0 {
		tree = query.Select(q, outputs...).Tree()
	}
	return tree
}

// selection is the statement for a query, and how its rows are read.
func selection[R any](tree *ast.Select) (*DB, block.Statement, *resultReader, error) {
	if tree == nil {
		return nil, block.Statement{}, nil, errors.New("the query is nil")
	}
	db, ok := tree.Database.(*DB)
	switch {
	case tree.Err != nil:
		return db, block.Statement{}, nil, tree.Err
	case !ok || db == nil:
		return nil, block.Statement{}, nil, errors.New("the query is of no database: begin with orm.Objects")
	case tree.Replica && len(tree.Locks) > 0:
		return db, block.Statement{}, nil, errLockOnReplica
	}
	text, put, err := db.models.Select(tree)
	if err != nil {
		return db, block.Statement{}, nil, err
	}
	reader, err := readerOf[R](db, put)
	st := db.built(text)
	st.Locks, st.Wait, st.Replica = len(tree.Locks) > 0, db.models.StatementWait(tree.Locks), tree.Replica
	return db, st, reader, err
}

// Scan sends a SELECT that is written by hand, and reads its rows as [Select] does: R
// is a struct whose columns are called like those of the result, or a single value.
// Placeholders are those of [DB.Exec] (rule S31).
func Scan[R any](ctx context.Context, db *DB, text string, args ...any) ([]R, error) {
	list := []R{}
	reader, err := resultsOf[R](db)
	if err != nil {
		return nil, db.failedSelect(ctx, "Scan", err)
	}
	st, err := db.written(ctx, text, args)
	if err == nil {
		err = db.executor.Query(ctx, st, func(rows driver.Rows) error {
			list = list[:0]
			return eachResult(rows, reader, func(r R) bool { list = append(list, r); return true })
		})
	}
	if err != nil {
		return nil, db.failedSelect(ctx, "Scan", err)
	}
	return list, nil
}

// IterateScan is [Scan] row by row, as the server sends them. What is said of
// [QuerySet.Iterate] holds for it.
func IterateScan[R any](ctx context.Context, db *DB, text string, args ...any) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		reader, err := resultsOf[R](db)
		var st block.Statement
		if err == nil {
			st, err = db.written(ctx, text, args)
		}
		iterate(ctx, db, "IterateScan", st, reader, err, yield)
	}
}

func iterate[R any](ctx context.Context, db *DB, operation string, st block.Statement, reader *resultReader, err error, yield func(R, error) bool) {
	var none R
	if err != nil {
		yield(none, db.failedSelect(ctx, operation, err))
		return
	}
	rows, err := db.executor.Stream(ctx, st)
	if err != nil {
		yield(none, db.failedSelect(ctx, operation, err))
		return
	}
	defer func() { _ = rows.Close() }() // also when the body of the loop panics
	stopped := false
	err = eachResult(rows, reader, func(r R) bool {
		stopped = !yield(r, nil)
		return !stopped
	})
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	if err != nil && !stopped {
		yield(none, db.failedSelect(ctx, operation, err))
	}
}

// failedSelect is what a function returns that reads by a query of its own.
func (db *DB) failedSelect(ctx context.Context, operation string, err error) error {
	if db == nil {
		return fmt.Errorf("orm: %s: %w", operation, err)
	}
	return db.failed(ctx, operation, err)
}

// eachResult calls yield with every row until it returns false.
func eachResult[R any](rows driver.Rows, reader *resultReader, yield func(R) bool) error {
	if err := reader.matchRows(rows); err != nil {
		return err
	}
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if more, err := next(rows, values); !more {
			return err
		}
		var r R
		if err := reader.into(&r, values); err != nil {
			return err
		}
		if !yield(r) {
			return nil
		}
	}
}
