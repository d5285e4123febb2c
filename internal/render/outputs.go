package render

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// output is one of a SELECT's.
type output struct {
	of      ast.Node
	name    string // "" if it has none
	column  *found // the column that it is; nil if it is computed
	grouped bool   // it is computed, and grouped by

	// once it is written, for what names it
	text     string
	args     []any
	kind     kind
	nullable bool
	windowed bool

	aggregated bool // it is computed over groups
}

// outputsOf finds out what s puts out, and what it is called.
func (w *writer) outputsOf(s *ast.Select) []output {
	sc := w.scope
	switch {
	case len(s.Outputs) == 0 && sc.root == nil:
		if len(s.Group) > 0 || len(s.Having) > 0 {
			w.fail(errNoOutputs)
		}
		list := make([]output, 0, len(sc.source.outputs))
		for _, o := range sc.source.outputs {
			list = append(list, w.plain(ast.Column{Path: o.Name}, sc.source.found(sc, o), o.Name))
		}
		return list
	case len(s.Outputs) == 0:
		if len(s.Group) > 0 || len(s.Having) > 0 {
			w.fail(errNoOutputs)
		}
		return w.wholeRowOutputs(s)
	}
	list := make([]output, 0, len(s.Outputs))
	for _, o := range s.Outputs {
		out := output{of: o.Of, name: o.Name}
		switch o.Of.(type) {
		case nil, ast.Missing:
			w.fail(errNoExpr)
		case ast.Output:
			w.fail(errors.New("what As has named is put out, and stands in no expression"))
		case ast.Column, *ast.Member:
			c, err := sc.find(o.Of)
			if err != nil {
				w.fail(err)
			}
			if c.computed == nil {
				out = w.plain(o.Of, c, o.Name)
			} else if out.name == "" {
				out.name = nameOf(o.Of)
			}
		}
		list = append(list, out)
	}
	w.checkNames(list)
	return list
}

var errNoOutputs = errors.New("a grouped query has no whole rows: say what it puts out, with orm.Select or query.Select")

// plain is an output that is a column.
func (w *writer) plain(n ast.Node, c found, name string) output {
	if name == "" {
		if name = c.column; c.field != nil {
			name = c.field.Name
		} else if col, ok := n.(ast.Column); ok {
			name = col.Path[strings.LastIndexByte(col.Path, '.')+1:]
		}
	}
	return output{of: n, name: name, column: &c}
}

// wholeRowOutputs are the columns of the model and of the relations that are read
// with it. Tables have columns of the same name, which a sub-select must not.
func (w *writer) wholeRowOutputs(s *ast.Select) []output {
	sc := w.scope
	joins := w.related(s.Related)
	var list []output
	add := func(j *Join, f *Field) {
		name := f.Name
		if len(joins) > 0 {
			name = "c" + strconv.Itoa(len(list)+1)
		}
		c := sc.of(j, f)
		if j == nil {
			if at, err := sc.named(f.Name); err == nil && at.computed != nil {
				list = append(list, output{of: ast.Column{Path: f.Name}, name: name})
				return
			}
		}
		list = append(list, output{name: name, column: &c})
	}
	for _, f := range sc.root.Fields {
		add(nil, f)
	}
	for _, j := range joins {
		for _, f := range j.Model.Fields {
			add(j, f)
		}
	}
	return list
}

// checkNames refuses names that are the same, on MySQL in whatever case.
func (w *writer) checkNames(list []output) {
	for i, o := range list {
		if o.name == "" {
			continue
		}
		if o.column == nil || o.column.field == nil || o.name != o.column.field.Name {
			if err := checkName(o.name); err != nil {
				w.fail(err)
			}
		}
		if slices.ContainsFunc(list[:i], func(have output) bool { return strings.EqualFold(have.name, o.name) }) {
			w.fail(&query.FieldError{Model: w.scope.name(), Name: o.name, Reason: "is put out twice: name one of them with As"})
		}
	}
}

// checkName refuses what is no name on one of the engines.
func checkName(name string) error {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) || r > 0xffff {
			return fmt.Errorf("%q is no name: it has to be of letters, digits and _", name)
		}
	}
	if strings.EqualFold(name, "true") || strings.EqualFold(name, "false") { // SQLite forgets what a sub-select calls so
		return fmt.Errorf("%q is no name: SQLite reads it as a value", name)
	}
	if name == "" || len(name) > longestName || !utf8.ValidString(name) {
		return fmt.Errorf("%q is no name: it has to be of 1 to %d bytes", name, longestName)
	}
	return nil
}

// putOut writes the outputs. Those of a SELECT within another one have names, and are
// not made readable for the driver.
func (w *writer) putOut(outputs []output, nested bool) []Output {
	sc := w.scope
	described := make([]Output, len(outputs))
	sc.watch, sc.windows = true, true
	for i := range outputs {
		o := &outputs[i]
		if i > 0 {
			w.string(", ")
		}
		at, args := len(w.buf), len(w.args)
		w.nullable, sc.windowed = false, false
		aggregated := sc.aggregated
		sc.aggregated = false
		sc.aggregates, sc.watch = !o.grouped, !o.grouped
		if o.column != nil {
			o.kind = w.found(sc, *o.column)
		} else {
			o.kind = w.node(o.of)
		}
		o.nullable, o.windowed, o.aggregated = w.nullable, sc.windowed, sc.aggregated
		sc.aggregated = sc.aggregated || aggregated
		o.text, o.args = string(w.buf[at:]), slices.Clone(w.args[args:])
		if !nested && w.shortFloats && narrow(o.kind.Type) {
			w.insert(at, wider)
			w.byte(')')
		}
		if nested && sc.outer == nil && o.name == "" { // it is read from
			o.name = "c" + strconv.Itoa(i+1)
		}
		if o.name != "" && (o.column == nil || o.column.column != sc.quoted(o.name)) {
			w.string(" AS " + sc.quoted(o.name))
		}
		described[i] = Output{Name: o.name, Type: o.kind, Nullable: o.nullable}
	}
	sc.watch, sc.aggregates, sc.windows, w.nullable = false, false, false, false
	sc.outputs = outputs
	return described
}

// computedRow writes the columns of a model of which some are computed.
func (w *writer) computedRow() {
	sc := w.scope
	for _, c := range sc.computed {
		f, err := sc.root.Field(c.Name)
		if err == nil && !f.ScanOnly {
			err = &query.FieldError{Model: sc.root.Name, Name: c.Name, Reason: "is a column that is stored: tag a field scanonly for what is computed"}
		}
		if err != nil {
			w.fail(err)
		}
	}
	sc.windows = true
	for i, f := range sc.root.Fields {
		if i > 0 {
			w.string(", ")
		}
		if c, err := sc.named(f.Name); err != nil || c.computed == nil {
			w.string(w.spelling.output(f, sc.qualifier(nil)+"."+string(f.SQLName)))
			continue
		}
		at := len(w.buf)
		k := w.reference(ast.Column{Path: f.Name})
		if w.err == nil && !readable(k, f) {
			w.fail(&query.FieldError{Model: sc.root.Name, Name: f.Name, Reason: "is " + f.Column.Kind.String() + ", and what is computed for it is " + k.Kind.String()})
		}
		if w.shortFloats && narrow(k.Type) {
			w.insert(at, wider)
			w.byte(')')
		}
		w.string(" AS " + sc.quoted(f.Name))
	}
	sc.windows = false
}
