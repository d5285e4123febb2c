package orm

import (
	"context"
	"database/sql/driver"
	"regexp"

	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
)

// again has t written once more, by what the server says of its columns' character
// sets. That is not kept: a migration may change them while the program runs.
func (db *DB) again(t render.Text) func(context.Context) (string, []any, error) {
	if t.Again == nil {
		return nil
	}
	return func(ctx context.Context) (string, []any, error) {
		known := &charsets{ctx: ctx, db: db, of: map[*render.Model][]tableColumn{}}
		again, err := t.Again(known)
		if known.err != nil {
			err = known.err
		}
		return again.SQL, again.Args, err
	}
}

// charsets asks MySQL or MariaDB while a statement is written. It keeps the first error.
type charsets struct {
	ctx context.Context
	db  *DB
	of  map[*render.Model][]tableColumn
	err error
}

// Of implements render.Charsets.
func (c *charsets) Of(f *render.Field) string {
	columns, asked := c.of[f.Model]
	if !asked && c.err == nil {
		columns, c.err = c.db.tableColumns(c.ctx, f.Model)
		c.of[f.Model] = columns
	}
	for _, have := range columns {
		if c.db.sameName(have.name, f.Name) {
			return have.charset
		}
	}
	return ""
}

var charsetName = regexp.MustCompile(`^[a-z0-9_]+$`)

// Holds implements render.Charsets.
func (c *charsets) Holds(charset, text string) bool {
	if c.err != nil || !charsetName.MatchString(charset) {
		return true
	}
	holds := true
	c.err = c.db.executor.Query(c.ctx, block.Statement{
		SQL:  "SELECT CONVERT(CONVERT(? USING " + charset + ") USING utf8mb4) = ? COLLATE utf8mb4_bin",
		Args: []any{text, text}, Built: true,
	}, func(rows driver.Rows) error {
		values := make([]driver.Value, 1)
		if there, err := next(rows, values); !there {
			return err
		}
		return assign("the character set", &holds, values[0])
	})
	return holds
}
