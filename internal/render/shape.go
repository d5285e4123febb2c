package render

import (
	"reflect"

	"github.com/holdfast-go/holdfast/internal/ast"
)

// shape is a statement without its values, as a key: what two statements have in
// common that are the same text. Beside it stand the values in the order in which
// the text has them. It knows the everyday statements; one with any other part has
// no shape, and is written each time.
//
// Where scope is set, it tells what each value stands beside: that of the statement
// when it was written.
type shape struct {
	text   [1024]byte // room enough, so that a key costs no allocation
	length int
	long   bool // it was not enough

	first [16]any
	more  []any // the values after these
	count int

	scope *scope
	slots []slot
}

// longestKept is how many values of a list are told apart by their number.
const longestKept = 64

func (s *shape) key() []byte { return s.text[:s.length] }

func (s *shape) value(i int) any {
	if i < len(s.first) {
		return s.first[i]
	}
	return s.more[i-len(s.first)]
}

func (s *shape) add(v any, at slot) {
	if s.count < len(s.first) {
		s.first[s.count] = v
	} else {
		s.more = append(s.more, v)
	}
	s.count++
	if s.scope != nil {
		s.slots = append(s.slots, at)
	}
}

func (s *shape) byte(b byte) {
	if s.length == len(s.text) {
		s.long = true
		return
	}
	s.text[s.length] = b
	s.length++
}

// number writes n so that no other follows from the bytes behind it.
func (s *shape) number(n int64) {
	u := uint64(n)
	for ; u >= 0x80; u >>= 7 {
		s.byte(byte(u) | 0x80)
	}
	s.byte(byte(u))
}

func (s *shape) name(name string) {
	s.number(int64(len(name)))
	if copy(s.text[s.length:], name) < len(name) {
		s.long = true
		return
	}
	s.length += len(name)
}

func (s *shape) flag(set bool) {
	if set {
		s.byte(1)
	} else {
		s.byte(0)
	}
}

// begin names the statement and its table.
func (s *shape) begin(statement byte, m *Model) {
	s.byte(statement)
	s.number(m.number)
}

// selection is the shape of a SELECT of m with outputs of its own: columns, and
// aggregates of columns.
func (s *shape) selection(m *Model, q *ast.Select) bool {
	s.names(q.Group)
	s.number(int64(len(q.Outputs)))
	for i := range q.Outputs {
		o := &q.Outputs[i]
		s.name(o.Name)
		if !s.output(m, o.Of) {
			return false
		}
	}
	rows := *q
	rows.From, rows.Outputs, rows.Group = nil, nil, nil
	return s.query(m, &rows)
}

func (s *shape) output(m *Model, n ast.Node) bool {
	a, ok := n.(ast.Aggregate)
	if !ok {
		return s.column(m, n)
	}
	if len(a.Where) > 0 || a.Func == ast.StringAgg {
		return false
	}
	s.byte('f')
	s.byte(byte(a.Func))
	s.flag(a.Distinct)
	s.flag(a.Of != nil)
	return a.Of == nil || s.column(m, a.Of)
}

// query is the shape of a SELECT of m whose outputs the statement tells. It is false
// if there is none.
func (s *shape) query(m *Model, q *ast.Select) bool {
	if q.From != nil || len(q.Joins) > 0 || len(q.Outputs) > 0 || len(q.Computed) > 0 || len(q.Group) > 0 || len(q.Having) > 0 || q.Err != nil {
		return false
	}
	s.flag(q.Distinct)
	s.names(q.Related)
	if !s.conds(m, q.Where) {
		return false
	}
	s.deleted(q.Deleted, q.DeletedOf)
	s.number(int64(len(q.Order)))
	for i := range q.Order {
		o := &q.Order[i]
		s.flag(o.Desc)
		s.byte(byte(o.Nulls))
		if !s.column(m, o.By) {
			return false
		}
	}
	if !s.limit(q.Limit != nil, q.Limit) || !s.limit(q.Offset != 0, &q.Offset) {
		return false
	}
	s.number(int64(len(q.Locks)))
	for _, l := range q.Locks {
		s.byte(byte(l.Strength))
		s.byte(byte(l.Waiting))
		s.number(int64(l.Wait))
		s.names(l.Of)
		s.flag(l.Apart)
	}
	return true
}

// deleted is which deleted rows are read too.
func (s *shape) deleted(d ast.Deleted, of []string) {
	s.byte(byte(d))
	s.names(of)
}

func (s *shape) fields(list []*Field) {
	s.number(int64(len(list)))
	for _, f := range list {
		s.number(int64(f.number))
	}
}

func (s *shape) names(list []string) {
	s.number(int64(len(list)))
	for _, name := range list {
		s.name(name)
	}
}

// limit is a LIMIT or an OFFSET, if there is one. One that is refused has no shape.
func (s *shape) limit(given bool, n *int64) bool {
	s.flag(given)
	if given {
		s.add(*n, slot{use: ready})
	}
	return !given || *n >= 0
}

func (s *shape) conds(m *Model, list []ast.Node) bool {
	s.number(int64(len(list)))
	for _, n := range list {
		if !s.cond(m, n) {
			return false
		}
	}
	return true
}

func (s *shape) cond(m *Model, n ast.Node) bool {
	switch n := n.(type) {
	case ast.Comparison:
		s.byte('c')
		s.byte(byte(n.Op))
		return s.column(m, n.Left) && s.beside(n.Left, n.Op, n.Right, true)
	case ast.Membership:
		s.byte('m')
		s.flag(n.Negate)
		s.number(int64(len(n.Values)))
		if len(n.Values) > longestKept || !s.column(m, n.Left) {
			return false
		}
		for _, v := range n.Values {
			if !s.beside(n.Left, ast.Eq, v, false) {
				return false
			}
		}
		return true
	case ast.And:
		s.byte('a')
		return s.conds(m, n.Of)
	case ast.Or:
		s.byte('o')
		return s.conds(m, n.Of)
	case ast.Not:
		s.byte('n')
		return s.cond(m, n.Of)
	}
	return false
}

// beside is a value beside a column. nil is no value but NULL, for which the text is
// another.
func (s *shape) beside(left ast.Node, op ast.Op, v any, null bool) bool {
	switch v.(type) {
	case nil:
		s.byte('0')
		return null
	case ast.Node:
		return false
	}
	s.byte('v')
	if s.scope == nil {
		s.add(v, slot{})
		return true
	}
	c, err := s.scope.find(left)
	if err != nil || c.computed != nil || !c.kind.keepable() {
		return false
	}
	s.add(v, slot{field: c.field, op: op})
	return true
}

// column is a column by its name, or by the struct field that holds it.
func (s *shape) column(m *Model, n ast.Node) bool {
	switch n := n.(type) {
	case ast.Column:
		s.byte('.')
		s.name(n.Path)
		return true
	case *ast.Member:
		if n == nil || n.Err != nil || n.Model != m.Type {
			return false
		}
		s.byte('>')
		s.names(n.Path)
		s.number(int64(len(n.Index)))
		for _, i := range n.Index {
			s.number(int64(i))
		}
		return true
	}
	return false
}

// assignments is the SET clause of an UPDATE. What the server computes has no shape.
func (s *shape) assignments(list []Assignment) bool {
	s.number(int64(len(list)))
	for i := range list {
		a := &list[i]
		s.number(int64(a.Field.number))
		s.flag(a.Bound)
		if a.Bound {
			s.add(a.Value, slot{use: ready})
			continue
		}
		if _, computed := a.Value.(ast.Node); computed {
			return false
		}
		s.add(a.Value, slot{field: a.Field, use: assigned})
	}
	return true
}

// conflict is what an INSERT does with rows that are there, if nothing is assigned
// but the values of its rows. Anything else has no shape.
func (s *shape) conflict(c *Conflict) bool {
	s.flag(c != nil)
	if c == nil {
		return true
	}
	s.fields(c.Target)
	s.number(int64(len(c.Set)))
	for i := range c.Set {
		a := &c.Set[i]
		of, taken := a.Value.(ast.Excluded)
		if !taken || a.Bound {
			return false
		}
		s.number(int64(a.Field.number))
		s.name(of.Column)
	}
	return true
}

// record keeps a statement that w has written for the shape with this key. walk goes
// over its parts once more, now that the scope tells the columns. Where one of them has
// values that decide about the text, the shape is kept as one that is always written;
// where only these values do, nothing is kept.
func (ms *Models) record(key []byte, t Text, w *writer, joins []*Join, walk func(*shape) bool) {
	k := &kept{joins: joins, put: w.puts}
	told := shape{scope: w.scope}
	if !t.Raw && walk(&told) {
		if told.count != len(t.Args) {
			return
		}
		for i := range told.slots {
			bound, fits := told.slots[i].bind(ms.spelling, told.value(i))
			if !fits || !reflect.DeepEqual(bound, t.Args[i]) {
				return
			}
		}
		k.text, k.slots = t.SQL, told.slots
	}
	ms.shapes.keep(key, k)
}
