package postgres

import (
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// typesGuard is a savepoint in front of a description that may fail.
const typesGuard = "hf_types"

// giveType takes the type of the parameter that failure is about from its argument,
// and reports whether it is worth asking again. The server knows no type for a
// parameter that meets nothing which has one: $1 IS NULL, concat(name, $1).
func (w *wire) giveType(st *statement, args []any, failure error) bool {
	var e *pgconn.PgError
	if !errors.As(failure, &e) || e.Code != "42P18" || w.conn.IsClosed() {
		return false
	}
	n := parameterIn(e.Message)
	if n < 1 || n > len(args) {
		return false
	}
	oid := w.typeOf(args[n-1])
	if st.types == nil {
		st.types = make([]uint32, len(args))
	}
	if oid == 0 || st.types[n-1] != 0 {
		return false
	}
	st.types[n-1] = oid
	return true
}

// parameterIn finds $1 in a message, which may be in any language.
func parameterIn(message string) int {
	_, rest, _ := strings.Cut(message, "$")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		rest = rest[:end]
	}
	n, _ := strconv.Atoi(rest)
	return n
}

// typeOf is the type in which a value travels whose parameter has none; 0 if
// nobody knows one.
func (w *wire) typeOf(arg any) uint32 {
	switch arg.(type) {
	case nil, string:
		return pgtype.TextOID
	case int, int8, int16, int32, int64, uint8, uint16, uint32:
		return pgtype.Int8OID
	}
	if t, ok := w.pgx.TypeMap().TypeForValue(arg); ok {
		return t.OID
	}
	if _, ok := arg.(driver.Valuer); ok {
		return pgtype.TextOID
	}
	return 0
}
