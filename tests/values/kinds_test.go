package values

import (
	"database/sql"
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-go/holdfast/dialect"
	"github.com/holdfast-go/holdfast/models"
	"github.com/holdfast-go/holdfast/tests/testdb"
)

var my = []testdb.Engine{testdb.MySQL, testdb.MariaDB}

func byOrder[V any](order func(a, b V) int) func(*asked) { return func(a *asked) { a.order = order } }

func on(engines ...testdb.Engine) func(*asked) { return func(a *asked) { a.engines = engines } }

// since names the first MariaDB that has the type.
func since(major, minor int) func(*asked) {
	return func(a *asked) { a.mariadb = dialect.Version{Major: major, Minor: minor} }
}

func apart(a *asked) { a.apart = true }

func folded(a *asked) { a.folded = true }

type structure struct {
	A int64
	B any
	C []string
}

type named string

var kinds = []kind{
	of[guessed[bool]]("bool", rapid.Bool, equal),
	of[guessed[int8]]("int8", whole[int8](math.MaxInt8, math.MinInt8), equal, byOrder(ordered[int8])),
	of[guessed[int16]]("int16", whole[int16](math.MaxInt16, math.MinInt16), equal, byOrder(ordered[int16])),
	of[guessed[int32]]("int32", whole[int32](math.MaxInt32, math.MinInt32), equal, byOrder(ordered[int32])),
	of[guessed[int64]]("int64", whole[int64](math.MaxInt64, math.MinInt64), equal, byOrder(ordered[int64])),
	of[guessed[uint8]]("uint8", whole[uint8](math.MaxUint8), equal, byOrder(ordered[uint8])),
	of[guessed[uint16]]("uint16", whole[uint16](math.MaxUint16), equal, byOrder(ordered[uint16])),
	of[guessed[uint32]]("uint32", whole[uint32](math.MaxUint32), equal, byOrder(ordered[uint32])),
	of[guessed[uint64]]("uint64", whole[uint64](math.MaxUint64, math.MaxInt64, math.MaxInt64+1), equal, byOrder(ordered[uint64])),
	of[guessed[float32]]("float32", float32s, sameFloat[float32], byOrder(ordered[float32])),
	of[guessed[float64]]("float64", float64s, sameFloat[float64], byOrder(ordered[float64])),
	of[guessed[string]]("string", texts, equal, byOrder(ordered[string])),
	of[guessed[[]byte]]("bytes", blobs, sameBytes, byOrder(slices.Compare[[]byte])),
	of[guessed[time.Time]]("time", times, sameTime, byOrder(timeOrder)),
	of[guessed[*string]]("*string", pointer(texts), optional(equal[string])),
	of[guessed[*int64]]("*int64", pointer(whole[int64](math.MaxInt64)), optional(equal[int64])),
	of[guessed[*time.Time]]("*time", pointer(times), optional(sameTime)),
	of[guessed[sql.Null[string]]]("null string", null(texts), nullable(equal[string])),
	of[guessed[sql.Null[time.Time]]]("null time", null(times), nullable(sameTime)),
	of[date[sql.Null[time.Time]]]("date null time", null(times), nullable(sameDay)),
	of[guessed[models.Date]]("day", someDays, equal, byOrder(models.Date.Compare)),
	of[uuids[string]]("uuid string", func() *rapid.Generator[string] {
		return oneOf([]string{"", "abc", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}"}, rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}`))
	}, equal, on(testdb.MariaDB, testdb.Postgres, testdb.SQLite), since(10, 7)),
	of[guessed[named]]("named string", func() *rapid.Generator[named] { return rapid.Map(texts(), func(s string) named { return named(s) }) }, equal),
	of[guessed[map[string]any]]("map", maps, func(a, b map[string]any) bool { return (a == nil) == (b == nil) && sameValue(a, b) }, apart),
	of[guessed[[]string]]("list", func() *rapid.Generator[[]string] { return rapid.SliceOfN(texts(), 0, 3) }, equal, apart),
	of[guessed[structure]]("struct", func() *rapid.Generator[structure] {
		return rapid.Custom(func(t *rapid.T) structure {
			return structure{A: rapid.Int64().Draw(t, "A"), B: anything(1).Draw(t, "B"), C: rapid.SliceOfN(texts(), 0, 2).Draw(t, "C")}
		})
	}, func(a, b structure) bool { return a.A == b.A && sameValue(a.B, b.B) && slices.Equal(a.C, b.C) }, apart),
	of[guessed[json.RawMessage]]("raw JSON", func() *rapid.Generator[json.RawMessage] {
		return rapid.Map(documents(), func(s string) json.RawMessage { return json.RawMessage(s) })
	}, func(a, b json.RawMessage) bool { return sameJSON(string(a), string(b)) }, apart),
	of[guessed[netip.Addr]]("address", func() *rapid.Generator[netip.Addr] {
		return rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:1.2.3.4")})
	}, equal),

	of[varchar[string]]("varchar string", texts, equal, byOrder(ordered[string])),
	of[varchar[*string]]("varchar *string", pointer(texts), optional(equal[string])),
	of[varchar[[]byte]]("varchar bytes", blobs, sameBytes),
	of[char[string]]("char string", texts, equal),
	of[text[string]]("text string", texts, equal, byOrder(ordered[string])),
	of[tinytext[string]]("tinytext string", texts, equal, on(my...)),
	of[latin[string]]("latin1 string", texts, equal, on(my...), folded),
	of[binary[[]byte]]("binary bytes", blobs, sameBytes, on(my...)),
	of[varbinary[[]byte]]("varbinary bytes", blobs, sameBytes, on(my...)),
	of[smallint[int64]]("smallint int64", whole[int64](math.MaxInt64, math.MinInt64, math.MaxInt16, math.MinInt16, math.MaxInt16+1), equal, byOrder(ordered[int64])),
	of[integer[int64]]("integer int64", whole[int64](math.MaxInt64, math.MinInt32, math.MaxInt32, math.MaxInt32+1), equal, byOrder(ordered[int64])),
	of[integer[uint32]]("integer uint32", whole[uint32](math.MaxUint32, math.MaxInt32, math.MaxInt32+1), equal, byOrder(ordered[uint32])),
	of[bigint[uint64]]("bigint uint64", whole[uint64](math.MaxUint64, math.MaxInt64, math.MaxInt64+1), equal, byOrder(ordered[uint64])),
	of[bigint[int8]]("bigint int8", whole[int8](math.MaxInt8), equal, byOrder(ordered[int8])),
	of[decimal[string]]("decimal string", numerals, sameNumeral, byOrder(numeralOrder), apart),
	of[decimal[money]]("decimal money", monies, sameMoney, byOrder(moneyOrder), apart),
	of[decimal[float64]]("decimal float64", float64s, sameFloat[float64], byOrder(ordered[float64]), apart),
	of[decimal[int64]]("decimal int64", whole[int64](math.MaxInt64, 99999999, 100000000), equal, byOrder(ordered[int64]), apart),
	of[decimal[*big.Rat]]("decimal *Rat", rats, func(a, b *big.Rat) bool { return a == nil && b == nil || a != nil && b != nil && a.Cmp(b) == 0 }, byOrder((*big.Rat).Cmp), apart),
	of[wide[string]]("wide string", numerals, sameNumeral, byOrder(numeralOrder), apart),
	of[wide[*big.Int]]("wide *Int", bigInts, func(a, b *big.Int) bool { return a.Cmp(b) == 0 }, byOrder((*big.Int).Cmp), apart),
	of[guessed[*big.Int]]("*Int", bigInts, func(a, b *big.Int) bool { return a.Cmp(b) == 0 }, byOrder((*big.Int).Cmp), apart),
	of[real4[float32]]("float float32", float32s, sameFloat[float32], byOrder(ordered[float32])),
	of[real4[float64]]("float float64", float64s, sameFloat[float64], byOrder(ordered[float64])),
	of[double[float32]]("double float32", float32s, sameFloat[float32], byOrder(ordered[float32])),
	of[double[float64]]("double float64", float64s, sameFloat[float64], byOrder(ordered[float64])),
	of[date[time.Time]]("date time", times, sameDay, byOrder(dayOrder)),
	of[date[*time.Time]]("date *time", pointer(times), optional(sameDay)),
	of[date[string]]("date string", days, equal, apart),
	of[timestamp[time.Time]]("timestamp time", times, sameTime, byOrder(timeOrder)),
	of[milliseconds[time.Time]]("milliseconds time", times, sameTime, byOrder(timeOrder)),
	of[datetime[time.Time]]("datetime time", times, sameTime, on(testdb.MySQL, testdb.MariaDB, testdb.SQLite)),
	of[timeOfDay[string]]("time string", clock, equal, apart),
	of[object[map[string]any]]("json map", maps, func(a, b map[string]any) bool { return (a == nil) == (b == nil) && sameValue(a, b) }, apart),
	of[object[any]]("json any", func() *rapid.Generator[any] { return anything(2) }, sameValue, apart),
	of[object[string]]("json string", documents, sameJSON, apart),
	of[array[[]string]]("array", func() *rapid.Generator[[]string] { return rapid.SliceOfN(texts(), 0, 3) }, equal, apart),
}
