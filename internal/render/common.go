package render

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// withs is the common table expressions of a statement. They stand in front of it
// and are known when it was written once: then it is written again behind them.
type withs struct {
	known   []*cte
	ordered []*cte          // each behind those that it reads
	tables  map[string]bool // the names of tables that are read, where they are asked for
	written bool
}

// cte is a common table expression, as it is written.
type cte struct {
	*ast.CTE
	name    string
	outputs []Output
	step    *ast.Select
}

// commonTable writes the name of a common table expression, and finds out what it puts
// out where it is met first.
func (w *writer) commonTable(c *ast.CTE) []Output {
	for _, have := range w.with.known {
		if have.CTE == c {
			w.string(w.scope.quoted(have.name))
			return have.outputs
		}
	}
	e := &cte{CTE: c, name: c.Name}
	if err := checkName(c.Name); err != nil {
		w.fail(err)
	}
	if err := w.server.Require(dialect.With); err != nil {
		w.fail(err)
	}
	at := w.scope
	w.trying(func() {
		e.outputs = w.begins(c)
		if c.Step != nil && w.err == nil {
			for i := range e.outputs { // the next rows may be such
				e.outputs[i].Nullable = true
				e.outputs[i].Type.field = nil
			}
			w.with.known = append(w.with.known, e)
			e.step = c.Step(c)
			w.goesOn(e)
		}
	})
	w.scope = at
	if c.Step == nil {
		w.with.known = append(w.with.known, e)
	}
	w.with.ordered = append(w.with.ordered, e)
	w.string(at.quoted(e.name))
	return e.outputs
}

const inWith = "is named by Outer in a common table expression, which cannot see the row of the query around it"

// operand is s as it stands in a compound.
func (w *writer) operand(s *ast.Select) *ast.Select {
	switch {
	case s == nil:
		w.fail(errNilQuery)
		return &ast.Select{}
	case s.Limit != nil || s.Offset != 0 || len(s.Order) > 0:
		return &ast.Select{From: s}
	}
	return s
}

// begins writes the SELECT of an expression, or the first of a recursive one, which says
// of what type the rows are that follow: MySQL would cut them to it, and PostgreSQL refuse
// them.
func (w *writer) begins(c *ast.CTE) (outputs []Output) {
	of := w.operand(c.Of)
	if c.Step != nil && !w.overflows {
		at := w.scope
		w.trying(func() { outputs, _ = w.inner(of, nil, inWith) })
		w.scope = at
		wide := &ast.Select{From: of}
		needed := false
		for _, o := range outputs {
			column := ast.Column{Path: o.Name}
			if f, to := w.wider(o.Type); f != "" {
				needed = true
				wide.Outputs = append(wide.Outputs, ast.Output{Name: o.Name, Of: widened{column, f, to}})
				continue
			}
			wide.Outputs = append(wide.Outputs, ast.Output{Name: o.Name, Of: column})
		}
		if needed {
			of = wide
		}
	}
	outputs, _ = w.inner(of, nil, inWith)
	return outputs
}

// widened is a column as a value that holds all of its kind.
type widened struct {
	ast.Column
	form string
	to   kind
}

func (w *writer) widened(n widened) kind {
	_, p := w.part(func() kind { return w.node(n.Column) })
	w.fill(n.form, p)
	return n.to
}

// wider is how a value of kind k is written that holds all of its kind; "" if it does so
// as it is.
func (w *writer) wider(k kind) (string, kind) {
	f, to := form{}, kind{Type: k.Type}
	switch k.Kind {
	case column.Integer:
		switch {
		case k.Bits == 64 && k.field != nil:
			return "", k
		case k.Bits == 64 && k.Unsigned && isMySQL(w.server.Engine): // what follows may be below zero
			return signed, wholeNumber
		}
		f, to = form{mysql: "CAST(CAST(@1 AS DECIMAL(19, 0)) AS SIGNED)", postgres: "CAST(@1 AS bigint)"}, wholeNumber // MariaDB's is as narrow as what is cast
	case column.Float:
		f, to = form{mysql: "(1e0 * @1)", postgres: "CAST(@1 AS double precision)"}, floatingNumber
	case column.Decimal:
		f.postgres = "CAST(@1 AS numeric)"
	case column.Text:
		f = form{mysql: "CONCAT(@1, CAST('' AS CHAR(65535)))", postgres: "CAST(@1 AS text)"} // a text of a type that holds a megabyte and more
		to.Length, to.Fixed = 0, false
		if w.ownType(k) {
			to.Name, to.Foreign = "", false
		}
	case column.Timestamp:
		f = form{mysql: "CAST(@1 AS DATETIME(6))", postgres: "CAST(@1 AS " + postgresType(k, nil) + ")"}
		to.Precision = 6
	}
	return f.of(w), to
}

// goesOn writes the part of a recursive expression that reads the rows before.
func (w *writer) goesOn(e *cte) {
	s := e.step
	switch {
	case s == nil:
		w.fail(errNilQuery)
		return
	case len(s.Group) > 0 || s.Distinct || s.Limit != nil || s.Offset != 0 || len(s.Order) > 0:
		w.fail(fmt.Errorf("the step of %q has GroupBy, Distinct, Limit or OrderBy, which not every server takes there", e.Name))
	}
	at, args := len(w.buf), len(w.args)
	outputs, sc := w.inner(s, nil, inWith)
	if w.err != nil {
		return
	}
	if plain := w.plainTexts([]*ast.Select{s}, [][]Output{outputs}, e.outputs); plain != nil {
		w.buf, w.args = w.buf[:at], w.args[:args]
		w.inner(plain[0], nil, inWith)
	}
	if sc.aggregated {
		w.fail(fmt.Errorf("the step of %q has an aggregate, which not every server takes there", e.Name))
	}
	if len(outputs) != len(e.outputs) {
		w.fail(fmt.Errorf("the step of %q puts out %d values, and its beginning %d", e.Name, len(outputs), len(e.outputs)))
		return
	}
	for i, o := range outputs {
		begun := e.outputs[i]
		switch a, b := begun.Type, o.Type; {
		case !b.beside(a):
			w.fail(&query.FieldError{Model: "the sub-select", Name: begun.Name, Reason: "is of two kinds: " + a.mismatch(b).Error()})
		case a.Kind != b.Kind && a.Kind.Number() && b.Kind.Number():
			w.fail(&query.FieldError{Model: "the sub-select", Name: begun.Name,
				Reason: "begins as " + a.Kind.String() + " and goes on as " + b.Kind.String() + ": make one of the other with query.Cast"})
		case a.Kind == column.Decimal && (b.Precision == 0 || b.Scale > a.Scale):
			w.fail(&query.FieldError{Model: "the sub-select", Name: begun.Name, Reason: "has more decimal places in the step than in its beginning: round it with query.Round"})
		}
	}
}

// behindCommon writes a statement; if it has common table expressions, once more to see
// which tables it reads, and then behind them.
func (w *writer) behindCommon(write func()) {
	write()
	if len(w.with.ordered) == 0 || w.err != nil {
		return
	}
	w.with.written, w.with.tables = true, map[string]bool{}
	write()
	for _, e := range w.with.ordered {
		w.trying(func() {
			w.begins(e.CTE)
			if e.step != nil {
				w.goesOn(e)
			}
		})
	}
	sc := w.scope
	w.name()
	w.buf, w.args = w.buf[:0], nil
	recursive := false
	for i, e := range w.with.ordered {
		recursive = recursive || e.Step != nil
		if i == 0 {
			w.string("WITH ")
		} else {
			w.string(", ")
		}
		w.string(sc.quoted(e.name) + " AS (")
		w.begins(e.CTE)
		if e.Step != nil {
			w.string(" UNION ALL ")
			w.goesOn(e)
		}
		w.byte(')')
	}
	w.byte(' ')
	if recursive {
		w.insert(0, w.boundless)
		w.insert(len(w.boundless)+len("WITH "), "RECURSIVE ")
	}
	write()
}

// reads notes a table by its name, where such names are asked for.
func (ws *withs) reads(m *Model) {
	if ws.tables != nil {
		ws.tables[m.tableName()] = true
	}
}

// read reports whether a noted table is called so; MySQL knows capitals from small letters
// or does not, as its files do.
func (ws *withs) read(name string) bool {
	for table := range ws.tables {
		if strings.EqualFold(table, name) {
			return true
		}
	}
	return false
}

// name gives each expression a name that no table has that is read.
func (w *writer) name() {
	for i, e := range w.with.ordered {
		taken := func(name string) bool {
			if w.with.read(name) {
				return true
			}
			for _, other := range w.with.ordered[:i] {
				if strings.EqualFold(other.name, name) {
					return true
				}
			}
			return false
		}
		for n := 2; taken(e.name); n++ {
			e.name = fmt.Sprintf("%s_%d", e.Name, n)
			if len(e.name) > longestName {
				e.name = fmt.Sprintf("t_%d", n)
			}
		}
	}
}

var errWithChanges = errors.New("an UPDATE or a DELETE has no common table expressions: use the query without query.With")

var errWindow = errors.New("a function over a window stands in what a query puts out and in OrderBy: to filter by it, filter a query.Select")
