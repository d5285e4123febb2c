// Package render compares ways of turning a query into SQL text: bun's own
// builders, which write values into the text; bun's builders made to give
// placeholders; and Holdfast's renderer. docs/decisions.md has the figures.
package render

import (
	"database/sql"
	"reflect"
	"time"

	"github.com/uptrace/bun/schema"
)

// binding is bun's dialect for one statement, which keeps the values that were
// replaced by placeholders.
type binding struct {
	schema.Dialect
	args []any
}

func (d *binding) bind(b []byte, v any) []byte {
	d.args = append(d.args, v)
	return append(b, '?')
}

// value is a value in a Where or Set of bun's.
type value struct{ v any }

// AppendQuery binds the value. It implements schema.QueryAppender.
func (a value) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	if d, ok := gen.Dialect().(*binding); ok {
		return d.bind(b, a.v), nil
	}
	return gen.Append(b, a.v), nil
}

// capturing is bun's dialect with tables whose fields bind their values: it is
// what "bun's builders given placeholders" takes. LIMIT and OFFSET stay
// literals, and bun's expressions still have to be told apart from names.
type capturing struct {
	schema.Dialect
	tables *schema.Tables
}

func newCapturing(d schema.Dialect) *capturing {
	c := &capturing{Dialect: d}
	c.tables = schema.NewTables(c)
	return c
}

// Init, Tables and OnTable implement schema.Dialect.
func (c *capturing) Init(*sql.DB) {}

// Tables keeps the tables away from the dialect underneath.
func (c *capturing) Tables() *schema.Tables { return c.tables }

// OnTable replaces the way in which each field is written.
func (c *capturing) OnTable(t *schema.Table) {
	c.Dialect.OnTable(t)
	for _, f := range t.Fields {
		plain := f.Append
		f.Append = func(gen schema.QueryGen, b []byte, v reflect.Value) []byte {
			d, ok := gen.Dialect().(*binding)
			if !ok {
				return plain(gen, b, v)
			}
			switch v.Kind() {
			case reflect.Int, reflect.Int64:
				return d.bind(b, v.Int())
			case reflect.Float64:
				return d.bind(b, v.Float())
			case reflect.String:
				return d.bind(b, v.String())
			case reflect.Bool:
				return d.bind(b, v.Bool())
			}
			if t, ok := v.Interface().(time.Time); ok {
				return d.bind(b, t.UTC())
			}
			return d.bind(b, v.Interface())
		}
	}
}
