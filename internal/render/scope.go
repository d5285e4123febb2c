package render

import (
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/query"
)

// scope is the tables that a statement reads: the model's own and those that
// the paths in it lead to.
type scope struct {
	root  *Model
	joins []*Join
	// why no table can be joined here; "" if one can
	closed string
}

func newScope(m *Model) *scope { return &scope{root: m} }

// Join is a related table that a SELECT reads.
type Join struct {
	Path   string // "project", "project.owner"
	Model  *Model
	Parent *Join         // nil: the statement's own model
	Field  *schema.Field // of the parent: it holds the related row
	// Nullable is true if the related row may be missing: a LEFT JOIN.
	Nullable bool
	// Selected is true if the columns are read, not only filtered on.
	Selected bool

	relation *relation
	alias    string
}

// field finds the column that path names: "text", "project.name".
func (s *scope) field(path string) (*Join, *Field, error) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		f, err := s.root.Field(path)
		return nil, f, err
	}
	j, err := s.join(path[:i])
	if err != nil {
		return nil, nil, err
	}
	f, err := j.Model.Field(path[i+1:])
	return j, f, err
}

// deepest is how many relations a path may lead over. Over one from a table to
// itself it could go on without end, and the path may come from a user.
const deepest = 16

// join finds the table that a path of relations leads to, and adds it if it is
// not in the scope yet.
func (s *scope) join(path string) (*Join, error) {
	for _, j := range s.joins {
		if j.Path == path {
			return j, nil
		}
	}
	if strings.Count(path, ".") >= deepest {
		first, _, _ := strings.Cut(path, ".")
		return nil, &query.FieldError{Model: s.root.Name, Name: first, Reason: "begins a path over more than " + strconv.Itoa(deepest) + " relations"}
	}
	var parent *Join
	m, name := s.root, path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		var err error
		if parent, err = s.join(path[:i]); err != nil {
			return nil, err
		}
		m, name = parent.Model, path[i+1:]
	}
	r := m.relation(name)
	switch {
	case r == nil && m.columns[name] != nil:
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: "is a column, not a relation", Choices: m.relationNames()}
	case r == nil:
		return nil, &query.FieldError{Model: m.Name, Name: name, Choices: m.choices()}
	case r.many:
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: "has many rows and cannot be joined; query " + r.JoinTable.TypeName + " instead"}
	case len(r.Condition) > 0:
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: "is tagged join_on, which is not supported"}
	case s.closed != "":
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: s.closed}
	}
	target, err := m.models.Of(r.JoinTable.Type)
	if err != nil {
		return nil, err
	}
	if err := r.comparable(m, target); err != nil {
		return nil, err
	}
	j := &Join{
		Path: path, Model: target, Parent: parent, Field: r.Field, relation: r,
		Nullable: r.nullable || parent != nil && parent.Nullable,
		alias:    s.alias(path),
	}
	s.joins = append(s.joins, j)
	return j, nil
}

// comparable refuses a join of columns that each engine would compare in its own
// way, such as a number with a text.
func (r *relation) comparable(m, target *Model) error {
	for i, base := range r.BasePKs {
		own, other := m.columns[base.Name], target.columns[r.JoinPKs[i].Name]
		if own == nil || other == nil {
			continue
		}
		if k := (kind{own.Column, own}); !k.beside(kind{other.Column, other}) {
			return k.mismatch(kind{other.Column, other})
		}
	}
	return nil
}

// alias names a joined table after its path. A name that the root has, or that
// PostgreSQL would cut off at 63 bytes, gives way to a number.
func (s *scope) alias(path string) string {
	alias := strings.ReplaceAll(path, ".", "__")
	if strings.EqualFold(alias, s.rootName()) || len(alias) > 63 {
		return "t" + strconv.Itoa(len(s.joins)+2)
	}
	return alias
}

// rootName is the name by which a statement knows the root: its schema is no
// part of it.
func (s *scope) rootName() string {
	name := s.root.Table.Name
	return name[strings.LastIndexByte(name, '.')+1:]
}

// unused is name, made longer until no table of the scope is called so.
func (s *scope) unused(name string) string {
	for strings.EqualFold(name, s.rootName()) || slices.ContainsFunc(s.joins, func(j *Join) bool { return strings.EqualFold(name, j.alias) }) {
		name += "_"
	}
	return name
}

// quoted is name as an identifier.
func (s *scope) quoted(name string) string {
	q := string(s.root.models.schema.IdentQuote())
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// qualifier is what stands in front of the columns of a table of this scope.
func (s *scope) qualifier(j *Join) string {
	if j == nil {
		return string(s.root.Table.SQLName)
	}
	return s.quoted(j.alias)
}

// from writes the table and the joins.
func (w *writer) from() {
	w.string(" FROM ")
	w.string(string(w.scope.root.Table.SQLName))
	w.joins()
}

func (w *writer) joins() {
	for _, j := range w.scope.joins {
		if j.Nullable {
			w.string(" LEFT JOIN ")
		} else {
			w.string(" INNER JOIN ")
		}
		w.string(string(j.Model.Table.SQLName))
		w.string(" AS ")
		w.string(w.scope.quoted(j.alias))
		for i, base := range j.relation.BasePKs {
			if i == 0 {
				w.string(" ON ")
			} else {
				w.string(" AND ")
			}
			w.string(w.scope.qualifier(j) + "." + string(j.relation.JoinPKs[i].SQLName))
			w.string(" = ")
			w.string(w.scope.qualifier(j.Parent) + "." + string(base.SQLName))
		}
	}
}

func (m *Model) relationNames() []string {
	names := make([]string, len(m.relations))
	for i, r := range m.relations {
		names[i] = r.name
	}
	return names
}
