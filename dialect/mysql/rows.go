package mysql

import (
	"database/sql/driver"
	"io"
	"strconv"
)

// driverRows is what the driver's rows can do.
type driverRows interface {
	driver.RowsNextResultSet
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows are the driver's rows of a prepared statement, whose values are given
// the types that they have in the rows of a text, or the rows of a statement
// after which nobody knows whether a transaction is open.
type rows struct {
	driverRows
	wire     *wire
	query    string
	stmt     driver.Stmt // closed with the rows; nil if there is none
	unsigned []int       // the columns that are BIGINT UNSIGNED
	failed   bool
	closed   bool
}

func (w *wire) wrap(r driver.Rows, query string, stmt driver.Stmt) *rows {
	wrapped := &rows{driverRows: r.(driverRows), wire: w, query: query, stmt: stmt}
	wrapped.findUnsigned()
	return wrapped
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	if err := r.note(r.driverRows.Next(dest)); err != nil {
		return err
	}
	for _, i := range r.unsigned {
		switch v := dest[i].(type) {
		case int64:
			dest[i] = uint64(v)
		case []byte: // more than an int64 holds
			n, err := strconv.ParseUint(string(v), 10, 64)
			if err != nil {
				return err
			}
			dest[i] = n
		}
	}
	return nil
}

// NextResultSet implements driver.RowsNextResultSet.
func (r *rows) NextResultSet() error {
	if err := r.note(r.driverRows.NextResultSet()); err != nil {
		return err
	}
	r.findUnsigned()
	return nil
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	err := r.note(r.driverRows.Close())
	switch {
	case err == nil && !r.failed:
		r.wire.doubt = false
		if !r.closed {
			err = r.wire.after(r.query)
		}
	case !r.closed:
		r.wire.failed(r.query)
	}
	r.closed = true
	if r.stmt != nil {
		_ = r.stmt.Close()
		r.stmt = nil
	}
	return err
}

func (r *rows) note(err error) error {
	if err != nil && err != io.EOF {
		r.failed = true
	}
	return err
}

func (r *rows) findUnsigned() {
	r.unsigned = r.unsigned[:0]
	if r.stmt == nil {
		return
	}
	for i := range r.Columns() {
		if r.ColumnTypeDatabaseTypeName(i) == "UNSIGNED BIGINT" {
			r.unsigned = append(r.unsigned, i)
		}
	}
}
