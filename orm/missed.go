package orm

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// A statement that finds a row by its key and has written none tells of two things: the row
// is not there, or a trigger has passed over it. Where a server has such triggers the row is
// looked for then, and only then: what did its work costs nothing.

// foundOne judges a statement that should have written one row, found by its key: by its
// version too, if the model has one. set is what it has written; nil: nothing that could
// be there already.
func (q set[P]) foundOne(ctx context.Context, row P, deleted ast.Deleted, set []render.Assignment) func(driver.Result) error {
	return func(res driver.Result) error {
		matched, err := res.RowsAffected()
		if err != nil || matched > 0 {
			return err
		}
		return q.missed(ctx, row, deleted, set)
	}
}

func (q set[P]) missed(ctx context.Context, row P, deleted ast.Deleted, set []render.Assignment) error {
	none, version := ErrNotFound, q.db.reader(q.model).version
	if version != nil {
		none = ErrStale
	}
	if !q.db.passesOver() {
		return none
	}
	there, err := q.look(ctx, []P{row}, deleted, set != nil)
	switch {
	case err != nil:
		return unseen(none, err)
	case len(there) == 0, version != nil && versionOf(there[0]) != versionOf(row):
		return none
	case set != nil && hasAll(there[0], set):
		return nil
	}
	return q.db.notKept(ctx, 1, 0)
}

// foundAll is foundOne for the rows of one statement of BulkSave, which sets s and
// the columns of the rows.
func (q set[P]) foundAll(ctx context.Context, batch []P, s *render.SaveRows) func(driver.Result) error {
	return func(res driver.Result) error {
		matched, err := res.RowsAffected()
		if err != nil || matched == int64(len(batch)) {
			return err
		}
		return q.missedSome(ctx, batch, int(matched), s)
	}
}

func (q set[P]) missedSome(ctx context.Context, batch []P, matched int, s *render.SaveRows) error {
	none, version := ErrNotFound, q.db.reader(q.model).version
	if version != nil {
		none = ErrStale
	}
	missing := func(n int) error { return fmt.Errorf("%d of %d rows: %w", n, len(batch), none) }
	if !q.db.passesOver() {
		return missing(len(batch) - matched)
	}
	list, err := q.look(ctx, batch, s.Deleted, true)
	if err != nil {
		return unseen(missing(len(batch)-matched), err)
	}
	there, err := byIdentity(q.model.PKs, list)
	if err != nil {
		return err
	}
	absent, left, asSent := 0, 0, 0
	for _, row := range batch {
		id, _, err := identity(q.model.PKs, reflect.ValueOf(row).Elem())
		if err != nil {
			return err
		}
		switch found := there[id]; {
		case isNil(found):
			absent++
		case version != nil && versionOf(found) == versionOf(row):
			left++
		case version == nil && hasAll(found, s.Set) && alike(s.Fields, found, row):
			asSent++
		}
	}
	switch {
	case version == nil && absent > 0:
		return missing(absent)
	case version != nil && left < len(batch)-matched:
		return missing(len(batch) - matched)
	case asSent == len(batch):
		return nil
	}
	return q.db.notKept(ctx, len(batch), matched)
}

// look reads the rows that have the keys of rows, and locks them if they are to be taken for
// written.
func (q set[P]) look(ctx context.Context, rows []P, deleted ast.Deleted, lock bool) ([]P, error) {
	where, err := q.amongRows(rows)
	if err != nil {
		return nil, err
	}
	these := set[P]{db: q.db, model: q.model, spec: ast.Select{Database: q.db, Where: []ast.Node{where}, Deleted: deleted}}
	if lock && q.db.executor.Encloses(ctx) {
		these = these.forUpdate()
	}
	return these.all(ctx)
}

// unseen is an answer that a look was to explain, and could not.
func unseen(answer, err error) error {
	return fmt.Errorf("%w; whether a trigger has passed over it could not be seen: %w", answer, err)
}

func versionOf[P any](row P) int64 { return *any(row).(versioned).VersionField() }

func byIdentity[P any](by []*render.Field, rows []P) (map[string]P, error) {
	at := make(map[string]P, len(rows))
	for _, row := range rows {
		id, _, err := identity(by, reflect.ValueOf(row).Elem())
		if err != nil {
			return nil, err
		}
		at[id] = row
	}
	return at, nil
}

// hasAll reports whether a row has what was to be set, values as they are bound.
func hasAll[P any](row P, set []render.Assignment) bool {
	for _, a := range set {
		if v, err := a.Field.Value(reflect.ValueOf(row).Elem()); err != nil || compareBound(v, a.Value) != 0 {
			return false
		}
	}
	return true
}

// alike reports whether two rows have the same values in some columns.
func alike[P any](fields []*render.Field, a, b P) bool {
	for _, f := range fields {
		x, errX := f.Value(reflect.ValueOf(a).Elem())
		y, errY := f.Value(reflect.ValueOf(b).Elem())
		if errX != nil || errY != nil || compareBound(x, y) != 0 {
			return false
		}
	}
	return true
}

// upserted looks for the rows of an upsert of which the server has kept fewer than
// were sent. Where they are as it would have left them a trigger has spared a
// write (PostgreSQL's suppress_redundant_updates_trigger), and the structs get what they hold.
func (q set[P]) upserted(ctx context.Context, b *batch, k *conflict, kept int) error {
	short := q.db.notKept(ctx, len(b.Rows), kept)
	where, err := among(k.target, b.Rows)
	if err != nil {
		return err
	}
	these := set[P]{db: q.db, model: q.model, spec: ast.Select{Database: q.db, Where: []ast.Node{where}}}
	if q.model.Deleted != nil {
		these.spec.Deleted = ast.WithDeleted
	}
	if q.db.executor.Encloses(ctx) {
		these = these.forUpdate()
	}
	list, err := these.all(ctx)
	if err != nil {
		return unseen(short, err)
	}
	there, err := byIdentity(k.target, list)
	if err != nil {
		return err
	}
	for _, row := range b.Rows {
		id, _, err := identity(k.target, row)
		if err != nil {
			return err
		}
		found := there[id]
		if isNil(found) || !leftBy(b.Conflict.Set, found, row) {
			return short
		}
		for _, f := range b.left {
			f.Field.Value(row).Set(f.Field.Value(reflect.ValueOf(found).Elem()))
		}
	}
	return nil
}

// leftBy reports whether an upsert of row would have left found as it is. What it
// computes nobody knows.
func leftBy[P any](set []render.Assignment, found P, row reflect.Value) bool {
	own := row.Addr().Interface().(P)
	for _, a := range set {
		switch a.Value {
		case query.F(a.Field.Name).Node():
		case query.Excluded(a.Field.Name).Node():
			if !alike([]*render.Field{a.Field}, found, own) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
