package render

import (
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// Many is a relation over which a row has many others.
type Many struct {
	Name  string
	Field *schema.Field // it holds them
	Model *Model        // of the others
	From  []*Field      // of the row
	// Keys are equal to From: columns of Model or, where the relation has a table
	// between, of Link, whose LinkTo are then equal to On of Model.
	Keys       []*Field
	Link       *Model
	LinkTo, On []*Field
	// As are conditions on the rows, of a relation that shares their table.
	As []ast.Node
}

// Hop is a part of a path: over relations to one row, and then one to many.
type Hop struct {
	Ones []*schema.Field
	Path string // of Ones
	Many *Many
}

// Hops takes a path of relations apart. One that ends in relations to one row has
// their path as its rest.
func (m *Model) Hops(path string) (hops []Hop, rest string, err error) {
	s := &scope{models: m.models, root: m}
	if err := s.tooDeep(path); err != nil {
		return nil, "", err
	}
	var h Hop
	for _, name := range strings.Split(path, ".") {
		r, err := m.related(name)
		if err != nil {
			return nil, "", err
		}
		if r.many {
			if h.Many, err = m.many(r); err != nil {
				return nil, "", err
			}
			hops = append(hops, h)
			m, h = h.Many.Model, Hop{}
			continue
		}
		h.Ones = append(h.Ones, r.Field)
		h.Path = strings.TrimPrefix(h.Path+"."+name, ".")
		if m, err = m.models.Of(r.JoinTable.Type); err != nil {
			return nil, "", err
		}
	}
	return hops, h.Path, nil
}

func (m *Model) many(r *relation) (*Many, error) {
	steps, err := m.steps(r.name)
	if err != nil {
		return nil, err
	}
	first, last := steps[0], steps[len(steps)-1]
	many := &Many{Name: r.name, Field: r.Field, Model: last.model, From: first.from, Keys: first.keys, As: last.as}
	if len(steps) > 1 {
		many.Link, many.LinkTo, many.On = first.model, last.from, last.keys
	}
	return many, nil
}

// Joined are the tables that a query of whole rows reads for these relations. Of those
// named by deleted it reads deleted rows too.
func (m *Model) Joined(paths, deleted []string) ([]*Join, error) {
	w := newWriter(m, 0)
	w.scope.deleted = deleted
	joins := w.related(paths)
	return joins, w.err
}
