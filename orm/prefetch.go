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
// several columns 200. Nothing that Prefetch reads is locked. All, Get, First, Find,
// FindMany and Refresh prefetch; Iterate, which has a row at a time, is an error.
func (q QuerySet[T]) Prefetch(path string, refine ...func(Related) Related) QuerySet[T] {
	return QuerySet[T]{q.set.prefetching(path, refine)}
}

func (q set[P]) prefetching(path string, refine []func(Related) Related) set[P] {
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
	hops, err := q.db.hopsOf(q.model, path)
	if err == nil {
		err = r.err
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
		q.spec.Related = appended(q.spec.Related, []string{first})
	}
	// What is wrong with a refinement is known before anything is sent.
	if !slices.ContainsFunc(q.prefetch, func(p prefetch) bool { return p.refines }) {
		return q
	}
	for _, n := range planned(q.prefetch) {
		if err := n.check(q.db); err != nil {
			q.keep(err)
			break
		}
	}
	return q
}

// hopsOf takes a path apart that can be prefetched as it is.
func (db *DB) hopsOf(m *render.Model, path string) ([]render.Hop, error) {
	type way struct {
		from *render.Model
		path string
	}
	if hops, ok := db.hops.Load(way{m, path}); ok {
		return hops.([]render.Hop), nil
	}
	hops, rest, err := m.Hops(path)
	if err != nil {
		return nil, err
	}
	if len(hops) == 0 || rest != "" {
		return nil, fmt.Errorf("the relation %q leads to one row: read it with Related", path)
	}
	for _, f := range planned([]prefetch{{path: path, hops: hops, refined: Related{spec: ast.Select{Database: db}}}}) {
		if err := f.check(db); err != nil {
			return nil, err
		}
	}
	db.hops.Store(way{m, path}, hops)
	return hops, nil
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
	owners := make(map[string]*owner, len(bases))
	var keys [][]any
	var id []byte
	for _, base := range bases {
		list := fieldAt(base, f.Many.Field)
		if list.Kind() == reflect.Pointer {
			list.Set(reflect.New(list.Type().Elem()))
			list = list.Elem()
		}
		list.Set(reflect.MakeSlice(list.Type(), 0, 0))
		var found bool
		var err error
		if id, found, err = appendKey(id[:0], f.Many.From, base); err != nil {
			return err
		}
		if !found {
			continue
		}
		o := owners[string(id)]
		if o == nil {
			o = &owner{}
			owners[string(id)] = o
			values := make([]any, len(f.Many.From))
			for i, from := range f.Many.From {
				values[i] = from.Field.Value(base).Interface()
			}
			keys = append(keys, values)
		}
		o.lists = append(o.lists, list)
	}
	most := keysInFetch
	if len(f.Many.From) > 1 {
		most = keysAtOnce
	}
	var all []fetched
	for some := range slices.Chunk(keys, most) {
		rows, err := db.fetchRows(ctx, f, some, owners, replica)
		if err != nil {
			return err
		}
		all = append(all, rows...)
	}
	rows := make([]reflect.Value, len(all))
	for i, r := range all {
		rows[i] = r.row.Elem()
		r.owner.rows++
	}
	if err := db.fetch(ctx, rows, f.next, replica); err != nil { // before they are copied
		return err
	}
	for _, r := range all {
		r.owner.add(r.row)
	}
	return nil
}

// owner is those rows with the same key that others belong to.
type owner struct {
	lists []reflect.Value // the slices to fill
	rows  int             // how many will be added to each
}

// add puts row into each list.
func (o *owner) add(row reflect.Value) {
	for _, list := range o.lists {
		v := row
		if list.Type().Elem().Kind() != reflect.Pointer {
			v = v.Elem()
		}
		n := list.Len()
		if n == 0 {
			list.Grow(o.rows)
		}
		list.SetLen(n + 1)
		list.Index(n).Set(v)
	}
}

// fetched is a row, and those that it belongs to.
type fetched struct {
	row   reflect.Value
	owner *owner
}

func (db *DB) fetchRows(ctx context.Context, f *fetch, keys [][]any, owners map[string]*owner, replica bool) ([]fetched, error) {
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
		var id []byte
		for {
			if more, err := next(rows, values); !more {
				return err
			}
			row := reflect.New(f.Many.Model.Type)
			if err := reader.into(row.Elem(), values[:reader.width]); err != nil {
				return err
			}
			if id, err = db.appendOwner(id[:0], f, row.Elem(), values[reader.width:]); err != nil {
				return err
			}
			o := owners[string(id)]
			if o == nil {
				return fmt.Errorf("a row of %s that the server finds by %s has another value there than the row of %s that it belongs to: a collation finds them equal, and Go does not",
					f.Many.Model.Name, f.Many.Keys[0], f.Many.From[0].Model.Name)
			}
			list = append(list, fetched{row, o})
		}
	})
	return list, err
}

// appendOwner appends the key of the rows that a row belongs to: its own, or that of the
// table between.
func (db *DB) appendOwner(id []byte, f *fetch, row reflect.Value, values []driver.Value) ([]byte, error) {
	if link := f.Many.Link; link != nil {
		row = reflect.New(link.Type).Elem()
		r := db.reader(link)
		for i, key := range f.Many.Keys {
			if err := r.field(row, slices.Index(link.Fields, key), key, values[i]); err != nil {
				return id, err
			}
		}
	}
	id, _, err := appendKey(id, f.Many.Keys, row)
	return id, err
}

// appendKey appends the values of columns as something to find them by; found is false if
// one is NULL.
func appendKey(id []byte, fields []*render.Field, row reflect.Value) (_ []byte, found bool, err error) {
	for _, f := range fields {
		v, err := f.Value(row)
		if err != nil || v == nil {
			return id, false, err
		}
		switch v := v.(type) {
		case []byte:
			id = strconv.AppendQuote(id, string(v))
		case string:
			id = strconv.AppendQuote(id, v)
		case int64:
			id = strconv.AppendInt(id, v, 10)
		case time.Time:
			id = strconv.AppendInt(id, v.UnixMicro(), 10)
		default:
			id = fmt.Append(id, v)
		}
		id = append(id, ',')
	}
	return id, true, nil
}
