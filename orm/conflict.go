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

// conflict is what BulkCreate does with rows whose key is there already.
type conflict struct {
	target  []*render.Field
	nothing bool
	update  []*render.Field // that take the new row's value, as the caller names them
	all     bool
	set     []render.Assignment
}

func (q set[P]) newConflict(c query.Conflict) (*conflict, error) {
	n := c.Node()
	k := &conflict{nothing: n.Nothing, all: n.All}
	changes := n.All || len(n.Update) > 0 || len(n.Set) > 0
	switch {
	case len(n.Target) == 0:
		return nil, errors.New("OnConflict names the columns of the key by which a row may be there")
	case n.Nothing == changes:
		return nil, errors.New("OnConflict is followed by DoNothing, or by Update or Set")
	}
	for _, name := range n.Target {
		f, err := q.model.Field(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(k.target, f) {
			return nil, &query.FieldError{Model: q.model.Name, Name: name, Reason: "is named twice by OnConflict"}
		}
		k.target = append(k.target, f)
	}
	if len(n.Update) > 0 {
		fields, err := q.db.reader(q.model).saved(n.Update)
		if err != nil {
			return nil, err
		}
		k.update = fields
	}
	for _, a := range n.Set {
		set, err := q.model.Assignment(a)
		if err != nil {
			return nil, err
		}
		if set.Field.IsPK {
			return nil, &query.FieldError{Model: q.model.Name, Name: set.Field.Name, Reason: "is the primary key, which stays that of the row that is there"}
		}
		if slices.Contains(k.target, set.Field) { // by which the row is read again
			return nil, &query.FieldError{Model: q.model.Name, Name: set.Field.Name, Reason: "is of the key that OnConflict names, which stays that of the row that is there"}
		}
		k.set = append(k.set, set)
	}
	return k, nil
}

// conflictSet is what a row that is there is given by the rows of an INSERT, and
// the columns of which nobody knows what they are afterwards.
func (q set[P]) conflictSet(k *conflict, insert *render.Insert) (set []render.Assignment, unknown []*render.Field, err error) {
	assigned := map[*render.Field]bool{}
	for _, a := range k.set {
		assigned[a.Field] = true
	}
	set = slices.Clone(k.set)
	known := map[*render.Field]bool{}
	for _, f := range k.target {
		known[f] = true
	}
	r := q.db.reader(q.model)
	version := r.version
	take := func(f *render.Field) {
		if !assigned[f] && f != version {
			assigned[f], known[f] = true, true
			set = append(set, render.Assignment{Field: f, Value: query.Excluded(f.Name).Node()})
		}
	}
	for _, f := range k.update {
		take(f)
	}
	if k.all {
		for _, f := range insert.Fields {
			if !f.IsPK && !r.stays(f) && !slices.Contains(k.target, f) && (f != q.model.Deleted || q.spec.Deleted == ast.WithDeleted) {
				take(f)
			}
		}
	}
	if f := r.updated; f != nil && !assigned[f] {
		take(f)
	}
	if version != nil && !assigned[version] {
		set = append(set, render.Assignment{Field: version, Value: query.F(version.Name).Add(1).Node()})
	}
	for _, f := range q.model.Fields {
		if !known[f] {
			unknown = append(unknown, f)
		}
	}
	if len(set) == 0 { // the rows have their key alone: it is written as it is, so that they are returned
		set = append(set, render.Assignment{Field: k.target[0], Value: query.F(k.target[0].Name).Node()})
	}
	return set, unknown, nil
}

// upsert is BulkCreate with an OnConflict.
func (q set[P]) upsert(ctx context.Context, rows []P, c query.Conflict) error {
	if err := q.fresh(); err != nil {
		return err
	}
	k, err := q.newConflict(c)
	if err != nil {
		return err
	}
	for i, row := range rows {
		if isNil(row) {
			return fmt.Errorf("row %d: %w", i, errNilRow)
		}
	}
	before := held(rows...)
	if err = q.upsertAll(ctx, rows, k); err != nil || k.nothing {
		restore(before, rows...)
	}
	return err
}

func (q set[P]) upsertAll(ctx context.Context, rows []P, k *conflict) error {
	r, at := q.db.reader(q.model), now()
	for i, row := range rows {
		if err := r.begin(row); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		if stamped, ok := any(row).(timestamped); ok {
			_, updated := stamped.TimestampFields()
			*updated = r.updated.ClockTime(at)
		}
	}
	sorted, err := q.byTarget(rows, k)
	if err != nil || len(sorted) == 0 {
		return err
	}
	var batches []*batch
	for _, b := range q.batches(sorted) {
		if err := q.zeroStays(ctx, b.Rows...); err != nil {
			return err
		}
		if err = q.resolve(b, k); err != nil {
			return err
		}
		pieces, err := b.cut()
		if err != nil {
			return err
		}
		batches = append(batches, pieces...)
	}
	statements := len(batches)
	for _, b := range batches {
		if len(b.left) > len(b.Returning) { // they are read back
			statements++
		}
		if len(batches) > 1 { // the values of many would be in memory twice
			b.text = render.Text{}
		}
		if b.living = q.expectLiving(b, k); b.living != nil {
			statements++ // it may have to be taken back, in a block
		}
	}
	if err := q.onlyTarget(ctx, k, batches); err != nil {
		return err
	}
	given := held(rows...)
	send := func(ctx context.Context) error {
		restore(given, rows...)
		for _, b := range batches {
			if err := q.upsertBatch(ctx, b, k); err != nil {
				return err
			}
			if err := q.noneDeleted(b); err != nil {
				return err
			}
		}
		return nil
	}
	return q.sendUpsert(ctx, k, batches, statements, send)
}

// resolve says what the INSERT of a batch does with rows that are there.
func (q set[P]) resolve(b *batch, k *conflict) (err error) {
	b.Conflict = &render.Conflict{Target: k.target}
	b.left = nil
	if k.nothing {
		return nil
	}
	if b.Conflict.Set, b.left, err = q.conflictSet(k, &b.Insert); err == nil && q.db.models.Returns() {
		b.Returning = b.left
	}
	return err
}

// byTarget is rows in the order of the key by which they may be there, in which
// everybody locks them, and an error if two of them are one row.
func (q set[P]) byTarget(rows []P, k *conflict) ([]P, error) {
	list := make([]struct {
		row P
		key []any
		at  int
	}, len(rows))
	parts := make([]any, 0, len(rows)*len(k.target))
	for i, row := range rows {
		list[i].row, list[i].at = row, i
		v := reflect.ValueOf(row).Elem()
		for _, f := range k.target {
			part, err := f.Value(v)
			switch {
			case err != nil:
				return nil, fmt.Errorf("row %d: %w", i, err)
			case left(f, v):
				return nil, &query.FieldError{Model: q.model.Name, Name: f.Name, Reason: fmt.Sprintf("is left to the server by row %d, and named by OnConflict: give it a value", i)}
			case part == nil && !k.nothing:
				return nil, fmt.Errorf("row %d: %w", i, &query.ValueError{Field: f.String(), Type: f.StructField.Type.String(),
					Reason: "is NULL, which equals no key: create such rows without OnConflict"})
			}
			parts = append(parts, part)
		}
		list[i].key = parts[i*len(k.target):]
	}
	slices.SortStableFunc(list, func(a, b struct {
		row P
		key []any
		at  int
	}) int {
		return slices.CompareFunc(a.key, b.key, compareBound)
	})
	sorted := make([]P, len(list))
	for i := range list {
		if i > 0 && !k.nothing && slices.CompareFunc(list[i-1].key, list[i].key, compareBound) == 0 {
			return nil, fmt.Errorf("the rows %d and %d have the same key, and a row can be written once", list[i-1].at, list[i].at)
		}
		sorted[i] = list[i].row
	}
	return sorted, nil
}

// upsertBatch sends one INSERT, and reads what its rows have become.
func (q set[P]) upsertBatch(ctx context.Context, b *batch, k *conflict) error {
	text, err := b.rendered()
	if err != nil {
		return err
	}
	kept := len(b.Rows)
	switch {
	case len(b.Returning) > 0:
		kept, err = q.sendReturning(ctx, text, &b.Insert)
	case k.nothing || !q.db.passesOver():
		err = q.execText(ctx, text, nil)
	default:
		kept, err = q.sendCounted(ctx, text)
	}
	switch {
	case err != nil:
		return err
	case kept < len(b.Rows):
		return q.upserted(ctx, b, k, kept)
	case len(b.Returning) > 0 || len(b.left) == 0:
		return nil
	}
	return q.readBack(ctx, b.Rows, k.target, b.left)
}

// readBack reads some columns of rows that were just written, found by the values
// of others, and locked as they are by the write: a plain read may show an older
// state.
func (q set[P]) readBack(ctx context.Context, rows []reflect.Value, by, fields []*render.Field) error {
	at, found := make(map[string]int, len(rows)), make([]bool, len(rows))
	for i, row := range rows {
		id, _, err := identity(by, row)
		if err != nil {
			return err
		}
		at[id] = i
	}
	take := func(i int, from reflect.Value) {
		found[i] = true
		for _, f := range fields {
			f.Field.Value(rows[i]).Set(f.Field.Value(from))
		}
	}
	var id []byte
	err := q.readWritten(ctx, rows, by, fields, func(from reflect.Value) (err error) {
		if id, _, err = appendIdentity(id[:0], by, from); err != nil {
			return err
		}
		if i, ok := at[string(id)]; ok {
			take(i, from)
		}
		return nil
	})
	for i := range rows {
		if err == nil && !found[i] { // a text that the server takes for equal to another
			err = q.readWritten(ctx, rows[i:i+1], by, fields, func(from reflect.Value) error { take(i, from); return nil })
		}
		if err == nil && !found[i] {
			err = errors.New("a row that was written is not there any more")
		}
	}
	return err
}

// readWritten reads by and fields of rows that have the values of rows in by. What
// found gets is another row after its call.
func (q set[P]) readWritten(ctx context.Context, rows []reflect.Value, by, fields []*render.Field, found func(from reflect.Value) error) error {
	where, err := among(by, rows)
	if err != nil {
		return err
	}
	all := append(slices.Clip(by), fields...)
	text, err := (&render.ReadBack{Model: q.model, Fields: all, Where: where}).Render()
	if err != nil {
		return err
	}
	st := q.db.built(text)
	st.Locks = true
	from := reflect.New(q.model.Type).Elem()
	cleared := func() reflect.Value { from.SetZero(); return from }
	var failed error
	err = q.db.executor.Query(ctx, st, func(cursor driver.Rows) error {
		failed = nil
		return q.scanInto(cursor, all, cleared, func(row reflect.Value) {
			if failed == nil {
				failed = found(row)
			}
		})
	})
	return errors.Join(err, failed)
}
