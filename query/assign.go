package query

import (
	"math"
	"reflect"
	"slices"

	"github.com/holdfast-go/holdfast/dialect"
)

// Assignment gives a column a new value in an UPDATE.
type Assignment struct {
	column resolver
	value  any
}

// Set assigns a value, or what the server computes from the row as it was:
//
//	query.Set("text", "Hello")
//	query.Set("speed", query.F("speed").Mul(2))
//
// An assignment of nil is NULL. All assignments of one UPDATE see the row as it
// was before, on every engine.
func Set(name string, value any) Assignment { return Assignment{fieldRef{name}, value} }

const errForeignColumn = "is in another table, which an UPDATE cannot read"

// assign writes the SET clause.
func (w *writer) assign(list []Assignment) {
	w.scope.closed = errForeignColumn
	defer func() { w.scope.closed = "" }()
	for i, set := range w.inOrder(w.resolve(list)) {
		if i > 0 {
			w.string(", ")
		}
		w.string(string(set.field.SQLName) + " = ")
		set.write(w)
	}
}

// resolved is an assignment whose column is found.
type resolved struct {
	field *Field
	value any
	reads []*Field // columns that value is computed from
	raw   bool     // and, as a part came from Raw, others that are not known
}

// before reports whether r has to be assigned before other is, because it is
// computed from other's column. What Raw reads is not known: it goes first, and
// of two only the operands tell.
func (r *resolved) before(other *resolved) bool {
	switch {
	case slices.Contains(r.reads, other.field):
		return true
	case !r.raw || other.raw && len(r.reads) > 0 && len(other.reads) > 0:
		return false
	}
	return other.raw || len(r.reads) == 0 || !slices.Contains(other.reads, r.field)
}

func (w *writer) resolve(list []Assignment) []*resolved {
	sets := make([]*resolved, 0, len(list))
	for _, a := range list {
		if a.column == nil {
			w.fail(errNoExpr)
			return nil
		}
		_, f, err := a.column.resolve(w.scope)
		if err != nil {
			w.fail(err)
			return nil
		}
		for _, have := range sets {
			if have.field == f {
				w.fail(&FieldError{Model: f.Model.Name, Name: f.Name, Reason: "is assigned twice"})
			}
		}
		sets = append(sets, &resolved{field: f, value: a.value})
	}
	return sets
}

func (r *resolved) write(w *writer) {
	k := kind{r.field.class, r.field}
	if _, ok := r.value.(Operand); ok {
		w.right(k, r.value, nil)
		return
	}
	bound := w.prepare(k, r.value)
	if f, isFloat := bound.(float64); isFloat && k.class == integer {
		if f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 { // NaN is unlike itself
			w.fail(&ValueError{Field: r.field.String(), Type: reflect.TypeOf(r.value).String(),
				Reason: "is no whole number that the column can hold: round it first"})
			return
		}
		bound = int64(f)
	}
	w.right(k, r.value, bound)
}

// inOrder sorts the assignments so that none reads a column after it was
// assigned: MySQL works through them from left to right and shows each the
// work of those before it.
func (w *writer) inOrder(sets []*resolved) []*resolved {
	if !w.sequential || len(sets) < 2 || w.err != nil {
		return sets
	}
	for _, set := range sets {
		if _, computed := set.value.(Operand); !computed {
			continue
		}
		if _, done := set.value.(prepared); done {
			continue
		}
		buf, args, raw := len(w.buf), len(w.args), w.raw
		w.references, w.raw = func(f *Field) { set.reads = append(set.reads, f) }, false
		set.write(w)
		set.raw = w.raw
		w.references, w.buf, w.args, w.raw = nil, w.buf[:buf], w.args[:args], raw
	}
	left := slices.Clone(sets)
	ordered := make([]*resolved, 0, len(sets))
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(set *resolved) bool {
			return !slices.ContainsFunc(left, func(other *resolved) bool {
				return other != set && other.before(set)
			})
		})
		if i < 0 {
			if slices.ContainsFunc(left, func(set *resolved) bool { return set.raw }) {
				w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "Raw for several columns, or beside one computed from its column, in one UPDATE",
					Hint: "what the Raw for " + left[0].field.Name + " reads is not known; name the columns in it as operands: Raw(\"? + 1\", F(\"speed\"))"})
				return sets
			}
			w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "exchanging the values of columns in one UPDATE",
				Hint: left[0].field.Name + " and another column are each computed from the other; read the row and save it"})
			return sets
		}
		ordered = append(ordered, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return ordered
}

// SetBound assigns a value that [Field.Value] has prepared.
func SetBound(f *Field, value any) Assignment { return Assignment{found{f}, prepared{value}} }

// Field is the column of m that is assigned.
func (a Assignment) Field(m *Model) (*Field, error) {
	if a.column == nil {
		return nil, errNoExpr
	}
	j, f, err := a.column.resolve(&scope{root: m, closed: errForeignColumn})
	if err == nil && j != nil {
		err = &FieldError{Model: m.Name, Name: f.Name, Reason: errForeignColumn}
	}
	return f, err
}

// found is a column that needs no looking up.
type found struct{ field *Field }

func (n found) write(w *writer) kind { return w.column(nil, n.field) }

func (n found) resolve(*scope) (*Join, *Field, error) { return nil, n.field, nil }

// prepared is a value for the driver.
type prepared struct{ v any }

func (p prepared) operand() node { return p }

func (p prepared) write(w *writer) kind {
	w.bind(p.v)
	return kind{}
}
