package column

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"time"

	"github.com/uptrace/bun/schema"

	"github.com/holdfast-go/holdfast/dialect"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	nullTimeType = reflect.TypeFor[schema.NullTime]()
	rawJSONType  = reflect.TypeFor[json.RawMessage]()
	valuerType   = reflect.TypeFor[driver.Valuer]()
	sqlPackage   = reflect.TypeFor[sql.NullString]().PkgPath()
)

// Of is the type of the column that CreateTables makes of a Go type. It is
// Unknown where there is none to be guessed: a type that speaks for itself may
// speak of anything.
func Of(engine string, t reflect.Type) Type {
	switch t {
	case timeType, nullTimeType:
		return Type{Kind: Timestamp, Precision: 6, Zoned: true}
	case rawJSONType:
		return Type{Kind: JSON}
	case reflect.TypeFor[big.Int](): // as many digits as MySQL has
		return Type{Kind: Decimal, Precision: 65}
	case reflect.TypeFor[big.Rat](), reflect.TypeFor[big.Float](): // of how many places, the model has to say
		return Type{}
	case reflect.TypeFor[net.IP](), reflect.TypeFor[net.IPNet](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.Prefix](): // stored as text
		return Type{Kind: Text}
	}
	if t.Kind() == reflect.Pointer {
		return Of(engine, t.Elem())
	}
	if typed, ok := reflect.Zero(t).Interface().(interface{ ColumnType() string }); ok { // models.Date, and others that say it
		return Parse(engine, typed.ColumnType())
	}
	if t.PkgPath() == sqlPackage && t.Kind() == reflect.Struct && t.NumField() > 0 { // sql.NullString, sql.Null[T]
		return Of(engine, t.Field(0).Type)
	}
	if t.Implements(valuerType) || reflect.PointerTo(t).Implements(valuerType) {
		return ofValuer(engine, t)
	}
	switch t.Kind() {
	case reflect.Map, reflect.Struct, reflect.Interface:
		return Type{Kind: JSON}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 {
			return Type{Kind: JSON}
		}
		return Type{Kind: Binary}
	}
	return ofKind(engine, t)
}

// ofKind goes by what a type is made of.
func ofKind(engine string, t reflect.Type) Type {
	switch t.Kind() {
	case reflect.Bool:
		return Type{Kind: Boolean}
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return integer(engine, 8*int(t.Size()), false)
	case reflect.Int:
		return integer(engine, 64, false)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return integer(engine, 8*int(t.Size()), true)
	case reflect.Uint, reflect.Uint64:
		return integer(engine, 64, true)
	case reflect.Float32, reflect.Float64:
		return Type{Kind: Float, Bits: 64}
	case reflect.String:
		return Type{Kind: Text}
	}
	return Type{}
}

// integer is the column that holds all integers of that width on the engine.
func integer(engine string, bits int, unsigned bool) Type {
	switch engine {
	case dialect.Postgres: // it has none of 8 bits, and none without a sign: the next larger holds them all
		if unsigned {
			bits *= 2
		}
		bits, unsigned = min(max(bits, 16), 64), false
	case dialect.SQLite:
		bits, unsigned = 64, false
	}
	return Type{Kind: Integer, Bits: bits, Unsigned: unsigned}
}

// ofValuer asks a type that speaks for itself what it says of its zero value,
// where what it is made of does not tell.
func ofValuer(engine string, t reflect.Type) Type {
	said := reflect.TypeOf(zero(t))
	switch t.Kind() {
	case reflect.String:
		return Type{Kind: Text}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 {
			return Type{Kind: JSON}
		}
		if t.Kind() == reflect.Array && t.Len() == 16 {
			return Type{Kind: UUID}
		}
		return Type{Kind: Text}
	case reflect.Map, reflect.Struct, reflect.Interface:
		return Type{}
	}
	if said != nil && said.Kind() == reflect.String { // an enumeration with names
		return Type{Kind: Text}
	}
	return ofKind(engine, t)
}

// zero is what a type that speaks for itself says of its zero value; nil where
// it says nothing of it, or panics.
func zero(t reflect.Type) (v driver.Value) {
	defer func() {
		if recover() != nil {
			v = nil
		}
	}()
	v, err := reflect.New(t).Interface().(driver.Valuer).Value()
	if err != nil {
		return nil
	}
	return v
}
