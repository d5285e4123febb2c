package values

import (
	"bytes"
	"cmp"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/models"
)

// Generators are made afresh for each use: they cannot be shared by parallel
// tests.

func oneOf[V any](extremes []V, rest *rapid.Generator[V]) *rapid.Generator[V] {
	return rapid.OneOf(rapid.SampledFrom(extremes), rest)
}

func whole[V int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64](extremes ...V) func() *rapid.Generator[V] {
	return func() *rapid.Generator[V] {
		return oneOf(append(extremes, 0, 1), rapid.Custom(func(t *rapid.T) V { return V(rapid.Uint64().Draw(t, "n")) }))
	}
}

func float64s() *rapid.Generator[float64] {
	return oneOf([]float64{0, math.Copysign(0, -1), 1.1, 0.1, 1.0 / 3, 1e15, 1 << 53, 1<<53 + 2, 1 << 63, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.MaxFloat32, 1234567.8, 16777217, 0.125, 5e-324, 1e-310, math.NaN(), math.Inf(1), math.Inf(-1)}, rapid.Float64())
}

func float32s() *rapid.Generator[float32] {
	return oneOf([]float32{0, 1.1, 0.1, 1234567.8, 16777216, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-40, float32(math.NaN()), float32(math.Inf(1))},
		rapid.Float32())
}

func texts() *rapid.Generator[string] {
	return oneOf([]string{"", " ", "a ", " a", "'", `"`, `\`, `\'`, `\\`, "`", "?", "$1", "%", "a\x00b", "\x00", "é", "e\u0301", "ß", "ＡＢ", "한국어", "🎧", "\xff\xfe", "a\xffb", "\ufeffa",
		"12345678", "123456789", strings.Repeat("é", 20), strings.Repeat("🎧", 20), strings.Repeat("x", 21), strings.Repeat("y ", 10), strings.Repeat("é", 128), strings.Repeat("z", 256),
		"2026-03-01 12:00:00.000000+00:00", "0", "1e3", "null", "true", "\n", "\r\n", "\x1a", "\t", "A", "a", "\u2028"},
		rapid.StringN(0, 24, -1))
}

func blobs() *rapid.Generator[[]byte] {
	return oneOf([][]byte{nil, {}, {0}, {0, 0}, {255}, []byte("a'\\\"b"), []byte("12345678"), bytes.Repeat([]byte{32}, 20), bytes.Repeat([]byte{1}, 21), []byte("text")},
		rapid.SliceOfN(rapid.Byte(), 0, 24))
}

var zones = []*time.Location{time.UTC, time.FixedZone("", 9*3600), time.FixedZone("", -11*3600), time.FixedZone("", 5*3600+45*60), time.FixedZone("odd", -1234)}

func times() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		return rapid.OneOf(
			rapid.SampledFrom([]time.Time{
				{}, time.Date(0, 1, 1, 0, 0, 0, 0, zone), time.Date(-1, 12, 31, 23, 59, 59, 0, zone), time.Date(1, 1, 1, 0, 0, 0, 0, zone), time.Date(999, 12, 31, 0, 0, 0, 0, zone),
				time.Date(1000, 1, 1, 0, 0, 0, 0, zone), time.Date(1582, 10, 10, 0, 0, 0, 0, zone), time.Date(1969, 12, 31, 23, 59, 59, 999999000, zone),
				time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(1990, 5, 17, 0, 0, 0, 0, zone), time.Date(2000, 2, 29, 0, 0, 0, 0, zone),
				time.Date(2026, 3, 29, 2, 30, 0, 0, zone), time.Date(2026, 3, 29, 2, 30, 0, 999999000, zone), time.Date(2026, 3, 29, 2, 30, 0, 999999999, zone),
				time.Date(2026, 3, 29, 23, 59, 59, 999999999, zone), time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
				time.Date(2106, 2, 7, 6, 28, 16, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, zone),
				time.Date(10000, 1, 1, 0, 0, 0, 0, zone), time.Date(294277, 1, 9, 4, 0, 55, 0, zone), time.Date(300000, 1, 1, 0, 0, 0, 0, zone),
			}),
			rapid.Custom(func(t *rapid.T) time.Time {
				unit := rapid.SampledFrom([]time.Duration{24 * time.Hour, time.Second, time.Millisecond, time.Microsecond}).Draw(t, "unit")
				at := time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC().Truncate(unit)
				return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone)
			})).Draw(t, "time")
	})
}

// numerals are decimal numbers as text, and a few that are none.
func numerals() *rapid.Generator[string] {
	return oneOf([]string{"0", "-0", "0.00", "1.1", "1.10", "1.123", "0.005", "-0.01", "99999999.99", "99999999.999", "100000000", "-99999999.99", "1e2", "+1", " 1", "1 ", "", "abc", "NaN", "Infinity",
		"0x10", "1_000", "007", ".5", "5.", "123456789012345678901234567.1234567891", "1234567890123456789012345678.1234567890", "12345678901234567890123456789", "0.12345678901", "3.3689999999"},
		rapid.Custom(func(t *rapid.T) string {
			digits := rapid.StringMatching(`-?[0-9]{1,9}(\.[0-9]{1,3})?`)
			return digits.Draw(t, "numeral")
		}))
}

// money is a decimal number that speaks for itself, as the common decimal
// packages do: by a text.
type money struct{ rat big.Rat }

func (m money) Value() (driver.Value, error) { return m.rat.FloatString(3), nil }

func (m *money) Scan(src any) error {
	switch src := src.(type) {
	case []byte:
		return m.parse(string(src))
	case string:
		return m.parse(src)
	}
	return errType
}

func (m *money) parse(s string) error {
	if _, ok := m.rat.SetString(s); !ok {
		return errType
	}
	return nil
}

func monies() *rapid.Generator[money] {
	return rapid.Map(rapid.Int64Range(-2000000000000, 2000000000000), func(n int64) (m money) {
		m.rat.SetFrac64(n, 1000)
		return m
	})
}

func rats() *rapid.Generator[*big.Rat] {
	return oneOf([]*big.Rat{big.NewRat(1, 3), big.NewRat(1, 8), big.NewRat(0, 1), big.NewRat(math.MaxInt64, 1), nil}, rapid.Custom(func(t *rapid.T) *big.Rat {
		return big.NewRat(rapid.Int64Range(-1e12, 1e12).Draw(t, "n"), rapid.SampledFrom([]int64{1, 10, 100, 1000, 7}).Draw(t, "d"))
	}))
}

func bigInts() *rapid.Generator[*big.Int] {
	return rapid.Custom(func(t *rapid.T) *big.Int {
		n, _ := new(big.Int).SetString(rapid.StringMatching(`-?[1-9][0-9]{0,33}`).Draw(t, "n"), 10)
		return n
	})
}

// anything is what JSON can hold.
func anything(depth int) *rapid.Generator[any] {
	leaves := rapid.OneOf(
		rapid.SampledFrom([]any{nil, true, false, "", "a", "é🎧", "a\x00b", "\xff", "'\\\"", 0.0, 1.5, 1e300, 1e21, -0.1, json.Number("1499366092322157987"), json.Number("18446744073709551615"),
			json.Number("123456789012345678901234567890"), json.Number("0.1234567890123456789"), json.Number("1e400"), 1499366092322157987.0}),
		rapid.Map(rapid.Float64Range(-1e18, 1e18), func(f float64) any { return f }),
		rapid.Map(rapid.StringN(0, 5, -1), func(s string) any { return s }))
	if depth == 0 {
		return leaves
	}
	return rapid.OneOf(leaves,
		rapid.Map(rapid.SliceOfN(anything(depth-1), 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.StringN(0, 4, -1), anything(depth-1), 0, 3), func(m map[string]any) any { return m }))
}

func maps() *rapid.Generator[map[string]any] {
	return oneOf([]map[string]any{nil, {}, {"id": json.Number("1499366092322157987")}, {"\xff": "a"}, {"a": "\xff"}}, rapid.MapOfN(rapid.StringN(0, 4, -1), anything(2), 0, 3))
}

func documents() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			return rapid.SampledFrom([]string{"", "{", "null", "1.10", "[1, 2]", `"a"`, "nul", `{"a": 1499366092322157987}`}).Draw(t, "document")
		}
		b, err := json.Marshal(anything(2).Draw(t, "value"))
		if err != nil {
			return "{}"
		}
		return string(b)
	})
}

func clock() *rapid.Generator[string] {
	return oneOf([]string{"00:00:00", "23:59:59", "12:34:56.789", "12:34:56.5", "24:00:00", "25:00:00", "-01:00:00", "838:59:59", "", "12:34", "1:2:3", "abc"}, rapid.StringMatching(`[0-2][0-9]:[0-5][0-9]:[0-5][0-9]`))
}

func days() *rapid.Generator[string] {
	return oneOf([]string{"2026-02-30", "0000-00-00", "2026-02-29", "2024-02-29", "2026-3-1", "20260301", "", "abc", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2026-03-01 12:00:00", "today", "infinity"},
		rapid.StringMatching(`20[0-9][0-9]-(0[1-9]|1[0-2])-[0-3][0-9]`))
}

func someDays() *rapid.Generator[models.Date] {
	return oneOf([]models.Date{{}, {Year: 1, Month: 1, Day: 1}, {Year: 9999, Month: 12, Day: 31}, {Year: 2026, Month: 2, Day: 30}, {Year: 0, Month: 1, Day: 1}, {Year: 10000, Month: 1, Day: 1}},
		rapid.Custom(func(t *rapid.T) models.Date {
			return models.Date{Year: 1900, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 100000).Draw(t, "days"))
		}))
}

func pointer[V any](of func() *rapid.Generator[V]) func() *rapid.Generator[*V] {
	return func() *rapid.Generator[*V] { return rapid.Ptr(of(), true) }
}

func null[V any](of func() *rapid.Generator[V]) func() *rapid.Generator[sql.Null[V]] {
	return func() *rapid.Generator[sql.Null[V]] {
		return rapid.Map(rapid.Ptr(of(), true), func(p *V) (n sql.Null[V]) {
			if p != nil {
				n.V, n.Valid = *p, true
			}
			return n
		})
	}
}

// The same value:

func equal[V any](a, b V) bool { return reflect.DeepEqual(a, b) }

func sameFloat[V float32 | float64](a, b V) bool { return a == b }

func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// sameTime: to the microsecond, as rule S4 has it.
func sameTime(a, b time.Time) bool {
	return a.UTC().Truncate(time.Microsecond).Equal(b)
}

// sameDay: as it is written.
func sameDay(a, b time.Time) bool {
	return a.Format(time.DateOnly) == b.Format(time.DateOnly) && b.Equal(b.Truncate(24*time.Hour))
}

func sameNumeral(a, b string) bool {
	x, ok := new(big.Rat).SetString(a)
	y, also := new(big.Rat).SetString(b)
	return ok && also && x.Cmp(y) == 0
}

func sameMoney(a, b money) bool { return a.rat.Cmp(&b.rat) == 0 }

func sameJSON(a, b string) bool {
	var x, y any
	return decode(a, &x) == nil && decode(b, &y) == nil && sameValue(x, y)
}

func decode(s string, into *any) error {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	return d.Decode(into)
}

// sameValue compares what JSON can hold: numbers by their value.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if v, ok := b[k]; !ok || !sameValue(a[k], v) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case float64, json.Number:
		x, y := number(a), number(b)
		return x != nil && y != nil && x.Cmp(y) == 0
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) *big.Rat {
	s, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	r, ok := new(big.Rat).SetString(string(s))
	if _, text := v.(string); text || !ok {
		return nil
	}
	return r
}

func optional[V any](same func(a, b V) bool) func(a, b *V) bool {
	return func(a, b *V) bool { return a == nil && b == nil || a != nil && b != nil && same(*a, *b) }
}

func nullable[V any](same func(a, b V) bool) func(a, b sql.Null[V]) bool {
	return func(a, b sql.Null[V]) bool { return a.Valid == b.Valid && (!a.Valid || same(a.V, b.V)) }
}

// And the order of values:

func ordered[V cmp.Ordered](a, b V) int { return cmp.Compare(a, b) }

func numeralOrder(a, b string) int {
	x, _ := new(big.Rat).SetString(a)
	y, _ := new(big.Rat).SetString(b)
	return x.Cmp(y)
}

func moneyOrder(a, b money) int { return a.rat.Cmp(&b.rat) }

func timeOrder(a, b time.Time) int {
	return a.UTC().Truncate(time.Microsecond).Compare(b.UTC().Truncate(time.Microsecond))
}

func dayOrder(a, b time.Time) int {
	return cmp.Compare(a.Format(time.DateOnly), b.Format(time.DateOnly))
}
