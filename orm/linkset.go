package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// set is SetLinks.
func (l *links) set(ctx context.Context) error {
	if _, _, err := l.inserts(ctx, l.rows); err != nil { // before anything is sent
		return err
	}
	inside := l.q.db.executor.Encloses(ctx)
	return l.q.db.ownBlock(ctx, func(ctx context.Context) error {
		if err := l.touch(ctx); err != nil {
			return err
		}
		have, err := l.there(ctx, inside)
		if err != nil {
			return err
		}
		extra, err := l.without(have, l.rows)
		if err != nil {
			return err
		}
		gone, err := l.remove(ctx, extra)
		if err != nil {
			return err
		}
		missing, err := l.without(l.rows, have)
		if err != nil {
			return err
		}
		_, batches, err := l.inserts(ctx, missing)
		if err != nil {
			return err
		}
		made, err := l.insert(ctx, batches, missing)
		if err != nil || !l.q.db.passesOver() || gone == int64(len(extra)) && made == int64(len(missing)) {
			return err
		}
		return l.asSet(ctx, inside, len(extra)+len(missing), int(gone+made))
	})
}

// asSet looks at the links where fewer were written than had to be: another may have
// written the same meanwhile, or a trigger passes over them.
func (l *links) asSet(ctx context.Context, inside bool, sent, written int) error {
	have, err := l.there(ctx, inside)
	if err != nil {
		return err
	}
	extra, err := l.without(have, l.rows)
	if err != nil {
		return err
	}
	missing, err := l.without(l.rows, have)
	if err == nil && len(extra)+len(missing) > 0 {
		err = l.q.db.notKept(ctx, sent, written)
	}
	return err
}

// touch writes the row as it is. A lock would do to wait for others, but not to tell
// a block whose snapshot is older that the links have changed since: PostgreSQL says so
// of a row that was written.
func (l *links) touch(ctx context.Context) error {
	f := l.owner.PKs[0]
	for _, own := range l.owner.Fields {
		if plainlyWritten(own) { // a key may be one that the server alone writes
			f = own
			break
		}
	}
	where, err := among(l.many.From, []reflect.Value{l.row})
	if err != nil {
		return err
	}
	set := []render.Assignment{{Field: f, Value: query.F(f.Name).Node()}}
	text, err := (&render.Update{Model: l.owner, Set: set, Where: []ast.Node{where}, Deleted: ast.WithDeleted}).Render()
	if err != nil {
		return err
	}
	st := l.q.db.built(text)
	st.Judge = func(res driver.Result) error {
		matched, err := res.RowsAffected()
		if err != nil || matched > 0 {
			return err
		}
		return l.lockOwner(ctx, where)
	}
	_, err = l.q.db.executor.Exec(ctx, st)
	return err
}

// lockOwner locks the row where the write has found none: a trigger may have passed over it, as
// PostgreSQL's suppress_redundant_updates_trigger does with every row that stays as it is.
func (l *links) lockOwner(ctx context.Context, where ast.Node) error {
	if !l.q.db.passesOver() {
		return ErrNotFound
	}
	text, err := (&render.ReadBack{Model: l.owner, Fields: l.owner.PKs, Where: where}).Render()
	if err != nil {
		return err
	}
	st, found := l.q.db.built(text), false
	st.Locks = true
	err = l.q.db.executor.Query(ctx, st, func(rows driver.Rows) (err error) {
		found, err = next(rows, make([]driver.Value, len(l.owner.PKs)))
		return err
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return err
}

// plainlyWritten reports whether a column is written from itself in the same way by
// every engine.
func plainlyWritten(f *render.Field) bool {
	switch f.Column.Kind {
	case column.Integer, column.Text, column.Boolean, column.Timestamp:
		return !f.IsPK && !f.ScanOnly
	}
	return false
}

// there is the links of the row. In a block that began before, a plain read may show an
// older state, and a lock has to be asked for; in one of its own there is none, and
// InnoDB would lock the gaps of its neighbours.
func (l *links) there(ctx context.Context, lock bool) (rows []reflect.Value, err error) {
	own, err := among(l.many.Keys, []reflect.Value{l.first})
	if err != nil {
		return nil, err
	}
	s := &ast.Select{From: ast.Table{Model: l.many.Link.Type}, Where: []ast.Node{own}}
	for _, f := range l.many.LinkTo {
		s.Outputs = append(s.Outputs, ast.Output{Of: ast.Column{Path: f.Name}})
	}
	if lock {
		s.Locks = []*ast.Lock{{Strength: ast.ForUpdate}}
	}
	text, _, err := l.q.db.models.Select(s)
	if err != nil {
		return nil, err
	}
	st := l.q.db.built(text)
	st.Locks = lock
	err = l.q.db.executor.Query(ctx, st, func(cursor driver.Rows) error {
		rows = nil
		return l.q.scanEach(cursor, l.many.LinkTo, func(row reflect.Value) { rows = append(rows, row) })
	})
	return rows, err
}

// without is those of rows that are not among others.
func (l *links) without(rows, others []reflect.Value) ([]reflect.Value, error) {
	among := make(map[string]bool, len(others))
	for _, row := range others {
		id, null, err := identity(l.many.LinkTo, row)
		if err != nil {
			return nil, err
		}
		among[id] = !null
	}
	var left []reflect.Value
	for _, row := range rows {
		id, null, err := identity(l.many.LinkTo, row)
		switch {
		case err != nil:
			return nil, err
		case null:
			return nil, errors.New("a row of the table between leads to nothing: its column is NULL")
		case !among[id]:
			left = append(left, row)
		}
	}
	return left, nil
}
