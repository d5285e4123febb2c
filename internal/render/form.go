package render

import (
	"slices"

	"github.com/holdfast-go/holdfast/dialect"
)

// part is a piece of a statement that was written, taken out again, and is put
// where it belongs: in a form, perhaps more than once.
type part struct {
	sql  string
	args []any
}

// take removes what was written since start.
func (w *writer) take(start, args int) part {
	p := part{sql: string(w.buf[start:])}
	w.buf = w.buf[:start]
	if !w.numbered { // where values have numbers, they stay where they are
		p.args = slices.Clone(w.args[args:])
		w.args = w.args[:args]
	}
	return p
}

// part writes n and takes it.
func (w *writer) part(n func() kind) (kind, part) {
	start, args := len(w.buf), len(w.args)
	k := n()
	return k, w.take(start, args)
}

func (w *writer) put(p part) {
	w.string(p.sql)
	w.args = append(w.args, p.args...)
}

// constant is a part that binds a value.
func (w *writer) constant(v any) part {
	start, args := len(w.buf), len(w.args)
	w.bind(v)
	return w.take(start, args)
}

// fill writes a form, in which @1 stands for the first part.
func (w *writer) fill(form string, parts ...part) {
	for i := 0; i < len(form); i++ {
		if form[i] == '@' {
			i++
			w.put(parts[form[i]-'1'])
			continue
		}
		w.byte(form[i])
	}
}

// form is something that engines spell differently; @1, @2 … stand for what it
// is given.
type form struct{ mysql, mariadb, postgres, sqlite string }

// of is the form as the writer's engine has it. MariaDB's is MySQL's if it has
// none of its own.
func (f form) of(w *writer) string {
	switch w.server.Engine {
	case dialect.Postgres:
		return f.postgres
	case dialect.SQLite:
		return f.sqlite
	case dialect.MariaDB:
		if f.mariadb != "" {
			return f.mariadb
		}
	}
	return f.mysql
}

// same is a form that all engines share.
func same(s string) form { return form{mysql: s, postgres: s, sqlite: s} }
