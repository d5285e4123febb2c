package orm

import (
	"database/sql/driver"
	"encoding/hex"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/internal/column"
	"github.com/holdfast-go/holdfast/internal/render"
)

// readPlace puts a value of a cursor into the field of row that it stands for, and
// reports whether it has. The field's type may read it by a Scan of its own, which is
// written for what the driver gives: it gets that. Anybody may have made the cursor, so
// that a Scan that panics for what it has never seen says no more than one that refuses it.
func readPlace(f *render.Field, row reflect.Value, bound driver.Value) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	src, ok := asRead(f.Column, f.Model.Engine(), bound)
	if !ok || fieldScanner(f)(f.Field.Value(row), src) != nil {
		return false
	}
	again, err := f.Place(row) // what the column could not hold is not there either
	return err == nil && (again == nil) == (bound == nil)
}

// asRead is a value that was bound for a column as the driver gives it when it is read
// from there, and false where the column is of another class.
func asRead(c column.Type, engine string, bound driver.Value) (driver.Value, bool) {
	if bound == nil {
		return nil, true
	}
	mysql := engine == dialect.MySQL || engine == dialect.MariaDB
	switch b := bound.(type) {
	case int64:
		if mysql && c.Unsigned && c.Bits == 64 && b >= 0 {
			return uint64(b), c.Kind == column.Integer
		}
		return b, c.Kind == column.Integer || unclassed(c)
	case uint64:
		return b, c.Kind == column.Integer || unclassed(c)
	case float64:
		return b, c.Kind == column.Float || unclassed(c)
	case bool:
		if engine != dialect.Postgres { // elsewhere it is a number
			n := int64(0)
			if b {
				n = 1
			}
			return n, c.Kind == column.Boolean || unclassed(c)
		}
		return b, c.Kind == column.Boolean || unclassed(c)
	case []byte:
		if c.Kind == column.UUID && engine != dialect.SQLite && len(b) == 16 {
			return textAs(mysql, spelledUUID(b)), true
		}
		return b, c.Kind == column.Binary || c.Kind == column.UUID || unclassed(c)
	case string:
		switch c.Kind {
		case column.Date:
			at, err := time.Parse(time.DateOnly, b)
			return at, err == nil
		case column.Decimal:
			return textAs(mysql, withPlaces(b, c.Scale)), true
		case column.TimeOfDay:
			if mysql {
				b = withPlaces(b, c.Precision)
			}
			return textAs(mysql, b), true
		case column.Float:
			n, err := strconv.ParseFloat(b, 64)
			return n, err == nil
		case column.Integer, column.Binary, column.Boolean:
			return nil, false
		}
		return textAs(mysql, b), true
	}
	return bound, c.Kind == column.Timestamp || c.Kind == column.Text || unclassed(c) // a time
}

// unclassed: only the application knows what such a column holds.
func unclassed(c column.Type) bool {
	return c.Kind == column.Unknown || c.Kind == column.Other || c.Foreign
}

// textAs is a text as the driver gives it.
func textAs(mysql bool, s string) driver.Value {
	if mysql {
		return []byte(s)
	}
	return s
}

// withPlaces is a decimal number, or a time of day, with the places of its column, which
// servers show.
func withPlaces(s string, places int) string {
	whole, fraction, _ := strings.Cut(s, ".")
	if len(fraction) >= places {
		return s
	}
	return whole + "." + fraction + strings.Repeat("0", places-len(fraction))
}

func spelledUUID(b []byte) string {
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
