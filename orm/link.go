package orm

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// Link writes rows of the table between for a many-to-many relation of row, so that
// it leads to each of others too (rule S39):
//
//	err := orm.Link(ctx, db, hall, "perks", wifi, breakfast)
//	…
//	hall, err := orm.Objects[Hall](db).Prefetch("perks").Find(ctx, hall.ID)
//
// A link that is there is left alone, also if somebody else makes it at the same
// moment. It is one statement for up to 1000 links, and all or nothing (rule S9);
// outside a block it runs again after a deadlock, a few times. Only the columns of row and others by
// which the relation goes are looked at, so that &Perk{ID: 7} will do; a row
// without them is an error, and one that is not in the database is dialect.ErrForeignKeyViolation where
// the table has foreign keys. The structs stay as they are: Prefetch reads a relation.
//
// The model of the table between has these columns for a unique key, by its tags, and
// no other that has to be given a value: create its rows themselves then. On MySQL
// and MariaDB it has no other unique key that a new row could meet, as for OnConflict: that is
// dialect.ErrUnsupported. If it has a column tagged soft_delete, a link that is marked
// as deleted is restored.
func Link[T, R any](ctx context.Context, db *DB, row *T, relation string, others ...*R) error {
	l, err := linksOf(db, row, relation, others)
	if err == nil && len(l.rows) > 0 {
		err = l.link(ctx)
	}
	return db.failed(ctx, nameOf[T]()+".Link", err)
}

// Unlink takes the links between row and others away (rule S39) and returns how many
// there were: what is not linked is no error. It deletes rows of the table between, or marks them if
// its model has a column tagged soft_delete. Everything else is as for [Link].
func Unlink[T, R any](ctx context.Context, db *DB, row *T, relation string, others ...*R) (int64, error) {
	l, err := linksOf(db, row, relation, others)
	n := int64(0)
	if err == nil && len(l.rows) > 0 {
		n, err = l.unlink(ctx)
	}
	return n, db.failed(ctx, nameOf[T]()+".Unlink", err)
}

// SetLinks makes others exactly what the relation leads to from row (rule S39): it takes
// the links to all others away and makes those that are missing. Others that are linked
// already stay as they are. Without others, as in
//
//	err := orm.SetLinks(ctx, db, hall, "perks", []*Perk{}...)
//
// none is left. It is a block of its own (rule S9) of up to five statements, which
// outside any other runs again after a deadlock, a few times. Of several at the same
// time each goes after the other: the first statement writes row as it is, without a
// change, and whoever does the same waits for it. In a block whose snapshot is older
// than another's SetLinks it may be dialect.ErrSerializationFailure, which atomic.Retry
// cures. A row that is not in the database is [ErrNotFound]. Everything else is as for [Link].
func SetLinks[T, R any](ctx context.Context, db *DB, row *T, relation string, others ...*R) error {
	l, err := linksOf(db, row, relation, others)
	if err == nil {
		err = l.set(ctx)
	}
	return db.failed(ctx, nameOf[T]()+".SetLinks", err)
}

// links are rows of the table between for one row and some others.
type links struct {
	q     set[*struct{}] // of the table between; what it is asked does not see its rows
	owner *render.Model
	many  *render.Many
	row   reflect.Value
	rows  []reflect.Value // to be there, or to be gone, in the order of the others' keys
	first reflect.Value   // a row of the table between that has the owner's key
}

func linksOf[T, R any](db *DB, row *T, relation string, others []*R) (*links, error) {
	m, err := db.model(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	hops, rest, err := m.Hops(relation)
	switch {
	case err != nil:
		return nil, err
	case len(hops) != 1 || hops[0].Path != "" || rest != "" || hops[0].Many.Link == nil:
		return nil, &query.FieldError{Model: m.Name, Name: relation, Reason: "is no many-to-many relation: write the rows that it leads to"}
	case hops[0].Many.Model.Type != reflect.TypeFor[R]():
		return nil, &query.FieldError{Model: m.Name, Name: relation, Reason: fmt.Sprintf("leads to rows of %s, not of %s", hops[0].Many.Model.Name, nameOf[R]())}
	case row == nil:
		return nil, errNilRow
	}
	many := hops[0].Many
	l := &links{q: set[*struct{}]{db: db, model: many.Link, spec: ast.Select{Database: db}}, owner: m, many: many, row: reflect.ValueOf(row).Elem()}
	if err := l.writable(); err != nil {
		return nil, err
	}
	if l.first, err = l.between(); err != nil {
		return nil, err
	}
	for i, other := range others {
		if other == nil {
			return nil, fmt.Errorf("row %d: %w", i, errNilRow)
		}
		between, err := l.between()
		if err == nil {
			err = carry(many.On, reflect.ValueOf(other).Elem(), many.LinkTo, between)
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		l.rows = append(l.rows, between)
	}
	l.rows, err = l.inOrder(l.rows)
	return l, err
}

// between is a new row of the table between that has the owner's key.
func (l *links) between() (reflect.Value, error) {
	p := reflect.New(l.many.Link.Type)
	if err := l.q.db.reader(l.many.Link).begin(p.Interface()); err != nil {
		return p, err
	}
	return p.Elem(), carry(l.many.From, l.row, l.many.Keys, p.Elem())
}

// carry gives columns of one row the values that those of another have.
func carry(from []*render.Field, row reflect.Value, to []*render.Field, into reflect.Value) error {
	for i, f := range from {
		bound, err := f.Value(row)
		if err != nil {
			return err
		}
		if bound == nil {
			return fmt.Errorf("%w: %s has no value", errKeyUnset, f)
		}
		src, dst := reflect.Indirect(f.Field.Value(row)), to[i].Field.Value(into)
		if dst.Kind() == reflect.Pointer {
			dst.Set(reflect.New(dst.Type().Elem()))
			dst = dst.Elem()
		}
		if src.Type() == dst.Type() {
			dst.Set(src)
		} else if err := fieldScanner(to[i])(to[i].Field.Value(into), bound); err != nil {
			return explain(to[i].String(), dst.Type(), bound, err)
		}
	}
	return nil
}

// writable refuses a table between whose rows are more than a link.
func (l *links) writable() error {
	key := l.key()
	if !slices.ContainsFunc(l.many.Link.UniqueKeys(), func(unique []*render.Field) bool { return sameFields(unique, key) }) {
		return fmt.Errorf("%s has no unique key on %s by its tags, by which a link would be there once: make them its primary key, or tag both unique:link",
			l.many.Link.Name, fieldNames(key))
	}
	p := reflect.New(l.many.Link.Type)
	if err := l.q.db.reader(l.many.Link).begin(p.Interface()); err != nil {
		return err
	}
	given, _ := columns(l.many.Link, p.Elem())
	for _, f := range given {
		if !slices.Contains(key, f) && !f.Nullable && f.SQLDefault == "" && f.HasZeroValue(p.Elem()) {
			return &query.FieldError{Model: l.many.Link.Name, Name: f.Name, Reason: "has to be given a value, and a link has none: create rows of " + l.many.Link.Name}
		}
	}
	return nil
}

// key is the columns of the table between that are a link.
func (l *links) key() []*render.Field { return slices.Concat(l.many.Keys, l.many.LinkTo) }

// inOrder is rows in the order in which everybody writes them, each once.
func (l *links) inOrder(rows []reflect.Value) ([]reflect.Value, error) {
	list := make([]struct {
		row reflect.Value
		key []any
	}, len(rows))
	for i, row := range rows {
		list[i].row = row
		for _, f := range l.many.LinkTo {
			part, err := f.Value(row)
			if err != nil {
				return nil, err
			}
			list[i].key = append(list[i].key, part)
		}
	}
	slices.SortFunc(list, func(a, b struct {
		row reflect.Value
		key []any
	}) int {
		return slices.CompareFunc(a.key, b.key, compareBound)
	})
	sorted := make([]reflect.Value, 0, len(list))
	for i := range list {
		if i == 0 || slices.CompareFunc(list[i-1].key, list[i].key, compareBound) != 0 {
			sorted = append(sorted, list[i].row)
		}
	}
	return sorted, nil
}

func (l *links) link(ctx context.Context) error {
	k, batches, err := l.inserts(ctx, l.rows)
	if err != nil {
		return err
	}
	statements := len(batches)
	if l.many.Link.Deleted != nil {
		statements++
	}
	return l.q.sendUpsert(ctx, k, batches, statements, func(ctx context.Context) error {
		_, err := l.insert(ctx, batches, l.rows)
		return err
	})
}

// inserts are the statements that make rows of the table between, where they are not
// there yet.
func (l *links) inserts(ctx context.Context, rows []reflect.Value) (*conflict, []*batch, error) {
	k := &conflict{target: l.key(), nothing: true}
	var batches []*batch
	if len(rows) > 0 {
		given, _ := columns(l.many.Link, rows[0])
		for some := range slices.Chunk(rows, min(batchRows, l.q.db.models.MaxRows(len(given)))) {
			batches = append(batches, &batch{Insert: render.Insert{Model: l.many.Link, Fields: given, Rows: some, Conflict: &render.Conflict{Target: k.target}}})
		}
	}
	return k, batches, l.q.onlyTarget(ctx, k, batches)
}

// insert makes rows of the table between, and restores those that are marked as deleted. It
// returns how many, where the server does not count those that were there.
func (l *links) insert(ctx context.Context, batches []*batch, rows []reflect.Value) (made int64, err error) {
	for _, b := range batches {
		text, err := b.Render()
		if err != nil {
			return 0, err
		}
		n, err := l.q.matched(ctx, text, nil)
		if err != nil {
			return 0, err
		}
		made += n
	}
	if l.many.Link.Deleted == nil {
		return made, nil
	}
	restored, err := l.each(rows, func(where []ast.Node) (int64, error) {
		text, err := (&render.Update{Model: l.many.Link, Set: marked(l.q.db.reader(l.many.Link), nil, now()), Where: where, Deleted: ast.OnlyDeleted}).Render()
		return l.q.matched(ctx, text, err)
	})
	return made + restored, err
}

func (l *links) unlink(ctx context.Context) (n int64, err error) {
	send := func(ctx context.Context) (err error) {
		n, err = l.remove(ctx, l.rows)
		return err
	}
	if len(l.rows) <= l.most() {
		err = send(ctx)
	} else {
		err = l.q.db.ownBlock(ctx, send)
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (l *links) remove(ctx context.Context, rows []reflect.Value) (int64, error) {
	return l.each(rows, func(where []ast.Node) (int64, error) {
		q := l.q
		q.spec.Where = where
		return q.delete(ctx)
	})
}

// most is how many links a condition names.
func (l *links) most() int {
	if len(l.many.LinkTo) > 1 {
		return keysAtOnce
	}
	return keysInFetch
}

// each calls send with conditions for rows of the table between, and sums up.
func (l *links) each(rows []reflect.Value, send func(where []ast.Node) (int64, error)) (sum int64, err error) {
	for some := range slices.Chunk(rows, l.most()) {
		own, err := among(l.many.Keys, []reflect.Value{l.first})
		if err != nil {
			return 0, err
		}
		those, err := among(l.many.LinkTo, some)
		if err != nil {
			return 0, err
		}
		n, err := send([]ast.Node{own, those})
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
