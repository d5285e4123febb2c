package render

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/query"
)

// longestPath is how many steps a path has: MariaDB takes 32, with the document itself.
const longestPath = 30

// somePart is a value within a JSON value.
var somePart = kind{Type: column.Type{Kind: column.JSON, Part: true}}

// jsonPath writes the value at the end of a path (rule S58), as JSON.
func (w *writer) jsonPath(n ast.JSONPath) kind {
	w.checkPath(n.Path)
	of := w.jsonOf(n.Of)
	if w.err != nil {
		return kind{}
	}
	w.put(w.at(of, n.Path))
	w.nullable = w.nullable || len(n.Path) > 0
	return somePart
}

// jsonOf takes a JSON value, as the type of which the engine has functions.
func (w *writer) jsonOf(n ast.Node) part {
	k, p := w.part(func() kind { return w.node(n) })
	if k.Kind != column.JSON && w.err == nil {
		w.fail(&query.ValueError{Field: k.name(), Type: "query.Expr", Reason: "that is " + k.Kind.String() + " has no path of JSON"})
	}
	return w.formed(form{mysql: "@1", postgres: "CAST(@1 AS jsonb)", sqlite: "@1"}, p)
}

// checkPath refuses what is no path on one of the engines.
func (w *writer) checkPath(path []any) {
	if err := w.server.Require(dialect.JSONPaths); err != nil {
		w.fail(err)
	}
	if len(path) > longestPath {
		w.fail(&query.ValueError{Type: "[]any", Reason: "is a path of more than " + strconv.Itoa(longestPath) + " steps, which MariaDB does not take"})
	}
	for _, step := range path {
		switch s := step.(type) {
		case string:
			switch {
			case !utf8.ValidString(s):
				w.fail(&query.ValueError{Type: "string", Reason: "is no key of JSON: it is no valid UTF-8"})
			case strings.IndexByte(s, 0) >= 0:
				w.fail(&query.ValueError{Type: "string", Reason: "is no key that PostgreSQL's JSON can have: it holds a NUL"})
			case strings.HasPrefix(s, "-") && w.server.Engine == dialect.MariaDB:
				w.fail(&dialect.UnsupportedError{Server: w.server, Feature: "a key that begins with - in a path of JSON",
					Hint: "its paths cannot spell one; read the whole value and look in Go"})
			}
		case int:
			if s < 0 || s > 1<<31-2 {
				w.fail(&query.ValueError{Type: "int", Reason: "is no position in an array of JSON: the first is 0, and none is counted from the end"})
			}
		default:
			name := "nil"
			if step != nil {
				name = reflect.TypeOf(step).String()
			}
			w.fail(&query.ValueError{Type: name, Reason: "is no step of a path in JSON: a key is a string, a position an int"})
		}
	}
}

// at is the value to which path leads from a document. A position of 0 in what is no
// array is that itself to all but SQLite: there the type is looked at first.
func (w *writer) at(of part, path []any) part {
	switch {
	case len(path) == 0:
		return of
	case w.server.Engine == dialect.SQLite:
		return w.formed(same("(@1 -> @2)"), of, w.constant(spelledPath(path)))
	case w.server.Engine == dialect.Postgres:
		for _, step := range path {
			switch s := step.(type) {
			case string:
				of = w.formed(same("(@1 -> CAST(@2 AS text))"), of, w.constant(s))
			case int:
				f := same("(@1 -> @2)")
				if s == 0 {
					f = same("(CASE WHEN jsonb_typeof(@1) = 'array' THEN @1 -> @2 END)")
				}
				of = w.formed(f, of, part{sql: strconv.Itoa(s)})
			}
		}
		return of
	}
	zero := slices.IndexFunc(path, func(step any) bool { return step == 0 })
	if zero < 0 {
		return w.extracted(of, path)
	}
	_, p := w.part(func() kind {
		w.string("(CASE WHEN ")
		for i := zero; i < len(path); i++ {
			if path[i] != 0 {
				continue
			}
			if i > zero {
				w.string(opAnd)
			}
			w.fill("JSON_TYPE(@1) = 'ARRAY'", w.extracted(of, path[:i]))
		}
		w.fill(" THEN @1 END)", w.extracted(of, path))
		return somePart
	})
	return p
}

// extracted is the value at the end of a path as MySQL and MariaDB find it.
func (w *writer) extracted(of part, path []any) part {
	if len(path) == 0 {
		return of
	}
	return w.formed(same("JSON_EXTRACT(@1, @2)"), of, w.constant(spelledPath(path)))
}

// spelledPath is a path as MySQL, MariaDB and SQLite read it. It is bound.
func spelledPath(path []any) string {
	var sb strings.Builder
	sb.WriteByte('$')
	for _, step := range path {
		switch s := step.(type) {
		case string:
			sb.WriteByte('.')
			writeJSONText(&sb, s)
		case int:
			sb.WriteByte('[')
			sb.WriteString(strconv.Itoa(s))
			sb.WriteByte(']')
		}
	}
	return sb.String()
}

// formed is a form as a part.
func (w *writer) formed(f form, parts ...part) part {
	start, args := len(w.buf), len(w.args)
	w.fill(f.of(w), parts...)
	return w.take(start, args)
}
