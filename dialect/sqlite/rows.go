package sqlite

import (
	"context"
	"database/sql/driver"
	"io"
	"reflect"
	"strings"
	"time"
)

// driverRows is what the driver's rows know of their columns.
type driverRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows turn times back into times, and notice what an error in the middle of
// the result has done to the transaction.
type rows struct {
	driverRows
	ctx    context.Context
	wire   *wire
	st     *statement
	column []column
	closed bool
}

// column says where a column may hold times.
type column uint8

const (
	noTime  column = iota
	isTime         // declared so
	maybeIs        // an expression: no declared type
)

func newRows(ctx context.Context, w *wire, st *statement, inner driver.Rows) driver.Rows {
	r := &rows{ctx: ctx, wire: w, st: st}
	typed, ok := inner.(driverRows)
	if !ok {
		typed = untyped{inner}
	}
	r.driverRows = typed
	r.column = make([]column, len(inner.Columns()))
	for i := range r.column {
		switch name := typed.ColumnTypeDatabaseTypeName(i); {
		case ok && name == "":
			r.column[i] = maybeIs
		case declaredTime(name):
			r.column[i] = isTime
		}
	}
	return r
}

// declaredTime goes by the beginning, as SQLite does: TIMESTAMPTZ, DATETIME(6).
func declaredTime(name string) bool {
	for _, prefix := range [...]string{"TIMESTAMP", "DATETIME", "DATE"} {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	if err := r.ctx.Err(); err != nil {
		if r.st.writes && !r.wire.begun { // to close them commits what has run
			return &unansweredError{err}
		}
		return r.wire.failed(err)
	}
	if err := r.driverRows.Next(dest); err != nil {
		if err == io.EOF {
			return io.EOF
		}
		return r.ended(r.st.about(err))
	}
	for i, v := range dest {
		switch v := v.(type) {
		case string:
			if r.column[i] != noTime {
				if t, ok := readTime(v, r.column[i] == isTime); ok {
					dest[i] = t
				}
			}
		case time.Time:
			if v.Location() != time.UTC {
				dest[i] = v.UTC()
			}
		case []byte:
			if v == nil { // the driver's empty blob, which is not NULL
				dest[i] = []byte{}
			}
		}
	}
	return nil
}

// otherFormats are those of SQLite's own functions, and of times that others
// have written.
var otherFormats = [...]string{
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02",
}

func readTime(s string, declared bool) (time.Time, bool) {
	if len(s) == len(timeFormat) && s[len(s)-6:] == "+00:00" {
		if t, err := time.Parse("2006-01-02 15:04:05.000000", s[:len(s)-6]); err == nil {
			return t, true
		}
	}
	if !declared {
		return time.Time{}, false
	}
	for _, f := range otherFormats {
		if t, err := time.Parse(f, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// Close implements driver.Rows. It can fail: outside a transaction it is what
// commits an INSERT … RETURNING.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := r.driverRows.Close()
	r.wire.rows--
	r.wire.finish(r.st)
	if err != nil {
		return r.ended(err)
	}
	return nil
}

// ended is what an error in the rows, or behind them, means.
func (r *rows) ended(err error) error {
	if r.wire.leavesOpen(r.st, err) {
		return r.wire.unanswered(err)
	}
	return r.wire.failed(err)
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	if r.column[i] == isTime {
		return reflect.TypeFor[time.Time]()
	}
	return r.driverRows.ColumnTypeScanType(i)
}

// untyped are the rows of a driver in between that hides the columns' types.
type untyped struct{ driver.Rows }

func (untyped) ColumnTypeDatabaseTypeName(int) string             { return "" }
func (untyped) ColumnTypeLength(int) (int64, bool)                { return 0, false }
func (untyped) ColumnTypeNullable(int) (nullable, ok bool)        { return false, false }
func (untyped) ColumnTypePrecisionScale(int) (int64, int64, bool) { return 0, 0, false }
func (untyped) ColumnTypeScanType(int) reflect.Type               { return reflect.TypeFor[any]() }
