package orm

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
)

// Prefetch reads the rows of a has-many or many-to-many relation for all rows of the
// query and sets the struct fields that hold them, in one statement for each
// relation, however many rows there are:
//
//	users, err := orm.Objects[User](db).Prefetch("bookings", func(r orm.Related) orm.Related {
//		return r.Filter(query.F("state").Eq("open")).OrderBy("-day").Limit(5)
//	}).All(ctx)
//
// A path reads every relation on its way: "bookings.items", "room.bookings". refine is
// about the last of them; a path is refined by one call. A row without related rows gets an empty slice, which is
// not nil (rule S38). Without an OrderBy they come in the server's order.
//
// The statements are sent one after the other, in the block of ctx, or by the
// QuerySet's OnReplica: to see one state of the database, read in a block whose isolation level
// shows one. Keys of one column go along 30,000 at a time, and those of
// several columns 200. Nothing that Prefetch reads is locked. All, Get, First, Find
// and FindMany prefetch; Iterate, which has a row at a time, is an error.
func (q QuerySet[T]) Prefetch(path string, refine ...func(Related) Related) QuerySet[T] {
	if q.err != nil {
		return q
	}
	r := Related{spec: ast.Select{Database: q.db}}
	for _, f := range refine {
		if f == nil {
			q.keep(errors.New("Prefetch is refined by a function that is nil"))
			return q
		}
		r = f(r)
	}
	hops, rest, err := q.model.Hops(path)
	switch {
	case err == nil && r.err != nil:
		err = r.err
	case err == nil && (len(hops) == 0 || rest != ""):
		err = fmt.Errorf("the relation %q leads to one row: read it with Related", path)
	}
	if err == nil && len(refine) > 0 && slices.ContainsFunc(q.prefetch, func(p prefetch) bool { return p.refines && p.path == path }) {
		err = fmt.Errorf("the relation %q is refined twice: the second would be read in place of the first; refine it once", path)
	}
	if err != nil {
		q.keep(err)
		return q
	}
	q.prefetch = appended(q.prefetch, []prefetch{{path: path, hops: hops, refined: r, refines: len(refine) > 0}})
	if first := hops[0].Path; first != "" {
		q = q.Related(first)
	}
	// What is wrong with the refinement is known before anything is sent.
	for _, n := range planned(q.prefetch) {
		if err := n.check(q.db); err != nil {
			q.keep(err)
			break
		}
	}
	return q
}

// prefetch is what one call of Prefetch asks for.
type prefetch struct {
	path    string
	hops    []render.Hop
	refined Related
	refines bool
}

// fetch is one relation that is read, and those that are read for its rows.
type fetch struct {
	render.Hop
	refined Related
	next    []*fetch
}

// planned puts paths together that begin alike.
func planned(list []prefetch) []*fetch {
	var top []*fetch
	for _, p := range list {
		at := &top
		var last *fetch
		for _, h := range p.hops {
			if last != nil && h.Path != "" {
				last.refined = last.refined.Related(h.Path)
			}
			i := slices.IndexFunc(*at, func(f *fetch) bool { return f.Path == h.Path && f.Many.Name == h.Many.Name })
			if i < 0 {
				i = len(*at)
				*at = append(*at, &fetch{Hop: h, refined: Related{spec: ast.Select{Database: p.refined.spec.Database}}})
			}
			last = (*at)[i]
			at = &last.next
		}
		if p.refines {
			related := last.refined.spec.Related // what paths lead over
			last.refined = p.refined.Related(related...)
		}
	}
	return top
}

func (f *fetch) check(db *DB) error {
	if f.refined.spec.Deleted != ast.LeaveDeleted {
		if err := f.Many.Model.MarksDeleted("self"); err != nil {
			return err
		}
	}
	for _, path := range f.refined.spec.DeletedOf {
		if err := f.Many.Model.MarksDeleted(path); err != nil {
			return err
		}
	}
	s, _, err := f.statement([][]any{make([]any, len(f.Many.Keys))})
	if err != nil {
		return err
	}
	if _, _, err := db.models.Select(s); err != nil {
		return err
	}
	for _, n := range f.next {
		if err := n.check(db); err != nil {
			return err
		}
	}
	return nil
}

// keysInFetch is how many keys of one column a statement carries: fewer values than
// any server's limit.
const keysInFetch = 30_000

// fetch reads relations of rows, which are structs.
func (db *DB) fetch(ctx context.Context, rows []reflect.Value, list []*fetch, replica bool) error {
	for _, f := range list {
		if err := db.fetchOne(ctx, onward(rows, f.Ones), f, replica); err != nil {
			return err
		}
	}
	return nil
}

// onward is the related rows that there are at the end of relations to one row.
func onward(rows []reflect.Value, ones []*schema.Field) []reflect.Value {
	for _, one := range ones {
		var next []reflect.Value
		for _, row := range rows {
			v := fieldAt(row, one)
			if v.Kind() == reflect.Pointer {
				if v.IsNil() {
					continue
				}
				v = v.Elem()
			}
			next = append(next, v)
		}
		rows = next
	}
	return rows
}

func (db *DB) fetchOne(ctx context.Context, bases []reflect.Value, f *fetch, replica bool) error {
	owners := map[string][]reflect.Value{} // the slices to fill
	var keys [][]any
	for _, base := range bases {
		list := fieldAt(base, f.Many.Field)
		if list.Kind() == reflect.Pointer {
			list.Set(reflect.New(list.Type().Elem()))
			list = list.Elem()
		}
		list.Set(reflect.MakeSlice(list.Type(), 0, 0))
		key, found, err := keyOf(f.Many.From, base)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if owners[key] == nil {
			values := make([]any, len(f.Many.From))
			for i, from := range f.Many.From {
				values[i] = from.Field.Value(base).Interface()
			}
			keys = append(keys, values)
		}
		owners[key] = append(owners[key], list)
	}
	most := keysInFetch
	if len(f.Many.From) > 1 {
		most = keysAtOnce
	}
	var all []fetched
	for some := range slices.Chunk(keys, most) {
		rows, err := db.fetchRows(ctx, f, some, replica)
		if err != nil {
			return err
		}
		all = append(all, rows...)
	}
	rows := make([]reflect.Value, len(all))
	for i, r := range all {
		rows[i] = r.row.Elem()
	}
	if err := db.fetch(ctx, rows, f.next, replica); err != nil { // before they are copied
		return err
	}
	for _, r := range all {
		lists, found := owners[r.owner]
		if !found {
			return fmt.Errorf("a row of %s that the server finds by %s has another value there than the row of %s that it belongs to: a collation finds them equal, and Go does not",
				f.Many.Model.Name, f.Many.Keys[0], f.Many.From[0].Model.Name)
		}
		for _, list := range lists {
			v := r.row
			if list.Type().Elem().Kind() != reflect.Pointer {
				v = v.Elem()
			}
			n := list.Len()
			list.Grow(1)
			list.SetLen(n + 1)
			list.Index(n).Set(v)
		}
	}
	return nil
}

// fetched is a row, and the key of those that it belongs to.
type fetched struct {
	row   reflect.Value
	owner string
}

func (db *DB) fetchRows(ctx context.Context, f *fetch, keys [][]any, replica bool) ([]fetched, error) {
	s, joins, err := f.statement(keys)
	if err != nil {
		return nil, err
	}
	text, _, err := db.models.Select(s)
	if err != nil {
		return nil, err
	}
	st := db.built(text)
	st.Replica = replica
	reader := db.rowReader(f.Many.Model, joins)
	var list []fetched
	err = db.executor.Query(ctx, st, func(rows driver.Rows) error {
		list = list[:0]
		values := make([]driver.Value, len(rows.Columns()))
		for {
			if more, err := next(rows, values); !more {
				return err
			}
			row := reflect.New(f.Many.Model.Type)
			if err := reader.into(row.Elem(), values[:reader.width]); err != nil {
				return err
			}
			owner, err := db.ownerOf(f, row.Elem(), values[reader.width:])
			if err != nil {
				return err
			}
			list = append(list, fetched{row, owner})
		}
	})
	return list, err
}

// ownerOf is the key of the rows that a row belongs to: its own, or that of the table
// between.
func (db *DB) ownerOf(f *fetch, row reflect.Value, values []driver.Value) (string, error) {
	if link := f.Many.Link; link != nil {
		row = reflect.New(link.Type).Elem()
		r := db.reader(link)
		for i, key := range f.Many.Keys {
			if err := r.field(row, slices.Index(link.Fields, key), key, values[i]); err != nil {
				return "", err
			}
		}
	}
	key, _, err := keyOf(f.Many.Keys, row)
	return key, err
}

// keyOf is the values of columns, as something to find them by; not if one is NULL.
func keyOf(fields []*render.Field, row reflect.Value) (key string, found bool, err error) {
	for _, f := range fields {
		v, err := f.Value(row)
		if err != nil || v == nil {
			return "", false, err
		}
		switch v := v.(type) {
		case []byte:
			key += strconv.Quote(string(v))
		case string:
			key += strconv.Quote(v)
		case int64:
			key += strconv.FormatInt(v, 10)
		case time.Time:
			key += strconv.FormatInt(v.UnixMicro(), 10)
		default:
			key += fmt.Sprint(v)
		}
		key += ","
	}
	return key, true, nil
}
