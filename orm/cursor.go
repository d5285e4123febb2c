package orm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql/driver"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// ErrCursor: a cursor is damaged, was made for another query, or, with
// [CursorKey], not by this program. Nothing was sent.
var ErrCursor = errors.New("the cursor is no position of this query")

// CursorKey seals the cursors of [QuerySet.Cursor] with a secret key of 16 bytes or
// more: who has one can neither read it nor make another. Cursors that were sealed
// with one of the old keys are still read. All programs that read each other's
// cursors have the same key.
//
// Without a key whoever has a cursor can read the values of the ordering columns in
// it, and make a cursor for another place. That reaches no row which the query's
// own conditions leave out, but it tells where in the order a row stands. So order
// by nothing secret, or set a key. The cipher is AES-256-GCM; a key is good for
// 2³² cursors.
func CursorKey(key []byte, old ...[]byte) Option {
	keys := append([][]byte{key}, old...)
	return func(s *settings) { s.cursorKeys = keys }
}

// Cursor is the place of row in the order of the query, as a text for a URL (rule
// S45). [QuerySet.AfterCursor] and [QuerySet.BeforeCursor] of a query over the same
// table in the same order go on from there; its conditions may be others. The text is as long as
// the values of the columns that the query is ordered by, and can be read and made by others
// unless there is a [CursorKey].
func (q QuerySet[T]) Cursor(row *T) (string, error) {
	text, err := q.set.cursor(row)
	return text, failed(nameOf[T](), "Cursor", err)
}

func (q set[P]) cursor(row P) (string, error) {
	if isNil(row) {
		return "", errNilRow
	}
	q.settle()
	if q.err != nil {
		return "", q.err
	}
	var values []byte
	v := reflect.ValueOf(row).Elem()
	for _, o := range q.spec.Order {
		f, err := q.model.Own(o.By)
		if err != nil {
			return "", err
		}
		bound, err := f.Place(v)
		if err == nil {
			values, err = appendBound(values, bound)
		}
		if err != nil {
			return "", err
		}
	}
	return base64.RawURLEncoding.EncodeToString(q.db.cursors.seal(values, q.shape())), nil
}

// AfterCursor is [QuerySet.After] for a cursor, and the beginning for "". The text
// may come from anybody: one that is not a place in this query's order is
// [ErrCursor], which every method that would send returns, as does Err.
func (q QuerySet[T]) AfterCursor(cursor string) QuerySet[T] {
	return QuerySet[T]{q.set.fromCursor(cursor, false)}
}

// BeforeCursor is [QuerySet.Before] for a cursor, and the end for "".
func (q QuerySet[T]) BeforeCursor(cursor string) QuerySet[T] {
	return QuerySet[T]{q.set.fromCursor(cursor, true)}
}

func (q set[P]) fromCursor(cursor string, before bool) set[P] {
	q.settle()
	if q.err != nil || cursor == "" {
		var end P
		return q.from(end, before)
	}
	row, ok := q.read(cursor)
	if !ok {
		q.keep(ErrCursor)
		return q
	}
	return q.from(row, before)
}

// read is a row that stands where the cursor does. It says no more about one that
// cannot be read: whoever made it could learn from that.
func (q set[P]) read(cursor string) (row P, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return row, false
	}
	values, ok := q.db.cursors.open(raw, q.shape())
	if !ok {
		return row, false
	}
	there := reflect.New(q.model.Type)
	v := there.Elem()
	for _, o := range q.spec.Order {
		f, err := q.model.Own(o.By)
		if err != nil {
			return row, false
		}
		var bound driver.Value
		if bound, values, ok = cutBound(values); !ok {
			return row, false
		}
		if !readPlace(f, v, bound) {
			return row, false
		}
	}
	return there.Interface().(P), len(values) == 0
}

// shape tells the order of one query from that of another.
func (q set[P]) shape() []byte {
	h := sha256.New()
	add := func(s string) { _, _ = h.Write([]byte(strconv.Itoa(len(s)) + ":" + s)) }
	add("holdfast cursor")
	add(q.model.Table.Name)
	for _, o := range q.spec.Order {
		if f, err := q.model.Own(o.By); err == nil {
			add(f.Name)
			if q.backward {
				o = o.Reversed()
			}
			add(strconv.FormatBool(o.Desc))
			if o.NullsLast() != o.Desc {
				add("NULL stands at the other end")
			}
		}
	}
	return h.Sum(nil)
}

// The kinds of values in a cursor.
const (
	isNull = iota
	isInt
	isUint
	isFloat
	isBool
	isText
	isBytes
	isTime
)

func appendBound(list []byte, bound any) ([]byte, error) {
	switch b := bound.(type) {
	case nil:
		return append(list, isNull), nil
	case int64:
		return binary.AppendVarint(append(list, isInt), b), nil
	case uint64:
		return binary.AppendUvarint(append(list, isUint), b), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(list, isFloat), math.Float64bits(b)), nil
	case bool:
		n := uint64(0)
		if b {
			n = 1
		}
		return binary.AppendUvarint(append(list, isBool), n), nil
	case string:
		return append(binary.AppendUvarint(append(list, isText), uint64(len(b))), b...), nil
	case []byte:
		return append(binary.AppendUvarint(append(list, isBytes), uint64(len(b))), b...), nil
	case time.Time:
		return binary.AppendVarint(append(list, isTime), b.UnixMicro()), nil
	}
	return nil, fmt.Errorf("a value of type %T has no place in a cursor", bound)
}

// cutBound reads the first value of list.
func cutBound(list []byte) (bound driver.Value, rest []byte, ok bool) {
	if len(list) == 0 {
		return nil, nil, false
	}
	what, list := list[0], list[1:]
	switch what {
	case isNull:
		return nil, list, true
	case isInt, isTime:
		n, size := binary.Varint(list)
		if size <= 0 {
			return nil, nil, false
		}
		if what == isTime {
			return time.UnixMicro(n).UTC(), list[size:], true
		}
		return n, list[size:], true
	case isFloat:
		if len(list) < 8 {
			return nil, nil, false
		}
		return math.Float64frombits(binary.BigEndian.Uint64(list)), list[8:], true
	}
	n, size := binary.Uvarint(list)
	if size <= 0 {
		return nil, nil, false
	}
	list = list[size:]
	switch what {
	case isUint:
		return n, list, true
	case isBool:
		return n == 1, list, n <= 1
	case isText, isBytes:
		if n > uint64(len(list)) {
			return nil, nil, false
		}
		if what == isText {
			return string(list[:n]), list[n:], true
		}
		return list[:n:n], list[n:], true
	}
	return nil, nil, false
}

// sealer makes texts of cursors with keys; a nil one only guards them against
// damage.
type sealer struct{ ciphers []cipher.AEAD }

// The first byte of a cursor.
const (
	openCursor   = 1
	sealedCursor = 2
	checksum     = 8
)

func newSealer(keys [][]byte) (*sealer, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	s := &sealer{}
	for _, key := range keys {
		if len(key) < 16 {
			return nil, fmt.Errorf("orm: CursorKey: a key has %d bytes, and 16 are the least", len(key))
		}
		derived, err := hkdf.Key(sha256.New, key, nil, "holdfast cursor", 32)
		if err != nil {
			return nil, fmt.Errorf("orm: CursorKey: %w", err)
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, fmt.Errorf("orm: CursorKey: %w", err)
		}
		c, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("orm: CursorKey: %w", err)
		}
		s.ciphers = append(s.ciphers, c)
	}
	return s, nil
}

func (s *sealer) seal(values, shape []byte) []byte {
	if s == nil {
		return append(append([]byte{openCursor}, values...), sumOf(values, shape)...)
	}
	return s.ciphers[0].Seal([]byte{sealedCursor}, nil, values, shape)
}

func (s *sealer) open(raw, shape []byte) (values []byte, ok bool) {
	switch {
	case len(raw) == 0:
		return nil, false
	case s == nil:
		if raw[0] != openCursor || len(raw) < 1+checksum {
			return nil, false
		}
		at := len(raw) - checksum
		values = raw[1:at]
		return values, subtle.ConstantTimeCompare(sumOf(values, shape), raw[at:]) == 1
	case raw[0] != sealedCursor:
		return nil, false
	}
	for _, c := range s.ciphers {
		if values, err := c.Open(nil, nil, raw[1:], shape); err == nil {
			return values, true
		}
	}
	return nil, false
}

func sumOf(values, shape []byte) []byte {
	sum := sha256.Sum256(append(append([]byte{}, shape...), values...))
	return sum[:checksum]
}
