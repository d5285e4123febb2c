package orm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
)

// onlyTarget refuses, on a server where an INSERT cannot say which key is meant, a
// table with another unique key by which one of the rows could be there: the row
// that has it would be changed, whatever its values are.
func (q set[P]) onlyTarget(ctx context.Context, k *conflict, batches []*batch) error {
	if q.db.models.HasTarget() {
		return nil
	}
	for _, key := range q.model.UniqueKeys() {
		if fires(q.model, key, k.target, batches) {
			return q.otherKey(k, "the unique key on "+fieldNames(key)+" of the model")
		}
	}
	keys, err := q.db.uniqueKeys(ctx, q.model)
	if err != nil {
		return err
	}
	meant := false
	for _, key := range keys {
		fields := make([]*render.Field, 0, len(key.columns))
		for _, name := range key.columns {
			i := slices.IndexFunc(q.model.Fields, func(f *render.Field) bool { return q.db.sameName(f.Name, name) })
			if i < 0 {
				return q.otherKey(k, "the unique key "+key.name+", on what the model does not have,")
			}
			fields = append(fields, q.model.Fields[i])
		}
		switch {
		case key.whole && sameFields(fields, k.target):
			meant = true
		case !key.whole || fires(q.model, fields, k.target, batches):
			return q.otherKey(k, "the unique key "+key.name)
		}
	}
	if !meant {
		return fmt.Errorf("the table has no unique key on %s, which OnConflict names", fieldNames(k.target))
	}
	return nil
}

func (q set[P]) otherKey(k *conflict, which string) error {
	server := q.db.Server()
	return &dialect.UnsupportedError{Server: server, Feature: "OnConflict(" + fieldNames(k.target) + ") for a table with another unique key",
		Hint: which + " could be met as well, and ON DUPLICATE KEY UPDATE does not say by which; use UpdateOrCreate, or leave its columns to the server"}
}

// fires reports whether one of the rows could meet another by the key, and not by
// target as well. NULL equals nothing, and what is counted up is new.
func fires(m *render.Model, key, target []*render.Field, batches []*batch) bool {
	if containsAll(key, target) {
		return false // whoever has the same key has the same target
	}
	for _, b := range batches {
		if slices.ContainsFunc(key, func(f *render.Field) bool { return counted(f) && !slices.Contains(b.Fields, f) }) {
			continue
		}
		for _, row := range b.Rows {
			null := slices.ContainsFunc(key, func(f *render.Field) bool {
				if !slices.Contains(b.Fields, f) {
					return false // a default
				}
				v, err := f.Value(row)
				return err == nil && v == nil
			})
			if !null {
				return true
			}
		}
	}
	return false
}

func containsAll(list, some []*render.Field) bool {
	return !slices.ContainsFunc(some, func(f *render.Field) bool { return !slices.Contains(list, f) })
}

func sameFields(a, b []*render.Field) bool { return len(a) == len(b) && containsAll(a, b) }

func fieldNames(fields []*render.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// uniqueKeys asks MySQL or MariaDB for the unique keys of the model's table, once.
func (db *DB) uniqueKeys(ctx context.Context, m *render.Model) ([]tableIndex, error) {
	if keys, ok := db.uniques.Load(m); ok {
		return keys.([]tableIndex), nil
	}
	keys, err := db.tableIndexes(ctx, m)
	keys = slices.DeleteFunc(keys, func(k tableIndex) bool { return !k.unique })
	if err == nil && len(keys) == 0 { // no keys, or no table: the server says which
		_, err = db.executor.Exec(ctx, block.Statement{SQL: "SELECT 1 FROM " + string(m.Table.SQLName) + " LIMIT 0", Built: true})
	}
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		db.uniques.Store(m, keys)
	}
	return keys, nil
}
