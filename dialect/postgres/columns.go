package postgres

import (
	"database/sql/driver"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// formatOf is the format in which a type is read: binary if it has a counterpart among
// driver.Value, or is one of [arrays], and else text. It is the choice of pgx's stdlib, so
// that a column yields the same Go value either way.
func formatOf(oid uint32) int16 {
	switch oid {
	case pgtype.BoolOID, pgtype.ByteaOID, pgtype.CIDOID, pgtype.DateOID, pgtype.Float4OID, pgtype.Float8OID,
		pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.TimestampOID, pgtype.TimestamptzOID, pgtype.XIDOID:
		return pgtype.BinaryFormatCode
	}
	if _, is := arrays[oid]; is {
		return pgtype.BinaryFormatCode
	}
	return pgtype.TextFormatCode
}

// columns are the columns of a result. They belong to a statement and serve one
// result of it after the other.
type columns struct {
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	names  []string
	decode []decoder
}

// decoder turns a column's bytes, which are not NULL, into a driver.Value.
type decoder func(src []byte) (driver.Value, error)

func newColumns(types *pgtype.Map, fields []pgconn.FieldDescription) *columns {
	c := &columns{types: types, fields: fields, names: make([]string, len(fields)), decode: make([]decoder, len(fields))}
	for i, f := range fields {
		c.names[i] = f.Name
		c.decode[i] = newDecoder(types, f)
	}
	return c
}

func newDecoder(types *pgtype.Map, f pgconn.FieldDescription) decoder {
	if array := arrays[f.DataTypeOID]; array != nil && f.Format == pgtype.BinaryFormatCode {
		return array(types, f)
	}
	switch f.DataTypeOID {
	case pgtype.BoolOID:
		return scanInto(types, f, func(v bool) (driver.Value, error) { return v, nil })
	case pgtype.Int2OID:
		return scanInto(types, f, func(v int16) (driver.Value, error) { return int64(v), nil })
	case pgtype.Int4OID:
		return scanInto(types, f, func(v int32) (driver.Value, error) { return int64(v), nil })
	case pgtype.Int8OID:
		return scanInto(types, f, func(v int64) (driver.Value, error) { return v, nil })
	case pgtype.Float4OID:
		return scanInto(types, f, func(v float32) (driver.Value, error) { return float64(v), nil })
	case pgtype.Float8OID:
		return scanInto(types, f, func(v float64) (driver.Value, error) { return v, nil })
	case pgtype.ByteaOID, pgtype.JSONOID, pgtype.JSONBOID, pgtype.XMLOID:
		return scanInto(types, f, func(v []byte) (driver.Value, error) { return v, nil })
	case pgtype.CIDOID, pgtype.OIDOID, pgtype.XIDOID:
		return scanInto(types, f, pgtype.Uint32.Value)
	case pgtype.DateOID:
		return scanInto(types, f, pgtype.Date.Value)
	case pgtype.TimestampOID:
		return scanInto(types, f, pgtype.Timestamp.Value)
	case pgtype.TimestamptzOID:
		return scanInto(types, f, func(v pgtype.Timestamptz) (driver.Value, error) {
			v.Time = v.Time.UTC() // pgx answers in the process's zone (rule S4)
			return v.Value()
		})
	}
	return scanInto(types, f, func(v string) (driver.Value, error) { return v, nil })
}

func scanInto[T any](types *pgtype.Map, f pgconn.FieldDescription, value func(T) (driver.Value, error)) decoder {
	into := new(T)
	plan := types.PlanScan(f.DataTypeOID, f.Format, into)
	return func(src []byte) (driver.Value, error) {
		if err := plan.Scan(src, into); err != nil {
			return nil, err
		}
		v := *into
		*into = *new(T) // the statement outlives the row and must not hold on to it
		return value(v)
	}
}

// typeName is the type's name in capitals, or its number if pgx does not know it.
func (c *columns) typeName(i int) string {
	oid := c.fields[i].DataTypeOID
	if t, ok := c.types.TypeForOID(oid); ok {
		return strings.ToUpper(t.Name)
	}
	return strconv.FormatInt(int64(oid), 10)
}

// A type modifier counts this header in.
const modifierHeader = 4

func (c *columns) length(i int) (int64, bool) {
	switch f := c.fields[i]; f.DataTypeOID {
	case pgtype.TextOID, pgtype.ByteaOID:
		return math.MaxInt64, true
	case pgtype.VarcharOID, pgtype.BPCharOID:
		return int64(f.TypeModifier - modifierHeader), true
	case pgtype.VarbitOID:
		return int64(f.TypeModifier), true
	}
	return 0, false
}

func (c *columns) precisionScale(i int) (precision, scale int64, ok bool) {
	f := c.fields[i]
	if f.DataTypeOID != pgtype.NumericOID {
		return 0, 0, false
	}
	m := f.TypeModifier - modifierHeader
	return int64(m >> 16 & 0xffff), int64(m & 0xffff), true
}

func (c *columns) scanType(i int) reflect.Type {
	switch c.fields[i].DataTypeOID {
	case pgtype.Float8OID, pgtype.NumericOID:
		return reflect.TypeFor[float64]()
	case pgtype.Float4OID:
		return reflect.TypeFor[float32]()
	case pgtype.Int8OID:
		return reflect.TypeFor[int64]()
	case pgtype.Int4OID:
		return reflect.TypeFor[int32]()
	case pgtype.Int2OID:
		return reflect.TypeFor[int16]()
	case pgtype.BoolOID:
		return reflect.TypeFor[bool]()
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		return reflect.TypeFor[time.Time]()
	case pgtype.ByteaOID:
		return reflect.TypeFor[[]byte]()
	}
	return reflect.TypeFor[string]()
}
