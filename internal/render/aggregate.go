package render

import (
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
)

// chosen leaves the rows that n.Where does not hold for to NULL, which aggregates
// pass over: FILTER is not known to MySQL.
func chosen(n ast.Aggregate) ast.Aggregate {
	if len(n.Where) == 0 {
		return n
	}
	branch := ast.Branch{If: ast.And{Of: n.Where}, Then: n.Of}
	if n.Of == nil {
		branch.Then = 1
	}
	n.Of, n.Where = ast.Case{Branches: []ast.Branch{branch}}, nil
	return n
}

// aroundOnly reports whether n names columns of the SELECTs around this one and none
// of its own. For SQL an aggregate of such is computed over the rows around.
func (w *writer) aroundOnly(n ast.Node) (only bool) {
	own, around := w.scope.found, w.scope.foundAround()
	w.trying(func() {
		w.node(n)
		only = w.scope.found == own && w.scope.foundAround() > around
	})
	return only
}

func (s *scope) foundAround() (n int) {
	for s = s.outer; s != nil; s = s.outer {
		n += s.found
	}
	return n
}

// anyRowOf holds for every row, and names a column of the SELECT in which it stands.
type anyRowOf struct{ ast.Node }

func (w *writer) anyRowOf() kind {
	sc := w.scope
	table, name := "", ""
	if sc.root != nil {
		table, name = sc.qualifier(nil), string(sc.root.Fields[0].SQLName)
	} else if len(sc.source.outputs) > 0 {
		table, name = sc.qualifier(nil), sc.quoted(sc.source.outputs[0].Name)
	}
	c := table + "." + name
	w.string("(" + c + " IS NULL OR " + c + " IS NOT NULL)")
	return condition
}

var (
	errDistinctTexts = errors.New("StringAgg cannot be Distinct: SQLite has no separator then")
	errEmptyCount    = errors.New("a count of Distinct values needs an operand: give Count one")
)

// distinctTexts refuses what MariaDB 11.8 leaves in twice: texts of groups that are alike.
func (w *writer) distinctTexts(s *ast.Select) {
	if w.scope.texts && len(s.Group) > 0 && w.server.Engine == dialect.MariaDB {
		w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "Distinct of StringAgg over groups", Hint: "read it by another query.Select that is Distinct"})
	}
}

// stringAgg writes StringAgg (rule S56). MySQL takes no bound value for a separator: there
// it stands in front of each text, and the first is cut off.
func (w *writer) stringAgg(n ast.Aggregate) kind {
	if n.Distinct {
		w.fail(errDistinctTexts)
	}
	_, p := w.textOf(n.Of)
	separator := func() part {
		_, p := w.textOf(n.Separator)
		return p
	}
	switch {
	case isMySQL(w.server.Engine):
		w.string("SUBSTRING(GROUP_CONCAT(")
		w.fill("CONCAT(@2, @1)", p, separator())
		w.ordering(" ORDER BY ", n.Order, true)
		w.string(" SEPARATOR ''), " + strconv.Itoa(utf8.RuneCountInString(n.Separator)+1) + ")")
	default:
		w.string(form{postgres: "string_agg(", sqlite: "group_concat("}.of(w))
		w.fill("@1, @2", p, separator())
		w.ordering(" ORDER BY ", n.Order, false)
		w.byte(')')
	}
	w.nullable, w.scope.texts = true, true
	return someText
}
