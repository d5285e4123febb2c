package postgres

import (
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"

	"github.com/jackc/pgx/v5/pgconn"
)

// rows is the result of one statement, read as it arrives. The connection takes
// no other statement until it ends.
type rows struct {
	wire    *wire
	st      *statement
	result  *pgconn.ResultReader
	columns *columns
	waiting bool // a row has been read and not handed out
	done    bool
	err     error
}

// Columns returns the columns' names.
func (r *rows) Columns() []string { return r.columns.names }

// Next reads one row.
func (r *rows) Next(dest []driver.Value) error {
	if !r.waiting && !r.advance() {
		if r.err != nil {
			return r.err
		}
		return io.EOF
	}
	r.waiting = false
	for i, src := range r.result.Values() {
		if src == nil {
			dest[i] = nil
			continue
		}
		v, err := r.columns.decode[i](src)
		if err != nil {
			return fmt.Errorf("column %s: %w", r.columns.names[i], err)
		}
		dest[i] = v
	}
	return nil
}

// advance reads a row, and ends the result where there is none.
func (r *rows) advance() bool {
	if r.done {
		return false
	}
	if r.result.NextRow() {
		return true
	}
	_ = r.end()
	return false
}

// Close reads what is left, as pgx does, however much it is: to cancel the
// statement would fail the block that it belongs to, and outside a block it
// would undo what the statement has done. It returns the error that the server
// sends in the middle of the rows or behind them.
func (r *rows) Close() error { return r.end() }

func (r *rows) end() error {
	if !r.done {
		r.done, r.waiting = true, false
		_, err := r.result.Close()
		r.err = r.wire.open.finish(r.st, err)
	}
	return r.err
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.columns.typeName(i) }

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *rows) ColumnTypeLength(i int) (int64, bool) { return r.columns.length(i) }

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return r.columns.precisionScale(i)
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *rows) ColumnTypeScanType(i int) reflect.Type { return r.columns.scanType(i) }
