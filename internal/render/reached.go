package render

import (
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// step leads from the rows of one table to those of another whose keys are equal. A
// relation is one of them, and a many-to-many relation two: to the table between,
// and on from there.
type step struct {
	model *Model
	keys  []*Field // of model
	from  []*Field // of the table before
	as    []ast.Node
	// deleted is which rows of model the step leads to.
	deleted ast.Deleted
}

// reached holds for the rows of the SELECT in which it stands that steps lead to
// from a row of a scope around it.
type reached struct {
	ast.Node
	around *scope
	base   *Join // of around; nil: its root
	steps  []step
}

// quantified writes Any, None and Every. An EXISTS has each row once, however many
// rows it finds.
func (w *writer) quantified(n ast.Quantified) kind {
	where := n.Where
	if n.Which == ast.EveryOf {
		where = []ast.Node{ast.Not{Of: ast.And{Of: where}}}
	}
	s := w.reaching(n.Path, where)
	if s == nil {
		return condition
	}
	if n.Which != ast.Some {
		w.string("NOT ")
	}
	return w.exists(ast.Exists{Of: s})
}

// overRelated writes an aggregate as a sub-select of its own: two joins would have
// the rows of the one once for each of the other.
func (w *writer) overRelated(n ast.OverRelated) kind {
	s := w.reaching(n.Path, n.Where)
	if s == nil {
		return kind{}
	}
	s.Outputs = []ast.Output{{Of: n.Of}}
	nullable := w.nullable
	k := w.scalar(s)
	if n.Of.Func == ast.Count {
		w.nullable = nullable
	}
	return k
}

// reaching is a SELECT of the rows at the end of path for which where holds.
func (w *writer) reaching(path string, where []ast.Node) *ast.Select {
	base, steps, err := w.scope.steps(path)
	if err != nil {
		w.fail(err)
		return nil
	}
	last := steps[len(steps)-1]
	return &ast.Select{From: ast.Table{Model: last.model.Type}, Deleted: last.deleted, DeletedOf: within(w.scope.deleted, path), Where: slices.Concat([]ast.Node{reached{around: w.scope, base: base, steps: steps}}, where)}
}

// reached writes the condition. Tables on the way are looked at in sub-selects, so
// that they do not multiply the rows.
func (w *writer) reached(n reached) kind {
	at := len(n.steps) - 1
	s := n.steps[at]
	if at > 0 {
		w.tuple(s.keys, func(f *Field) { w.column(nil, f) })
		w.string(" IN ")
		before := &ast.Select{From: ast.Table{Model: n.steps[at-1].model.Type}, Deleted: n.steps[at-1].deleted}
		for _, f := range s.from {
			before.Outputs = append(before.Outputs, ast.Output{Of: ast.Column{Path: f.Name}})
		}
		n.steps = n.steps[:at]
		before.Where = []ast.Node{n}
		w.subSelect(before)
	} else {
		if !w.scope.within(n.around) {
			w.fail(&query.FieldError{Model: n.around.name(), Name: s.from[0].Name, Reason: "is what rows of a relation are found by " +
				"in a sub-select that is read from, which cannot see it: this server cannot read the table that a statement changes"})
			return condition
		}
		for i, f := range s.keys {
			if i > 0 {
				w.string(opAnd)
			}
			w.column(nil, f)
			w.string(" = ")
			w.found(n.around, n.around.of(n.base, s.from[i]))
		}
	}
	for _, c := range s.as {
		w.string(opAnd)
		w.cond(c)
	}
	return condition
}

// within reports whether s can see the columns of around.
func (s *scope) within(around *scope) bool {
	for s != nil && s != around {
		s = s.outer
	}
	return s != nil
}

// tuple writes one column, or several in parentheses.
func (w *writer) tuple(list []*Field, write func(*Field)) {
	if len(list) == 1 {
		write(list[0])
		return
	}
	for i, f := range list {
		if i == 0 {
			w.byte('(')
		} else {
			w.string(", ")
		}
		write(f)
	}
	w.byte(')')
}

// steps is the way along path: over relations to one row by joins, as far as base,
// and from there on by steps.
func (s *scope) steps(path string) (base *Join, steps []step, err error) {
	if s.root == nil {
		return nil, nil, s.noRelation(path)
	}
	if err := s.tooDeep(path); err != nil {
		return nil, nil, err
	}
	names := strings.Split(path, ".")
	m, ones := s.root, 0
	for _, name := range names {
		r, err := m.related(name)
		if err != nil {
			return nil, nil, err
		}
		if r.many {
			break
		}
		ones++
		if m, err = m.models.Of(r.JoinTable.Type); err != nil {
			return nil, nil, err
		}
	}
	if ones == len(names) {
		return nil, nil, &query.FieldError{Model: s.root.Name, Name: path, Reason: "leads to one row and not to many: name a column of it, as in query.F(" + strconv.Quote(path+".id") + ")"}
	}
	if ones > 0 {
		if base, err = s.join(strings.Join(names[:ones], ".")); err != nil {
			return nil, nil, err
		}
	}
	for i, name := range names[ones:] {
		more, err := m.steps(name)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(s.deleted, strings.Join(names[:ones+i+1], ".")) {
			more[len(more)-1].deleted = ast.WithDeleted
		}
		steps = append(steps, more...)
		m = more[len(more)-1].model
	}
	return base, steps, nil
}

// steps is how a relation is followed.
func (m *Model) steps(name string) ([]step, error) {
	r, err := m.related(name)
	if err != nil {
		return nil, err
	}
	target, err := m.models.Of(r.JoinTable.Type)
	if err != nil {
		return nil, err
	}
	if r.M2MTable == nil {
		s, err := m.step(target, r.BasePKs, r.JoinPKs)
		if f := r.PolymorphicField; f != nil && err == nil {
			s.as = []ast.Node{ast.Comparison{Left: ast.Column{Path: f.Name}, Right: r.PolymorphicValue}}
		}
		return []step{s}, err
	}
	link, err := m.models.Of(r.M2MTable.Type)
	if err != nil {
		return nil, err
	}
	to, err := m.step(link, r.BasePKs, r.M2MBasePKs)
	if err != nil {
		return nil, err
	}
	on, err := link.step(target, r.M2MJoinPKs, r.JoinPKs)
	return []step{to, on}, err
}

// step goes from m to target. Columns that each engine would compare in its own way
// are refused, as in a join.
func (m *Model) step(target *Model, from, keys []*schema.Field) (step, error) {
	s := step{model: target}
	for i := range from {
		own, err := m.Field(from[i].Name)
		if err != nil {
			return s, err
		}
		other, err := target.Field(keys[i].Name)
		if err != nil {
			return s, err
		}
		if k := (kind{own.Column, own}); !k.beside(kind{other.Column, other}) {
			return s, k.mismatch(kind{other.Column, other})
		}
		s.from, s.keys = append(s.from, own), append(s.keys, other)
	}
	return s, nil
}
