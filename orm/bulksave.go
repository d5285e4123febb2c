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

// savedAtOnce is how many rows one UPDATE of BulkSave gives values of their own:
// the server looks for a row's among all of them.
const savedAtOnce = 100

// BulkSave is [QuerySet.Save] for many rows, with few statements: one for every
// 100 rows, or fewer if they are large. It is all or nothing (rule S41): in one block,
// which outside any other runs again after a deadlock, a few times. If a row is not
// in the database it is [ErrNotFound], and with models.Versioned [ErrStale] if
// one is not there in the version that was read; nothing is written then, and
// the structs stay as they are. No row may be given twice. Rows are written by the
// order of their keys.
func (q QuerySet[T]) BulkSave(ctx context.Context, rows []*T, fields ...string) error {
	return q.set.failed(ctx, "BulkSave", q.set.bulkSave(ctx, rows, fields))
}

func (q set[P]) bulkSave(ctx context.Context, rows []P, names []string) error {
	if err := q.fresh(); err != nil {
		return err
	}
	fields, err := q.db.reader(q.model).saved(names)
	if err != nil {
		return err
	}
	rows, err = q.byTheirKeys(rows)
	if err != nil || len(rows) == 0 {
		return err
	}
	s := &render.SaveRows{Model: q.model, Deleted: q.spec.Deleted}
	r, at := q.db.reader(q.model), now()
	updated, version := r.updated, r.version
	if updated != nil {
		s.Set = append(s.Set, render.Assignment{Field: updated, Value: updated.ClockTime(at)})
	}
	if version != nil {
		s.Set = append(s.Set, render.Assignment{Field: version, Value: query.F(version.Name).Add(1).Node()})
	}
	for _, f := range fields {
		if f != updated && f != version {
			s.Fields = append(s.Fields, f)
		}
	}
	var texts []render.Text
	var sizes []int
	for len(rows[sum(sizes):]) > 0 {
		batch := q.batchToSave(rows[sum(sizes):], s)
		var text render.Text
		for {
			if err := q.saving(s, batch, version); err != nil {
				return err
			}
			if text, err = s.Render(); err != nil {
				return err
			}
			if len(batch) == 1 || weight(text.Args) <= 2*batchBytes { // keys come beside what sizeOf counts
				break
			}
			batch = batch[:(len(batch)+1)/2] // what is bound is larger than the rows
		}
		texts, sizes = append(texts, text), append(sizes, len(batch))
	}
	send := func(ctx context.Context) error {
		for i, text := range texts {
			st := q.db.built(text)
			at := sum(sizes[:i])
			st.Judge = q.foundAll(ctx, rows[at:at+sizes[i]], s)
			if _, err := q.db.executor.Exec(ctx, st); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 1 {
		err = send(ctx)
	} else {
		err = q.db.ownBlock(ctx, send)
	}
	if err != nil {
		return err
	}
	for _, row := range rows {
		r.changed(row, at)
	}
	return nil
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

// batchToSave is the first of rows that one statement takes.
func (q set[P]) batchToSave(rows []P, s *render.SaveRows) []P {
	most := min(savedAtOnce, q.db.models.MaxRows(s.Values()+2*len(q.model.PKs)+1))
	size := 0
	for i, row := range rows {
		size += sizeOf(s.Fields, reflect.ValueOf(row).Elem())
		if i == most || i > 0 && size > batchBytes {
			return rows[:i]
		}
	}
	return rows
}

// saving puts the rows of one statement into s.
func (q set[P]) saving(s *render.SaveRows, batch []P, version *render.Field) error {
	among, err := q.amongRows(batch)
	if err != nil {
		return err
	}
	s.Rows, s.Where = s.Rows[:0], []ast.Node{among}
	var versions []ast.Node
	for _, row := range batch {
		v := reflect.ValueOf(row).Elem()
		s.Rows = append(s.Rows, v)
		if version != nil {
			key, err := q.byKey(v)
			if err != nil {
				return err
			}
			versions = append(versions, ast.And{Of: append(key, atVersion(version, row))})
		}
	}
	if version != nil {
		s.Where = append(s.Where, ast.Or{Of: versions})
	}
	return nil
}

// byTheirKeys is rows in the order of their keys, in which everybody locks them,
// and an error if one cannot be saved or is there twice.
func (q set[P]) byTheirKeys(rows []P) ([]P, error) {
	type keyed struct {
		row P
		key []any
		at  int
	}
	list := make([]keyed, len(rows))
	for i, row := range rows {
		if isNil(row) {
			return nil, fmt.Errorf("row %d: %w", i, errNilRow)
		}
		v := reflect.ValueOf(row).Elem()
		if _, err := q.byKey(v); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		list[i] = keyed{row: row, at: i}
		for _, f := range q.model.PKs {
			part, err := f.Value(v)
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", i, err)
			}
			list[i].key = append(list[i].key, part)
		}
	}
	slices.SortStableFunc(list, func(a, b keyed) int { return slices.CompareFunc(a.key, b.key, compareBound) })
	sorted := make([]P, len(list))
	for i, k := range list {
		if i > 0 && slices.CompareFunc(list[i-1].key, k.key, compareBound) == 0 {
			return nil, fmt.Errorf("the rows %d and %d have the same key", list[i-1].at, k.at)
		}
		sorted[i] = k.row
	}
	return sorted, nil
}
