package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/block"
	"github.com/holdfast-go/holdfast/internal/render"
)

// Exec sends a statement that returns no rows. Each ? is bound to the next of
// args, on every engine; ?? stands for one ?. A list has to be spelled out, with
// a ? for each element. RowsAffected counts the rows that matched, on every
// engine (rule S7).
//
// In a block of this database the statement belongs to it; it must then not end
// or begin transactions (atomic.ErrTransactionControl).
func (db *DB) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st, err := db.written(ctx, text, args)
	if err != nil {
		return nil, fmt.Errorf("orm: Exec: %w", err)
	}
	st.Script = len(args) == 0
	res, err := db.executor.Exec(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("orm: Exec: %w", err)
	}
	return res, nil
}

// Query sends a statement and returns its rows, which the caller closes. Until
// then the connection is busy: in a block, another statement is
// atomic.ErrRowsOpen (rule B10). Placeholders are those of [DB.Exec].
func (db *DB) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := db.written(ctx, text, args)
	if err != nil {
		return nil, fmt.Errorf("orm: Query: %w", err)
	}
	return db.SQL().QueryContext(ctx, st.SQL, st.Args...)
}

// QueryRow sends a statement and reads its first row; the connection is free
// again when it returns. Errors are those of Scan. Placeholders are those of
// [DB.Exec].
func (db *DB) QueryRow(ctx context.Context, text string, args ...any) *Row {
	st, err := db.written(ctx, text, args)
	if err != nil {
		return &Row{err: err}
	}
	r := &Row{engine: db.Server().Engine}
	r.err = db.executor.Query(ctx, st, r.read)
	return r
}

// written is a statement of the caller's. A value that cannot be bound marks the
// block, as it does where a driver finds it out.
func (db *DB) written(ctx context.Context, text string, args []any) (block.Statement, error) {
	if db == nil {
		return block.Statement{}, errNoDatabase
	}
	bound := make([]any, len(args))
	for i, arg := range args {
		v, err := render.BindArgument(arg)
		if err != nil {
			return block.Statement{}, db.marked(ctx, block.Statement{SQL: text}, fmt.Errorf("argument %d: %w", i+1, err))
		}
		bound[i] = v
	}
	return block.Statement{SQL: db.executor.Database().Engine.Rebind(text), Args: bound}, nil
}

// Row is the first row of a result.
type Row struct {
	values []driver.Value
	types  []string // see typeOf
	engine string
	err    error
}

// read takes the row out of the driver's hands.
func (r *Row) read(rows driver.Rows) error {
	r.values = make([]driver.Value, len(rows.Columns()))
	switch there, err := next(rows, r.values); {
	case err != nil:
		return err
	case !there:
		return sql.ErrNoRows
	}
	r.types = make([]string, len(r.values))
	for i, v := range r.values {
		r.types[i] = typeOf(r.engine, rows, i)
		if b, ok := v.([]byte); ok {
			r.values[i] = append(make([]byte, 0, len(b)), b...)
		}
	}
	return nil
}

// Err returns what went wrong when the statement was sent, and sql.ErrNoRows if
// there was no row.
func (r *Row) Err() error {
	if r.err != nil {
		return fmt.Errorf("orm: QueryRow: %w", r.err)
	}
	return nil
}

// Scan copies the columns into the values that dest points to. Without a row it
// returns sql.ErrNoRows. A column that is NULL needs a pointer to a pointer, or
// a type that can hold it. Times come in UTC. A list takes an array of PostgreSQL,
// and else JSON.
func (r *Row) Scan(dest ...any) error {
	if err := r.Err(); err != nil {
		return err
	}
	if len(dest) != len(r.values) {
		return fmt.Errorf("orm: Scan: %d destinations for %d columns", len(dest), len(r.values))
	}
	for i, d := range dest {
		if err := assignAs(r.types[i], fmt.Sprintf("column %d", i+1), d, textAgain(r.engine, d, r.values[i])); err != nil {
			return fmt.Errorf("orm: Scan: %w", err)
		}
	}
	return nil
}

// textAgain is a text of SQLite that its package has taken for a time, as it does
// with what has the form of one and comes from no column, such as a MAX.
func textAgain(engine string, dest any, src driver.Value) driver.Value {
	at, ok := src.(time.Time)
	if !ok || engine != dialect.SQLite {
		return src
	}
	t := reflect.TypeOf(dest)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && (t.Kind() == reflect.String || t.Kind() == reflect.Slice || t == nullString || t == nullText) {
		return textOf(at)
	}
	return src
}

// textOf is the text that was taken for at.
func textOf(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.000000+00:00") }

var (
	nullString = reflect.TypeFor[sql.NullString]()
	nullText   = reflect.TypeFor[sql.Null[string]]()
)

// assign scans one value into what dest points to.
func assign(column string, dest any, src driver.Value) error { return assignAs("", column, dest, src) }

// assignAs is assign for a column of a type that [typeOf] tells.
func assignAs(typ, column string, dest any, src driver.Value) error {
	p := reflect.ValueOf(dest)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("%s: the destination is a %T, not a pointer to where the value goes", column, dest)
	}
	dst := p.Elem()
	t := dst.Type()
	return explain(column, t, src, arrayOr(typ, t, scannerOf(t, schema.Scanner(t)))(dst, src))
}
