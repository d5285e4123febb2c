package render

import (
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/ast"
	"github.com/holdfast-go/holdfast/query"
)

// jsonChanged writes a document after its changes (rule S58). All of them are looked at
// as it was before: none is of a part of another's.
//
// In what order is the same to all engines: the elements and keys that go, the objects
// that are made on the way, the values. Where something else than an object stands on
// the way the statement fails, which each engine does in its own way.
func (w *writer) jsonChanged(n ast.JSONChanged) kind {
	w.checkChanges(n.Changes)
	of := w.jsonOf(n.Of)
	if w.err != nil {
		return kind{}
	}
	var removed, set []ast.JSONChange
	for _, c := range n.Changes {
		if c.Remove {
			removed = append(removed, c)
		} else {
			set = append(set, c)
		}
	}
	p := of
	if len(set) > 0 {
		p = w.formed(form{mysql: "COALESCE(@1, JSON_OBJECT())", postgres: "COALESCE(@1, '{}')", sqlite: "COALESCE(@1, '{}')"}, of)
	}
	for _, c := range removed {
		p = w.removed(of, p, c.Path)
	}
	made := map[string]bool{}
	for _, c := range set {
		p = w.madeOnTheWay(of, p, c.Path, made)
	}
	for _, c := range set {
		p = w.valueSet(of, p, c)
	}
	switch engine := w.server.Engine; {
	case len(set) == 0 && engine == dialect.Postgres: // which takes nothing away from a scalar
		w.fill("(CASE WHEN jsonb_typeof(@1) IN ('object', 'array') THEN @2 ELSE @1 END)", of, p)
	case len(set) == 0 || isMySQL(engine):
		w.put(p)
	default:
		w.string("(CASE WHEN ")
		for i, c := range set {
			if i > 0 {
				w.string(opAnd)
			}
			w.leads(of, c.Path)
		}
		w.fill(" THEN @1 ELSE ", p)
		if engine == dialect.Postgres { // the error has to depend on the row, or the server finds it by itself
			w.fill("CAST('holdfast: the path leads through ' || COALESCE(jsonb_typeof(@1), 'null') AS jsonb)", of)
		} else {
			w.string(failure("a path of JSON leads through what is no object"))
		}
		w.string(" END)")
	}
	w.nullable = w.nullable || len(set) == 0
	return somePart
}

// checkChanges refuses changes of which the outcome would hang on their order.
func (w *writer) checkChanges(changes []ast.JSONChange) {
	for i, c := range changes {
		w.checkPath(c.Path)
		if len(c.Path) == 0 {
			w.fail(&query.ValueError{Type: "query.JSON", Reason: "has no path, and is the whole column: assign that with Set"})
			return
		}
		for _, other := range changes[:i] {
			if w.err == nil && meet(c, other) {
				w.fail(&query.ValueError{Type: "query.JSON", Reason: "is changed twice in one statement, or within what another change is of"})
			}
		}
	}
}

// meet reports whether one change is of what the other changes: a part of it, or an
// element of an array of which the other takes one away. A document begins with one
// sort of step only.
func meet(a, b ast.JSONChange) bool {
	short := min(len(a.Path), len(b.Path))
	for i := range short {
		if a.Path[i] == b.Path[i] {
			continue
		}
		_, x := a.Path[i].(int)
		_, y := b.Path[i].(int)
		return x != y || x && (a.Remove && i == len(a.Path)-1 || b.Remove && i == len(b.Path)-1)
	}
	return true
}

// removed is p without what is at the end of path. What has a zero in it leads
// somewhere in what is no array: then it is another position, which is never there.
func (w *writer) removed(of, p part, path []any) part {
	switch {
	case w.server.Engine == dialect.SQLite:
		return w.formed(same("json_remove(@1, @2)"), p, w.constant(spelledPath(path)))
	case w.server.Engine == dialect.Postgres:
		return w.formed(same("(@1 #- CASE WHEN @2 IS NOT NULL THEN @3 ELSE CAST('{}' AS text[]) END)"), p, w.at(of, path), w.textArray(path))
	case !slices.Contains(path, any(0)):
		return w.formed(same("JSON_REMOVE(@1, @2)"), p, w.constant(spelledPath(path)))
	}
	nowhere := slices.Clone(path)
	for i, step := range nowhere {
		if step == 0 {
			nowhere[i] = 1<<31 - 1
		}
	}
	return w.formed(same("JSON_REMOVE(@1, CASE WHEN @2 IS NOT NULL THEN @3 ELSE @4 END)"), p, w.at(of, path), w.constant(spelledPath(path)), w.constant(spelledPath(nowhere)))
}

// madeOnTheWay is p with objects where path leads from one key to the next.
func (w *writer) madeOnTheWay(of, p part, path []any, made map[string]bool) part {
	for i := 1; i < len(path); i++ {
		_, key := path[i-1].(string)
		_, inIt := path[i].(string)
		at := spelledPath(path[:i])
		if !key || !inIt || made[at] {
			continue
		}
		made[at] = true
		if w.server.Engine == dialect.Postgres {
			p = w.formed(same("jsonb_set(@1, @2, COALESCE(@3, '{}'))"), p, w.textArray(path[:i]), w.at(of, path[:i]))
			continue
		}
		p = w.formed(form{mysql: "JSON_INSERT(@1, @2, JSON_OBJECT())", sqlite: "json_insert(@1, @2, json('{}'))"}, p, w.constant(at))
	}
	return p
}

// valueSet is p with a value at the end of a path. MySQL and MariaDB have no way to fail
// that leaves the value JSON: there it is the path that cannot be computed.
func (w *writer) valueSet(of, p part, c ast.JSONChange) part {
	value := w.newValue(c.Value)
	switch w.server.Engine {
	case dialect.Postgres:
		return w.formed(same("jsonb_set(@1, @2, @3)"), p, w.textArray(c.Path), value)
	case dialect.SQLite:
		return w.formed(same("json_set(@1, @2, @3)"), p, w.constant(spelledPath(c.Path)), value)
	}
	_, leads := w.part(func() kind { w.leads(of, c.Path); return condition })
	return w.formed(form{mysql: "JSON_SET(@1, CASE WHEN @2 THEN @3 ELSE CAST(COALESCE(JSON_LENGTH(@4), 0) * 0 + 18446744073709551615 + 1 AS CHAR) END, @5)"},
		p, leads, w.constant(spelledPath(c.Path)), of, value)
}

// newValue is what a path is set to.
func (w *writer) newValue(v any) part {
	if constant, ok := v.(ast.Value); ok {
		v = constant.V
	}
	if _, isNode := v.(ast.Node); isNode {
		w.fail(&query.ValueError{Type: "query.Expr", Reason: "is computed by the server: a path of JSON is set to a value"})
		return part{}
	}
	bound, err := w.encoded(v)
	if err != nil {
		w.fail(err)
	}
	if bound == nil {
		bound = "null"
	}
	return w.formed(form{mysql: "CAST(@1 AS JSON)", mariadb: "JSON_COMPACT(@1)", postgres: "CAST(@1 AS jsonb)", sqlite: "json(@1)"}, w.constant(bound))
}

// leads writes that path leads to a place that can be given a value: from key to key
// through objects, or through what is not there, and to elements that are there.
func (w *writer) leads(of part, path []any) {
	for i, step := range path {
		if i > 0 {
			w.string(opAnd)
		}
		if _, position := step.(int); position {
			w.fill("@1 IS NOT NULL", w.at(of, path[:i+1]))
			continue
		}
		w.fill(form{mysql: "(@1 IS NULL OR JSON_TYPE(@1) = 'OBJECT')", postgres: "(@1 IS NULL OR jsonb_typeof(@1) = 'object')",
			sqlite: "(@1 IS NULL OR json_type(@1) = 'object')"}.of(w), w.at(of, path[:i]))
	}
}

// textArray is a path as PostgreSQL's functions that change a value take it, for which a key
// and a position are the same.
func (w *writer) textArray(path []any) part {
	_, p := w.part(func() kind {
		w.string("ARRAY[")
		for i, step := range path {
			if i > 0 {
				w.string(", ")
			}
			s, isKey := step.(string)
			if !isKey {
				s = strconv.Itoa(step.(int))
			}
			w.string("CAST(")
			w.bind(s)
			w.string(" AS text)")
		}
		w.byte(']')
		return somePart
	})
	return p
}
