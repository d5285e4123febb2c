package render

import (
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// scope is what a SELECT, or another statement, can name: the table of its model
// and those that paths lead to from there, or what another SELECT puts out.
// Scopes nest as the SELECTs do.
type scope struct {
	models *Models
	root   *Model // nil: the source is a SELECT
	source *source
	alias  string // of the root; "": its own name
	joins  []*Join
	beside []*source // joined by their names
	closed string    // why no table can be joined here; "" if one can

	outer, inner *scope // around this one, and the one in it that is being written
	apart        string // why the scope around this one cannot be reached; "" if it can
	found        int    // how many of its columns were written

	computed []ast.Output
	deleted  []string // paths of relations whose deleted rows are read too
	clause
}

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
	living   bool // deleted rows are left out
}

// readsSelects reports whether what other SELECTs put out can be named here.
func (s *scope) readsSelects() bool {
	for ; s != nil; s = s.outer {
		if s.source != nil || len(s.beside) > 0 {
			return true
		}
	}
	return false
}

// name is what errors call the rows.
func (s *scope) name() string {
	if s.root != nil {
		return s.root.Name
	}
	return "the sub-select"
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
	if s.root == nil {
		return nil, s.noRelation(path)
	}
	if err := s.tooDeep(path); err != nil {
		return nil, err
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
	r, err := m.related(name)
	switch {
	case err != nil:
		return nil, err
	case r.many:
		return nil, &query.FieldError{Model: m.Name, Name: name, Reason: "has many rows and cannot be joined: read them with Prefetch, ask about them with query.Any or query.CountOf"}
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
	living := target.Deleted != nil && !slices.Contains(s.deleted, path)
	j := &Join{
		Path: path, Model: target, Parent: parent, Field: r.Field, relation: r,
		Nullable: r.nullable || living || parent != nil && parent.Nullable,
		alias:    s.aliasOf(path), living: living,
	}
	s.joins = append(s.joins, j)
	return j, nil
}

func (s *scope) noRelation(path string) error {
	return &query.FieldError{Model: s.name(), Name: path, Reason: "is no relation: a sub-select has only what it puts out", Choices: s.choices()}
}

func (s *scope) tooDeep(path string) error {
	if strings.Count(path, ".") < deepest {
		return nil
	}
	first, _, _ := strings.Cut(path, ".")
	return &query.FieldError{Model: s.root.Name, Name: first, Reason: "begins a path over more than " + strconv.Itoa(deepest) + " relations"}
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

// aliasOf names a joined table after its path. A name that the root has, or that
// PostgreSQL would cut off at 63 bytes, gives way to a number.
func (s *scope) aliasOf(path string) string {
	alias := strings.ReplaceAll(path, ".", "__")
	if strings.EqualFold(alias, s.rootName()) || len(alias) > longestName {
		alias = "t" + strconv.Itoa(len(s.joins)+2)
	}
	return s.unused(alias)
}

// longestName is what PostgreSQL cuts names off at. MySQL has a character more.
const longestName = 63

// rootName is the name by which the statement knows the root: its schema is no
// part of it.
func (s *scope) rootName() string {
	switch {
	case s.alias != "":
		return s.alias
	case s.root == nil:
		return s.source.alias
	}
	return s.root.tableName()
}

func (m *Model) tableName() string {
	name := m.Table.Name
	return name[strings.LastIndexByte(name, '.')+1:]
}

// unused is name, or another with a number behind it, such that no table is called
// so in any of the nested scopes: none hides another's.
func (s *scope) unused(name string) string {
	free := name
	for n := 2; s.taken(free); n++ {
		free = name + "_" + strconv.Itoa(n)
		if len(free) > longestName {
			free = "t_" + strconv.Itoa(n)
		}
	}
	return free
}

func (s *scope) taken(name string) bool {
	for at := s; at != nil; at = at.outer {
		if at.has(name) {
			return true
		}
	}
	for at := s.inner; at != nil; at = at.inner {
		if at.has(name) {
			return true
		}
	}
	return false
}

func (s *scope) has(name string) bool {
	if (s.root != nil || s.source != nil) && strings.EqualFold(name, s.rootName()) {
		return true
	}
	return slices.ContainsFunc(s.joins, func(j *Join) bool { return strings.EqualFold(name, j.alias) }) ||
		slices.ContainsFunc(s.beside, func(b *source) bool { return strings.EqualFold(name, b.alias) })
}

// quoted is name as an identifier.
func (s *scope) quoted(name string) string {
	q := string(s.models.schema.IdentQuote())
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// qualifier is what stands in front of the columns of a table of this scope.
func (s *scope) qualifier(j *Join) string {
	switch {
	case j != nil:
		return s.quoted(j.alias)
	case s.root == nil:
		return s.quoted(s.source.alias)
	case s.alias != "":
		return s.quoted(s.alias)
	}
	return string(s.root.Table.SQLName)
}

func (w *writer) joins() {
	for _, j := range w.scope.joins {
		w.with.reads(j.Model)
		if w.base != nil && w.scope != w.base && j.Model.Table.SQLName == w.base.root.Table.SQLName {
			w.changed = true
		}
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
		if j.living {
			w.string(opAnd + w.scope.qualifier(j) + "." + string(j.Model.Deleted.SQLName) + " IS NULL")
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
