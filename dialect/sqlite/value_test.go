package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestS01_Values(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	type named string
	text, number := "text", 7
	var nothing *string
	for _, tt := range []struct{ in, out any }{
		{nil, nil},
		{nothing, nil},
		{[]byte(nil), nil},
		{[]byte{}, []byte{}},
		{[]byte{0, 1, 255}, []byte{0, 1, 255}},
		{"", ""},
		{"a\x00b", "a\x00b"},
		{"\xff\xfe", "\xff\xfe"},
		{"' \" ? ; -- /*", "' \" ? ; -- /*"},
		{"한국어 🎧", "한국어 🎧"},
		{named("n"), "n"},
		{&text, "text"},
		{&number, int64(7)},
		{true, int64(1)},
		{false, int64(0)},
		{int8(-1), int64(-1)},
		{uint32(math.MaxUint32), int64(math.MaxUint32)},
		{uint64(math.MaxInt64), int64(math.MaxInt64)},
		{int64(math.MinInt64), int64(math.MinInt64)},
		{float32(0.5), 0.5},
		{math.MaxFloat64, math.MaxFloat64},
		{math.Inf(-1), math.Inf(-1)},
		{json.RawMessage(`{"a":1}`), []byte(`{"a":1}`)},
		{sql.NullString{String: "s", Valid: true}, "s"},
		{sql.NullInt64{}, nil},
	} {
		assert.Equal(t, tt.out, u.one("SELECT ?", tt.in), "%T %v", tt.in, tt.in)
	}
}

type failing struct{ secret string }

func (f failing) Value() (driver.Value, error) { return nil, errors.New("cannot store " + f.secret) }

func TestS01_Refused(t *testing.T) {
	large := uint64(math.MaxUint64)
	for _, tt := range []struct {
		in   any
		says string
	}{
		{math.NaN(), "NaN"},
		{float32(math.NaN()), "NaN"},
		{large, "9223372036854775807"},
		{&large, "9223372036854775807"},
		{uint(math.MaxUint64), "9223372036854775807"},
		{map[string]int{"a": 1}, "Value method"},
		{[]string{"a"}, "Value method"},
		{failing{"hunter2"}, "its own conversion failed"},
		{time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "year"},
	} {
		_, err := bind([]any{1, tt.in})
		require.Error(t, err, "%T", tt.in)
		assert.Contains(t, err.Error(), tt.says)
		assert.Contains(t, err.Error(), "value 2 (")
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestS04_Times(t *testing.T) {
	u := connect(t, open(t, Open(file(t))))
	u.must(`CREATE TABLE t (a TIMESTAMP, b DATETIME, c DATE, d TIMESTAMPTZ, e "timestamp with time zone", f "DATETIME(6)", g TEXT, h)`)
	seoul, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	for _, at := range []time.Time{
		time.Date(2026, 11, 22, 18, 3, 5, 123456000, seoul),
		time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Now().Truncate(time.Microsecond), // with a monotonic clock reading
	} {
		u.must("DELETE FROM t")
		u.must("INSERT INTO t VALUES (?1, ?1, ?1, ?1, ?1, ?1, ?1, ?1)", at)
		for _, query := range []string{
			"SELECT a, b, c, d, e, f FROM t",
			"SELECT max(a), coalesce(b, NULL), (SELECT c FROM t) FROM t",
			"INSERT INTO t (a, d) VALUES ('" + must(instant(at)).(string) + "', '" + must(instant(at)).(string) + "') RETURNING a, d",
		} {
			for _, v := range must(u.all(query))[0] {
				got, ok := v.(time.Time)
				if assert.True(t, ok, "%s: %T %v", query, v, v) {
					assert.True(t, at.Equal(got), "%s: %v became %v", query, at, got)
					assert.Equal(t, time.UTC, got.Location())
				}
			}
		}
		text, ok := u.one("SELECT g FROM t WHERE g IS NOT NULL").(string)
		assert.True(t, ok, "a text stays a text")
		assert.Len(t, text, len(timeFormat))
		assert.Equal(t, int64(1), u.one("SELECT count(*) FROM t WHERE b = ?", at.UTC()))
	}

	u.must("DELETE FROM t")
	u.must("INSERT INTO t (a, d, g, h) VALUES ('2026-01-02', '2026-01-02T03:04:05+09:00', '2026-01-02', '2026-01-02 03:04:05')")
	row := must(u.all("SELECT a, d, g, h, upper(g) FROM t"))[0]
	assert.Equal(t, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), row[0])
	assert.Equal(t, time.Date(2026, 1, 1, 18, 4, 5, 0, time.UTC), row[1])
	assert.Equal(t, []driver.Value{"2026-01-02", "2026-01-02 03:04:05", "2026-01-02"}, row[2:])

	u.must("DELETE FROM t")
	u.must("INSERT INTO t (a, b) VALUES ('no time', 1767322800)")
	assert.Equal(t, [][]driver.Value{{"no time", int64(1767322800)}}, must(u.all("SELECT a, b FROM t")))
}

// Times compare as texts as they do as times.
func TestS04_Order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) time.Time {
			sec := rapid.Int64Range(-62135596800, 253402300799).Draw(t, name)
			usec := rapid.Int64Range(0, 999999).Draw(t, name+"µs")
			zone := time.FixedZone("", rapid.IntRange(-50400, 50400).Draw(t, name+"zone"))
			return time.Unix(sec, usec*1000).In(zone)
		}
		a, b := draw("a"), draw("b")
		x, y := must(instant(a)).(string), must(instant(b)).(string)
		if a.Compare(b) != strings.Compare(x, y) {
			t.Fatalf("%v and %v became %s and %s", a, b, x, y)
		}
		if back, ok := readTime(x, false); !ok || !back.Equal(a) {
			t.Fatalf("%v came back as %v", a, back)
		}
	})
}

// What the driver itself gives is what comes out of the wire, but for times and
// empty blobs.
func TestRowsAsDriver(t *testing.T) {
	path := file(t)
	u := connect(t, open(t, Open(path)))
	u.must("CREATE TABLE t (i INTEGER NOT NULL, r REAL, s VARCHAR(10), b BLOB, o BOOLEAN, n NUMERIC, x)")
	u.must("INSERT INTO t VALUES (1, 1.5, 'a', x'00ff', 1, '12.50', NULL), (2, 2, '', 'text', 0, 3, 'x')")
	plain, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { _ = plain.Close() }()

	const query = "SELECT *, i + 1 AS e FROM t ORDER BY i"
	theirs, err := plain.Query(query)
	require.NoError(t, err)
	defer func() { _ = theirs.Close() }()
	ours, err := u.wire.Query(t.Context(), nil, query, nil)
	require.NoError(t, err)
	names, err := theirs.Columns()
	require.NoError(t, err)
	assert.Equal(t, names, ours.Columns())
	types, err := theirs.ColumnTypes()
	require.NoError(t, err)
	r := ours.(driverRows)
	for i, want := range types {
		assert.Equal(t, want.DatabaseTypeName(), r.ColumnTypeDatabaseTypeName(i))
		assert.Equal(t, want.ScanType(), r.ColumnTypeScanType(i))
		length, ok := r.ColumnTypeLength(i)
		wantLength, wantOK := want.Length()
		assert.Equal(t, []any{wantLength, wantOK}, []any{length, ok})
	}
	for theirs.Next() {
		want, row := make([]any, len(names)), make([]driver.Value, len(names))
		into := make([]any, len(names))
		for i := range want {
			into[i] = &want[i]
		}
		require.NoError(t, theirs.Scan(into...))
		require.NoError(t, ours.Next(row))
		for i := range want {
			assert.Equal(t, want[i], row[i], names[i])
		}
	}
	require.NoError(t, theirs.Err())
	require.NoError(t, ours.Close())
}
