package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// UpdateReturning changes the rows of the query and returns them as they are
// afterwards (rule S42). With Limit, OrderBy and SelectForUpdate it is how workers
// claim their next rows, each row by one of them:
//
//	jobs, err := orm.Objects[Job](db).Filter(query.F("state").Eq("ready")).OrderBy("id").Limit(10).
//		SelectForUpdate(orm.SkipLocked).UpdateReturning(ctx, query.Set("state", "taken"))
//
// It is one statement on PostgreSQL and SQLite, and needs no block there. MySQL and
// MariaDB cannot return what they update: the rows are locked, updated and read in
// one block (rule S9), three statements. So it is on every server where the rows are
// ordered by what one statement cannot return: a text, something computed, a
// related column, or one that is assigned. The rows come in the order of the query,
// as they were before; without OrderBy in any. The model needs a primary key,
// which is not assigned.
//
// A row that its struct cannot hold is a *[ScanError]. One statement outside any block is
// committed by then, as Written says: what must not be lost is taken in a block.
//
// A query with Limit, Offset or SelectForUpdate chooses its rows first, and locks
// them against others that do the same. The lock is FOR UPDATE or NoKey, and not on related
// rows alone (Of). What else
// is set is what [QuerySet.Update] sets. Related is refused, and what a query makes of
// its rows: Distinct, GroupBy, Having, Join, Annotate and Prefetch.
func (q QuerySet[T]) UpdateReturning(ctx context.Context, set ...query.Assignment) ([]*T, error) {
	list, err := q.set.updateReturning(ctx, set)
	return list, q.set.failed(ctx, "UpdateReturning", err)
}

func (q set[P]) updateReturning(ctx context.Context, set []query.Assignment) ([]P, error) {
	if err := q.returnable(); err != nil {
		return nil, err
	}
	assignments, err := q.assignments("UpdateReturning", set)
	if err != nil {
		return nil, err
	}
	return q.setReturning(ctx, assignments)
}

func (q set[P]) setReturning(ctx context.Context, assignments []render.Assignment) ([]P, error) {
	for _, a := range assignments {
		if a.Field.IsPK {
			return nil, &query.FieldError{Model: q.model.Name, Name: a.Field.Name, Reason: "is the primary key, by which the rows are found again"}
		}
	}
	order, sortable := q.sorted(assignments)
	if sortable && q.db.models.UpdatesReturning() {
		text, err := (&render.UpdateReturning{Model: q.model, Query: q.spec, Set: assignments}).Render()
		return q.changedAtOnce(ctx, text, err, order)
	}
	q.spec = q.model.Locking(q.spec)
	keys, err := q.model.Keys(&q.spec)
	if err != nil {
		return nil, err
	}
	if _, err := (&render.Update{Model: q.model, Set: assignments}).Render(); err != nil {
		return nil, err // before anything is sent
	}
	var list []P
	err = q.db.ownBlock(ctx, func(ctx context.Context) error {
		list = nil
		chosen, err := q.chosenKeys(ctx, keys)
		if err != nil || len(chosen) == 0 {
			return err
		}
		for _, some := range q.inParts(chosen) {
			changed, err := q.updateChosen(ctx, assignments, some)
			if err != nil {
				return err
			}
			list = append(list, changed...)
		}
		list, err = inOrderOf(q, list, chosen)
		return err
	})
	return orNoRows(list, err)
}

// updateChosen updates rows that are locked, and returns them.
func (q set[P]) updateChosen(ctx context.Context, set []render.Assignment, chosen []P) ([]P, error) {
	where, err := q.amongRows(chosen)
	if err != nil {
		return nil, err
	}
	these := q
	these.spec = ast.Select{Where: []ast.Node{where}, Deleted: ast.WithDeleted}
	if q.db.models.UpdatesReturning() {
		text, err := (&render.UpdateReturning{Model: q.model, Query: these.spec, Set: set}).Render()
		if err != nil {
			return nil, err
		}
		return these.changed(ctx, text, nil)
	}
	text, err := (&render.Update{Model: q.model, Set: set, Where: these.spec.Where, Deleted: ast.WithDeleted}).Render()
	n, err := these.matched(ctx, text, err)
	if err == nil && n < int64(len(chosen)) && q.db.passesOver() { // which ones nobody knows
		err = q.db.notKept(ctx, len(chosen), int(n))
	}
	if err != nil {
		return nil, err
	}
	// A plain read may show an older state of a row that the UPDATE has left as it was.
	return these.forUpdate().all(ctx)
}

// DeleteReturning deletes the rows of the query and returns them as they were
// (rule S42). It is one statement on PostgreSQL and SQLite, and on MariaDB where
// the query has neither Limit nor SelectForUpdate; elsewhere the rows are locked,
// read and deleted in one block (rule S9), two statements. Everything else is as
// for [QuerySet.UpdateReturning].
//
// Rows of a model with a column tagged soft_delete are marked, and returned as they
// are then: it is an UpdateReturning (rule S61).
func (q QuerySet[T]) DeleteReturning(ctx context.Context) ([]*T, error) {
	list, err := q.set.deleteReturning(ctx)
	return list, q.set.failed(ctx, "DeleteReturning", err)
}

func (q set[P]) deleteReturning(ctx context.Context) ([]P, error) {
	if err := q.returnable(); err != nil {
		return nil, err
	}
	if q.model.Deleted != nil {
		return q.markReturning(ctx)
	}
	order, sortable := q.sorted(nil)
	if sortable && q.db.models.DeletesReturning(render.Chosen(&q.spec)) {
		text, err := (&render.DeleteReturning{Model: q.model, Query: q.spec}).Render()
		return q.changedAtOnce(ctx, text, err, order)
	}
	q.spec = q.model.Locking(q.spec)
	if _, err := q.model.Keys(&q.spec); err != nil {
		return nil, err // before anything is sent
	}
	var list []P
	err := q.db.ownBlock(ctx, func(ctx context.Context) (err error) {
		all, err := q.all(ctx)
		if err != nil {
			return err
		}
		list = nil
		for _, some := range q.inParts(all) {
			gone, err := q.deleteChosen(ctx, some)
			if err != nil {
				return err
			}
			list = append(list, gone...)
		}
		return nil
	})
	return orNoRows(list, err)
}

// deleteChosen deletes rows that are locked, and returns those that are gone.
func (q set[P]) deleteChosen(ctx context.Context, chosen []P) ([]P, error) {
	where, err := q.amongRows(chosen)
	if err != nil {
		return nil, err
	}
	if q.db.models.DeletesReturning(false) { // what a trigger has kept is not deleted
		text, err := (&render.DeleteReturning{Model: q.model, Query: ast.Select{Database: q.db, Where: []ast.Node{where}}}).Render()
		if err != nil {
			return nil, err
		}
		these := set[P]{db: q.db, model: q.model}
		gone, err := these.changed(ctx, text, nil)
		if err != nil {
			return nil, err
		}
		return inOrderOf(q, gone, chosen)
	}
	text, err := (&render.Delete{Model: q.model, Where: []ast.Node{where}}).Render()
	_, err = q.matched(ctx, text, err)
	return chosen, err
}

// inParts cuts rows as many at a time as one statement names by keys of several columns.
func (q set[P]) inParts(rows []P) [][]P {
	if len(q.model.PKs) == 1 || len(rows) == 0 {
		return [][]P{rows}[:min(len(rows), 1)]
	}
	return slices.Collect(slices.Chunk(rows, keysAtOnce))
}

func orNoRows[P any](list []P, err error) ([]P, error) {
	switch {
	case err != nil:
		return nil, err
	case list == nil:
		return []P{}, nil
	}
	return list, nil
}

// returnable refuses what cannot be returned by the statement that writes it.
func (q set[P]) returnable() error {
	switch s := q.spec; {
	case q.err != nil:
		return q.err
	case q.replica:
		return errOnReplica
	case len(q.model.PKs) == 0:
		return errNoKey
	case q.backward:
		return errBackward
	case len(s.Related) > 0:
		return errors.New("related rows are not returned by a statement that writes: read them afterwards, with Related")
	}
	for _, l := range q.spec.Locks {
		if l.Strength != ast.ForUpdate && l.Strength != ast.ForNoKeyUpdate {
			return fmt.Errorf("%w: rows that are written are locked FOR UPDATE, or with NoKey", ErrLockOptions)
		}
	}
	if len(q.spec.Locks) > 0 && !slices.ContainsFunc(q.spec.Locks, locksSelf) {
		return fmt.Errorf("%w: the rows that are written have to be locked themselves, or two would choose the same: name them by Of(\"self\") too", ErrLockOptions)
	}
	return q.ofItsRows()
}

// locksSelf reports whether a clause locks the rows of the model itself.
func locksSelf(l *ast.Lock) bool { return len(l.Of) == 0 || slices.Contains(l.Of, "self") }

// changedAtOnce sends a statement that changes rows and returns them.
func (q set[P]) changedAtOnce(ctx context.Context, text render.Text, err error, order []criterion) ([]P, error) {
	if err != nil {
		return nil, err
	}
	var list []P
	send := func(ctx context.Context) (err error) {
		list, err = q.changed(ctx, text, order)
		return err
	}
	if (q.db.models.StatementWait(q.spec.Locks) != nil || len(q.places) > 0) && !q.db.executor.Encloses(ctx) {
		err = q.db.ownBlock(ctx, send) // only a block limits the wait, and takes back what a page refuses
	} else {
		err = q.db.hasWritten(ctx, send(ctx))
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// changed sends a statement that returns rows of the model, and sorts them.
func (q set[P]) changed(ctx context.Context, text render.Text, order []criterion) ([]P, error) {
	st := q.db.built(text)
	st.Wait = q.db.models.StatementWait(q.spec.Locks)
	reader := *q.reader(nil)
	var keys [][]any
	if len(order) > 0 {
		reader.seen = func(row reflect.Value, values []driver.Value) error {
			key, err := keyOf(order, row, values)
			keys = append(keys, key)
			return err
		}
	}
	list := []P{}
	err := q.db.executor.Query(ctx, st, func(rows driver.Rows) error {
		list, keys = list[:0], keys[:0]
		if len(rows.Columns()) == 0 {
			return nil // what MariaDB answers where the condition can hold for no row
		}
		return reader.each(rows, func(row reflect.Value) bool {
			list = append(list, row.Interface().(P))
			return true
		})
	})
	if err != nil {
		return nil, err
	}
	return sortBy(list, keys, order), nil
}

// chosenKeys reads and locks the rows that are to be changed: structs that hold
// their primary keys.
func (q set[P]) chosenKeys(ctx context.Context, text render.Text) ([]P, error) {
	var list []P
	err := q.db.executor.Query(ctx, q.statement(text), func(rows driver.Rows) error {
		list = nil
		return q.scanEach(rows, q.model.PKs, func(row reflect.Value) { list = append(list, row.Addr().Interface().(P)) })
	})
	return list, err
}

// amongRows is the condition for the primary keys of rows.
func (q set[P]) amongRows(rows []P) (ast.Node, error) {
	list := make([]reflect.Value, len(rows))
	for i, row := range rows {
		list[i] = reflect.ValueOf(row).Elem()
	}
	return among(q.model.PKs, list)
}

// among is the condition that some columns have the values of one of rows.
func among(fields []*render.Field, rows []reflect.Value) (ast.Node, error) {
	if len(fields) == 1 {
		values := make([]any, len(rows))
		for i, row := range rows {
			v, err := ownValue(fields[0], row)
			if err != nil {
				return nil, err
			}
			values[i] = v
		}
		return ast.Membership{Left: ast.Column{Path: fields[0].Name}, Values: values}, nil
	}
	conds := make([]ast.Node, len(rows))
	for i, row := range rows {
		parts := make([]ast.Node, len(fields))
		for n, f := range fields {
			v, err := ownValue(f, row)
			if err != nil {
				return nil, err
			}
			parts[n] = ast.Comparison{Left: ast.Column{Path: f.Name}, Right: v}
		}
		conds[i] = ast.And{Of: parts}
	}
	return ast.Or{Of: conds}, nil
}
