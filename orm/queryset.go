package orm

import (
	"context"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
	"github.com/holdfast-go/holdfast/query"
)

// QuerySet is a query over the rows of the model T. It is immutable: every
// method returns a new one, so that a QuerySet can be kept, shared between
// goroutines and refined in several ways. Nothing is sent before a method with a
// ctx is called. If ctx carries a block of the database, the statement belongs
// to it.
//
// An error in the building (an unknown name, contradictory options) is kept and
// returned by every method that would send, and by [QuerySet.Err]. A QuerySet
// begins with [Objects]; its zero value cannot be used.
type QuerySet[T any] struct{ set set[*T] }

// set is a QuerySet whose rows are of type P, a pointer to the model. A compiler makes the methods
// of a generic type anew for each struct that it is used with, and but once for all pointers: so
// those of QuerySet say what there is, and those of set do it. Otherwise each model would
// cost whoever uses it a quarter of a second of compiling, and 100 KB.
type set[P any] struct {
	db    *DB
	model *render.Model
	spec  ast.Select
	err   error

	prefetch []prefetch

	replica  bool  // OnReplica
	placed   bool  // After or Before has settled the order
	places   []int // the fields of that order which may be NULL
	backward bool  // the order is reversed, and the rows are turned round
}

// Objects returns all rows of the model T, a struct with bun's tags. Without a database,
// if db is nil, every method that would send returns an error that says so.
func Objects[T any](db *DB) QuerySet[T] {
	m, err := db.model(reflect.TypeFor[T]())
	return QuerySet[T]{set[*T]{db: db, model: m, spec: ast.Select{Database: db}, err: err}}
}

// Filter keeps the rows for which all conditions hold.
func (q QuerySet[T]) Filter(conds ...query.Cond) QuerySet[T] {
	return QuerySet[T]{q.set.filter(conds...)}
}

func (q set[P]) filter(conds ...query.Cond) set[P] {
	q.spec.Where = ast.Conditions(slices.Clip(q.spec.Where), conds)
	return q
}

// Exclude keeps the rows for which the conditions do not all hold: exactly
// those that Filter with the same conditions drops.
func (q QuerySet[T]) Exclude(conds ...query.Cond) QuerySet[T] {
	q.set.spec.Where = appended(q.set.spec.Where, []ast.Node{query.Not(query.And(conds...)).Condition()})
	return q
}

// OrderBy orders by columns, the first one first: "updated_at", "-speed" for
// descending, "project.name" over a relation. It replaces an earlier ordering;
// without names there is none. The names are checked (rule S2), so that they
// may come from a user. NULL sorts before all other values.
func (q QuerySet[T]) OrderBy(names ...string) QuerySet[T] {
	orders := make([]query.Order, len(names))
	for i, name := range names {
		orders[i] = query.OrderBy(name)
	}
	return q.OrderByExpr(orders...)
}

// OrderByExpr is OrderBy for expressions and typed columns:
// query.Lower(query.F("name")).Asc(), UpdatedAt.Desc().
func (q QuerySet[T]) OrderByExpr(orders ...query.Order) QuerySet[T] {
	return QuerySet[T]{q.set.orderBy(orders...)}
}

func (q set[P]) orderBy(orders ...query.Order) set[P] {
	if q.placed {
		q.keep(errOrderAfter)
	}
	q.spec.Order = make([]ast.Order, len(orders))
	for i, o := range orders {
		q.spec.Order[i] = o.Node()
	}
	return q
}

// Limit keeps at most n rows.
func (q QuerySet[T]) Limit(n int) QuerySet[T] {
	return QuerySet[T]{q.set.limit(n)}
}

func (q set[P]) limit(n int) set[P] {
	limit := int64(n)
	q.spec.Limit = &limit
	return q
}

// Offset leaves out the first n rows.
func (q QuerySet[T]) Offset(n int) QuerySet[T] {
	q.set.spec.Offset = int64(n)
	return q
}

// Distinct keeps one of several equal rows.
func (q QuerySet[T]) Distinct() QuerySet[T] {
	q.set.spec.Distinct = true
	return q
}

// Related reads the rows of belongs-to and has-one relations in the same
// statement and sets the struct fields that hold them: "project",
// "project.owner". [QuerySet.Prefetch] reads those that have many rows. A related row that does not exist, or is marked as deleted (rule S60), leaves nil. The join is an
// inner one where every row must have a related row.
func (q QuerySet[T]) Related(paths ...string) QuerySet[T] {
	q.set.spec.Related = appended(q.set.spec.Related, paths)
	return q
}

// Err returns what is wrong with the query as it stands, or nil.
func (q QuerySet[T]) Err() error {
	_, _, err := q.set.render()
	return failed(nameOf[T](), "Err", err)
}

// SQL returns the text of the statement that All would send, with the engine's
// placeholders, and the values that the driver would bind to them. Nothing is
// sent.
func (q QuerySet[T]) SQL(context.Context) (string, []any, error) {
	st, _, err := q.set.render()
	return st.SQL, st.Args, failed(nameOf[T](), "SQL", err)
}

// render returns the statement that reads the rows, and how to read them.
func (q set[P]) render() (block.Statement, *rowReader, error) {
	if q.err != nil {
		return block.Statement{}, nil, q.err
	}
	if q.replica && len(q.spec.Locks) > 0 {
		return block.Statement{}, nil, errLockOnReplica
	}
	text, joins, err := q.model.Rows(&q.spec)
	if err != nil {
		return block.Statement{}, nil, err
	}
	return q.statement(text), q.reader(joins), nil
}

// reader reads the rows of the query, with what is joined to them.
func (q set[P]) reader(joins []*render.Join) *rowReader {
	r := q.db.rowReader(q.model, joins)
	if len(q.places) > 0 {
		own := *r
		own.places = q.places
		r = &own
	}
	return r
}

func (q set[P]) statement(t render.Text) block.Statement {
	st := q.db.built(t)
	st.Locks = len(q.spec.Locks) > 0
	st.Replica = q.replica
	st.Wait = q.db.models.StatementWait(q.spec.Locks)
	return st
}

// built is a statement that package render has written. Text of the caller's in
// it makes it one to be inspected like any other (rule B15).
func (db *DB) built(t render.Text) block.Statement {
	return block.Statement{SQL: t.SQL, Args: t.Args, Built: !t.Raw, Again: db.again(t)}
}

// failed is what a method returns that sends.
func (q set[P]) failed(ctx context.Context, operation string, err error) error {
	if err == nil {
		return nil
	}
	return q.db.failed(ctx, nameOfType(reflect.TypeFor[P]().Elem())+"."+operation, err)
}

// appended never writes into the array of list, which other QuerySets share.
func appended[E any](list, more []E) []E {
	return append(slices.Clip(list), more...)
}
