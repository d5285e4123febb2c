package orm

import (
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/render"
)

// statement is a SELECT of the related rows of those that have keys: their columns,
// those of the rows that are read with them, and the keys in the table between.
func (f *fetch) statement(keys [][]any) (*ast.Select, []*render.Join, error) {
	many := f.Many
	joins, err := many.Model.Joined(f.refined.spec.Related, f.refined.spec.DeletedOf)
	if err != nil {
		return nil, nil, err
	}
	s := f.refined.spec
	limit := s.Limit
	s.From, s.Related, s.Limit = ast.Table{Model: many.Model.Type}, nil, nil
	put := func(path string) {
		s.Outputs = append(s.Outputs, ast.Output{Of: ast.Column{Path: path}, Name: outputName(len(s.Outputs))})
	}
	for _, c := range many.Model.Fields {
		put(c.Name)
	}
	for _, j := range joins {
		for _, c := range j.Model.Fields {
			put(j.Path + "." + c.Name)
		}
	}
	owner := "" // in front of the columns that tell whose a row is
	if many.Link == nil {
		s.Where = slices.Concat([]ast.Node{withKeys(many.Keys, keys)}, many.As, s.Where)
	} else {
		link := between(many, keys)
		owner = link.Name + "."
		s.Joins = []ast.Join{link}
		for _, k := range many.Keys {
			put(owner + k.Name)
		}
	}
	if limit == nil {
		return &s, joins, nil
	}
	number := ast.Over{Of: ast.Windowed{Func: ast.RowNumber}, Order: slices.Clone(s.Order)}
	for _, k := range many.Keys {
		number.Partition = append(number.Partition, ast.Column{Path: owner + k.Name})
	}
	for _, pk := range many.Model.PKs {
		number.Order = append(number.Order, ast.Order{By: ast.Column{Path: pk.Name}})
	}
	name := outputName(len(s.Outputs))
	s.Outputs = append(s.Outputs, ast.Output{Of: number, Name: name})
	s.Order = nil
	return &ast.Select{From: &s, Database: s.Database, Order: []ast.Order{{By: ast.Column{Path: name}}},
		Where: []ast.Node{ast.Comparison{Left: ast.Column{Path: name}, Op: ast.Le, Right: *limit}}}, joins, nil
}

// outputName is a name that no column is likely to have.
func outputName(i int) string { return "holdfast_" + strconv.Itoa(i+1) }

// withKeys is a condition that columns have one of the keys.
func withKeys(columns []*render.Field, keys [][]any) ast.Node {
	if len(columns) == 1 {
		values := make([]any, len(keys))
		for i, k := range keys {
			values[i] = k[0]
		}
		return ast.Membership{Left: ast.Column{Path: columns[0].Name}, Values: values}
	}
	either := make([]ast.Node, len(keys))
	for n, k := range keys {
		all := make([]ast.Node, len(columns))
		for i, c := range columns {
			all[i] = ast.Comparison{Left: ast.Column{Path: c.Name}, Right: k[i]}
		}
		either[n] = ast.And{Of: all}
	}
	return ast.Or{Of: either}
}

// between is the table of a many-to-many relation, each pair of keys once.
func between(many *render.Many, keys [][]any) ast.Join {
	name := "holdfast_link"
	pairs := &ast.Select{From: ast.Table{Model: many.Link.Type}, Where: []ast.Node{withKeys(many.Keys, keys)}, Distinct: true}
	j := ast.Join{Name: name, Of: pairs}
	for _, list := range [][]*render.Field{many.Keys, many.LinkTo} {
		for _, c := range list {
			if !slices.ContainsFunc(pairs.Outputs, func(o ast.Output) bool { return o.Name == c.Name }) {
				pairs.Outputs = append(pairs.Outputs, ast.Output{Of: ast.Column{Path: c.Name}, Name: c.Name})
			}
		}
	}
	for i, on := range many.On {
		j.On = append(j.On, ast.Comparison{Left: ast.Column{Path: name + "." + many.LinkTo[i].Name}, Right: ast.Column{Path: on.Name}})
	}
	return j
}
