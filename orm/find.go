package orm

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/holdfast-go/holdfast/atomic"
	"github.com/holdfast-go/holdfast/query"
)

// Find returns the row with this primary key (rule S43), or [ErrNotFound]. A key of several
// columns is given in their order. The conditions of the query hold too, so that
// a row that it does not select is not found; Related and SelectForUpdate do what
// they do for Get:
//
//	audio, err := orm.Objects[Audio](db).Related("project").Find(ctx, 7)
func (q QuerySet[T]) Find(ctx context.Context, key ...any) (*T, error) {
	row, err := q.set.find(ctx, key)
	return row, q.set.failed(ctx, "Find", err)
}

func (q set[P]) find(ctx context.Context, key []any) (row P, err error) {
	if err := q.keyed(); err != nil {
		return row, err
	}
	if len(key) != len(q.model.PKs) {
		return row, fmt.Errorf("%d values for a primary key of %d columns", len(key), len(q.model.PKs))
	}
	for i, f := range q.model.PKs {
		if _, isPart := key[i].(query.Operand); isPart {
			return row, &query.ValueError{Field: f.String(), Type: fmt.Sprintf("%T", key[i]), Reason: "is a part of a statement and not a key"}
		}
		if v := reflect.ValueOf(key[i]); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return row, &query.ValueError{Field: f.String(), Type: fmt.Sprintf("%T", key[i]), Reason: "is nil, which no key is"}
		}
		q = q.filter(query.F(f.Name).Eq(key[i]))
	}
	return q.one(ctx)
}

// keyed refuses to look rows up by their keys in a part of them.
func (q set[P]) keyed() error {
	switch {
	case q.err != nil:
		return q.err
	case q.spec.Limit != nil || q.spec.Offset != 0:
		return errors.New("a row is found by its key, not among those that Limit and Offset leave")
	case len(q.model.PKs) == 0:
		return errNoKey
	}
	return nil
}

// keysAtOnce is how many keys of several columns one statement looks for.
const keysAtOnce = 200

// FindMany returns those rows of q whose primary keys are among keys, by their
// keys; a key without a row is not in the map. K is the type of the key's struct
// field, or, for a key of several columns, a struct that has their types in their
// order:
//
//	audios, err := orm.FindMany(ctx, orm.Objects[Audio](db), []int64{7, 8, 9})
//	seats, err := orm.FindMany(ctx, orm.Objects[Seat](db), []struct{ Room, Number int64 }{{1, 4}, {2, 4}})
//
// It is one statement, however many keys there are; those of several columns are
// looked for 200 at a time, in one block (rule S9).
func FindMany[K comparable, T any](ctx context.Context, q QuerySet[T], keys []K) (map[K]*T, error) {
	found, err := findMany(ctx, q.set, keys)
	if err != nil {
		return nil, q.set.failed(ctx, "FindMany", err)
	}
	return found, nil
}

func findMany[K comparable, P any](ctx context.Context, q set[P], keys []K) (map[K]P, error) {
	if err := q.keyed(); err != nil {
		return nil, err
	}
	pks, t := q.model.PKs, reflect.TypeFor[K]()
	several := len(pks) > 1
	if several {
		fits := t.Kind() == reflect.Struct && t.NumField() == len(pks)
		for i := 0; fits && i < len(pks); i++ {
			fits = t.Field(i).Type == pks[i].StructField.Type && t.Field(i).IsExported()
		}
		if !fits {
			return nil, fmt.Errorf("the primary key has %d columns: K is a struct with a field for each of them, of its type and in their order, not %s", len(pks), t)
		}
	} else if t != pks[0].StructField.Type {
		return nil, fmt.Errorf("the primary key %s is of type %s, and K is %s", pks[0], pks[0].StructField.Type, t)
	}
	found := make(map[K]P, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	read := func(ctx context.Context, cond query.Cond) error {
		rows, err := q.filter(cond).all(ctx)
		for _, row := range rows {
			var key K
			v, at := reflect.ValueOf(row).Elem(), reflect.ValueOf(&key).Elem()
			if several {
				for i, f := range pks {
					at.Field(i).Set(f.Field.Value(v))
				}
			} else {
				at.Set(pks[0].Field.Value(v))
			}
			found[key] = row
		}
		return err
	}
	if !several {
		values := make([]any, len(keys))
		for i, k := range keys {
			values[i] = k
		}
		return found, read(ctx, query.F(pks[0].Name).In(values...))
	}
	all := func(ctx context.Context) error {
		clear(found)
		for from := 0; from < len(keys); from += keysAtOnce {
			some := keys[from:min(from+keysAtOnce, len(keys))]
			conds := make([]query.Cond, len(some))
			for n := range some {
				v, parts := reflect.ValueOf(some[n]), make([]query.Cond, len(pks))
				for i, f := range pks {
					parts[i] = query.F(f.Name).Eq(v.Field(i).Interface())
				}
				conds[n] = query.And(parts...)
			}
			if err := read(ctx, query.Or(conds...)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(keys) <= keysAtOnce {
		return found, all(ctx)
	}
	if q.replica {
		return found, q.db.ownBlock(ctx, all, atomic.ReadOnly())
	}
	return found, q.db.ownBlock(ctx, all)
}
