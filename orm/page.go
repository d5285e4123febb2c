package orm

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

var (
	errOrderAfter = errors.New("OrderBy stands in front of After and Before, which go by it")
	errBackward   = errors.New("a query with Before is read with All or orm.Select, which turn its rows round")
)

// After goes on behind a row, in the order of the query (rule S44); nil is the
// beginning. Limit then is the size of a page:
//
//	var last *Audio
//	for {
//		page, err := orm.Objects[Audio](db).OrderBy("-created_at").After(last).Limit(50).All(ctx)
//		if err != nil || len(page) == 0 {
//			return err
//		}
//		…
//		last = page[len(page)-1]
//	}
//
// Unlike Offset, it neither skips nor repeats a row when others come and go, and
// costs the same on every page if there is an index on the columns of the order.
// The primary key is added as a last criterion, in the direction of the one
// before it, so that no two rows stand in the same place. The order is by columns of
// the model, and settled: OrderBy stands in front. Only these columns of row are
// looked at; the row itself may be gone. An ENUM or a SET of MySQL and MariaDB is a
// *query.FieldError: it is ordered otherwise than it is compared.
//
// A field tagged nullzero is zero for NULL and for a zero alike, and its row is taken to
// stand where NULL does, unless the column cannot be NULL. A page in which the column of
// a row is a zero and not NULL is therefore a *[ScanError]: nothing could go on from that
// row. If the table can have both, make the field a pointer.
func (q QuerySet[T]) After(row *T) QuerySet[T] { return QuerySet[T]{q.set.from(row, false)} }

// Before is After in the other direction: the rows in front of row, and with Limit
// those that are nearest to it; nil is the end. All and [Select] return them in the order
// of the query. First and Limit(1) are the row in front.
func (q QuerySet[T]) Before(row *T) QuerySet[T] { return QuerySet[T]{q.set.from(row, true)} }

func (q set[P]) from(row P, before bool) set[P] {
	q.settle()
	if q.err != nil {
		return q
	}
	if !isNil(row) {
		list, err := q.place(reflect.ValueOf(row).Elem())
		if err != nil {
			q.keep(err)
			return q
		}
		if before != q.backward {
			list = turned(list)
		}
		q.spec.Where = appended(q.spec.Where, []ast.Node{ast.Past{Criteria: list}})
	}
	if before && !q.backward {
		q.backward = true
		order := slices.Clone(q.spec.Order)
		for i := range order {
			order[i] = order[i].Reversed()
		}
		q.spec.Order = order
	}
	return q
}

func turned(list []ast.Criterion) []ast.Criterion {
	for i := range list {
		list[i].Desc, list[i].NullsLast = !list[i].Desc, !list[i].NullsLast
	}
	return list
}

// settle makes the order one in which every row has a place of its own.
func (q *set[P]) settle() {
	switch {
	case q.err != nil || q.placed:
		return
	case len(q.model.PKs) == 0:
		q.keep(errNoKey)
		return
	}
	var order []ast.Order
	seen := map[string]bool{}
	for _, o := range q.spec.Order {
		f, err := q.model.Own(o.By)
		if err != nil {
			q.keep(fmt.Errorf("After and Before go by columns of the model itself: %w", err))
			return
		}
		if !seen[f.Name] {
			seen[f.Name] = true
			order = append(order, o)
		}
	}
	desc := len(order) > 0 && order[len(order)-1].Desc
	for _, f := range q.model.PKs {
		if !seen[f.Name] {
			order = append(order, ast.Order{By: query.F(f.Name).Node(), Desc: desc})
		}
	}
	q.spec.Order, q.placed = order, true
	for _, o := range order {
		if f, err := q.model.Own(o.By); err == nil {
			if err := q.pagedBy(f); err != nil {
				q.keep(err)
				return
			}
		}
		if f, err := q.model.Own(o.By); err == nil && f.Nullable {
			q.places = append(q.places, slices.Index(q.model.Fields, f))
		}
	}
}

// pagedBy refuses what MySQL and MariaDB order otherwise than they compare it: ENUM and
// SET by the places of their members, and by < and > as texts (their manuals, "The ENUM
// Type"), so that rows would be left out of the pages.
func (q *set[P]) pagedBy(f *render.Field) error {
	name := f.Column.Name
	if engine := q.db.Server().Engine; engine != dialect.MySQL && engine != dialect.MariaDB || name != "enum" && name != "set" {
		return nil
	}
	return &query.FieldError{Model: q.model.Name, Name: f.Name, Reason: "is of type " + strings.ToUpper(name) + ", which " + q.db.Server().Product +
		" orders by the places of its members and compares as a text, so that After and Before would leave rows out: " +
		"page by another column, or make it a varchar"}
}

// errNoPlace: a page cannot go on from a row that has been read.
var errNoPlace = errors.New("a zero that is not NULL")

// havePlaces refuses a row from whose struct its place cannot be told: a zero of the
// table that the field takes for NULL.
func havePlaces(places []int, m *render.Model, row reflect.Value, values []driver.Value) error {
	for _, i := range places {
		f := m.Fields[i]
		if values[i] == nil {
			continue
		}
		if v, err := f.Place(row); v == nil && err == nil {
			return explain(f.String(), f.StructField.Type, values[i], errNoPlace)
		}
	}
	return nil
}

// place is where a row stands in the order of the query as it is sent.
func (q set[P]) place(row reflect.Value) ([]ast.Criterion, error) {
	list := make([]ast.Criterion, len(q.spec.Order))
	for i, o := range q.spec.Order {
		f, err := q.model.Own(o.By)
		if err != nil {
			return nil, err
		}
		bound, err := f.Place(row)
		if err != nil {
			return nil, err
		}
		list[i] = ast.Criterion{By: o.By, Desc: o.Desc, NullsLast: o.NullsLast()}
		if bound != nil { // the field's own value, as in a condition
			list[i].Value = f.Field.Value(row).Interface()
		}
	}
	return list, nil
}
