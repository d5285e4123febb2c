package orm

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// timeForms are how SQLite's texts are times that the library has written.
var timeForms = map[column.Kind]string{
	column.Timestamp: "????-??-?? ??:??:??.??????+00:00",
	column.Date:      "????-??-??",
	column.TimeOfDay: "??:??:??*",
}

// defaults finds the columns of times whose default SQLite would store as a text of another
// form: CURRENT_TIMESTAMP, and DATETIME('now') as well. What a default is, it says itself.
func (c *comparison) defaults(ctx context.Context) error {
	if c.db.Server().Engine != dialect.SQLite || !slices.ContainsFunc(c.model.Fields, func(f *render.Field) bool { return f.Column.Kind.Time() }) {
		return nil
	}
	_, table, qualified := strings.Cut(c.model.Table.Name, ".")
	if !qualified {
		table = c.model.Table.Name
	}
	var fields []*render.Field
	var texts, tells []string
	ask := block.Statement{SQL: "SELECT name, dflt_value FROM pragma_table_xinfo(?) WHERE dflt_value IS NOT NULL AND hidden = 0", Args: []any{table}}
	err := c.db.executor.Query(ctx, ask, func(rows driver.Rows) error {
		fields, texts, tells = nil, nil, nil
		values := make([]driver.Value, 2)
		for {
			if more, err := next(rows, values); !more {
				return err
			}
			var name, text string
			for i, dst := range []*string{&name, &text} {
				if err := assign("the table", dst, values[i]); err != nil {
					return err
				}
			}
			i := slices.IndexFunc(c.model.Fields, func(f *render.Field) bool { return strings.EqualFold(f.Name, name) })
			if i >= 0 && c.model.Fields[i].Column.Kind.Time() {
				fields, texts = append(fields, c.model.Fields[i]), append(texts, text)
				tells = append(tells, "COALESCE(("+text+") GLOB '"+timeForms[c.model.Fields[i].Column.Kind]+"', 1)")
			}
		}
	})
	if err != nil || len(fields) == 0 {
		return err
	}
	return c.db.executor.Query(ctx, block.Statement{SQL: "SELECT " + strings.Join(tells, ", ")}, func(rows driver.Rows) error {
		values := make([]driver.Value, len(fields))
		if more, err := next(rows, values); !more {
			return err
		}
		for i, f := range fields {
			var same bool
			if err := assign("the default", &same, values[i]); err != nil {
				return err
			}
			if !same {
				c.add(f.Name, OtherDefault, "a time as the library writes it", texts[i])
			}
		}
		return nil
	})
}
